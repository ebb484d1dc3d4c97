"""One head of an untrained layer on the reader's sentence: what pages about a single mechanism look at."""

from dataclasses import dataclass

import streamlit as st
from jaxtyping import Float
from torch import Tensor

from attention_core import attend
from attention_core.models import Sizes
from attention_core.models.base import Tokens
from ui.controls import sentence_bar, whole_number
from ui.focus import settle
from ui.session import SCRATCH, model
from ui.text import Words

MAX_TOKENS = 64  # of a sentence: so many still fit the pictures and one message
N_HEAD = 4


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Head:
    """The first MAX_TOKENS tokens of a text as head `number` (from 0) of the layer of this seed reads them, float64."""

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
    tokens = layer.tokenize(text)
    tokens = Tokens(strings=tokens.strings[:MAX_TOKENS], ids=tokens.ids[:MAX_TOKENS])
    trace = layer.run(tokens).layers[0].head(number)
    q, k, v = (vectors.double() for vectors in (trace.q, trace.k, trace.v))
    return Head(text=text, tokens=tokens.strings, number=number, seed=seed, q=q, k=k, v=v)


def head_bar(page: Words) -> Head:
    """The bar of such a page: the reader's sentence, of two tokens at least, the head and the seed of the layer."""
    text, tokens, (number, seed) = sentence_bar(lambda: _chosen(page), least=2)
    if len(tokens) > MAX_TOKENS:
        st.caption(page.format("shortened", shown=MAX_TOKENS, all=len(tokens)))
    chosen = head(text, number, seed)
    settle(chosen.tokens, chosen.tokens, lambda: attend(chosen.q, chosen.k, chosen.v).weights)
    return chosen


def _chosen(page: Words) -> tuple[int, int]:
    number = whole_number("mechanism_head", 1, N_HEAD, 1, page["head"], 100) - 1
    return number, whole_number("seed", 0, 9999, 0, page["seed"], 110)
