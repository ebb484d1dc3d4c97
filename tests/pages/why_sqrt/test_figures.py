"""The figures of q·k hold the numbers they are given, name nothing unescaped, and fix their ranges."""

import subprocess
import sys

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from pages.saturation.why_sqrt.numbers import Curves
from pages.saturation.why_sqrt.pictures.against_d_k import against_d_k
from pages.saturation.why_sqrt.pictures.heads import parts_of_variance, spreads_by_layer
from pages.saturation.why_sqrt.pictures.histograms import histograms

HOSTILE = '<b>&#000001</b><a href="https://x">'
NAMES = ("measured", "claim", "expected", "dots", "scaled", "density", "theory", "d_k", "variance", "mean", "ratio")
LABELS = {name: f"{name} {HOSTILE}" for name in (*NAMES, "noise")}
STOPS = np.array([1.0, 4.0, 16.0])


def bells(dots=None, d_k=16, expected=(0.0, 16.0), mode="light"):
    dots = np.random.default_rng(0).normal(0, 4, 20_000) if dots is None else np.asarray(dots, dtype=np.float64)
    return histograms(dots, d_k=d_k, expected=expected, labels=LABELS, mode=mode)


def curves(mode="light", chosen=1, **changed):
    numbers = {
        "mean": np.array([0.01, -0.02, 0.0]),
        "variance": np.array([1.1, 3.9, 16.5]),
        "expected_mean": np.zeros(3),
        "expected_variance": STOPS,
        "mean_error": 0.005 * np.sqrt(STOPS),
        "variance_error": 0.02 * STOPS,
    } | changed
    return against_d_k(Curves(stops=STOPS, **numbers), chosen=chosen, labels=LABELS, mode=mode)


def of_kind(figure, kind: str, axis: str):
    return [trace for trace in figure.data if trace.type == kind and (trace.yaxis or "y") in (axis, f"{axis}1")]


def points(figure, axis: str):
    return [trace for trace in of_kind(figure, "scatter", axis) if trace.mode == "markers"]


@pytest.mark.parametrize(("row", "by"), [("y", 1.0), ("y2", 4.0)])
def test_a_histogram_is_a_density_and_its_claim_the_normal_of_that_variance(row, by) -> None:
    dots = np.random.default_rng(0).normal(0, 4, 20_000)
    figure = bells(dots)
    bars, lines = of_kind(figure, "bar", row)[0], of_kind(figure, "scatter", row)
    assert len(lines) == 1  # what is claimed is also what is expected
    assert_close(float(np.dot(bars.y, bars.width)), 1.0, rtol=0, atol=2e-3)
    counts, edges = np.histogram(dots / by, np.append(bars.x - bars.width / 2, bars.x[-1] + bars.width[-1] / 2))
    expected = counts / (np.diff(edges) * len(dots))
    assert_close(torch.tensor(bars.y), torch.tensor(expected, dtype=torch.float32), rtol=0.05, atol=0.02 / by)
    sigma = 4 / by
    bell = np.exp(-(lines[0].x ** 2) / (2 * sigma**2)) / (sigma * np.sqrt(2 * np.pi))
    assert_close(torch.tensor(lines[0].y), torch.tensor(bell), rtol=1e-4, atol=1e-6, check_dtype=False)


def test_a_second_bell_is_drawn_where_theory_and_claim_part() -> None:
    theory = of_kind(bells(expected=(8.0, 4.0)), "scatter", "y")[0]
    assert float(theory.x[np.argmax(theory.y)]) == pytest.approx(8.0, abs=0.2)
    assert float(theory.y.max()) == pytest.approx(1 / (2 * np.sqrt(2 * np.pi)), rel=1e-2)
    assert len(of_kind(bells(expected=(8.0, 0.0)), "scatter", "y")) == 1  # no bell has variance 0
    assert len(of_kind(bells(expected=None), "scatter", "y")) == 1


def test_the_axis_holds_the_claim_and_the_samples_far_from_it() -> None:
    low, high = bells(np.linspace(90, 110, 500)).layout.xaxis.range
    assert low <= -16
    assert high > 110


def test_signs_fill_whole_bins() -> None:
    """Sums of 64 signs are even numbers: bins of another width would be empty every few steps."""
    signs = np.random.default_rng(0).choice([-1.0, 1.0], size=(20_000, 64)).sum(axis=-1)
    bars = of_kind(bells(signs, d_k=64, expected=None), "bar", "y")[0]
    inside = np.abs(bars.x) < 12
    bell = np.exp(-(np.asarray(bars.x)[inside] ** 2) / 128) / (8 * np.sqrt(2 * np.pi))
    assert_close(torch.tensor(np.asarray(bars.y)[inside]), torch.tensor(bell), rtol=0.15, atol=0, check_dtype=False)


@pytest.mark.parametrize("dots", [[], [3.0], [2.0] * 50, [np.nan, 1.0, 2.0]])
def test_few_or_equal_products_still_make_a_histogram(dots) -> None:
    figure = bells(dots, expected=(2.0, 0.0))
    assert np.isfinite(np.concatenate([bar.y for bar in figure.data if bar.type == "bar"])).all()


