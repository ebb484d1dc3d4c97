"""Two sentences read by one encoder: how they align at every temperature, the verdict with its evidence. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from attention_core.matching import (
    CrossAttention,
    Matcher,
    Variant,
    align,
    contextual,
    influence_on_last,
    shipped,
    word_vectors,
)
from attention_core.models import Pretrained, Tokens
from ui.scripts import filled

ENCODERS = ("bilstm", "vectors", "transformer")
MATCHERS: dict[str, Variant] = {"bilstm": "both", "vectors": "attention"}
MAX_WORDS = 64  # of each sentence
STOPS = tuple(float(f"{10 ** (k / 12):.3g}") for k in range(-12, 25))  # temperatures 0.1 … 100
START = STOPS.index(1.0)
VERDICT = ("probability", "logit", "bias", "first", "second")
SIDES = ("first", "second")


@dataclass(frozen=True)
class Pair:
    """Both sentences as one encoder reads them. Float64; `matcher` is None where nothing was trained on the vectors."""

    tokens: tuple[tuple[str, ...], tuple[str, ...]]
    x: tuple[Float[Tensor, "n d_in"], Float[Tensor, "m d_in"]]
    encoded: tuple[Float[Tensor, "n d"], Float[Tensor, "m d"]]
    matcher: Matcher | None

    @property
    def verdict(self) -> tuple[str, ...]:
        """What the numbers of the verdict are."""
        return ("cosine",) if self.matcher is None else VERDICT

    @cached_property
    def swept(self) -> dict[str, Float[Tensor, "stops _"]]:
        """At every temperature: what each word says, how far it is from what it was rebuilt to, and the verdict."""
        rows = [self.at(temperature) for temperature in STOPS]
        return {name: torch.stack([row[name] for row in rows]) for name in rows[0]}

    def alignment(self, temperature: float = 1.0) -> CrossAttention:
        """Cross-attention both ways."""
        return align(*self.encoded, temperature=temperature)

    def at(self, temperature: float) -> dict[str, Float[Tensor, " _"]]:
        """All numbers at one temperature; what words say only where there is a matcher."""
        if self.matcher is None:
            alignment, evidence = self.alignment(temperature), ()
            verdict = torch.stack([sentence_cosine(self.encoded)])
        else:
            judged = self.matcher.judge(*self.encoded, temperature=temperature)
            assert judged.alignment is not None and judged.evidence[1] is not None
            alignment, evidence = judged.alignment, (judged.evidence[0], judged.evidence[1])
            verdict = torch.stack(
                [judged.logit.sigmoid(), judged.logit, judged.bias, *(words.sum() for words in evidence)]
            )
        apart = (difference.norm(dim=-1) for difference in alignment.differences)
        return {
            **{f"said_{side}": words for side, words in zip(SIDES, evidence, strict=False)},
            **{f"apart_{side}": distances for side, distances in zip(SIDES, apart, strict=True)},
            "verdict": verdict,
        }

    def vectors(self, side: int, word: int, temperature: float) -> Float[Tensor, "3 d"]:
        """x̄, x̃ and x̄ − x̃ of one word."""
        alignment = self.alignment(temperature)
        trace = (alignment.first, alignment.second)[side]
        own, rebuilt = trace.q[word], trace.context[word]
        return torch.stack([own, rebuilt, own - rebuilt])


@torch.no_grad()
def read(model: Pretrained, encoder: str, texts: tuple[str, str]) -> Pair:
    """Both texts, up to MAX_WORDS tokens each, through the encoder."""
    a, b = (_cut(model.tokenize(text, special=False)) for text in texts)
    x_a, x_b = (word_vectors(model, tokens).double() for tokens in (a, b))
    tokens = (a.strings, b.strings)
    if encoder == "transformer":
        encoded = (contextual(in_context(model, texts[0])), contextual(in_context(model, texts[1])))
        return Pair(tokens, (x_a, x_b), encoded, None)
    matcher, _ = shipped(MATCHERS[encoder])
    return Pair(tokens, (x_a, x_b), (matcher.encode(x_a), matcher.encode(x_b)), matcher)


def _cut(tokens: Tokens) -> Tokens:
    return Tokens(strings=tokens.strings[:MAX_WORDS], ids=tokens.ids[:MAX_WORDS])


def in_context(model: Pretrained, text: str) -> Float[Tensor, "n d"]:
    """What the last layer hands on for the first MAX_WORDS tokens of the text, without the two that frame it. What is
    typed is text, [SEP] too: all encoders read the same tokens.
    """
    return model.run(model.tokenize(text, plain=True)).output[1:-1][:MAX_WORDS].double()


def sentence_cosine(encoded: tuple[Tensor, Tensor]) -> Float[Tensor, ""]:
    """Cosine of the two mean vectors: what all-MiniLM-L6-v2 was trained to make large for paraphrases."""
    a, b = encoded
    return F.cosine_similarity(a.mean(dim=0), b.mean(dim=0), dim=0)


# --- claims with numbers ---


def self_attention_residual(a: Float[Tensor, "n d"], temperature: float) -> float:
    """max |cross-attention(a, a) − torch's self-attention of a|, both directions."""
    alignment = align(a, a, temperature=temperature)
    theirs = F.scaled_dot_product_attention(a[None], a[None], a[None], scale=1 / temperature)[0]
    return max(float((ours - theirs).abs().max()) for ours in alignment.rebuilt)


