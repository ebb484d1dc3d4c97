"""What a lesson asks, and the answer: computed, never typed.

strongest: which key a query reads most. weight: α of one key. change: the largest difference between the weights of a
row and those of hard attention, which puts all on the largest. alive: how many rows of an untrained head pass at least
a thousandth of their gradient. race: which scaling rule learns to sort best. open: one's own words.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from jaxtyping import Float
from torch import Tensor

from attention_core.models.from_scratch import FromScratch, Sizes
from attention_core.models.pretrained import Pretrained
from attention_core.saturation import DEAD, Probe, sweep, untrained
from attention_core.scalings import SCALINGS

Kind = Literal["strongest", "weight", "change", "alive", "race", "open"]
KINDS: tuple[Kind, ...] = get_args(Kind)
PROBED = Sizes(n_head=1, d_model=64, d_k=1, d_v=1)  # only its tokens and its x are used
MAX_PROBED = 48  # tokens: so many heads of so many tokens still fit one message to a browser
NEAR = 0.01  # how far a weight that was read off a picture may be from the computed one


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One question about a sentence. Layer, head, query and key are counted from 0.

    Of the trained model: `layer`, `head`, `query`, `key`. Of an untrained one, drawn from `seed`: `head`, `d_k`,
    `input_scale` α and the scaling `rule`.
    """

    kind: Kind
    text: str = ""
    layer: int = 0
    head: int = 0
    query: int = 0
    key: int = 0
    seed: int = 0
    d_k: int = 64
    input_scale: float = 1.0
    rule: str = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """`value`, right within ± `tolerance`; with `choices`, the number of the right one, from 0."""

    value: int | float
    tolerance: float = 0.0
    choices: tuple[str, ...] = ()


def answer(question: Question, model: Pretrained, accuracies: Mapping[str, float]) -> Answer | None:
    """The computed answer, None where one's own words are asked for; `accuracies` are those of the race, by rule.

    Raises ValueError where there is nothing to answer: a head, a token or a race that is not there.
    """
    match question.kind:
        case "open":
            return None
        case "race":
            return fastest(accuracies)
        case "alive":
            x = _vectors(question.text, model)
            if len(x) < 2:
                raise ValueError("saturation takes two tokens or more")
            return Answer(value=alive(untrained(x, question.seed), question))
        case _:
            return _of_row(question, model)


def strongest(row: Float[Tensor, " n_k"], words: tuple[str, ...]) -> Answer:
    """Which key has the largest weight."""
    choices = tuple(f"{place} {word}" for place, word in enumerate(words, start=1))
    return Answer(value=int(row.argmax()), choices=choices)


def change(row: Float[Tensor, " n_k"]) -> float:
    r"""$\max_j |\alpha_j - \mathbb 1[j = \mathrm{argmax}\,\alpha]| = 1 - \max_j \alpha_j$."""
    return float(1 - row.max())


def alive(probe: Probe, question: Question) -> int:
    r"""How many rows have $\lVert J\,dP_i\rVert \ge 10^{-3} \lVert dP_i\rVert$ at the logits α² c(d_k) q·k."""
    if not 0 <= question.head < len(probe.q):
        raise ValueError(f"the untrained layer has {len(probe.q)} heads, none is number {question.head + 1}")
    factor = question.input_scale**2 * SCALINGS[question.rule].factor(question.d_k)
    log_gains = sweep(probe, question.d_k, [factor]).log_gains[0, question.head]
    return int((log_gains >= math.log10(DEAD)).sum())


def fastest(accuracies: Mapping[str, float]) -> Answer:
    """Which rule was most accurate. Raises ValueError where there is no race."""
    if not accuracies:
        raise ValueError("there is no recorded race")
    rules = tuple(accuracies)
    return Answer(value=rules.index(max(rules, key=accuracies.__getitem__)), choices=rules)


def row_of(question: Question, model: Pretrained) -> tuple[tuple[str, ...], Float[Tensor, " n_k"]]:
    """The words of the sentence, and the weights of the query of the question. Raises ValueError."""
    run = model.run(model.tokenize(question.text))
    words = run.layers[0].keys
    for name, index, count in (
        ("layer", question.layer, len(run.layers)),
        ("head", question.head, run.layers[0].name.n_head),
        ("token", question.query, len(words)),
        ("token", question.key, len(words)),
    ):
        if not 0 <= index < count:
            raise ValueError(f"there are {count} {name}s, none is number {index + 1}")
    return words, run.layers[question.layer].attention.weights[question.head, question.query]


def _of_row(question: Question, model: Pretrained) -> Answer:
    words, row = row_of(question, model)
    match question.kind:
        case "strongest":
            return strongest(row, words)
        case "weight":
            return Answer(value=float(row[question.key]), tolerance=NEAR)
        case _:
            return Answer(value=change(row), tolerance=NEAR)


def _vectors(text: str, model: Pretrained) -> Float[Tensor, "n d_model"]:
    layer = FromScratch(PROBED, model)
    return layer.embed(layer.tokenize(text))[:MAX_PROBED]
