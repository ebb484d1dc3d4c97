"""Multi-head attention, every step of it: pure torch, no user interface.

Read these eight first, in this order:

1. `attention`: `attend`, the paper in forty lines, every stage returned; `gradients` of every stage.
2. `masks`: who may attend to whom.
3. `scalings`: what is done to the scores.
4. `normalizers`: rows of scores to rows of weights.
5. `positions`: how a token is told where it stands.
6. `multihead`: one weight matrix per head, and W_O.
7. `measures`: what is read off the weights.
8. `text`: a sentence as words and vectors.

`finite` says what NaN and ∞ reach, `precision` what half precision does to a stage.

Then, by question:

- Where do x and W come from? `models`: an untrained layer, a trained transformer, a layer trained here, one interface.
- Why divide by √d_k? `variance`: q·k drawn and in closed form. `softmax`: one row under a microscope.
- What dies when softmax saturates? `saturated_rows` and `slopes` (closed forms, logarithms apart), `saturation` (every
  measure over d_k and input scale), `losses`; `models.strain` inside a trained model. `remedies` and `remedy_curves`.
- What else has been called attention? `mechanisms`: one row each; `sampling` (hard), `sliding` (local).
- What do order, length and neighbours do? `shuffling`, `hearing` (masks), `costs`, `kv_cache`, `fully_connected`,
  `identifiability`, and two sentences in `matching`.
- What does it learn? `experiments`: real training runs, each a generator of frozen records; `checkpoints`: what ships.
"""

from attention_core.attention import AttentionTrace, attend, dot, gradients
from attention_core.multihead import MultiHeadAttention
from attention_core.normalizers import NORMALIZERS, hard
from attention_core.scalings import INVERSE, INVERSE_SQRT, NONE, SCALINGS, Scaling, by

__version__ = "0.3.0"

__all__ = [
    "INVERSE",
    "INVERSE_SQRT",
    "NONE",
    "NORMALIZERS",
    "SCALINGS",
    "AttentionTrace",
    "MultiHeadAttention",
    "Scaling",
    "attend",
    "by",
    "dot",
    "gradients",
    "hard",
]
