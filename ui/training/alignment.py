"""An encoder and a decoder that learn to align (E8) → films, pictures and what can be taken away."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import torch

from attention_core.experiments.alignment import MODES, PROBE, TASKS, Alignment
from attention_core.experiments.base import Experiment, Record
from attention_core.mechanisms.local import near
from ui.components.lab import Bars, Controls, Film, Heading, Item, Map, Plot, Readouts, Slider
from ui.compute.runs import Run
from ui.text import Words
from ui.training.history import History, Measure, curves, film, history, measured, stem_of, step_slider

LENGTH = Alignment().length
FEED = "_feed"
ATTENTIONS = ("global", "additive", "local_m", "local_p", "none")
FEEDING = ("without", "with", "both")
HUES = {"global": "q", "additive": "v", "local_m": "k", "local_p": "ink", "none": "quiet"}
LOCAL = ("local_m", "local_p")
RADII = (1, 2, 3, 4, 8)
RATES = (1e-3, 2e-3, 5e-3, 1e-2)
MOST_STEPS = 2000
STOPS = 40  # of the scrubber, besides step 0
PLACES = tuple(map(str, range(LENGTH)))
MEASURES = (
    Measure(key="accuracy", high=1.0),
    Measure(key="right", high=1.0),
    Measure(key="loss"),
    Measure(key="entropy", high=math.log(LENGTH)),
    Measure(key="row_sum", high=1.05),
)
WITHIN = (0, 1)  # places beside the right one, over which weight is summed
REST = ("entropy", "row_sum")  # beside or below the maps
TITLES = ("accuracy", "right", "loss", "entropy", "row_sum")


def variants(attentions: Sequence[str], feeding: str) -> list[str]:
    """The names of all that train: each attention without input feeding, with it, or both."""
    endings = {"without": ("",), "with": (FEED,), "both": ("", FEED)}[feeding]
    return [attention + ending for attention in attentions for ending in endings]


def race(names: Sequence[str], *, task: str, D: int, lr: float, steps: int, drawn: int) -> dict[str, Experiment]:
    """The variants by name: one seed, so the same sentences, and the same initial weights where `feed` is the same."""
    every = max(1, math.ceil(steps / STOPS))
    return {
        name: Alignment(
            task=task, mode=name.removesuffix(FEED), feed=name.endswith(FEED), D=D, lr=lr, steps=steps, every=every,
            seed=drawn,
        )
        for name in names
    }  # fmt: skip


def known(config: Experiment) -> bool:
    """Whether this page can show a run of this configuration."""
    return (
        isinstance(config, Alignment)
        and config.task in TASKS
        and config.mode in MODES
        and 1 <= config.D <= LENGTH
        and 1 <= config.steps <= MOST_STEPS
        and config.every >= 1
        and 1e-6 < config.lr < 1
        and 0 < config.batch <= 256
        and 0 < config.evaluated <= 2000
        and replace(
            config, task="copy", mode="global", feed=False, D=2, lr=5e-3, steps=500, every=25, seed=0, batch=64,
            evaluated=250,
        ) == Alignment()
    )  # fmt: skip


def variant_of(config: Experiment) -> str:
    """The name of the variant."""
    assert isinstance(config, Alignment)
    return config.mode + (FEED if config.feed else "")


def mode_of(name: str) -> str:
    """The attention of a variant, also of a second one of the same kind."""
    return name.partition(" ")[0].removesuffix(FEED)


def fed(name: str) -> bool:
    """Whether h̃ joins the next input."""
    return name.partition(" ")[0].endswith(FEED)


def label(name: str, page: Words) -> str:
    """What a variant is called."""
    _, _, number = name.partition(" ")
    told = page[f"mode.{mode_of(name)}"] + (f" {page['with_feed']}" if fed(name) else "")
    return told + (f" ({number})" if number else "")


def legend(names: Sequence[str], page: Words) -> tuple[tuple[str, str], ...]:
    """Colours and names; a dashed line is said to be one."""
    return tuple(
        (HUES[mode_of(name)], label(name, page) + (f" {page['dashed']}" if fed(name) else "")) for name in names
    )


def right(task: str) -> np.ndarray:
    """Which source position each target position comes from."""
    return np.arange(LENGTH) if task == "copy" else np.arange(LENGTH)[::-1].copy()


# --- what a record says ---


def weights(config: Alignment, record: Record) -> np.ndarray:
    """The alignment of every sequence of the probe (probe, t, s); NaN where local attention does not look."""
    kept = record.arrays["alignment"].float()
    if config.mode in LOCAL:
        kept = kept.masked_fill(~near(record.arrays["center"], kept.shape[-1], config.D), math.nan)
    elif config.mode == "none":
        kept = torch.full_like(kept, math.nan)
    return kept.numpy()


def centers(config: Alignment, record: Record) -> np.ndarray:
    """(probe, t): p_t of local attention; where the others look on average, Σ_s s·α_ts; NaN without attention."""
    if config.mode in LOCAL:
        return record.arrays["center"].numpy()
    kept = record.arrays["alignment"].double()
    if config.mode == "none":
        return np.full(kept.shape[:-1], np.nan)
    return (kept @ torch.arange(kept.shape[-1], dtype=torch.float64)).numpy()


def on_the_right(config: Alignment, record: Record, within: int = 0) -> float:
    """The weight on source positions at most so far `within` from the right one, mean over the probe; NaN without
    attention.
    """
    if config.mode == "none":
        return math.nan
    kept = record.arrays["alignment"].double()
    counted = torch.from_numpy(abs(np.arange(LENGTH) - right(config.task)[:, None]) <= within)
    return float((kept * counted).sum(dim=-1).mean())


# --- pictures, also of the page about local attention ---


def alignment_map(name: str, film: str, *, stack: str, title: str, start: int = 0, note: str = "", narrow: int = 2,
                  height: int = 206) -> Map:  # fmt: skip
    """Target positions down, source positions across; hatched where nothing can be seen."""
    return Map(
        name=name, stack=stack, span=2, narrow=narrow, height=height, film=film, rows=LENGTH, cols=LENGTH, start=start,
        names=PLACES, hatched=True, title=title, note=note,
    )  # fmt: skip


def center_bars(name: str, film: str, *, stack: str, title: str, right_film: str, right_name: str, start: int = 0,
                hue: str = "k", height: int = 150) -> Bars:  # fmt: skip
    """p_t against t, the right place as an outline."""
    return Bars(
        name=name, stack=stack, narrow=2, height=height, film=film, count=LENGTH, start=start, hue=hue,
        high=float(LENGTH), ghost=right_film, ghost_name=right_name, title=title,
    )  # fmt: skip


def snippet(configs: Sequence[Experiment]) -> str:
    """A script that trains the same variants and prints accuracies, the last p_t and the fingerprints."""
    written = ",\n    ".join(map(repr, configs))
    return f"""# In the folder of Headlight: PYTHONPATH=. .venv/bin/python the_name_of_this_file.py
