"""How far a gradient reaches, and the race for the middle needle → films, pictures and what can be taken away."""

import math
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from attention_core.experiments.base import EVALUATION_BLOCK, Experiment, Record, stream
from attention_core.experiments.gradient_reach import (
    ATTENTION,
    LAYER_KINDS,
    GradientReach,
    decay,
    gradient_reach,
    path_length,
    sequential_depth,
)
from attention_core.experiments.needle import SHOWN, Needle
from ui.components.lab import Bars, Controls, Curves, Film, Heading, Item, Line, Plot, Readouts, Slider
from ui.compute.runs import Run
from ui.numbers import significant
from ui.text import Words
from ui.training.history import History, Measure, curves, film

# --- the reach ---

REACHED = (ATTENTION, "lstm_forget", "gru", "lstm", "bilstm", "rnn")
HUES = {
    ATTENTION: "q",
    "rnn": "k",
    "lstm": "v",
    "lstm_forget": "v",
    "bilstm": "focus",
    "gru": "ink",
    "bigru": "ink",
}
DASHED = ("lstm_forget", "bigru")
SEEDS, BATCH, WIDTH, LONGEST = 5, 4, 64, 256
DEEPEST = -40.0  # log₁₀, of the axis: what is below is an arrow
LENGTHS_TOLD = (4, 8, 16, 32, 64, 128, 256, 512, 1024)
ONE_WAY, BOTH_WAYS = "lstm", "bilstm"  # as every recurrent layer of their kind


@dataclass(frozen=True, slots=True, eq=False)
class Reaches:
    """log₁₀ of the reach (n, kinds, [median, least, most] of the seeds), and ρ of every kind, the seeds' median."""

    logs: np.ndarray
    factors: np.ndarray


