"""Mechanisms side by side → panels: weights, differences, contexts, and a line of every measure per query. Pure."""

from collections.abc import Sequence
from functools import partial

import torch

from pages.mechanisms.bench.numbers import PER_TOKEN, Row
from pages.mechanisms.bench.wording import short
from ui.components.canvas import Panel
from ui.text import Words

ONE_LINE = 3  # so many maps and their differences fit one line
LABELLED = 24  # tokens whose names have room beside a map


def maps(rows: Sequence[Row], reference: str, page: Words) -> list[list[Panel]]:
    """Weights, and α − α_ref: in one line where there is room, else each difference under its map."""
    largest = max(float(row.difference.nan_to_num().abs().max()) for row in rows) or 1.0
    few = len(rows) <= ONE_LINE
    panel = partial(Panel, rows="query", cols="key")
    weights = [
        panel(
            name=f"weights_{row.key}",
            values=row.weights.numpy(),
            scale="weights",
            title=short(row.key, row.mechanism, page),
            note=page["reference_mark"] if row.key == reference else "",
            labels=few and max(row.weights.shape) <= LABELLED,
        )
        for row in rows
    ]
    differences = [
        panel(
            name=f"difference_{row.key}",
            values=row.difference.numpy(),
            limit=largest,
            title=short(row.key, row.mechanism, page),
            note=page["difference_mark"],
            labels=False,
        )
        for row in rows
        if not few or row.key != reference
    ]
    return [weights + differences] if few else [weights, differences]


def contexts(rows: Sequence[Row], page: Words) -> list[list[Panel]]:
    """The context vectors of the head, all on one scale."""
    largest = max(float(row.context.abs().max()) for row in rows) or 1.0
    return [
        [
            Panel(
                name=f"context_{row.key}",
                values=row.context.numpy(),
                rows="query",
                cols="d_v",
                scale="v",
                limit=largest,
                title=short(row.key, row.mechanism, page),
                labels=False,
            )
            for row in rows
        ]
    ]


def tokens(rows: Sequence[Row], page: Words) -> list[list[Panel]]:
    """One line per mechanism, one column per query."""
    panels = [
        Panel(
            name=f"token_{name}",
            values=torch.stack([row.per_token(name) for row in rows]).numpy(),
            rows="query",
            cols="key",
            scale="positive",
            title=page[f"column.{name}"],
            note=page.get(f"unit.{name}", ""),
        )
        for name in PER_TOKEN
    ]
    return [panels[:2], panels[2:]]


def lines(rows: Sequence[Row], page: Words) -> list[str]:
    """Names of mechanisms as labels of an axis, where an ordinary space would be drawn as in a token."""
    return [short(row.key, row.mechanism, page).replace(" ", "\N{NO-BREAK SPACE}") for row in rows]
