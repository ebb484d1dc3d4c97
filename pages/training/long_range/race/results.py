"""What the race gave: a row for every model, where trained attention looks, and what follows from both in sentences."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from attention_core.experiments.base import EVALUATION_BLOCK, stream
from attention_core.experiments.gradient_reach import ATTENTION
from attention_core.experiments.needle import SHOWN, Needle
from pages.training.long_range.race.numbers import Racers, attending, budget, trained
from ui.compute.runs import Variant
from ui.text import Words

ENOUGH = 0.99  # an accuracy with which the needle counts as found
LOOKED = 0.1  # of the weight, on the needle: with less, attention does not look at it


def label(variant: Variant, page: Words) -> str:
    """What a variant is called."""
    return variant.numbered(page[f"kind.{variant.model}"])


def spent(run: Racers, page: Words) -> str:
    """One line: how long each has trained."""
    seconds = {
        name: round(trained(records[-1]), 1) if (records := run.records(name)) else 0 for name in run.experiments
    }
    parts = [page.data("spent", name=label(name, page), seconds=own) for name, own in seconds.items()]
    return page.data("told", state=page[f"state.{run.state}"], each=" · ".join(parts), seconds=budget(run))


# --- where attention looks ---


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Looks:
    """Where trained attention looks on the held-out sequences, the first SHOWN of which are drawn.

    The weight of the token that asks on the needle, the symbol there, and whether the answer is right.
    """

    weights: Float[Tensor, " b"]
    symbols: Int[Tensor, " b"]
    right: Bool[Tensor, " b"]


def needle_weights(run: Racers) -> dict[Variant, Looks]:
    """Of every attention whose last record holds its state."""
    states = {name: records[-1].state for name in attending(run) if (records := run.records(name))}
    return {name: _looks(run.experiments[name], state) for name, state in states.items() if state}


@torch.no_grad()
def _looks(config: Needle, state: Mapping[str, Tensor]) -> Looks:
    model = config.build()
    model.load_state_dict(dict(state))
    sequences, symbols = config.draw(stream(config.seed, "held out"), config.evaluated)
    weights, right = [], []
    for block, answer in zip(sequences.split(EVALUATION_BLOCK), symbols.split(EVALUATION_BLOCK), strict=True):
        logits, looked = model(block)
        assert looked is not None
        weights.append((looked * block[..., 1]).sum(dim=-1))
        right.append(logits.argmax(dim=-1) == answer)
    return Looks(weights=torch.cat(weights), symbols=symbols, right=torch.cat(right))


def looks(all_looks: Mapping[Variant, Looks], page: Words) -> list[str]:
    """What they say, in sentences: the weight on the needle, and what follows where attention does not look at it."""
    return [line for name, own in all_looks.items() for line in _sentences(label(name, page), own, page)]


def _sentences(name: str, looks: Looks, page: Words) -> list[str]:
    shown, away = looks.weights[:SHOWN].tolist(), looks.weights < LOOKED
    *weights, mean = [f"{weight:.3f}" for weight in (*shown, float(looks.weights.mean()))]
    values = {"each": " · ".join(weights), "shown": len(shown), "mean": mean, "count": len(looks.weights)}
    lines = [page.data("looked.weights", name=name, **values)]
    if not away.any():
        return lines
    few, right = int(away.sum()), int((looks.right & away).sum())
    lines.append(page.data("looked.away", few=few, bound=LOOKED, right=right))
    if right == few and away.equal(looks.symbols == looks.symbols[away][0]):
        lines.append(page["looked.same"])
    return lines


# --- what each model reached ---


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What one model reached. `needed`: seconds until the accuracy was ENOUGH; None: not within its budget.

    `needed_step`: the first recorded step with that accuracy; `lost_step`: the last one before it without, -1 if none.
    """

    parameters: int
    steps: int
    seconds: float
    accuracy: float
    needed: float | None
    needed_step: int | None
    lost_step: int
    over: bool

    @property
    def rate(self) -> float:
        """Steps per second of training; NaN before the first."""
        return self.steps / self.seconds if self.steps and self.seconds else math.nan


def results(run: Racers) -> dict[Variant, Result]:
    """Of every model that has recorded something."""
    rows: dict[Variant, Result] = {}
    for name, config in run.experiments.items():
        records = run.records(name)
        if not records:
            continue
        last = records[-1]
        first = next((index for index, record in enumerate(records) if record.accuracy >= ENOUGH), len(records))
        there = records[first] if first < len(records) else None
        rows[name] = Result(
            parameters=sum(one.numel() for one in config.build().parameters()),
            steps=last.step,
            seconds=trained(last),
            accuracy=last.accuracy,
            needed=None if there is None else trained(there),
            needed_step=None if there is None else there.step,
            lost_step=records[first - 1].step if first else -1,
            over=run.state == "ended",
        )
    return rows


def notes(rows: Mapping[Variant, Result], page: Words) -> list[str]:
    """What these numbers say, in sentences that follow from them; nothing before all are done."""
    if not rows or not all(row.over for row in rows.values()):
        return []
    lines = _pace(rows, page)
    for name, row in rows.items():
        if name.model in ("gru", "bigru"):
            key = "note.gru_found" if row.needed is not None else "note.gru_lost"
            lines.append(page.data(key, name=label(name, page)))
    return lines


def _pace(rows: Mapping[Variant, Result], page: Words) -> list[str]:
    """Whether another model makes more steps a second than attention, and whether attention needed fewer of them."""
    rates = {name: row.rate for name, row in rows.items() if not math.isnan(row.rate)}
    attention = next((name for name in rows if name.model == ATTENTION), None)
    if attention not in rates or len(rates) == 1:
        return []
    own = float(f"{rates[attention]:.3g}")
    first = max(rates, key=rates.__getitem__)
    if rates[first] <= rates[attention]:
        return [page.data("note.faster", own=own)]
    slower = page.data("note.slower", name=label(first, page), rate=float(f"{rates[first]:.3g}"), own=own)
    return [f"{slower} {_fewer(rows[attention], rows[first], label(first, page), page)}"]


def _fewer(attention: Result, other: Result, name: str, page: Words) -> str:
    """Whether attention needed fewer steps than the model that makes more of them a second, as far as that is known."""
    if attention.needed_step is None:
        return page.data("note.lost", own=attention.steps)
    if attention.needed_step <= other.lost_step:
        return page.data("note.fewer", own=attention.needed_step, name=name, steps=other.lost_step)
    if other.needed_step is not None:
        return page.data("note.both", own=attention.needed_step, name=name, steps=other.needed_step)
    return page.data("note.unknown", own=attention.needed_step, name=name, steps=other.steps)
