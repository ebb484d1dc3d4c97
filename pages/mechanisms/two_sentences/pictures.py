"""Two sentences → the films and pictures of their alignment, the verdict with its evidence, what context does. Pure."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

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
from ui.components.lab import Bars, Controls, Film, Item, Map, Plot, Readouts, Slider, Softmax
from ui.numbers import significant
from ui.text import Words

ENCODERS = ("bilstm", "vectors", "transformer")
MATCHERS: dict[str, Variant] = {"bilstm": "both", "vectors": "attention"}
MAX_WORDS = 64  # of each sentence
STOPS = tuple(float(f"{10 ** (k / 12):.3g}") for k in range(-12, 25))  # temperatures 0.1 … 100
START = STOPS.index(1.0)
VERDICT = ("probability", "logit", "bias", "first", "second")
SIDES = ("first", "second")
WIDEST = 128  # components that a strip of cells still shows
HUES = {"first": "q", "second": "k"}


@dataclass(frozen=True)
class Reading:
    """Both sentences as one encoder reads them. Float64; `matcher` is None where nothing was trained on the vectors."""

    tokens: tuple[tuple[str, ...], tuple[str, ...]]
    x: tuple[Float[Tensor, "n d_in"], Float[Tensor, "m d_in"]]
    encoded: tuple[Float[Tensor, "n d"], Float[Tensor, "m d"]]
    matcher: Matcher | None

    @cached_property
    def swept(self) -> dict[str, Float[Tensor, "stops _"]]:
        """At every temperature: what each word says, how far it is from what it was rebuilt to, and the verdict."""
        rows = [self.at(temperature) for temperature in STOPS]
        return {name: torch.stack([row[name] for row in rows]) for name in rows[0]}

    def alignment(self, temperature: float = 1.0) -> CrossAttention:
        """Cross-attention both ways."""
        return align(*self.encoded, temperature=temperature)

    def at(self, temperature: float) -> dict[str, Float[Tensor, " _"]]:
        """All numbers at one temperature."""
        if self.matcher is None:
            found = self.alignment(temperature)
            verdict = torch.stack([sentence_cosine(self.encoded)])
            said = (torch.zeros(0), torch.zeros(0))
        else:
            judged = self.matcher.judge(*self.encoded, temperature=temperature)
            assert judged.alignment is not None and judged.evidence[1] is not None
            found, said = judged.alignment, (judged.evidence[0], judged.evidence[1])
            sums = [one.sum() for one in said]
            verdict = torch.stack([judged.logit.sigmoid(), judged.logit, judged.bias, *sums])
        apart = (one.norm(dim=-1) for one in found.differences)
        return {
            **{f"said_{side}": one for side, one in zip(SIDES, said, strict=True)},
            **{f"apart_{side}": one for side, one in zip(SIDES, apart, strict=True)},
            "verdict": verdict,
        }

    def vectors(self, side: int, word: int, temperature: float) -> Float[Tensor, "3 d"]:
        """x̄, x̃ and x̄ − x̃ of one word."""
        found = self.alignment(temperature)
        trace = (found.first, found.second)[side]
        own, rebuilt = trace.q[word], trace.context[word]
        return torch.stack([own, rebuilt, own - rebuilt])


@torch.no_grad()
def read(model: Pretrained, encoder: str, texts: tuple[str, str]) -> Reading:
    """Both texts, up to MAX_WORDS tokens each, through the encoder."""
    found = [model.tokenize(text, special=False) for text in texts]
    a, b = (Tokens(strings=one.strings[:MAX_WORDS], ids=one.ids[:MAX_WORDS]) for one in found)
    x_a, x_b = (word_vectors(model, one).double() for one in (a, b))
    tokens = (a.strings, b.strings)
    if encoder == "transformer":
        inside = tuple(in_context(model, text)[:MAX_WORDS] for text in texts)
        return Reading(tokens, (x_a, x_b), (contextual(inside[0]), contextual(inside[1])), None)
    matcher, _ = shipped(MATCHERS[encoder])
    return Reading(tokens, (x_a, x_b), (matcher.encode(x_a), matcher.encode(x_b)), matcher)


def in_context(model: Pretrained, text: str) -> Float[Tensor, "n d"]:
    """What the last layer hands on for every token of the text, without the two that frame it."""
    return model.run(model.tokenize(text)).output[1:-1].double()


def sentence_cosine(encoded: tuple[Tensor, Tensor]) -> Float[Tensor, ""]:
    """Cosine of the two mean vectors: what all-MiniLM-L6-v2 was trained to make large for paraphrases."""
    return F.cosine_similarity(*(one.mean(dim=0) for one in encoded), dim=0)


# --- the picture -----------------------------------------------------------------------------------------------------


def temperature_slider(at: int, page: Words) -> Slider:
    """What the scores are divided by."""
    ticks = tuple((STOPS.index(stop), significant(stop)) for stop in (0.1, 1.0, 10.0, 100.0))
    readings = tuple(significant(stop) for stop in STOPS)
    return Slider(
        name="t", label=page["temperature"], readings=readings, at=at, ticks=ticks, help=page["temperature_help"]
    )


def films(reading: Reading, side: int, word: int) -> list[Film]:
    """Scores once; what follows the temperature at every stop."""
    scores = reading.alignment().similarity
    swept = {name: values.numpy() for name, values in reading.swept.items() if values.shape[1]}
    if reading.matcher is not None:  # a probability of 10⁻²⁰⁷ travels as its logarithm
        logits = reading.swept["verdict"][:, VERDICT.index("logit")]
        swept["verdict"][:, VERDICT.index("probability")] = F.logsigmoid(logits).numpy() / math.log(10)
    vectors = torch.stack([reading.vectors(side, word, stop) for stop in STOPS]).flatten(1)
    return [
        Film("scores", scores.flatten().numpy()),
        Film("turned", scores.T.flatten().numpy()),
        Film("factor", 1 / np.asarray(STOPS)[:, None], ("t",)),
        Film("vectors", vectors.numpy(), ("t",)),
        *(Film(name, values, ("t",)) for name, values in swept.items()),
    ]


def computed(reading: Reading) -> list[Softmax]:
    """Both normalisations of the same scores, in the browser."""
    n, m = map(len, reading.tokens)
    return [
        Softmax(name="first", scores="scores", cols=m, size=n * m, factor="factor"),
        Softmax(name="second", scores="turned", cols=n, size=n * m, factor="factor"),
    ]


def plots(reading: Reading, side: int, word: int, page: Words) -> list[Plot]:
    """The map, read by rows and by columns; what every word says; how well it was rebuilt; one word's vectors."""
    a, b = reading.tokens
    scores = reading.alignment().similarity
    limit = float(scores.abs().max()) or 1.0
    marked = [word if side == place else -1 for place in (0, 1)]
    own, other = reading.tokens[side], reading.tokens[1 - side]
    d = reading.encoded[0].shape[-1]
    judged = reading.matcher is not None
    shown = VERDICT if judged else ("cosine",)
    items = (
        Item(label=page[f"verdict.{n}"], start=i, help=page[f"verdict_help.{n}"], log=n == "probability", lost=False)
        for i, n in enumerate(shown)
    )
    best = int((scores if side == 0 else scores.T)[word].argmax())  # the word of the other sentence that is most alike
    columns = [best if side == place else -1 for place in (0, 1)]
    found: list[Plot] = [
        Controls(name="controls", stack="left", span=3, sliders=("t",)),
        Readouts(name="verdict", stack="left", title=page["verdict_title" if judged else "verdict_title_cosine"],
                 film="verdict", items=tuple(items)),
        Map(name="scores", span=3, height=330, film="scores", rows=len(a), cols=len(b), names=a, col_names=b,
            marked=marked[0], marked_col=columns[0], alike="words", scale="signed", low=-limit, high=limit,
            title=page["scores"], note=page["scores_note"]),
        Map(name="first", span=3, height=330, film="first", rows=len(a), cols=len(b), names=a, col_names=b,
            marked=marked[0], marked_col=columns[0], alike="words", root=True,
            title=page["weights_first"], note=page["weights_note_first"]),
        Map(name="second", span=3, height=330, film="second", rows=len(b), cols=len(a), names=b, col_names=a,
            marked=marked[1], marked_col=columns[1], alike="words", root=True,
            title=page["weights_second"], note=page["weights_note_second"]),
    ]  # fmt: skip
    for kind in ("said", "apart") if judged else ("apart",):
        for place, name in enumerate(SIDES):
            found.append(
                Bars(name=f"{kind}_{name}", span=6, height=190, film=f"{kind}_{name}", count=len(reading.tokens[place]),
                     names=reading.tokens[place], marked=marked[place], hue=HUES[name], fit=True, digits=3,
                     title=page[f"{kind}_{name}"], note=page[f"{kind}_note"])
            )  # fmt: skip
    numbered = tuple(str(i + 1) for i in range(d))
    strip = d <= WIDEST
    most = max(float(one.abs().max()) for one in reading.encoded) * 1.2 or 1.0
    found.append(
        Bars(name="row", span=4 if strip else 12, height=190, film=SIDES[side], start=word * len(other),
             count=len(other), names=other, hue=HUES[SIDES[1 - side]], digits=3,
             title=page.data("row", word=own[word]), note=page["row_note"])
    )  # fmt: skip
    if strip:
        found.append(
            Map(name="vectors", span=8, height=110, film="vectors", rows=3, cols=d, names=("x̄", "x̃", "Δ"),
                col_names=numbered, scale="signed", low=-most, high=most,
                title=page.data("vectors", word=own[word]), note=page["vectors_note"])
        )  # fmt: skip
    return [
        *found,
        Bars(name="components", span=12, height=170, film="vectors", start=2 * d, count=d, hue="v", fit=True,
             title=page.data("components", word=own[word]), note=page["components_note"]),
    ]  # fmt: skip


