"""The history of the race → films: curves, the scores of every head, and the maps of the two best heads."""

from collections.abc import Callable, Mapping
from functools import partial

import numpy as np

from attention_core.experiments.base import Record
from attention_core.experiments.induction import SHOWN
from pages.training.induction.numbers import (
    HEADS,
    KINDS,
    LENGTH,
    MEASURES,
    Past,
    Seeded,
    best_heads,
    columns,
    latest,
    maps,
    of_probe,
    scores,
    seeds_of,
)
from ui.components.lab import Film
from ui.training.history import film

Read = Callable[[Record], np.ndarray]


def head_column(kind: str, head: tuple[int, int]) -> str:
    """The column of one score of a head."""
    return f"{kind} {spelled(head)}"


def spelled(head: tuple[int, int]) -> str:
    """Layer and head, counted from 1."""
    return f"{head[0] + 1}.{head[1] + 1}"


SCORES = tuple(head_column(kind, head) for kind in KINDS for head in HEADS)


def films(past: Past, *, all_steps: bool) -> list[Film]:
    """Curves along the steps; maps of the two best heads at every step, or at the newest while it trains."""
    out = [
        past.curves(MEASURES),
        Film("tokens", of_probe(past, "tokens", (SHOWN, LENGTH)), ("seed", "probe")),
        Film("period", of_probe(past, "periods", (SHOWN,))[..., None], ("seed", "probe")),
    ]
    for column, runs in columns(past).items():
        looks = {name: partial(maps, heads=best_heads(past, name)) for name in runs.values()}
        size = SHOWN, len(KINDS) * LENGTH**2
        newest = _by_seed(past, runs, dict.fromkeys(runs.values(), scores), (len(SCORES),), all_steps=all_steps)
        weights = _by_seed(past, runs, looks, size, all_steps=all_steps)
        out += [
            Film(f"heads {column}", _recorded(past, runs), ("step", "seed"), columns=SCORES),
            film(f"scores {column}", newest, ("seed",)),
            film(f"weights {column}", weights, ("seed", "probe"), columns=KINDS),
        ]
    return out


def _recorded(past: Past, runs: Mapping[int, Seeded]) -> np.ndarray:
    """(steps, seeds, scores): of every head as far as it was recorded."""
    empty = np.full((len(past.steps), len(SCORES)), np.nan, dtype=np.float32)
    seeds = [
        past.frames(runs[seed], scores, (len(SCORES),), all_steps=True)[0] if seed in runs else empty
        for seed in seeds_of(past)
    ]
    return np.stack(seeds, axis=1)


def _by_seed(
    past: Past, runs: Mapping[int, Seeded], reads: Mapping[Seeded, Read], size: tuple[int, ...], *, all_steps: bool
) -> tuple[np.ndarray, bool]:
    """(steps,) seeds, a frame of this size. Where a run is behind the others, its newest record stays up to theirs."""
    empty = np.full((len(past.steps), *size) if all_steps else size, np.nan, dtype=np.float32)
    seeds = []
    for seed in seeds_of(past):
        frames = empty
        if seed in runs:
            name = runs[seed]
            frames, _ = past.frames(name, reads[name], size, all_steps=all_steps)
            if all_steps and latest(past, name) >= 0:
                at = past.steps.index(latest(past, name))
                frames[at + 1 : past.newest + 1] = frames[at]
        seeds.append(frames)
    return np.stack(seeds, axis=int(all_steps)), all_steps
