"""What the Python side of the canvas promises: hostile clicks are dropped, overviews are pooled as stated."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ui.components.canvas import WORDS, Panel, Pick, _spec, checked_pick, overview_codes
from ui.components.lab import component as lab
from ui.text import LANGUAGES, words

SHAPES = {"scores": (7, 5), "query": (7, 1)}
ANYTHING = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.integers())


@given(panel=ANYTHING, row=ANYTHING, col=ANYTHING)
def test_what_a_browser_sends_is_a_pick_only_if_it_can_be_true(panel, row, col) -> None:
    pick = checked_pick({"panel": panel, "row": row, "col": col}, SHAPES)
    if pick is not None:
        assert pick.panel in SHAPES
        assert type(pick.row) is int
        assert 0 <= pick.row < SHAPES[pick.panel][0]
        assert 0 <= pick.col < SHAPES[pick.panel][1]


@pytest.mark.parametrize(
    "sent",
    [
        None,
        [],
        "scores",
        {"panel": "scores"},
        {"panel": "scores", "row": True, "col": 0},
        {"panel": "scores", "row": 7, "col": 0},
        {"panel": "other", "row": 0, "col": 0},
    ],
)
def test_nonsense_is_no_pick(sent) -> None:
    assert checked_pick(sent, SHAPES) is None


def test_a_true_pick_comes_through() -> None:
    assert checked_pick({"panel": "scores", "row": 6, "col": 4}, SHAPES) == Pick("scores", 6, 4)


@given(n_q=st.integers(1, 23), n_k=st.integers(1, 23), side=st.integers(1, 11), seed=st.integers(0, 99))
def test_overview_takes_the_largest_weight_of_each_block(n_q: int, n_k: int, side: int, seed: int) -> None:
    weights = np.random.default_rng(seed).dirichlet(np.ones(n_k), size=(2, n_q)).astype(np.float32)
    codes = overview_codes(weights, side)
    rows, cols = min(n_q, side), min(n_k, side)
    assert codes.shape == (2, rows, cols)
    assert codes.dtype == np.uint8
    edges_q = [int(i * n_q / rows) for i in range(rows)] + [n_q]
    edges_k = [int(i * n_k / cols) for i in range(cols)] + [n_k]
    for h in range(2):
        for i in range(rows):
            for j in range(cols):
                largest = max(
                    float(weights[h, a, b])
                    for a in range(edges_q[i], edges_q[i + 1])
                    for b in range(edges_k[j], edges_k[j + 1])
                )
                assert abs(int(codes[h, i, j]) - 254 * math.sqrt(largest)) <= 0.51


def test_a_block_of_an_overview_is_masked_where_all_of_it_is() -> None:
    weights = np.array([[[1.0, np.nan, np.nan, np.nan], [0.25, 0.0, 0.75, np.nan]]], np.float32)
    assert overview_codes(weights, 4).tolist() == [[[254, 255, 255, 255], [127, 0, 220, 255]]]
    assert overview_codes(weights, 2).tolist() == [[[254, 255], [127, 220]]]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_word_of_the_canvas_is_there(language: str) -> None:
    summaries = {name for name in words("canvas", language) if name.startswith("sum.")}  # all of them go to every page
    assert {*WORDS, *lab.WORDS, *summaries, "pair", "svg"} == set(words("canvas", language))


def test_minus_infinity_in_a_live_panel_is_masked() -> None:
    arrays: dict[str, np.ndarray] = {}
    scores = np.array([[1.5, -np.inf], [-np.inf, -np.inf]], np.float32)
    _spec(Panel(name="a", values=scores, rows="query", cols="key", scale="weights", live=True), arrays)
    expected = torch.tensor([[1.5, math.nan], [math.nan, math.nan]])
    torch.testing.assert_close(torch.from_numpy(arrays["0"]), expected, equal_nan=True)
    assert np.isneginf(scores[0, 1]), "the caller's scores were changed"


def test_an_unknown_scale_is_refused() -> None:
    with pytest.raises(ValueError, match="scale"):
        _spec(Panel(name="a", values=np.zeros((2, 3), np.float32), rows="query", cols="key", scale="rainbow"), {})
