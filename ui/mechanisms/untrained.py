"""One head of an untrained layer on the reader's sentence: what the pages about single mechanisms look at."""

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from attention_core.models import Sizes
from attention_core.models.base import Tokens
from ui.session import SCRATCH, model

MAX_TOKENS = 64  # of a sentence: so many still fit the pictures and one message
N_HEAD = 4


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Head:
    """The first MAX_TOKENS tokens of a text as one head reads them, float64."""

    text: str
    tokens: tuple[str, ...]
    number: int
    seed: int
    q: Float[Tensor, "n d_k"]
    k: Float[Tensor, "n d_k"]
    v: Float[Tensor, "n d_v"]


def head(text: str, number: int, seed: int) -> Head:
    """Head `number`, counted from 0, of the layer of this seed."""
    layer = model(SCRATCH, Sizes(n_head=N_HEAD, seed=seed))
    tokens = Tokens(strings=layer.tokenize(text).strings[:MAX_TOKENS], ids=layer.tokenize(text).ids[:MAX_TOKENS])
    trace = layer.run(tokens).layers[0].head(number)
    q, k, v = (vectors.double() for vectors in (trace.q, trace.k, trace.v))
    return Head(text=text, tokens=tokens.strings, number=number, seed=seed, q=q, k=k, v=v)


def rebuilt(made: Head) -> str:
    """Lines of a script that make q, k and v of this head."""
    return f"""# In the folder of Headlight: PYTHONPATH=. .venv/bin/python the_name_of_this_file.py
from functools import partial

import torch

from attention_core import attend, by
from attention_core.models import FromScratch, Sizes, load_embedded

text, seed, head, n = {made.text!a}, {made.seed}, {made.number}, {len(made.tokens)}
layer = FromScratch(Sizes(n_head={N_HEAD}, seed=seed), load_embedded())
trace = layer.run(layer.tokenize(text)).layers[0].head(head)
q, k, v = (vectors[:n].double() for vectors in (trace.q, trace.k, trace.v))
"""


def tokens_named(tokens: tuple[str, ...], position: float) -> str:
    """The token at or nearest to a position, cut to what fits a read-out."""
    token = tokens[min(len(tokens) - 1, max(0, round(position)))]
    return token if len(token) <= 12 else f"{token[:11]}…"
