"""The pictures of a laboratory: what each draws, of which film, and how much room it takes."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """The room of a picture: columns of twelve (`narrow`: of four on a telephone), pixels of height.

    Pictures of one `stack` stand one under the other, in the columns of the first.
    """

    stack: str = ""
    span: int = 4
    narrow: int = 4
    height: int = 220


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plot:
    """What all pictures have: a name, what is written above, and room. `hint`: what a click does; no figure says it."""

    name: str
    title: str = ""
    note: str = ""
    hint: str = ""
    box: Box = Box()


@dataclass(frozen=True, slots=True, kw_only=True)
class Controls(_Plot):
    """The sliders of these names, one under the other."""

    sliders: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One line of read-outs: the number in `column` of a frame; with `log`, the frame holds its log₁₀.

    `lost`: say so where a number is too small for float32. `whole`: the number is a share of so many, or of as many as
    the slider of that name reads.
    """

    label: str
    column: str = ""
    log: bool = False
    lost: bool = True
    unit: str = ""
    help: str = ""
    digits: int = 4
    whole: int | str = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Heading(_Plot):
    """A title with a sentence, and what the colours of lines mean: (hue, name).

    `fold`: what follows is folded away; of a heading in a stack, what follows in that stack.
    """

    legend: tuple[tuple[str, str], ...] = ()
    fold: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Readouts(_Plot):
    """Numbers at the sliders' position."""

    film: str
    items: tuple[Item, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark(_Plot):
    """A sentence with numbers of a frame in it, each where its label stands in braces; it is there only where its first
    number is one, not NaN.
    """

    film: str
    items: tuple[Item, ...]
    says: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Gauge(_Plot):
    """How many of `count`: the number in `column` of a frame, and a mark for each. `says`: how, with count and all."""

    film: str
    count: int
    says: str
    column: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid(_Plot):
    """`count` matrices as thumbnails; a click picks one (`row` of the Pick). `key`: as of a Map."""

    film: str
    count: int
    rows: int
    cols: int
    titles: tuple[str, ...]
    chosen: int = 0
    scale: str = "weights"
    low: float = 0.0
    high: float = 1.0
    key: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Map(_Plot):
    """One matrix, named beside it and above (`col_names`: where columns have other names); `marked`: the row in focus.

    Among `col_names` the one in focus is `marked_col`. Maps that are `alike` have cells of one size.
    `root` colours by the square root. `hatched`: NaN is masked, and hatched. `ruled`: lines between the cells, and in a
    few large ones their numbers. `says`: how a cell is told of, with number, name, key_number, key_name and value.
    `order`: a film that says which of `names` stands at each place. `value`: what the film holds of the number that is
    told of a cell, itself or its logarithm; `missing`: what is told where it is NaN ("": that it is masked). `key`: a
    bar above says what the colours stand for.
    """

    film: str
    rows: int
    cols: int
    column: str = ""
    names: tuple[str, ...] | None = None
    col_names: tuple[str, ...] | None = None
    marked: int = -1
    marked_col: int = -1
    alike: str = ""
    scale: str = "weights"
    low: float = 0.0
    high: float = 1.0
    root: bool = False
    order: str = ""
    hatched: bool = False
    ruled: bool = False
    says: str = ""
    value: Literal["plain", "log10", "log2"] = "plain"
    missing: str = ""
    key: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Bars(_Plot):
    """One bar per number of row `row` of a column; `editable` ones the reader pulls, and `on_edit` gets the numbers.

    `fit`: the axis follows the numbers, 0 included. `digits`: at least as many significant digits of each, written on
    its bar; more where they differ later; where bars are narrow, of the chosen one. `ghost`: a film of as many
    numbers, drawn as outlines and called `ghost_name` on hover. `over`: a film of at least two numbers from 0 to 1, a
    line from the left edge to the right over the whole height. NaN is hatched.
    """

    film: str
    count: int
    column: str = ""
    row: int = 0
    names: tuple[str, ...] | None = None
    marked: int = -1
    hue: str = "k"
    low: float = 0.0
    high: float = 1.0
    editable: bool = False
    step: float = 0.01
    fit: bool = False
    digits: int = 0
    ghost: str = ""
    ghost_name: str = ""
    over: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One curve: the number in `column` of each frame, some sliders held fixed; `band`: the columns of its ends."""

    hue: str
    column: str = ""
    name: str = ""
    fixed: Mapping[str, int] | None = None
    band: tuple[str, str] | None = None
    dash: bool = False
    pale: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Curves(_Plot):
    """Lines over the stops of the slider `along`; with `logs` the numbers are log₁₀ and the axis says powers of ten.

    `places`: where each stop stands on the axis, if not at equal distances. `marks`: places with a name of their own.
    `ends`: the name of a line stands where it ends, beside the picture, and the line that is pointed at is lit.
    `below`: what a band under the axis is called, in which numbers that are exactly 0 are drawn. `legend`: the names of
    the lines stand above them. `fit`: the axis reaches as far as the numbers in sight, on both sides of 0.
    """

    film: str
    along: str
    lines: tuple[Line, ...]
    low: float
    high: float
    logs: bool = False
    places: tuple[float, ...] | None = None
    marks: tuple[tuple[float, str], ...] = ()
    ends: bool = False
    below: str = ""
    legend: bool = True
    fit: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Contour:
    """A line across a phase map: per stop of y the place (in stops of x, NaN for none); drawn when `fixed` holds."""

    film: str
    name: str = ""
    fixed: Mapping[str, int] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase(_Plot):
    """A number over two sliders, the reader's place on it; a click goes there."""

    film: str
    x: str
    y: str
    column: str = ""
    low: float
    high: float
    logs: bool = False
    scale: str = "positive"
    lines: tuple[Contour, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Histogram(_Plot):
    """`count` bins from `low` to `high`; `ticks` and the name of the `axis` stand below, a line at `mark`."""

    film: str
    count: int
    low: float
    high: float
    column: str = ""
    ticks: tuple[tuple[float, str], ...] = ()
    axis: str = ""
    mark: float | None = None
    hue: str = "k"


Plot = Controls | Heading | Readouts | Remark | Gauge | Grid | Map | Bars | Curves | Phase | Histogram