def residuals(pair: Pair, temperature: float) -> tuple[float, float]:
    """How far row sums are from 1, and the rebuilt sentences from torch's own attention; at most."""
    alignment = pair.alignment(temperature)
    rows, apart = [], []
    for trace in (alignment.first, alignment.second):
        theirs = F.scaled_dot_product_attention(trace.q[None], trace.k[None], trace.v[None], scale=1 / temperature)[0]
        rows.append(float((trace.weights.sum(dim=-1) - 1).abs().max()))
        apart.append(float((theirs - trace.context).abs().max()))
    return max(rows), max(apart)


def partners(pair: Pair) -> list[int]:
    """For every word of sentence 1 the word of sentence 2 with the largest e_ij."""
    return pair.alignment().similarity.argmax(dim=-1).tolist()


def cosines(model: Pretrained, texts: tuple[str, str], partners: Sequence[int]) -> dict[str, Float[Tensor, " n"]]:
    """cos(word i of sentence 1, its partner): word vectors alone, after the BiLSTM, in the trained transformer."""
    plain, recurrent, in_layers = (read(model, encoder, texts) for encoder in ("vectors", "bilstm", "transformer"))
    vectors = {"vectors": plain.x, "bilstm": recurrent.encoded, "transformer": in_layers.encoded}
    return {name: F.cosine_similarity(a, b[list(partners)], dim=-1) for name, (a, b) in vectors.items()}


def heard(x: Float[Tensor, "n d_in"]) -> Float[Tensor, " n"]:
    """What the BiLSTM's vector of the last word still feels of each word, relative to what it feels of the last."""
    felt = influence_on_last(shipped("both")[0], x)
    return felt / felt[-1]


# --- what leaves the page ---


def arrays(pair: Pair, temperature: float) -> dict[str, np.ndarray]:
    """Everything on screen at this temperature."""
    alignment = pair.alignment(temperature)
    tensors = {
        "a": pair.encoded[0],
        "b": pair.encoded[1],
        "similarity": alignment.similarity,
        "weights_a": alignment.first.weights,
        "weights_b": alignment.second.weights,
        "rebuilt_a": alignment.rebuilt[0],
        "rebuilt_b": alignment.rebuilt[1],
        "difference_a": alignment.differences[0],
        "difference_b": alignment.differences[1],
        **pair.at(temperature),
    }
    tokens = {f"tokens_{name}": np.array(strings) for name, strings in zip("ab", pair.tokens, strict=True)}
    return tokens | {name: numbers.numpy() for name, numbers in tensors.items()}


def script(encoder: str, texts: tuple[str, str], temperature: float) -> str:
    """The script of the page with this encoder on these texts."""
    first, second = texts
    return filled(
        Path(__file__).with_name("script.py"),
        first=first,
        second=second,
        variant=MATCHERS.get(encoder),
        temperature=temperature,
    )