# --- claims with numbers ---------------------------------------------------------------------------------------------


def self_attention_residual(a: Float[Tensor, "n d"], temperature: float) -> float:
    """max |cross-attention(a, a) − torch's self-attention of a|, both directions."""
    found = align(a, a, temperature=temperature)
    theirs = F.scaled_dot_product_attention(a[None], a[None], a[None], scale=1 / temperature)[0]
    return max(float((one - theirs).abs().max()) for one in found.rebuilt)


def residuals(reading: Reading, temperature: float) -> tuple[float, float]:
    """How far row sums are from 1, and the rebuilt sentences from torch's own attention; at most."""
    found = reading.alignment(temperature)
    rows = max(float((trace.weights.sum(dim=-1) - 1).abs().max()) for trace in (found.first, found.second))
    apart = []
    for trace in (found.first, found.second):
        theirs = F.scaled_dot_product_attention(trace.q[None], trace.k[None], trace.v[None], scale=1 / temperature)[0]
        apart.append(float((theirs - trace.context).abs().max()))
    return rows, max(apart)


def partners(reading: Reading) -> list[int]:
    """For every word of sentence 1 the word of sentence 2 with the largest e_ij."""
    return reading.alignment().similarity.argmax(dim=-1).tolist()


def cosines(model: Pretrained, texts: tuple[str, str], pairs: Sequence[int]) -> dict[str, Float[Tensor, " n"]]:
    """cos(word i of sentence 1, its partner): word vectors alone, after the BiLSTM, in the trained transformer."""
    plain, recurrent, whole = (read(model, encoder, texts) for encoder in ("vectors", "bilstm", "transformer"))
    found = {"vectors": plain.x, "bilstm": recurrent.encoded, "transformer": whole.encoded}
    return {name: F.cosine_similarity(one, other[list(pairs)], dim=-1) for name, (one, other) in found.items()}


