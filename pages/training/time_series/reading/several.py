"""Whether several series stand below each other, and which column tells them apart."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd

from pages.training.time_series.reading.dates import month_of
from pages.training.time_series.reading.numbers import Column
from pages.training.time_series.reading.table import Table

MOST_SERIES = 1000
LOOKED = 8  # columns of which pairs are tried
OFTEN = 0.1  # of the rows tell a time that another row tells, too
NAMED = re.compile(
    r"(?:.*[^a-z])?(?:id|ids|item|series|ticker|symbol|stock|store|shop|station|site|sensor|country|region|city|state|"
    r"product|sku|meter|location|group|entity|variable|metric|code)(?:[^a-z].*)?|.*_id|.*(?:代码|编号|名称|股票|城市|地区|国家|站点|类别)",
    re.I,
)
DAYS = re.compile(r"(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*|(?:星期|周)[一二三四五六日天]", re.I)


@dataclass(frozen=True, slots=True, eq=False)
class Apart:
    """Which series each row is of. `alike`: whether they may as well be one: no two rows tell the same time."""

    name: str
    parts: tuple[int, ...]
    codes: np.ndarray
    names: tuple[str, ...]
    alike: bool


@dataclass(frozen=True, slots=True, eq=False)
class _Labels:
    at: int
    codes: np.ndarray
    names: tuple[str, ...]
    text: bool
    named: bool

    @property
    def blocks(self) -> bool:
        """Whether the rows of each stand together."""
        return int((np.diff(self.codes) != 0).sum()) + 1 == len(self.names)

    @property
    def numbered(self) -> bool:
        """Whether numbers, one a block, name series: store 1, then store 2; but 0 and 1 are no and yes."""
        return self.blocks and not {*self.names} <= {"0", "1"}


def apart(table: Table, columns: Sequence[Column], time: np.ndarray | None, taken: set[int]) -> Apart | None:
    """The column, or two, that tell several series apart; None where there is one. `time` is that of the clock, of
    which the columns `taken` are.
    """
    labels = [one for at in range(len(columns)) if at not in taken and (one := _labels(table, columns, at)) is not None]
    labels.sort(key=lambda one: (not one.named, not one.text))
    if time is None:
        likely = [one for one in labels if (one.named or one.blocks if one.text else one.named and one.numbered)]
        return _apart(table, likely[:1], alike=True)
    again = _again(time)
    if again:
        if again < OFTEN * len(time):
            labels = [one for one in labels if one.named]
        single = [(one,) for one in labels]
        pairs = list(combinations(labels[:LOOKED], 2))
        for group in (*single, *pairs):
            if _again(time, *(one.codes for one in group)) <= 0.02 * again:
                return _apart(table, group, alike=False)
        return None
    return _apart(table, [one for one in labels if one.named and one.text and one.blocks][:1], alike=True)


def _again(time: np.ndarray, *codes: np.ndarray) -> int:
    """How many rows tell a time that an earlier row has told, of the same series."""
    frame = pd.DataFrame({"time": time, **{str(at): code for at, code in enumerate(codes)}})
    known = frame[~pd.isna(frame["time"])]
    return int(known.duplicated().sum())


def _labels(table: Table, columns: Sequence[Column], at: int) -> _Labels | None:
    """A column with a few names, or a few whole numbers."""
    cells = [cell.strip() for cell in table.columns[at]]
    codes, names = pd.factorize(np.array(cells, dtype=object))
    text = not columns[at].meant
    whole = bool((columns[at].known % 1 == 0).all())
    if not 2 <= len(names) <= min(MOST_SERIES, len(cells) // 2) or not (text or whole):
        return None
    if text and all(DAYS.fullmatch(str(name)) or month_of(str(name)) for name in names):
        return None
    return _Labels(at, codes, tuple(map(str, names)), text, NAMED.fullmatch(table.names[at]) is not None)


def _apart(table: Table, group: Sequence[_Labels], *, alike: bool) -> Apart | None:
    if not group:
        return None
    pairs = list(zip(*([one.names[code] or "–" for code in one.codes] for one in group), strict=True))
    codes, names = pd.factorize(np.array([" · ".join(pair) for pair in pairs], dtype=object))
    name = " · ".join(table.names[one.at] for one in group)
    return Apart(name, tuple(one.at for one in group), codes, tuple(map(str, names)), alike)
