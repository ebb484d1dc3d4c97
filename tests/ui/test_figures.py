"""Figures hold the numbers they are given, name nothing a visitor typed unescaped, and fix their ranges."""

import subprocess
import sys

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from ui.figures.heads import TICKS, heads_by_layer, token_bars
from ui.figures.theme import escaped, span

HOSTILE = '<b>&#000001</b><a href="https://x">'
LAYERS = [np.array([0.5, 2.0, 1.25], dtype=np.float32), np.array([0.0, 0.75], dtype=np.float32)]


def by_layer(values=LAYERS, chosen=(1, 0), names=("Layer 1", HOSTILE), mode="light"):
    return heads_by_layer(values, names=names, chosen=chosen, label="Entropy (nats)", mode=mode)


def bars(values, tokens=None, **options):
    tokens = tokens or [f"t{i}" for i in range(len(values))]
    return token_bars(np.asarray(values, dtype=np.float32), tokens=tokens, label="weight", mode="light", **options)


def test_every_head_is_one_point_over_its_layer() -> None:
    points = by_layer().data[0]
    assert_close(torch.tensor(points.y), torch.tensor([0.5, 2.0, 1.25, 0.0, 0.75]))
    assert np.rint(points.x).tolist() == [0, 0, 0, 1, 1]
    assert points.customdata.tolist() == [[1, 1], [1, 2], [1, 3], [2, 1], [2, 2]]


def test_the_chosen_head_and_no_other_is_marked() -> None:
    marker = by_layer(chosen=(0, 2)).data[0].marker
    assert np.flatnonzero(np.asarray(marker.size) == max(marker.size)).tolist() == [2]
    assert len(set(np.asarray(marker.color)[[0, 1, 3, 4]])) == 1
    assert marker.color[2] != marker.color[0]


def test_ranges_are_explicit_and_hold_every_value() -> None:
    figure = by_layer([np.array([-0.5, 2.0], dtype=np.float32), np.array([np.nan, 1.0], dtype=np.float32)])
    low, high = figure.layout.yaxis.range
    assert low < -0.5 < 2.0 < high
    assert list(figure.layout.xaxis.range) == [-0.6, 1.6]
    for axis in (figure.layout.xaxis, figure.layout.yaxis):
        assert axis.fixedrange


@pytest.mark.parametrize(
    ("ends", "expected"),
    [((0.0, 0.0), (0.0, 1.0)), ((0.0, 2.0), (0.0, 2.12)), ((-1.0, 1.0), (-1.12, 1.12)), ((0.5, 1.0), (0.0, 1.06))],
)
def test_a_range_holds_zero_and_some_air(ends, expected) -> None:
    assert_close(torch.tensor(span(*ends)), torch.tensor(expected))


def test_measures_that_are_nowhere_defined_still_make_a_figure() -> None:
    figure = by_layer([np.array([np.nan, np.nan], dtype=np.float32)], names=("Layer 1",), chosen=(0, 0))
    assert list(figure.layout.yaxis.range) == [0.0, 1.0]


def test_bars_are_the_values_in_reading_order_and_the_marked_one_stands_out() -> None:
    figure = bars([0.25, 0.5, np.nan, 0.125, 0.125], y=(0.0, 1.0), marked=1)
    assert_close(torch.tensor(figure.data[0].y), torch.tensor([0.25, 0.5, torch.nan, 0.125, 0.125]), equal_nan=True)
    assert list(figure.layout.yaxis.range) == [0.0, 1.0]
    assert np.flatnonzero(np.asarray(figure.data[0].marker.opacity) == 1.0).tolist() == [1]


def test_bars_above_one_are_not_cut() -> None:
    assert bars([0.5, 3.0, 1.5]).layout.yaxis.range[1] > 3.0


def test_a_long_text_keeps_every_bar_and_thins_its_labels() -> None:
    count = 5 * TICKS + 3
    figure = bars(np.linspace(0, 1, count))
    assert len(figure.data[0].y) == count
    assert 0 < len(figure.layout.xaxis.ticktext) <= TICKS


def test_labels_are_inert() -> None:
    for figure in (by_layer(), bars([0.5, 0.5], tokens=[HOSTILE, "#000001"])):
        words = [*figure.layout.xaxis.ticktext, *(str(text) for text in np.ravel(figure.data[0].customdata))]
        assert not [word for word in words if "<" in word or ">" in word]
        assert not [word for word in words if "#" in word.replace("&#35;", "")]
    assert escaped("a&b<c>#1") == "a&amp;b&lt;c&gt;&#35;1"


def test_light_and_dark_differ_in_ink_not_in_numbers() -> None:
    light, dark = by_layer(mode="light"), by_layer(mode="dark")
    assert light.layout.font.color != dark.layout.font.color
    assert_close(torch.tensor(light.data[0].y), torch.tensor(dark.data[0].y))


def test_figures_do_not_load_streamlit() -> None:
    code = "import sys, ui.figures.heads; sys.exit('streamlit' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
