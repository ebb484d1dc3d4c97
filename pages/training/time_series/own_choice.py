"""What may be chosen in a reader's file: the column, its clock, the series, and what the file leaves open."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeVar

import numpy as np
import streamlit as st

from pages.training.time_series import reading
from ui.text import Words

T = TypeVar("T")
WIDTH = 200  # pixels of a box


def chosen(sheet: reading.Sheet, file: str, page: Words, least: int) -> reading.Choice:
    """What the reader chooses, beginning with what is likeliest. Raises Refused where nothing is meant."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        names = [column.name for column in sheet.columns]
        column = _select("column", range(len(names)), names.__getitem__, sheet.likely(), file=file, page=page)
        clock, order = _clock(sheet, file, page)
        series = _series(sheet, least, file, page)
        if column is None:
            raise reading.Refused("no_series", column=sheet.clocks[0].name if sheet.clocks else names[0])
        comma = _comma(sheet.columns[column], f"{column}_{file}", page)
    return reading.Choice(column=column, clock=clock, series=series, order=order, comma=comma)


def _select(
    what: str, options: Sequence[T], spell: Callable[[T], str], index: int | None, *, file: str, page: Words
) -> T | None:
    """One box; what is chosen in it is kept as long as the file is the same."""
    key, hint = f"ts_{what}_{file}", page["own.choose"]
    return st.selectbox(page[f"own.{what}"], options, index, spell, key=key, placeholder=hint, width=WIDTH)


def _clock(sheet: reading.Sheet, file: str, page: Words) -> tuple[int | None, str | None]:
    """Which column the rows are ordered by, and how its dates are written."""
    if not sheet.clocks:
        return None, None
    names = [*(clock.name for clock in sheet.clocks), page["own.as_they_stand"]]
    at = _select("clock", range(len(names)), names.__getitem__, 0, file=file, page=page)
    if at is None or at == len(sheet.clocks):
        return None, None
    orders = reading.distinct(sheet.clocks[at])
    if len(orders) < 2:
        return at, None
    likeliest, _ = reading.likeliest(sheet.clocks[at])
    spell = partial(_order, page=page)
    return at, _select("order", orders, spell, orders.index(likeliest), file=f"{at}_{file}", page=page)


def _order(order: str, page: Words) -> str:
    return page[f"order.{order.rstrip('2')}"]


def _series(sheet: reading.Sheet, least: int, file: str, page: Words) -> int | None:
    """Which of several series: at first one that is long enough."""
    if sheet.apart is None:
        return None
    names = sheet.apart.names
    counts = np.bincount(sheet.apart.codes, minlength=len(names))
    labels = [f"{name} ({count})" for name, count in zip(names, counts, strict=True)]
    labels += [page["own.together"]] if sheet.apart.alike else []
    at = _select(
        "series", range(len(labels)), labels.__getitem__, int(np.argmax(counts >= least)), file=file, page=page
    )
    return at if at != len(names) else None


def _comma(column: reading.Column, file: str, page: Words) -> bool | None:
    """What the comma or point of the column means, where the file does not tell."""
    if column.otherwise is None:
        return None
    return _select("mark", [False, True], partial(_meaning, column), None, file=file, page=page)


def _meaning(column: reading.Column, comma: bool) -> str:
    cell, number = column.settled(comma).example or ("", 0.0)
    return f"{cell} = {number:.12g}"
