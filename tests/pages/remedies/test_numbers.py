"""The films of the Remedies page against torch: fused attention, autograd through the layer, and known limits."""

import math
import os
import runpy
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch.testing import assert_close

from attention_core.multihead import project
from attention_core.remedies import remedied
from attention_core.remedy_curves import COLUMNS, FREE, Place, _projections, compare, head_of, spectra_of
from attention_core.saturation import D_K_STOPS, INPUT_SCALES, untrained
from attention_core.saturation import sweep as page_3
from pages.saturation.remedies.evidence import script
from pages.saturation.remedies.numbers import (
    AXES,
    BASELINE,
    CODES,
    START,
    autograd_residual,
    coded,
    remedies,
    row_sum_residual,
    sdpa_residual,
)
from pages.saturation.remedies.pictures import computed, films, plots, sliders
from ui.components.lab import Film, Fork, Slider
from ui.components.lab.component import _computed, _film
from ui.session import Question
from ui.session import probe as probe_of
from ui.text import words

ROOT = Path(__file__).parents[3]
N, D_MODEL, SEED, HEAD = 11, 29, 3, 5
TABLE = remedies()
KEYS = list(TABLE)
PLACES = [
    Place(d_k=D_K_STOPS.index(d_k), alpha=INPUT_SCALES.index(alpha), n=n)
    for d_k, alpha, n in ((1, 1.0, 2), (16, 0.5, 7), (64, 2.0, N), (256, 1.0, 3))
]


@pytest.fixture(scope="module")
def probe():
    return untrained(torch.randn(N, D_MODEL, generator=torch.Generator().manual_seed(1)), SEED)


@pytest.fixture(scope="module")
def head(probe):
    return head_of(probe, SEED, HEAD)


