"""Every mechanism, one row each. A new one needs its file and its row here; pages and property tests pick it up."""

from attention_core.mechanisms.additive import ADDITIVE, ADDITIVE_RELU, CONCAT
from attention_core.mechanisms.base import Mechanism
from attention_core.mechanisms.hard import HARD, HARD_SAMPLED
from attention_core.mechanisms.local import LOCAL_M, LOCAL_P, WINDOW
from attention_core.mechanisms.location import LOCATION
from attention_core.mechanisms.multiplicative import COSINE, DISTANCE, DOT, GENERAL, SCALED_DOT
from attention_core.mechanisms.recurrent import GRAVES, LOCATION_AWARE, TURING

MECHANISMS: dict[str, Mechanism] = {
    "scaled_dot": SCALED_DOT,
    "dot": DOT,
    "general": GENERAL,
    "cosine": COSINE,
    "distance": DISTANCE,
    "additive": ADDITIVE,
    "additive_relu": ADDITIVE_RELU,
    "concat": CONCAT,
    "location": LOCATION,
    "window": WINDOW,
    "local_m": LOCAL_M,
    "local_p": LOCAL_P,
    "hard": HARD,
    "hard_sampled": HARD_SAMPLED,
    "graves": GRAVES,
    "turing": TURING,
    "location_aware": LOCATION_AWARE,
}