import torch

from attention_core.experiments.alignment import Alignment
from attention_core.experiments.store import fingerprint

torch.set_num_threads(1)
for config in [
    {written},
]:
    records = list(config.records())
    for record in records:
        print(config.task, config.mode, record.step, f"{{record.accuracy:.6f}}")
    print("p_t", [round(p, 3) for p in records[-1].arrays["center"][0].tolist()])
    print("fingerprint", fingerprint(records))
"""


# --- the page ---


def aligned(run: Run) -> History:
    """The records, with the weight on the right place where arrays were kept."""
    made = history(run)
    records = {
        name: {step: _with_right(run.experiments[name], record) for step, record in found.items()}
        for name, found in made.records.items()
    }
    return History(made.steps, records)


def films(run: Run, made: History, *, all_steps: bool) -> list[Film]:
    """Curves along the steps; alignments and places at every step, or at the newest while it trains; the right ones."""
    task = task_of(run)
    target = np.zeros((LENGTH, LENGTH), dtype=np.float32)
    target[np.arange(LENGTH), right(task)] = 1.0
    out = [
        Film("curves", made.table(MEASURES), ("step",)),
        Film("target", target.reshape(-1)),
    ]
    for name, config in run.experiments.items():
        assert isinstance(config, Alignment)

        def maps(record: Record, config: Alignment = config) -> np.ndarray:
            return weights(config, record).reshape(PROBE, -1)

        def places(record: Record, config: Alignment = config) -> np.ndarray:
            return centers(config, record).astype(np.float32)

        def shares(record: Record, config: Alignment = config) -> np.ndarray:
            return np.array([on_the_right(config, record, within) for within in WITHIN], dtype=np.float32)

        out += [
            film(f"alignment {name}", made.frames(name, maps, (PROBE, LENGTH**2), all_steps=all_steps), ("probe",)),
            Film(f"right {name}", right(config.task).astype(np.float32)),
            film(f"center {name}", made.frames(name, places, (PROBE, LENGTH), all_steps=all_steps), ("probe",)),
            film(f"shares {name}", made.frames(name, shares, (len(WITHIN),), all_steps=all_steps), ()),
        ]
    return out


def task_of(run: Run) -> str:
    """The task of the first variant, which all have unless files of both were loaded."""
    config = next(iter(run.experiments.values()))
    assert isinstance(config, Alignment)
    return config.task


def evaluated(run: Run) -> int:
    """Sequences on which the accuracy is measured."""
    return max(config.evaluated for config in run.experiments.values() if isinstance(config, Alignment))


def sliders(made: History, at: int, probe: int, page: Words) -> list[Slider]:
    """The scrubber, and which sequence of the probe."""
    return [
        step_slider(made, at, page["step"]),
        Slider(
            name="probe", label=page["probe"], readings=tuple(str(index + 1) for index in range(PROBE)), at=probe,
            kind="switch",
        ),
    ]  # fmt: skip


def plots(made: History, sent: Sequence[Film], task: str, evaluated: int, page: Words) -> list[Plot]:
    """The scrubber and the curves; below, the right alignment and that of every variant, and where each looks."""
    names = made.names
    hues, labels = {name: HUES[mode_of(name)] for name in names}, {name: label(name, page) for name in names}
    table = next(film.values for film in sent if film.name == "curves")
    drawn = {
        title: curves(
            made, table, MEASURES, index, hues=hues, labels=labels, title=page[f"curve.{title}"],
            note=page.data(f"curve.{title}_note", count=evaluated, length=LENGTH),
            stack="rest" if title in REST else title,
            span=4 if title in REST else 3, height=178 if title in REST else 206,
            narrow=4 if title == "accuracy" else 2,
        )
        for index, title in enumerate(TITLES)
    }  # fmt: skip
    for title, curve in drawn.items():
        lines = tuple(replace(line, dash=fed(name)) for line, name in zip(curve.lines, names, strict=True))
        drawn[title] = replace(curve, lines=lines)
    out: list[Plot] = [
        Controls(name="controls", stack="left", span=3, sliders=("step", "probe")),
        Heading(name="legend", stack="left", legend=legend(names, page)),
        Heading(name="beside", stack="left", title=page["beside"], note=page["beside_note"]),
        drawn["accuracy"], drawn["right"], drawn["loss"],
        alignment_map("target", "target", stack="target", title=page[f"target.{task}"], note=page["map_note"],
                      narrow=4),
    ]  # fmt: skip
    for name in names:
        mode = mode_of(name)
        out.append(alignment_map(f"map_{name}", f"alignment {name}", stack=name, title=labels[name]))
        if mode != "none":
            out.append(
                center_bars(
                    f"center_{name}", f"center {name}", stack=name, right_film=f"right {name}",
                    right_name=page["right"], title=page["center" if mode in LOCAL else "mean_place"], hue=HUES[mode],
                )
            )  # fmt: skip
            items = tuple(Item(label=page[f"within.{each}"], start=at, digits=2) for at, each in enumerate(WITHIN))
            out.append(
                Readouts(
                    name=f"shares_{name}", stack=name, film=f"shares {name}", items=items,
                    title=page.data("shares", count=PROBE),
                )
            )  # fmt: skip
    return [*out, drawn["entropy"], drawn["row_sum"]]


def arrays(run: Run) -> dict[str, np.ndarray]:
    """Every measure of every record; alignment and p_t of the probe at every kept step."""
    out: dict[str, np.ndarray] = {}
    for name, config in run.experiments.items():
        assert isinstance(config, Alignment)
        records, stem = run.records(name), stem_of(name)
        out |= measured(name, records)
        kept = [record for record in records if record.arrays]
        if kept:
            out[f"{stem}_kept_step"] = np.array([record.step for record in kept])
            out[f"{stem}_alignment"] = np.stack([weights(config, record) for record in kept])
            out[f"{stem}_center"] = np.stack([centers(config, record) for record in kept])
    return out


def _with_right(config: Experiment, record: Record) -> Record:
    if not record.arrays:
        return record
    assert isinstance(config, Alignment)
    measures: Mapping[str, float] = {**record.measures, "right": on_the_right(config, record)}
    return replace(record, measures=measures)