def reaches(n: int, drawn: int, x: Float[Tensor, "n d"] | None = None) -> Generator[float, None, Reaches]:
    """By autograd, for SEEDS seeds from `drawn` on; `x`: the vectors of a sentence, else N(0, 1). A kind is a piece."""
    logs, factors = [], []
    for kind in REACHED:
        curves = [
            gradient_reach(
                GradientReach(kind=kind, length=n, d=WIDTH, batch=BATCH, seed=seed), None if x is None else x[None]
            )
            for seed in range(drawn, drawn + SEEDS)
        ]
        with np.errstate(divide="ignore"):
            powers = np.log10(np.stack([curve.numpy() for curve in curves]))
        logs.append(np.stack([np.median(powers, axis=0), powers.min(axis=0), powers.max(axis=0)], axis=-1))
        # A layer that reads both ways begins again at the other end: its decay is that of the nearer half.
        half = -(-n // 2) + 1 if kind.startswith("bi") else n
        factors.append(np.median([decay(curve[:half]) for curve in curves]))
        yield len(factors) / len(REACHED)
    return Reaches(np.stack(logs, axis=1), np.array(factors))


def distances(n: int, tokens: Sequence[str] | None, page: Words) -> tuple[str, ...]:
    """How the stops of the distance are written: with the token of a sentence that stands there."""
    if tokens is None:
        return tuple(map(str, range(n)))
    return tuple(page.data("distance_of", distance=each, token=tokens[n - 1 - each]) for each in range(n))


def lengths(n: int) -> tuple[int, ...]:
    """The stops of n of the laws: LENGTHS_TOLD, and the reader's own."""
    return tuple(sorted({*LENGTHS_TOLD, n} if n >= LENGTHS_TOLD[0] else LENGTHS_TOLD))


def laws(n: int) -> np.ndarray:
    """(stops, 5): depth of a recurrent layer and of attention; path one way, both ways, and in attention."""
    return np.array([
        (
            sequential_depth(ONE_WAY, each), sequential_depth(ATTENTION, each),
            path_length(ONE_WAY, each), path_length(BOTH_WAYS, each), path_length(ATTENTION, each),
        )
        for each in lengths(n)
    ], dtype=np.float64)  # fmt: skip


def reach_films(made: Reaches, n: int) -> list[Film]:
    """Reach along the distance; ρ; depth and path along n."""
    counted = laws(n)
    return [
        Film("reach", made.logs.reshape(len(made.logs), -1), ("distance",)),
        Film("factors", made.factors),
        Film("laws", np.log10(counted), ("n",)),
        Film("counts", counted, ("n",)),
    ]


def reach_sliders(n: int, at: int, n_at: int, tokens: Sequence[str] | None, page: Words) -> list[Slider]:
    """The distance, and the n of the laws."""
    apart = next(step for step in (1, 2, 4, 8, 16, 32, 64) if n / step <= 9)
    stops = lengths(n)
    return [
        Slider(
            name="distance", label=page["distance"], readings=distances(n, tokens, page), at=at,
            ticks=tuple((each, str(each)) for each in range(0, n, apart)),
        ),
        Slider(
            name="n", label=page["compared"], readings=tuple(map(str, stops)), at=n_at,
            ticks=tuple((index, str(each)) for index, each in enumerate(stops) if each in (4, 16, 64, 256, 1024)),
        ),
    ]  # fmt: skip


def reach_plots(made: Reaches, n: int, page: Words) -> list[Plot]:
    """The distance and what is left there; the curves; how long one waits, and how long the way is, against n."""
    names = {kind: page[f"kind.{kind}"] for kind in REACHED}
    finite = made.logs[np.isfinite(made.logs)]
    low = max(DEEPEST, float(math.floor(min(-1.0, float(finite.min())))))
    high = float(math.ceil(max(0.0, float(finite.max())) * 2) / 2)
    places = tuple(math.log2(each) for each in lengths(n))
    top = math.log10(LENGTHS_TOLD[-1]) + 0.1
    recurrent, attention = page["law.recurrent"], page["kind.attention"]

    def law(name: str, lines: tuple[tuple[int, str, str], ...]) -> Curves:
        return Curves(
            name=name, stack="right", span=3, height=168, film="laws", along="n", logs=True, low=0.0, high=top,
            places=places, ends=True, legend=False, title=page[f"law.{name}"],
            lines=tuple(Line(start=start, hue=hue, name=said) for start, hue, said in lines),
        )  # fmt: skip

    return [
        Controls(name="controls", stack="left", span=3, sliders=("distance",)),
        Readouts(
            name="left_over", stack="left", height=190, film="reach", title=page["left_over"],
            items=tuple(
                Item(label=names[kind], start=3 * index, log=True, lost=False) for index, kind in enumerate(REACHED)
            ),
        ),
        Readouts(
            name="factor", stack="left", height=190, film="factors", title=page["factor"],
            items=tuple(
                Item(label=names[kind], start=index, digits=3) for index, kind in enumerate(REACHED)
            ),
        ),
        Curves(
            name="reach", stack="middle", span=6, height=470, film="reach", along="distance", logs=True, low=low,
            high=high, ends=True, legend=False, title=page["reach"], note=page["reach_note"],
            lines=tuple(
                Line(
                    start=3 * index, hue=HUES[kind], name=names[kind], band=(3 * index + 1, 3 * index + 2),
                    dash=kind in DASHED,
                )
                for index, kind in enumerate(REACHED)
            ),
        ),
        Controls(name="controls_n", stack="right", span=3, sliders=("n",)),
        law("depth", ((0, "k", recurrent), (1, "q", attention))),
        law("path", ((2, "k", page["law.one_way"]), (3, "focus", page["law.both_ways"]), (4, "q", attention))),
        Readouts(
            name="counts", stack="right", height=110, film="counts",
            items=(
                Item(label=page["count.depth"], start=0, digits=6), Item(label=page["count.path"], start=2, digits=6),
                Item(label=page["count.both"], start=3, digits=6), Item(label=page["count.attention"], start=4),
            ),
        ),
    ]  # fmt: skip


def reach_arrays(made: Reaches, n: int) -> dict[str, np.ndarray]:
    """log₁₀ reach of every kind (distance, [median, least, most]), ρ, and the laws against n."""
    return {
        **{f"log10_reach_{kind}": made.logs[:, index] for index, kind in enumerate(REACHED)},
        "factor": made.factors,
        "n": np.array(lengths(n)),
        "depth_and_path": laws(n),
    }


def reach_snippet(n: int, drawn: int, text: str | None) -> str:
    """A script that prints the same medians; `text`: the reader's own, else random vectors."""
    own = f"""
from attention_core.models import FromScratch, Sizes, load_embedded

layer = FromScratch(Sizes(n_head=1, d_model={WIDTH}, d_k=1, d_v=1), load_embedded())
x = layer.embed(layer.tokenize({text!r}))[None, :{LONGEST}]
"""
    return f"""# In the folder of Headlight: PYTHONPATH=. .venv/bin/python the_name_of_this_file.py
import torch

from attention_core.experiments.gradient_reach import GradientReach, gradient_reach
{own if text is not None else "x = None  # N(0, 1)"}
for kind in {REACHED!r}:
    seeds = [
        gradient_reach(GradientReach(kind=kind, length={n}, d={WIDTH}, batch={BATCH}, seed=seed), x)
        for seed in range({drawn}, {drawn + SEEDS})
    ]
    logs = torch.stack(seeds).log10().quantile(0.5, dim=0)
    for distance, log in enumerate(logs.tolist()):
        print(kind, distance, f"{{log:.6f}}")
"""


# --- the race ---

MODELS = (ATTENTION, "gru", "lstm", "lstm_forget", "bilstm", "bigru", "rnn")
LENGTHS = (64, 128, 256)
BUDGETS = (2, 5, 10, 20, 45)
RATES = (1e-3, 3e-3, 1e-2)
# Attention needs few steps, and each is recorded; the others take many.
PACE = {ATTENTION: (240, 1)}
PATIENT = (8000, 10)
PARTS, SHORTEST = 60, 0.01  # stops of the clock, and the first after 0 as a share of the budget
FOUND = 0.99
LOOKED = 0.1  # of the weight, on the needle: with less, attention does not look at it
MEASURES = (Measure(key="accuracy", high=1.0), Measure(key="loss"), Measure(key="steps", logs=True, low=0.0))
TITLES = ("accuracy", "loss", "steps")


def race(kinds: Sequence[str], *, length: int, seconds: int, lr: float, drawn: int) -> dict[str, Experiment]:
    """The models by their kind: one seed, so the same data; each may train for so many seconds."""
    made: dict[str, Experiment] = {}
    for kind in kinds:
        steps, every = PACE.get(kind, PATIENT)
        made[kind] = Needle(
            kind=kind, length=length, seconds=float(seconds), lr=lr, steps=steps, every=every, seed=drawn
        )
    return made


def known(config: Experiment) -> bool:
    """Whether this page can show a run of this configuration."""
    return (
        isinstance(config, Needle)
        and config.kind in LAYER_KINDS
        and config.length in LENGTHS
        and config.seconds is not None
        and 1 <= config.seconds <= BUDGETS[-1]
        and 1 <= config.steps <= PATIENT[0]
        and config.every >= 1
        and 0 < config.batch <= 256
        and 0 < config.evaluated <= 2000
        and 1e-6 < config.lr < 1
        and replace(
            config, kind=ATTENTION, length=128, seconds=None, lr=3e-3, steps=1000, every=20, seed=0, batch=64,
            evaluated=250,
        ) == Needle()
    )  # fmt: skip


def kind_of(config: Experiment) -> str:
    """The name of the variant."""
    assert isinstance(config, Needle)
    return config.kind


def kind(name: str) -> str:
    """Of a variant, also of a second one of the same kind."""
    return name.partition(" ")[0]


def label(name: str, page: Words) -> str:
    """What a variant is called."""
    _, _, number = name.partition(" ")
    return page[f"kind.{kind(name)}"] + (f" ({number})" if number else "")


def legend(names: Sequence[str], page: Words) -> tuple[tuple[str, str], ...]:
    """Colours and names; a dashed line is said to be one."""
    return tuple(
        (HUES[kind(name)], label(name, page) + (f" {page['dashed']}" if kind(name) in DASHED else "")) for name in names
    )


def evaluated(run: Run) -> int:
    """Sequences on which the accuracy is measured."""
    return max(config.evaluated for config in run.experiments.values() if isinstance(config, Needle))


def budget(run: Run) -> float:
    """Seconds that each may train."""
    return max(config.seconds or 0.0 for config in run.experiments.values() if isinstance(config, Needle))


def clock(seconds: float) -> tuple[float, ...]:
    """The stops of the clock: 0, then by a constant factor up to the budget, so that a quick success has room."""
    first = SHORTEST * seconds
    return 0.0, *(first * (seconds / first) ** (part / (PARTS - 1)) for part in range(PARTS))


def trained(record: Record) -> float:
    """Seconds spent training until this record."""
    return record.measures.get("seconds", 0.0)


def timeline(run: Run, *, held: bool = False) -> History:
    """The records along the clock instead of the steps: at every stop the newest record, until the last.

    `held`: what has ended stays as it was until the end of the clock, and what keeps no arrays has those before it.
    """
    stops = clock(budget(run))
    made: dict[str, dict[int, Record]] = {}
    for name in run.experiments:
        found: dict[int, Record] = {}
        arrays: Mapping[str, Tensor] = {}
        for record in run.records(name):
            arrays = record.arrays or (arrays if held else {})
            late = next((part for part, stop in enumerate(stops) if stop >= trained(record)), PARTS)
            found[late if record.step else 0] = replace(
                record, measures={**record.measures, "steps": float(record.step)}, arrays=arrays
            )
        last = max(found, default=-1)
        for part in range(PARTS + 1 if held and found else last + 1):
            found.setdefault(part, found.get(part - 1) or found[min(found)])
        made[name] = found
    return History(tuple(range(PARTS + 1)), made)


def race_films(run: Run) -> list[Film]:
    """Curves along the clock; the weights of the token that asks, and where the needle is; which symbols."""
    made = timeline(run)
    out = [Film("curves", made.table(MEASURES), ("step",))]
    for name, config in run.experiments.items():
        if kind(name) != ATTENTION:
            continue
        assert isinstance(config, Needle)
        weights = timeline(run, held=True).frames(name, _weights, (SHOWN, config.length + 1), all_steps=True)
        out += [film(f"weights {name}", weights, ("probe",)), Film(f"needle {name}", needle(run, name), ("probe",))]
    return out


def needle(run: Run, name: str) -> np.ndarray:
    """1 where the flag is, NaN elsewhere (probe, [the token that asks, n symbols])."""
    config = run.experiments[name]
    assert isinstance(config, Needle)
    flags = next((each.arrays["tokens"][..., 1] for each in run.records(name) if "tokens" in each.arrays), None)
    if flags is None:
        return np.full((SHOWN, config.length + 1), np.nan, dtype=np.float32)
    return np.pad(np.where(flags.numpy() > 0, np.float32(1.0), np.float32(np.nan)), ((0, 0), (1, 0)),
                  constant_values=np.nan)  # fmt: skip


def race_sliders(run: Run, at: int, probe: int, page: Words) -> list[Slider]:
    """The clock, and which sequence of the probe."""
    stops = clock(budget(run))
    last = 0.0
    ticks = [(0, "0")]
    for part, stop in enumerate(stops[1:], start=1):
        if stop >= 3 * last or part == PARTS:
            ticks.append((part, significant(stop, 2)))
            last = stop
    if len(ticks) > 2 and ticks[-1][0] - ticks[-2][0] < 5:
        ticks.pop(-2)
    return [
        Slider(
            name="step", label=page["clock"], readings=tuple(significant(stop, 3) for stop in stops), at=at,
            ticks=tuple(ticks),
        ),
        Slider(
            name="probe", label=page["probe"], readings=tuple(str(index + 1) for index in range(SHOWN)), at=probe,
            kind="switch",
        ),
    ]  # fmt: skip


def race_plots(run: Run, sent: Sequence[Film], page: Words) -> list[Plot]:
    """The clock and who races; accuracy, loss and steps against it; below, where attention looks."""
    made = timeline(run)
    hues = {name: HUES[kind(name)] for name in made.names}
    labels = {name: label(name, page) for name in made.names}
    table = next(film.values for film in sent if film.name == "curves")
    attending = [name for name in made.names if kind(name) == ATTENTION]
    out: list[Plot] = [
        Controls(
            name="controls", stack="left", span=3, sliders=("step", "probe") if attending else ("step",)
        ),
        Heading(name="legend", stack="left", legend=legend(made.names, page)),
    ]  # fmt: skip
    for index, title in enumerate(TITLES):
        drawn = curves(
            made, table, MEASURES, index, hues=hues, labels=labels, title=page[f"curve.{title}"],
            note=page.data(f"curve.{title}_note", count=evaluated(run)), stack=title, span=3, narrow=4, height=270,
        )  # fmt: skip
        lines = tuple(
            replace(line, dash=kind(name) in DASHED) for line, name in zip(drawn.lines, made.names, strict=True)
        )
        out.append(replace(drawn, lines=lines))
    for name in attending:
        config = run.experiments[name]
        assert isinstance(config, Needle)
        out.append(
            Bars(
                name=f"looks_{name}", span=12, height=170, film=f"weights {name}", count=config.length + 1, hue="q",
                ghost=f"needle {name}", ghost_name=page["needle"], title=labels[name], note=page["looks"],
            )
        )  # fmt: skip
    return out


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Looks:
    """Where trained attention looks on the held-out sequences, the first SHOWN of which are drawn.

    The weight of the token that asks on the needle, the symbol there, and whether the answer is right.
    """

    weights: Float[Tensor, " b"]
    symbols: Int[Tensor, " b"]
    right: Bool[Tensor, " b"]


@torch.no_grad()
def needle_weights(run: Run) -> dict[str, Looks]:
    """Of every attention whose last record holds its state, by its name."""
    made: dict[str, Looks] = {}
    for name, config in run.experiments.items():
        records = run.records(name)
        if kind(name) != ATTENTION or not records or not records[-1].state:
            continue
        assert isinstance(config, Needle)
        model = config.build()
        model.load_state_dict(dict(records[-1].state))
        sequences, symbols = config.draw(stream(config.seed, "held out"), config.evaluated)
        weights, right = [], []
        for block, answer in zip(sequences.split(EVALUATION_BLOCK), symbols.split(EVALUATION_BLOCK), strict=True):
            logits, looked = model(block)
            assert looked is not None
            weights.append((looked * block[..., 1]).sum(dim=-1))
            right.append(logits.argmax(dim=-1) == answer)
        made[name] = Looks(weights=torch.cat(weights), symbols=symbols, right=torch.cat(right))
    return made


def looks(found: Mapping[str, Looks], page: Words) -> list[str]:
    """What they say, in sentences: the weight on the needle, and what follows where attention does not look at it."""
    said: list[str] = []
    for name, each in found.items():
        shown, away = each.weights[:SHOWN].tolist(), each.weights < LOOKED
        fixed = [f"{weight:.3f}" for weight in (*shown, float(each.weights.mean()))]
        values = {"each": " · ".join(fixed[:-1]), "shown": len(shown), "mean": fixed[-1], "count": len(each.weights)}
        said.append(page.data("looked.weights", name=label(name, page), **values))
        if not away.any():
            continue
        few, right = int(away.sum()), int((each.right & away).sum())
        said.append(page.data("looked.away", few=few, bound=LOOKED, right=right))
        if right == few and away.equal(each.symbols == each.symbols[away][0]):
            said.append(page["looked.same"])
    return said


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What one model reached. `found`: seconds until the accuracy was FOUND; None: not within its budget.

    `found_step`: the first recorded step with that accuracy; `lost_step`: the last one before it without, -1 if none.
    """

    parameters: int
    steps: int
    seconds: float
    accuracy: float
    found: float | None
    found_step: int | None
    lost_step: int
    over: bool

    @property
    def rate(self) -> float:
        """Steps per second of training; NaN before the first."""
        return self.steps / self.seconds if self.steps and self.seconds else math.nan


def results(run: Run) -> dict[str, Result]:
    """Of every model that has recorded something."""
    made: dict[str, Result] = {}
    for name, config in run.experiments.items():
        records = run.records(name)
        if not records:
            continue
        last = records[-1]
        found = next((index for index, record in enumerate(records) if record.accuracy >= FOUND), len(records))
        there = records[found] if found < len(records) else None
        made[name] = Result(
            parameters=sum(one.numel() for one in config.build().parameters()),
            steps=last.step,
            seconds=trained(last),
            accuracy=last.accuracy,
            found=None if there is None else trained(there),
            found_step=None if there is None else there.step,
            lost_step=records[found - 1].step if found else -1,
            over=run.state == "ended",
        )
    return made


def notes(found: Mapping[str, Result], page: Words) -> list[str]:
    """What these numbers say, in sentences that follow from them; nothing before all are done."""
    if not found or not all(each.over for each in found.values()):
        return []
    said: list[str] = []
    rates = {name: each.rate for name, each in found.items() if not math.isnan(each.rate)}
    attention = next((name for name in found if kind(name) == ATTENTION), None)
    if attention in rates and len(rates) > 1:
        faster = [name for name in rates if rates[name] > rates[attention]]
        if faster:
            first = max(faster, key=rates.__getitem__)
            rate, own = (float(f"{rates[name]:.3g}") for name in (first, attention))
            slower = page.data("note.slower", name=label(first, page), rate=rate, own=own)
            said.append(f"{slower} {fewer(found[attention], found[first], label(first, page), page)}")
        else:
            said.append(page.data("note.faster", own=float(f"{rates[attention]:.3g}")))
    for name, each in found.items():
        if kind(name) in ("gru", "bigru"):
            key = "note.gru_found" if each.found is not None else "note.gru_lost"
            said.append(page.data(key, name=label(name, page)))
    return said


def fewer(attention: Result, other: Result, name: str, page: Words) -> str:
    """Whether attention needed fewer steps than the model that makes more of them a second, as far as that is known."""
    if attention.found_step is None:
        return page.data("note.lost", own=attention.steps)
    if attention.found_step <= other.lost_step:
        return page.data("note.fewer", own=attention.found_step, name=name, steps=other.lost_step)
    if other.found_step is not None:
        return page.data("note.both", own=attention.found_step, name=name, steps=other.found_step)
    return page.data("note.unknown", own=attention.found_step, name=name, steps=other.steps)


def share(run: Run) -> float:
    """How much of all budgets is spent; a model that has ended counts as a whole one."""
    whole = budget(run)
    spent = []
    for name, config in run.experiments.items():
        records = run.records(name)
        over = bool(records) and (bool(records[-1].state) or records[-1].step >= config.steps)
        spent.append(1.0 if over or name in run.diverged else trained(records[-1]) / whole if records else 0.0)
    return min(1.0, sum(spent) / len(spent))


def told(run: Run, page: Words, named: Callable[[str], str]) -> str:
    """One line: how long each has trained."""
    each = [
        page.data(
            "spent", name=named(name), seconds=round(trained(records[-1]), 1) if (records := run.records(name)) else 0
        )
        for name in run.experiments
    ]
    return page.data("told", state=page[f"state.{run.state}"], each=" · ".join(each), seconds=budget(run))


def race_arrays(run: Run) -> dict[str, np.ndarray]:
    """Step, seconds, loss and accuracy of every record, and attention's weights where they were kept."""
    out: dict[str, np.ndarray] = {}
    for name in run.experiments:
        records, stem = run.records(name), name.replace(" ", "_")
        out[f"{stem}_step"] = np.array([record.step for record in records])
        out[f"{stem}_seconds"] = np.array([trained(record) for record in records])
        out[f"{stem}_loss"] = np.array([record.loss for record in records])
        out[f"{stem}_accuracy"] = np.array([record.accuracy for record in records])
        kept = [record for record in records if "weights" in record.arrays]
        if kept:
            out[f"{stem}_weights"] = np.stack([record.arrays["weights"].float().numpy() for record in kept])
            out[f"{stem}_weights_step"] = np.array([record.step for record in kept])
    return out


def race_snippet(run: Run) -> str:
    """A script that trains the same models for as long and prints what was recorded."""
    configs = ",\n    ".join(repr(config) for config in run.experiments.values())
    return f"""# In the folder of Headlight: PYTHONPATH=. .venv/bin/python the_name_of_this_file.py
# Step by step the numbers are those of the page; how many steps fit in the seconds depends on the machine.
import torch

from attention_core.experiments.needle import Needle

torch.set_num_threads(1)
for config in [
    {configs},
]:
    for record in config.records():
        seconds = record.measures["seconds"]
        print(config.kind, record.step, f"{{seconds:.2f}} s loss {{record.loss:.6f}} accuracy {{record.accuracy:.6f}}")
"""


def _weights(record: Record) -> np.ndarray:
    """Of the token that asks, first on itself: a row sums to 1, and the records keep the n symbols only."""
    kept = record.arrays["weights"].float().numpy()
    return np.concatenate([np.clip(1 - kept.sum(axis=-1, keepdims=True), 0, 1), kept], axis=-1)