def by_autograd(head, key, place):
    """Weights and the columns of one remedy at one place: the layer run by itself, gradients by autograd."""
    d_k, alpha, n = D_K_STOPS[place.d_k], INPUT_SCALES[place.alpha], place.n
    q, k = ((alpha * side[:n, :d_k]).requires_grad_() for side in (head.q, head.k))
    spectra = spectra_of(head, d_k)
    trace = remedied(TABLE[key], q, k, head.v[:n], d_model=D_MODEL, spectra=spectra)
    d_weights = head.d_weights[:n, :n]
    apart = d_weights - d_weights.mean(dim=-1, keepdim=True)
    through = [
        torch.autograd.grad(trace.weights, trace.scaled_scores, slope, retain_graph=True)[0]
        for slope in (apart, d_weights)
    ]
    gains = (through[0].norm(dim=-1) / apart.norm(dim=-1)).sort().values
    weights = trace.weights.detach()
    shares = weights / weights.sum(dim=-1, keepdim=True)
    return weights, {
        "peak": weights.amax(dim=-1).mean(),
        "entropy": torch.special.entr(shares).sum(dim=-1).mean(),
        "log_gain": (gains[(n - 1) // 2] * gains[n // 2]).sqrt(),
        "log_d_scores": through[1].norm(),
        "dead": (gains < 1e-3).double().mean(),
        "row_sum": weights.sum(dim=-1).mean(),
    }


def test_a_head_draws_with_the_matrices_of_its_probe(probe, head) -> None:
    W_Q, W_K = _projections(D_MODEL, SEED)
    assert_close(project(probe.x, W_Q), probe.q)
    assert_close(project(probe.x, W_K), probe.k)
    d_context = probe.direction @ probe.W_O[HEAD].mT
    assert_close(head.d_weights.float(), d_context @ probe.v[HEAD].mT)


@pytest.mark.parametrize("place", PLACES, ids=str)
@pytest.mark.parametrize("key", KEYS)
def test_every_film_shows_what_autograd_finds(head, key, place) -> None:
    expected, columns = by_autograd(head, key, place)
    for along, stop in place.at().items():
        swept = compare(head, TABLE, along, place)
        weights = torch.from_numpy(swept.weights[stop, KEYS.index(key)])
        assert_close(weights[: place.n, : place.n], expected.float(), rtol=1e-5, atol=1e-7)
        assert weights[place.n :].isnan().all() and weights[:, place.n :].isnan().all()
        for name, value in zip(COLUMNS, swept.table[stop, KEYS.index(key)].tolist(), strict=True):
            number = 10**value if name.startswith("log_") else value
            assert_close(number, float(columns[name]), rtol=2e-5, atol=1e-9)


@pytest.mark.parametrize("place", PLACES, ids=str)
def test_the_baseline_is_torchs_attention(head, place) -> None:
    d_k, alpha, n = D_K_STOPS[place.d_k], INPUT_SCALES[place.alpha], place.n
    q, k = (alpha * side[None, :n, :d_k] for side in (head.q, head.k))
    theirs = F.scaled_dot_product_attention(q, k, torch.eye(n, dtype=torch.float64)[None])[0]
    ours = compare(head, TABLE, "alpha", place).weights[place.alpha, KEYS.index(BASELINE)]
    assert_close(torch.from_numpy(ours[:n, :n]), theirs.float(), rtol=1e-5, atol=1e-7)
    assert sdpa_residual(head, ours, place) < 1e-5


@pytest.mark.parametrize("rule", ["none", "inverse_sqrt"])
def test_gain_and_gradient_agree_with_page_3(probe, head, rule) -> None:
    place = Place(d_k=D_K_STOPS.index(1024), alpha=INPUT_SCALES.index(4.0), n=N)
    factor = 4.0**2 * (1.0 if rule == "none" else 1024**-0.5)
    theirs = page_3(probe, 1024, [factor]).measures
    ours = dict(zip(COLUMNS, compare(head, TABLE, "d_k", place).table[place.d_k, KEYS.index(rule)], strict=True))
    for name in ("log_gain", "log_d_scores"):
        assert_close(float(ours[name]), float(getattr(theirs, name)[0, HEAD]), rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("along", AXES)
@pytest.mark.parametrize(("d_k", "alpha"), [(1024, 16.0), (1, 0.1), (1024, 0.1), (1, 16.0)])
def test_nothing_is_nan_at_the_ends_of_the_sliders(head, along, d_k, alpha) -> None:
    swept = compare(head, TABLE, along, Place(d_k=D_K_STOPS.index(d_k), alpha=INPUT_SCALES.index(alpha), n=N))
    assert not np.isnan(swept.table).any()
    log_gain = swept.table[..., COLUMNS.index("log_gain")]
    assert (log_gain <= math.log10(1.0) + 1e-6).all()  # no Jacobian here has a norm above 1
    for index, remedy in enumerate(TABLE.values()):
        if remedy.normalizer in {"softmax", "softmax1", "sigmoid"}:
            assert np.isfinite(log_gain[:, index]).all()  # exactly 0 only where a support is


def test_qk_norm_does_not_see_the_input_scale_and_others_do(head) -> None:
    weights = compare(head, TABLE, "alpha", Place(d_k=D_K_STOPS.index(64), alpha=0, n=N)).weights
    moved = np.abs(weights - weights[:1]).max(axis=(0, 2, 3))
    assert moved[KEYS.index("qk_norm")] < 1e-6
    still = {key for key, remedy in TABLE.items() if remedy.prepare is not None}  # they look at directions
    assert min(moved[KEYS.index(key)] for key in KEYS if key not in still) > 0.1


def test_ssmax_keeps_the_needle_of_its_paper_and_softmax_does_not() -> None:
    """Figure 1 of arXiv:2501.19399: −2 everywhere, 3 once, s = 0.43."""
    for n, softmax, scalable in ((10, 0.9428, 0.9401), (100, 0.5999, 0.99506), (1000, 0.1293, 0.99965)):
        q, k = torch.ones(1, 1), torch.full((n, 1), -2.0)
        k[-1] = 3.0
        peaks = [remedied(TABLE[key], q, k, k, d_model=1).weights.max().item() for key in (BASELINE, "ssmax")]
        assert_close(torch.tensor(peaks), torch.tensor([softmax, scalable]), atol=6e-5, rtol=0)


def test_codes_are_roots_and_a_missing_weight_is_no_code() -> None:
    weights = np.array([0.0, 1.0, 0.25, np.nan, 1 / CODES**2])
    assert coded(weights).tolist() == [0, CODES, CODES // 2, CODES + 1, 1]
    random = np.random.default_rng(0).random(1009)
    assert_close((coded(random) / CODES) ** 2, random, rtol=0, atol=1 / CODES)


def test_every_picture_finds_its_film(head) -> None:
    place = PLACES[1]
    swept = {along: compare(head, TABLE, along, place) for along in AXES}
    page, tokens = words("remedies", "en"), [f"t{i}" for i in range(N)]
    filmed, branches = films(swept, place, KEYS[5]), computed()
    stops = {slider.name: len(slider.readings) for slider in sliders(place, N, page)}
    sent = {one["name"] for one in (_film(film, stops, {}) for film in filmed)}
    assert {name for branch in branches for name in branch.films} == sent
    names = sent | {branch.name for branch in branches}
    drawn = plots(swept, tokens, KEYS[5], page)
    assert {plot.film for plot in drawn if hasattr(plot, "film")} <= names
    assert len({plot.name for plot in drawn}) == len(drawn)
    for film in filmed:
        assert film.at == {name: at for name, at in place.at().items() if name not in film.axes}


def test_a_fork_and_codes_travel() -> None:
    slider = Slider(name="a", label="a", readings=("1", "2"), at=0)
    film = Film("f", np.zeros((2, 3), np.uint8), (slider.name,), {"b": 1}, codes=7)
    sent = _film(film, {"a": 2}, {})
    assert (sent["at"], sent["codes"], sent["shape"]) == ({"b": 1}, 7, [3])
    assert _computed(Fork(name="x", films=("f",)), {})["kind"] == "fork"


def test_residuals_are_small_and_see_errors(head) -> None:
    place = PLACES[2]
    swept = compare(head, TABLE, "alpha", place)
    weights, numbers = swept.weights[place.alpha], swept.table[place.alpha]
    assert row_sum_residual(weights, TABLE) < 1e-6
    wrong = weights.copy()
    wrong[KEYS.index("entmax15"), 2, 3] += 0.25
    assert_close(row_sum_residual(wrong, TABLE), 0.25, atol=1e-6, rtol=0)
    wrong = weights.copy()
    wrong[[index for index, remedy in enumerate(TABLE.values()) if remedy.normalizer in FREE]] += 1
    assert row_sum_residual(wrong, TABLE) < 1e-6
    assert autograd_residual(head, numbers, TABLE, place) < 1e-4
    column = COLUMNS.index("log_d_scores")
    for index in range(len(TABLE)):  # one remedy that is wrong is enough to be seen
        wrong = numbers.copy()
        wrong[index, column] = math.log10(10 ** numbers[index, column] + 0.5)
        assert_close(autograd_residual(head, wrong, TABLE, place), 0.5, atol=1e-4, rtol=0)


@pytest.mark.slow
@pytest.mark.parametrize("process", ["fresh", "ours"])
def test_the_script_prints_the_table(process: str, tmp_path, capfd) -> None:
    text, place = "The law will never be perfect", replace(PLACES[1], n=5)
    own = START | {"qk_norm": 5.0, "temperature": 2.0} if process == "fresh" else START
    page = words("remedies", "en")
    file = tmp_path / "remedies.py"
    file.write_text(script(text, SEED, HEAD, place, own, page), encoding="utf-8")
    if process == "fresh":
        subprocess.run([sys.executable, file], env=os.environ | {"PYTHONPATH": str(ROOT)}, check=True)
    else:
        runpy.run_path(str(file))
    printed = capfd.readouterr().out
    table = remedies(own)
    head = head_of(probe_of(Question(text=text, seed=SEED)), SEED, HEAD)
    columns = compare(head, table, "alpha", place).table[place.alpha].astype(np.float64)
    assert printed.splitlines()[0].split("\t")[1:] == [page[f"column.{name}"] for name in COLUMNS]
    for key, line, row in zip(table, printed.splitlines()[1:], columns, strict=True):
        name, *numbers = line.split("\t")
        expected = [
            10**value if column.startswith("log_") else value for column, value in zip(COLUMNS, row, strict=True)
        ]
        assert name == key
        assert_close([float(number) for number in numbers], expected, rtol=1e-4, atol=1e-6)


def test_the_script_runs_as_it_stands_in_the_repository(capsys) -> None:
    runpy.run_path(str(ROOT / "pages/saturation/remedies/script.py"))
    assert len(capsys.readouterr().out.splitlines()) == 1 + len(KEYS)
