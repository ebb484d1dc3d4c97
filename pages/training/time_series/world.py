"""What closed forms say of a series: its period, its parts, its change points, and how well simple rules forecast."""

import math
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F

from attention_core.experiments.decomposition import Classical, bends, classical, continued, strongest_period
from attention_core.experiments.series import (
    NAIVE_PERIOD,
    SHOWN,
    Series,
    naive_period,
    pieces,
    seasonal_naive,
    spread_evenly,
)

ORIGINS = 12  # from which the three lines are continued
POINTS = 800  # of the series that are drawn, about
LEARNED = 0.7  # of a series is learned from, the rest tests


@dataclass(frozen=True, slots=True, eq=False)
class World:
    """The series and what closed forms say of it; the errors are in the unit of the records."""

    config: Series
    values: np.ndarray
    period: int  # of its season; 1 where there is none
    naive_period: int  # what of it fits into the look-back: the naive forecast repeats it
    parts: Classical
    changes: tuple[int, ...]  # of its trend, as they are estimated
    built: tuple[int, ...]  # those that were built into a made series
    naive: np.ndarray  # forecasts of the shown windows, standardised
    past: np.ndarray
    future: np.ndarray
    naive_error: tuple[float, float]  # squared, absolute
    outside: float  # the share of the test values beyond those that were learned from
    starts: tuple[int, ...]  # of the forecasts that are shown, in the series

    @property
    def cut(self) -> int:
        """Where the test part begins."""
        return round(LEARNED * len(self.values))


def look(of: Series) -> World:
    """Its period, its parts, its change points, and what repeating the last period gives."""
    values = of.series()
    cut = round(LEARNED * len(values))
    if of.values:
        period = repeated = strongest_period(values[:cut], of.past)  # the test part says nothing about it
    else:
        period, repeated = NAIVE_PERIOD, naive_period(of.past)
    parts = classical(values, period)
    _, (past, future), _ = of.windows()
    naive, unit = seasonal_naive(past, of.horizon, repeated), of.unit()
    rows = spread_evenly(len(past), SHOWN)
    outside = (values[cut:] < values[:cut].min()) | (values[cut:] > values[:cut].max())
    built = () if of.values else pieces(of.world, of.points, slope=of.slope, segment=of.segment).changes
    return World(
        config=of,
        values=values.double().numpy(),
        period=period,
        naive_period=repeated,
        parts=parts,
        changes=tuple(bends(values.double() - parts.season)),
        built=built,
        naive=naive[rows].numpy(),
        past=past[rows].numpy(),
        future=future[rows].numpy(),
        naive_error=(float(F.mse_loss(naive, future)) * unit**2, float(F.l1_loss(naive, future)) * unit),
        outside=float(outside.double().mean()),
        starts=tuple(cut + of.past + int(row) for row in rows),
    )


@dataclass(frozen=True, slots=True, eq=False)
class Lines:
    """Mean error of lines through several parts of the history, and of repeating the last period."""

    whole: float
    since: float
    last: float
    naive: float
    origins: int


def lines(world: World) -> Lines:
    """A line and the season, continued from several origins: through all of the past, since its last change point, or
    through as much as the models see.
    """
    of, values = world.config, torch.from_numpy(world.values)
    unit = (of.unit() / of.scale()[1]) ** 2
    origins = np.linspace(world.cut + of.past, len(values) - of.horizon, ORIGINS).astype(int).tolist()
    errors = []
    for origin in origins:
        history, truth = values[:origin], values[origin : origin + of.horizon]
        changes = bends(history - classical(history, world.period).season)
        begins = (0, changes[-1] if changes else 0, origin - of.past)
        forecasts = [continued(history, of.horizon, world.period, begin) for begin in begins]
        forecasts.append(seasonal_naive(history, of.horizon, world.period))
        errors.append([float(F.mse_loss(forecast, truth)) * unit for forecast in forecasts])
    return Lines(*(float(value) for value in np.mean(errors, axis=0)), origins=len(origins))


def near(world: World) -> tuple[int, int]:
    """How many of the change points that were built in have an estimated one near, and how near that is: about a
    hundredth of the series.
    """
    within = len(world.values) // 80
    return sum(any(abs(place - change) <= within for change in world.changes) for place in world.built), within


def thinned(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Every so-many-th place and its value, so that a line of a few hundred points is drawn; peaks are kept: of each
    stretch its lowest and its highest.
    """
    stride = max(1, math.ceil(len(values) / (POINTS / 2)))
    if stride == 1:
        return np.arange(len(values)), values
    at: set[int] = {0, len(values) - 1}
    for start in range(0, len(values), stride):
        block = values[start : start + stride]
        at |= {start + int(block.argmin()), start + int(block.argmax())}
    chosen = np.array(sorted(at))
    return chosen, values[chosen]
