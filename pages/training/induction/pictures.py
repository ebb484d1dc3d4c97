"""The race to induction heads (E2) → films and pictures; the verdict, and what can be taken away."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch

from attention_core.experiments.base import Experiment, Record
from attention_core.experiments.induction import SHOWN, Induction
from attention_core.experiments.layers import RULES
from attention_core.masks import causal
from ui.components.lab import Controls, Curves, Film, Heading, Item, Line, Map, Plot, Readouts, Slider
from ui.compute.runs import MOST_BYTES, Run
from ui.palette import RULE_HUES
from ui.text import Words
from ui.training.history import History, Measure, curves, ends, film, measured, stem_of, step_slider

D_K = (8, 16, 32, 64, 128)
RATES = (1e-3, 3e-3, 1e-2)
SEEDS = (1, 2, 3)  # how many race for every rule
MOST_STEPS = 1500
STOPS = 35  # of the scrubber, besides step 0
NEVER = 2.0  # an accuracy that no run reaches, so that none ends before the others and every line has one axis
HALF = 0.5  # of the tokens that can be known: whoever is right so often has gone through the phase change
LENGTH = Induction().length
HEADS = tuple((layer, head) for layer in range(Induction().n_layer) for head in range(Induction().n_head))
KINDS = ("previous", "induction")  # what a head is scored for
MEASURES = (
    Measure(key="accuracy", high=1.0),
    Measure(key="loss"),
    Measure(key="previous", high=1.0),
    Measure(key="induction", high=1.0),
)
SYMBOLS = tuple(map(str, range(Induction().vocabulary)))  # the tokens, as the Explore pages write them
PAST = causal(LENGTH, LENGTH)  # what a position may look at
SHORT, TALL = 144, 282  # pixels: curves, maps


def guessing() -> float:
    """The accuracy of naming any token of the block at random: the mean of 1/period over what can be known."""
    low, high = Induction().periods
    known = [(LENGTH - period, period) for period in range(low, high + 1)]
    return sum(count / period for count, period in known) / sum(count for count, _ in known)


def stops(count: int, d_k: int) -> int:
    """Stops of the scrubber for so many variants: STOPS, or fewer where the records would take too much memory."""
    made = Induction()
    matrices = made.n_layer * 2 * made.d_model * (made.n_head * d_k + made.d_model)  # W_Q, W_K; W_V, W_O are square
    maps = made.n_layer * SHOWN * made.n_head * LENGTH**2
    size = (2 + 4) * matrices + 2 * maps  # a matrix in float16 with its gradient in float32, maps in float16
    return max(1, min(STOPS, int(0.9 * MOST_BYTES / (count * size)) - 1))


def race(rules: Sequence[str], *, d_k: int, lr: float, steps: int, drawn: int, seeds: int) -> dict[str, Experiment]:
    """The variants by rule and seed: runs with one seed see the same sequences and start from the same weights."""
    every = max(1, math.ceil(steps / stops(len(rules) * seeds, d_k)))
    return {
        f"{rule}-{drawn + more}": Induction(
            rule=rule, d_k=d_k, lr=lr, steps=steps, every=every, seed=drawn + more, stop_at=NEVER
        )
        for rule in rules
        for more in range(seeds)
    }


def known(config: Experiment) -> bool:
    """Whether this page can show a run of this configuration."""
    return (
        isinstance(config, Induction)
        and config.rule in RULES
        and config.d_k in D_K
        and 1 <= config.steps <= MOST_STEPS
        and config.every >= 1
        and config.seed >= 0
        and 0 < config.batch <= 256
        and 0 < config.evaluated <= 2000
        and replace(
            config, rule="none", d_k=32, lr=3e-3, steps=500, every=10, seed=0, batch=32, evaluated=128,
        ) == Induction(rule="none", stop_at=NEVER)
    )  # fmt: skip


def name_of(config: Experiment) -> str:
    """The name of the variant."""
    assert isinstance(config, Induction)
    return f"{config.rule}-{config.seed}"


@dataclass(frozen=True, slots=True)
class Variant:
    """What the name of a variant says. A run loaded beside another of its rule and seed has a `number`."""

    rule: str
    seed: int
    number: str

    @property
    def column(self) -> str:
        """The variants that stand in one column of the picture: all seeds of a rule."""
        return f"{self.rule} {self.number}".strip()


def variant(name: str) -> Variant:
    """`none-3` or, for the second such run, `none-3 2`."""
    stem, _, number = name.partition(" ")
    rule, _, drawn = stem.rpartition("-")
    return Variant(rule, int(drawn), number)


def hue(column: str) -> str:
    """The colour of a rule."""
    return RULE_HUES[column.partition(" ")[0]]


def column_label(column: str, page: Words) -> str:
    """What a rule is called."""
    rule, _, number = column.partition(" ")
    return page[f"rule.{rule}"] + (f" ({number})" if number else "")


def label(name: str, page: Words) -> str:
    """What a variant is called."""
    found = variant(name)
    return page.data("run", rule=column_label(found.column, page), seed=found.seed)


def columns(made: History) -> dict[str, dict[int, str]]:
    """Column → seed → name of the variant."""
    found: dict[str, dict[int, str]] = {}
    for name in made.names:
        one = variant(name)
        found.setdefault(one.column, {})[one.seed] = name
    return found


def seeds_of(made: History) -> tuple[int, ...]:
    """All seeds, in order."""
    return tuple(sorted({variant(name).seed for name in made.names}))


# --- films ---


def sliders(made: History, at: int, seed: int, probe: int, page: Words) -> list[Slider]:
    """The scrubber, which seed, which sequence of the probe."""
    seeds = seeds_of(made)
    return [
        step_slider(made, at, page["step"]),
        Slider(name="seed", label=page["seed"], readings=tuple(map(str, seeds)), at=seed, kind="switch"),
        Slider(
            name="probe", label=page["probe"], readings=tuple(str(index + 1) for index in range(SHOWN)), at=probe,
            kind="switch",
        ),
    ]  # fmt: skip


def films(made: History, *, all_steps: bool) -> list[Film]:
    """Curves along the steps; maps of the two best heads at every step, or at the newest while it trains."""
    out = [
        Film("curves", made.table(MEASURES), ("step",)),
        Film("tokens", _of_probe(made, "tokens", (SHOWN, LENGTH)), ("seed", "probe")),
        Film("period", _of_probe(made, "periods", (SHOWN,))[..., None], ("seed", "probe")),
    ]
    size = SHOWN, len(KINDS) * LENGTH**2
    for column, runs in columns(made).items():
        scores = [made.frames(runs[seed], _scores, (_SCORED,), all_steps=True)[0] if seed in runs else None
                  for seed in seeds_of(made)]  # fmt: skip
        empty = np.full((len(made.steps), _SCORED), np.nan, dtype=np.float32)
        filled = np.stack([empty if each is None else each for each in scores], axis=1)
        out += [
            Film(f"heads {column}", filled, ("step", "seed")),
            film(f"scores {column}", _by_seed(made, runs, _plain, (_SCORED,), all_steps=all_steps), ("seed",)),
            film(f"weights {column}", _by_seed(made, runs, _maps, size, all_steps=all_steps), ("seed", "probe")),
        ]
    return out


def best_heads(made: History, name: str) -> dict[str, tuple[int, int]]:
    """The (layer, head) with the largest score of each kind at the newest kept step; the first before there is one."""
    kept = [record for _, record in sorted(made.records[name].items()) if record.arrays]
    if not kept:
        return dict.fromkeys(KINDS, HEADS[0])
    return {kind: HEADS[int(kept[-1].arrays[kind].argmax())] for kind in KINDS}


def latest(made: History, name: str) -> int:
    """The newest step of which the arrays of a variant were kept; -1 before there is one."""
    return max((step for step, record in made.records[name].items() if record.arrays), default=-1)


_SCORED = len(KINDS) * len(HEADS)


def _scores(record: Record) -> np.ndarray:
    return torch.stack([record.arrays[kind].float().flatten() for kind in KINDS]).flatten().numpy()


Read = Callable[[Record], np.ndarray]


def _by_seed(
    made: History, runs: Mapping[int, str], reader: Callable[[History, str], Read], size: tuple[int, ...], *,
    all_steps: bool,
) -> tuple[np.ndarray, bool]:  # fmt: skip
    """(steps,) seeds, a frame of this size. Where a run is behind the others, its newest record stays up to theirs."""
    found = []
    for seed in seeds_of(made):
        if seed not in runs:
            found.append(np.full((len(made.steps), *size) if all_steps else size, np.nan, dtype=np.float32))
            continue
        frames, _ = made.frames(runs[seed], reader(made, runs[seed]), size, all_steps=all_steps)
        last = latest(made, runs[seed])
        if all_steps and last >= 0:
            at = made.steps.index(last)
            frames[at + 1 : made.newest + 1] = frames[at]
        found.append(frames)
    return np.stack(found, axis=int(all_steps)), all_steps


def _plain(made: History, name: str) -> Read:
    """The score of every head."""
    return _scores


def _maps(made: History, name: str) -> Read:
    """The maps of the two best heads, one after the other."""
    heads = best_heads(made, name)

    def read(record: Record) -> np.ndarray:
        maps = [record.arrays[f"weights.{layer}"][:, head].float() for layer, head in heads.values()]
        return torch.cat([each.masked_fill(~PAST, math.nan).flatten(1) for each in maps], dim=1).numpy()

    return read


def _of_probe(made: History, key: str, shape: tuple[int, ...]) -> np.ndarray:
    """An array that belongs to the seed (seeds, …)."""
    found = {}
    for name, records in made.records.items():
        arrays = next((record.arrays for record in records.values() if key in record.arrays), {})
        if arrays:
            found.setdefault(variant(name).seed, arrays[key].numpy().astype(np.float32))
    return np.stack([found.get(seed, np.zeros(shape, dtype=np.float32)) for seed in seeds_of(made)])


# --- pictures ---


def plots(made: History, sent: Sequence[Film], page: Words) -> list[Plot]:
    """The scrubber, the verdict, four curves; for every rule the two maps and the score of every head."""
    by_name = {film.name: film.values for film in sent}
    found, several = columns(made), len(seeds_of(made)) > 1
    moving = ("step", "seed", "probe") if several else ("step", "probe")
    period = Item(label=page["period"], start=0, help=page["period_help"])
    out: list[Plot] = [
        Controls(name="controls", stack="left", span=3, sliders=moving),
        Heading(
            name="legend", stack="left", legend=tuple((hue(column), column_label(column, page)) for column in found),
            note=page["legend_seeds"] if several else "",
        ),
        *(
            Heading(name=f"verdict_{column}", stack="left", title=title, note=note)
            for column in found
            for title, note in [verdict(made, column, page)]
        ),
        Readouts(name="period", stack="left", film="period", items=(period,)),
        *_curves(made, by_name["curves"], page),
    ]  # fmt: skip
    for column, runs in found.items():
        out += _column(made, column, runs, page)
    out.append(Heading(name="every_head", span=12, title=page["every.title"], note=page["every.note"]))
    high = ends(np.concatenate([by_name[f"heads {column}"].ravel() for column in found]), Measure(key="score"))[1]
    return [*out, *(_every_head(made, column, kind, high, page) for column in found for kind in KINDS)]


def verdict(made: History, column: str, page: Words) -> tuple[str, str]:
    """Whether the phase change happened under this rule, as a title and a sentence: what the records say, no more."""
    runs = columns(made)[column]
    told = column_label(column, page)
    records = {
        seed: [record for _, record in sorted(made.records[name].items())] for seed, name in sorted(runs.items())
    }
    step = max((rows[-1].step for rows in records.values() if rows), default=0)
    if step == 0:
        right = [rows[-1].accuracy for rows in records.values() if rows]
        title = page.data("verdict.before", variant=told)
        return title, page.data("verdict.before_note", accuracy=max(right)) if right else ""
    passed = [next((row.step for row in rows if row.accuracy >= HALF), None) for rows in records.values()]
    steps = [each for each in passed if each is not None]
    last = [rows[-1] for rows in records.values() if rows]
    numbers = {
        "step": step,
        "accuracy": max(row.accuracy for row in last),
        "induction": max(row.measures["induction"] for row in last),
    }
    if not steps:
        said = "verdict.no" if step == made.steps[-1] else "verdict.not_yet"
        return page.data(said, variant=told, step=step, steps=made.steps[-1]), page.data("verdict.no_note", **numbers)
    title = page.data("verdict.yes", variant=told)
    if len(runs) == 1:
        return title, page.data("verdict.yes_note", passed=steps[0], **numbers)
    told_steps = ", ".join(map(str, steps))
    return title, page.data("verdict.several_note", passed=told_steps, some=len(steps), all=len(runs), **numbers)


def _curves(made: History, table: np.ndarray, page: Words) -> list[Curves]:
    names = made.names
    hues = {name: hue(variant(name).column) for name in names}
    labels = {name: label(name, page) for name in names}
    first = min(seeds_of(made))
    notes = {"accuracy": page.data("curve.accuracy_note", guess=float(f"{guessing():.2g}"))}
    drawn = [
        curves(
            made, table, MEASURES, index, hues=hues, labels=labels, title=page[f"curve.{measure.key}"],
            note=notes.get(measure.key) or page[f"curve.{measure.key}_note"], stack="curves", height=SHORT,
        )
        for index, measure in enumerate(MEASURES)
    ]  # fmt: skip
    # Further seeds stay behind the first.
    pale = [variant(name).seed != first for name in names]
    return [
        replace(curve, lines=tuple(replace(line, pale=behind) for line, behind in zip(curve.lines, pale, strict=True)))
        for curve in drawn
    ]


def _column(made: History, column: str, runs: Mapping[int, str], page: Words) -> list[Plot]:
    """One rule: its previous-token head, its induction head, and the scores of all its heads."""
    stack, told = f"column {column}", column_label(column, page)
    heads = {kind: [best_heads(made, name)[kind] for _, name in sorted(runs.items())] for kind in KINDS}
    behind = _behind(made, runs, page)
    maps: list[Plot] = [
        Map(
            name=f"map_{kind}_{column}", stack=stack, span=3, narrow=4, height=TALL, film=f"weights {column}",
            start=index * LENGTH**2, rows=LENGTH, cols=LENGTH, names=SYMBOLS, order="tokens",
            title=page.data(f"map.{kind}", variant=told),
            note=page.data("map.head", heads=", ".join(dict.fromkeys(map(spelled, heads[kind])))) + behind,
            says=page["map.says"], hatched=True,
        )
        for index, kind in enumerate(KINDS)
    ]  # fmt: skip
    # Two rows of scores, one column a head: the head of each map above is the largest number of its row.
    table = Map(
        name=f"table_{column}", stack=stack, narrow=4, height=150, film=f"scores {column}", rows=len(KINDS),
        cols=len(HEADS), names=tuple(page[f"score.{kind}"] for kind in KINDS), col_names=tuple(map(spelled, HEADS)),
        ruled=True, title=page["table.title"], note=page["table.note"] + behind, says=page["table.says"],
        missing=page["map.missing"],
    )  # fmt: skip
    return [*maps, table]


def _behind(made: History, runs: Mapping[int, str], page: Words) -> str:
    """Of which step what is drawn is, where that is not the newest step of all."""
    steps = [latest(made, name) for _, name in sorted(runs.items())]
    if min(steps) < 0 or min(steps) == made.steps[made.newest]:
        return ""
    return " · " + page.data("map.behind", steps=", ".join(map(str, dict.fromkeys(steps))))


def _every_head(made: History, column: str, kind: str, high: float, page: Words) -> Curves:
    """One score of every head of a rule against the step, named where its line ends; layer 2 is dashed."""
    start = KINDS.index(kind) * len(HEADS)
    return Curves(
        name=f"every_{kind}_{column}", span=3, narrow=2, height=190, film=f"heads {column}", along="step",
        lines=tuple(
            Line(
                start=start + place, hue=hue(column), name=page.data("head", head=spelled(head)), dash=head[0] > 0,
            )
            for place, head in enumerate(HEADS)
        ),
        low=0.0, high=high, places=tuple(map(float, made.steps)), ends=True,
        title=page.data(f"every.{kind}", variant=column_label(column, page)),
    )  # fmt: skip


def spelled(head: tuple[int, int]) -> str:
    """Layer and head, counted from 1."""
    return f"{head[0] + 1}.{head[1] + 1}"


# --- what is taken away ---


def arrays(run: Run) -> dict[str, np.ndarray]:
    """Every measure of every record; the scores of every head, and all maps of the probe."""
    out: dict[str, np.ndarray] = {}
    for name in run.experiments:
        records, stem = run.records(name), stem_of(name)
        out |= measured(name, records)
        kept = [record for record in records if record.arrays]
        if not kept:
            continue
        out[f"{stem}_tokens"] = kept[0].arrays["tokens"].numpy()
        out[f"{stem}_periods"] = kept[0].arrays["periods"].numpy()
        for key in (*KINDS, *(f"weights.{layer}" for layer in range(Induction().n_layer))):
            values = torch.stack([record.arrays[key].float() for record in kept])
            out[f"{stem}_{key.replace('.', '_')}"] = values.numpy()
    return out


def snippet(run: Run) -> str:
    """A script that trains the same variants and prints what was recorded, and the fingerprints."""
    configs = ",\n    ".join(repr(config) for config in run.experiments.values())
    return f"""# In the folder of Headlight: PYTHONPATH=. .venv/bin/python the_name_of_this_file.py
import torch

from attention_core.experiments.induction import Induction
from attention_core.experiments.store import fingerprint

torch.set_num_threads(1)
for config in [
    {configs},
]:
    records = list(config.records())
    for record in records:
        scores = {{kind: record.arrays[kind].flatten().tolist() for kind in {KINDS!r} if record.arrays}}
        print(
            f"{{config.rule}}-{{config.seed}} {{record.step}}",
            f"loss {{record.loss:.6f}} accuracy {{record.accuracy:.6f}}",
            *(f"{{kind}} {{[round(score, 4) for score in found]}}" for kind, found in scores.items()),
        )
    print(f"{{config.rule}}-{{config.seed}} fingerprint", fingerprint(records))
"""