def test_curves_hold_variance_before_and_after_scaling_the_size_of_the_mean_and_the_ratio() -> None:
    figure = curves()
    before, after = points(figure, "y")
    assert_close(torch.tensor(before.y), torch.tensor([1.1, 3.9, 16.5], dtype=torch.float64))
    assert_close(torch.tensor(after.y), torch.tensor([1.1, 3.9 / 4, 16.5 / 16], dtype=torch.float64))
    assert_close(torch.tensor(points(figure, "y2")[0].y[:2]), torch.tensor([0.01, 0.02], dtype=torch.float64))
    assert points(figure, "y2")[0].customdata.tolist() == [0.01, -0.02, 0.0]
    ratio = points(figure, "y3")[0].y
    assert_close(torch.tensor(ratio), torch.tensor([1.1, 3.9 / 4, 16.5 / 16], dtype=torch.float64))


def test_theory_and_claim_are_lines_of_their_own() -> None:
    figure = curves(expected_variance=3 * STOPS, expected_mean=-STOPS / 2)
    variance, mean = (
        [trace.y.tolist() for trace in of_kind(figure, "scatter", axis) if trace.line.width] for axis in ("y", "y2")
    )
    assert variance == [[1, 4, 16], [3, 12, 48], [1, 1, 1], [3, 3, 3]]
    assert mean == [[0.5, 2, 8]]


def test_bands_are_95_per_cent_around_theory() -> None:
    low, high = (np.asarray(trace.y) for trace in of_kind(curves(), "scatter", "y3")[:2])
    assert_close(torch.tensor(high - low), torch.tensor(2 * 1.959964 * 0.02).expand(3).double(), rtol=1e-4, atol=0)
    assert_close(torch.tensor((high + low) / 2), torch.ones(3).double())


def test_the_chosen_d_k_is_marked_in_every_panel() -> None:
    figure = curves(chosen=2)
    for trace in (*points(figure, "y"), *points(figure, "y2"), *points(figure, "y3")):
        assert np.flatnonzero(np.asarray(trace.marker.size) == max(trace.marker.size)).tolist() == [2]
    assert [shape.x0 for shape in figure.layout.shapes] == [16.0]


def test_axes_are_logarithmic_and_hold_every_point() -> None:
    layout = curves(expected_mean=np.array([-0.5, -2.0, -8.0]), mean=np.array([-0.5, -2.0, -8.1])).layout
    assert {layout.xaxis.type, layout.yaxis.type, layout.yaxis2.type} == {"log"}
    for axis, values in ((layout.yaxis, [1.0, 16.5]), (layout.yaxis2, [0.5, 8.1]), (layout.xaxis, [1, 16])):
        assert axis.range[0] <= np.log10(min(values))
        assert np.log10(max(values)) <= axis.range[1]
    assert layout.yaxis3.range[0] < 0.975 < 1.1 < layout.yaxis3.range[1]


@pytest.mark.parametrize(
    "changed",
    [
        {"variance": np.zeros(3), "expected_variance": np.zeros(3), "variance_error": np.zeros(3)},
        {"variance_error": np.full(3, np.nan)},
        {"mean": np.zeros(3), "mean_error": np.zeros(3)},
    ],
)
def test_what_a_log_axis_cannot_show_is_left_out(changed) -> None:
    layout = curves(**changed).layout
    assert np.isfinite([*layout.yaxis.range, *layout.yaxis2.range, *layout.yaxis3.range]).all()


def test_parts_are_bars_and_the_claim_a_line() -> None:
    names = ["own", HOSTILE, "total"]
    figure = parts_of_variance(np.array([3.0, -1.0, 2.0]), names=names, claim=8.0, label="variance", mode="dark")
    assert_close(torch.tensor(figure.data[0].x), torch.tensor([3.0, -1.0, 2.0]))
    low, high = figure.layout.xaxis.range
    assert low < -1.0
    assert high > 8.0
    assert [shape.x0 for shape in figure.layout.shapes] == [8.0]
    assert "<" not in "".join(figure.layout.yaxis.ticktext)


def test_spreads_are_on_a_log_axis_with_the_claim() -> None:
    values = [np.array([0.5, 20.0]), np.array([0.0, 2.0])]
    figure = spreads_by_layer(values, names=("1", "2"), chosen=(0, 1), label="std", mode="light")
    assert_close(torch.tensor(figure.data[0].y), torch.tensor([0.5, 20.0, torch.nan, 2.0]), equal_nan=True)
    assert figure.layout.yaxis.range[0] < np.log10(0.5)
    assert figure.layout.yaxis.range[1] > np.log10(20)
    assert [shape.y0 for shape in figure.layout.shapes] == [1]


def test_words_in_the_figures_of_q_k_are_inert() -> None:
    for figure in (bells(expected=(8.0, 4.0)), curves()):
        layout = figure.layout
        texts = [trace.name for trace in figure.data if trace.name] + [note.text for note in layout.annotations]
        texts += [layout[axis].title.text for axis in layout if axis.startswith(("xaxis", "yaxis"))]
        assert len([words for words in texts if words]) > 5
        assert not [words for words in texts if words and ("<" in words or "#" in words.replace("&#35;", ""))]


def test_the_figures_of_q_k_differ_in_ink_between_light_and_dark_not_in_numbers() -> None:
    for light, dark in ((bells(mode="light"), bells(mode="dark")), (curves(mode="light"), curves(mode="dark"))):
        assert light.layout.font.color != dark.layout.font.color
        for bright, dim in zip(light.data, dark.data, strict=True):
            assert_close(torch.tensor(np.asarray(bright.y)), torch.tensor(np.asarray(dim.y)), equal_nan=True)


def test_figures_do_not_load_streamlit() -> None:
    modules = ", ".join(f"pages.saturation.why_sqrt.pictures.{name}" for name in ("against_d_k", "heads", "histograms"))
    code = f"import sys, {modules}; sys.exit('streamlit' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
