"""What a laboratory is about: sliders, films of numbers that follow them, and films the browser computes itself."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import prod
from typing import Literal

import numpy as np


@dataclass(frozen=True, slots=True, kw_only=True)
class Slider:
    """Stops to choose from: how they are written, the few written along an axis, and where the slider stands."""

    name: str
    label: str
    readings: tuple[str, ...]
    at: int
    ticks: tuple[tuple[int, str], ...] = ()
    kind: Literal["slider", "switch"] = "slider"
    help: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Film:
    """Numbers at every stop: the first axes of `values` are the sliders `axes`, what remains is one frame.

    `at`: where the other sliders stood when it was made; it is out of date once one of them moves. With `codes` m,
    bytes c stand for the numbers (c/m)² from 0 to 1, and what is larger than m for NaN. `columns` name the parts of a
    frame, all of one length, in order: pictures ask for them by name.
    """

    name: str
    values: np.ndarray
    axes: tuple[str, ...] = ()
    at: Mapping[str, int] | None = None
    codes: int = 0
    columns: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Scaled:
    """A film computed in the browser: (scores + shift) · factor, `size` numbers a frame."""

    name: str
    scores: str
    size: int
    shift: str | None = None
    factor: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Softmax:
    """A film computed in the browser: softmax(scores · factor) over rows of `cols`; `size` numbers a frame."""

    name: str
    scores: str
    cols: int
    size: int
    factor: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Jacobian:
    """A film computed in the browser: diag(p) − ppᵀ of the n probabilities in row `row` of a column of `of`."""

    name: str
    of: str
    n: int
    column: str = ""
    row: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Fork:
    """One of several films, each along a slider of its own: that of the slider moved last, if it is up to date.

    While none is (one slider was released, another already moves, and Python has yet to answer), the last frame stays.
    """

    name: str
    films: tuple[str, ...]


Computed = Scaled | Softmax | Jacobian | Fork


@dataclass(frozen=True, slots=True)
class Frame:
    """How a frame of a film is laid out: `size` numbers, in parts of equal length called `columns`."""

    film: str
    size: int
    columns: tuple[str, ...] = ()

    def start(self, column: str) -> int:
        """Where a column begins. Raises ValueError, naming the film, where there is no such column."""
        if not column:
            return 0
        if column not in self.columns:
            raise ValueError(
                f"the film {self.film} has no column {column!r}; it has {', '.join(self.columns) or 'none'}"
            )
        return self.columns.index(column) * (self.size // len(self.columns))


def frames(films: Iterable[Film], computed: Iterable[Computed]) -> dict[str, Frame]:
    """The layout of every film's frames, by its name. What is computed in the browser has the columns of its scores.

    Raises ValueError where columns do not part a frame evenly, or two have one name.
    """
    laid = {film.name: _frame(film) for film in films}
    for film in computed:
        match film:
            case Scaled() | Softmax():
                laid[film.name] = Frame(film.name, film.size, laid[film.scores].columns)
            case Jacobian():
                laid[film.name] = Frame(film.name, film.n**2)
            case Fork():
                laid[film.name] = Frame(film.name, laid[film.films[0]].size, laid[film.films[0]].columns)
    return laid


def _frame(film: Film) -> Frame:
    size = prod(film.values.shape[len(film.axes) :])
    if film.columns and size % len(film.columns):
        raise ValueError(f"the film {film.name} cannot part {size} numbers into {len(film.columns)} columns")
    if len(set(film.columns)) < len(film.columns):
        raise ValueError(f"two columns of the film {film.name} have one name: {', '.join(film.columns)}")
    return Frame(film.name, size, film.columns)
