"""The laboratory of a run: its scrubber, the switches beside it, where they stand and how a link spells it."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ui.components.lab import Film, Plot, Positions, Slider, lab
from ui.compute.runs import Run
from ui.state import Setting
from ui.text import Words, words
from ui.training.history import History

Films = Callable[..., list[Film]]  # (past, all_steps=…)
Plots = Callable[[Any, list[Film], Words], list[Plot]]
Sliders = Callable[[Any, Mapping[str, int], Words], list[Slider]]


def scrub(
    key: str,
    run: Run[Any, Any],
    past: History[Any],
    page: Words,
    films: Films,
    plots: Plots,
    sliders: Sliders,
    **switches: Setting[int],
) -> None:
    """While it trains the newest step, then every step under the finger. `switches`: the other sliders, by name."""
    sent = films(past, all_steps=not run.running)
    at = {"step": standing(key, past, run), **{name: setting.value() for name, setting in switches.items()}}

    def moved(at: Positions) -> None:
        for name, setting in switches.items():
            setting.put(at[name])
        left(key, past, run, at["step"])

    lab(
        plots(past, sent, page),
        key=f"{key}_lab",
        sliders=sliders(past, at, page),
        films=sent,
        words=words("canvas"),
        summary=page["summary"],
        on_move=moved,
    )


def stop(key: str, readings: Sequence[str]) -> Setting[int]:
    """Which of these a switch stands at; the first where a link says nothing."""
    return Setting(
        key=key, default=0, parse=readings.index, spell=lambda at: readings[at], options=range(len(readings))
    )


def counted(count: int) -> tuple[str, ...]:
    """1, 2, … `count`: what a switch reads that stands at one of so many."""
    return tuple(str(index + 1) for index in range(count))


def switch(name: str, label: str, readings: Sequence[str], at: int) -> Slider:
    """A slider with a few stops, all of which are written."""
    return Slider(name=name, label=label, readings=tuple(readings), at=at, kind="switch")


def standing(key: str, past: History[Any], run: Run[Any, Any]) -> int:
    """The index of the step that the link names, once the run rests and has recorded it; else the newest."""
    wanted, recorded = _step(key).value(), [str(step) for step in past.steps[: past.newest + 1]]
    return recorded.index(wanted) if not run.running and wanted in recorded else past.newest


def left(key: str, past: History[Any], run: Run[Any, Any], at: int) -> None:
    """The reader has left it there: that stands in the link, unless it is the newest anyway or moves by itself."""
    if not run.running:
        _step(key).put("" if at == past.newest else str(past.steps[at]))


def _step(key: str) -> Setting[str]:
    return Setting(key=f"{key}_step", default="", parse=str)