def heard(x: Float[Tensor, "n d_in"]) -> Float[Tensor, " n"]:
    """What the BiLSTM's vector of the last word still feels of each word, relative to what it feels of the last."""
    found = influence_on_last(shipped("both")[0], x)
    return found / found[-1]


def arrays(reading: Reading, temperature: float) -> dict[str, np.ndarray]:
    """Everything on screen at this temperature."""
    found = reading.alignment(temperature)
    (rebuilt_a, rebuilt_b), (apart_a, apart_b) = found.rebuilt, found.differences
    made = {
        "a": reading.encoded[0], "b": reading.encoded[1], "similarity": found.similarity,
        "weights_a": found.first.weights, "weights_b": found.second.weights, "rebuilt_a": rebuilt_a,
        "rebuilt_b": rebuilt_b, "difference_a": apart_a, "difference_b": apart_b,
    }  # fmt: skip
    numbers = {name: values for name, values in reading.at(temperature).items() if values.numel()}
    named = {f"tokens_{name}": np.array(strings) for name, strings in zip("ab", reading.tokens, strict=True)}
    return named | {name: values.numpy() for name, values in (made | numbers).items()}


def snippet(encoder: str, texts: tuple[str, str], temperature: float) -> str:
    """A script that prints the numbers on screen."""
    judge = f"""
matcher, recipe = shipped({MATCHERS.get(encoder)!r})
a, b = (matcher.encode(word_vectors(model, tokens).double()) for tokens in (first, second))
judged = matcher.judge(a, b, temperature={temperature!r})
print("probability", float(judged.logit.sigmoid()))
print("logit", float(judged.logit), "= bias", float(judged.bias), "+ words")
for tokens, said in zip((first, second), judged.evidence):
    print(*(f"{{token}} {{number:.6f}}" for token, number in zip(tokens.strings, said.tolist())))
found = judged.alignment
"""
    show = f"""
a, b = (contextual(model.run(model.tokenize(text)).output[1:-1][:{MAX_WORDS}].double()) for text in texts)
found = align(a, b, temperature={temperature!r})
"""
    names = "shipped, word_vectors" if encoder in MATCHERS else "align, contextual"
    return f"""# In the folder of Headlight: PYTHONPATH=. .venv/bin/python the_name_of_this_file.py
from dataclasses import replace

import torch

from attention_core.matching import {names}
from attention_core.models import load_embedded

model = load_embedded()
texts = ({texts[0]!a}, {texts[1]!a})
first, second = (model.tokenize(text, special=False) for text in texts)
first, second = (replace(t, strings=t.strings[:{MAX_WORDS}], ids=t.ids[:{MAX_WORDS}]) for t in (first, second))
{(judge if encoder in MATCHERS else show).strip()}
torch.set_printoptions(precision=6, sci_mode=False, linewidth=160)
print("similarity", found.similarity, sep="\\n")
print("weights_a", found.first.weights, sep="\\n")
print("weights_b", found.second.weights, sep="\\n")
for name, apart in zip("ab", found.differences):
    print("apart", name, *(f"{{number:.6f}}" for number in apart.norm(dim=-1).tolist()))
"""
