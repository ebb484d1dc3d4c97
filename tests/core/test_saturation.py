"""Sweeps over d_k and input scale: against autograd in float64, published laws, and what must hold at extremes."""

import math
import threading

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st
from torch.testing import assert_close

from attention_core.saturation import (
    D_K_STOPS,
    INPUT_SCALES,
    MEASURE_NAMES,
    Probe,
    Sweep,
    collect,
    cross,
    factors,
    sweep,
    tabulate,
    untrained,
)
from attention_core.softmax import expected_maximum, trace

H, N, D_MODEL, D_V, D_MOST = 3, 11, 29, 5, 67
FACTORS = (0.037, 0.5, 1.0, 3.1)


def matrices(seed: int = 0, dtype: torch.dtype = torch.float64) -> dict[str, torch.Tensor]:
    draw = torch.Generator().manual_seed(seed)
    shapes = {"x": (N, D_MODEL), "W_Q": (H, D_MODEL, D_MOST), "W_K": (H, D_MODEL, D_MOST), "W_V": (H, D_MODEL, D_V)}
    shapes |= {"W_O": (H, D_V, D_MODEL), "direction": (N, D_MODEL)}
    tensors = {name: torch.randn(shape, generator=draw, dtype=torch.float64) for name, shape in shapes.items()}
    return {name: (m * D_MODEL**-0.5 if name in ("W_Q", "W_K", "W_V") else m).to(dtype) for name, m in tensors.items()}


def probe(tensors: dict[str, torch.Tensor], target: int | None = None) -> Probe:
    q, k, v = (tensors["x"] @ tensors[name] for name in ("W_Q", "W_K", "W_V"))
    return Probe(tensors["x"], q, k, v, tensors["W_O"], tensors["direction"], target)


def by_autograd(
    tensors: dict[str, torch.Tensor], d_k: int, factor: float, target: int | None
) -> dict[str, torch.Tensor]:
    """The same layer and loss with torch's own softmax and autograd; gradients per head."""
    x = tensors["x"]
    W_Q, W_K, W_V = (tensors[name][..., :d].clone().requires_grad_() for name, d in zip(
        ("W_Q", "W_K", "W_V"), (d_k, d_k, D_V), strict=True))  # fmt: skip
    scores = factor * (x @ W_Q) @ (x @ W_K).mT
    scores.retain_grad()
    weights = F.softmax(scores, dim=-1)
    weights.retain_grad()
    output = torch.einsum("hnk,hkv,hvd->nd", weights, x @ W_V, tensors["W_O"])
    if target is None:
        loss = (output * tensors["direction"]).sum()
    else:
        readout = output @ x.T / math.sqrt(D_MODEL)
        loss = F.cross_entropy(readout, torch.full((N,), target), reduction="sum")
    loss.backward()
    d_scores, d_weights = scores.grad, weights.grad
    assert d_scores is not None
    assert d_weights is not None
    spread = d_weights - d_weights.mean(-1, keepdim=True)
    gains = d_scores.norm(dim=-1) / spread.norm(dim=-1)
    parts = factor * torch.einsum("nd,hnm,hmc->hndc", x, d_scores, (x @ W_K).detach())
    mean = parts.mean(dim=1)
    noise = (parts - mean[:, None]).square().sum(dim=(-2, -1)).mean(dim=1)
    jacobians = torch.stack([torch.stack([torch.autograd.functional.jacobian(lambda s: F.softmax(s, 0), row)
        for row in head]) for head in scores.detach()])  # fmt: skip
    p = weights.detach()
    entropy = torch.special.entr(p).sum(-1)
    return {
        "score_std": scores.detach().flatten(1).std(dim=1, correction=0),
        "peak": p.amax(-1).mean(-1),
        "entropy": entropy.mean(-1),
        "support": entropy.exp().mean(-1),
        "trace": jacobians.diagonal(dim1=-2, dim2=-1).sum(-1).mean(-1),
        "frobenius": jacobians.norm(dim=(-2, -1)).mean(-1),
        "log_gain": gains.median(dim=-1).values.log10(),
        "gain_mean": gains.mean(-1),
        "dead": (gains < 1e-3).double().mean(-1),
        "log_d_scores": d_scores.norm(dim=(-2, -1)).log10(),
        "log_d_W_Q": W_Q.grad.norm(dim=(-2, -1)).log10(),  # type: ignore[union-attr]
        "log_d_W_K": W_K.grad.norm(dim=(-2, -1)).log10(),  # type: ignore[union-attr]
        "log_d_W_V": W_V.grad.norm(dim=(-2, -1)).log10(),  # type: ignore[union-attr]
        "snr": mean.norm(dim=(-2, -1)) / noise.sqrt(),
    } | {"gains": gains}


@pytest.mark.parametrize("target", [None, 4])
@pytest.mark.parametrize("d_k", [1, 13, 67])
def test_every_measure_is_what_autograd_finds(d_k: int, target: int | None) -> None:
    tensors = matrices()
    swept = sweep(probe(tensors, target), d_k, FACTORS)
    for index, factor in enumerate(FACTORS):
        expected = by_autograd(tensors, d_k, factor, target)
        assert_close(10 ** swept.log_gains[index], expected.pop("gains"), rtol=1e-9, atol=1e-13)
        for name, value in expected.items():
            assert_close(getattr(swept.measures, name)[index], value, rtol=1e-8, atol=1e-10, msg=f"{name} {factor}")


@pytest.mark.parametrize("target", [None, 4])
@pytest.mark.parametrize("d_k", [1, 13, D_MOST])
def test_the_norms_of_gradients_are_autograds_to_twelve_digits(d_k: int, target: int | None) -> None:
    """The norms themselves, not their logarithms."""
    tensors = matrices()
    swept = sweep(probe(tensors, target), d_k, FACTORS)
    for index, factor in enumerate(FACTORS):
        expected = by_autograd(tensors, d_k, factor, target)
        for name in ("log_d_scores", "log_d_W_Q", "log_d_W_K", "log_d_W_V"):
            ours = 10 ** getattr(swept.measures, name)[index]
            assert_close(ours, 10 ** expected[name], rtol=1e-12, atol=0, msg=lambda m, name=name: f"{name}: {m}")
        assert_close(swept.measures.snr[index], expected["snr"], rtol=1e-12, atol=0)


@pytest.mark.parametrize("factor", [0.3, 3.0, 300.0])
def test_the_quantiles_of_the_gains_are_torchs(factor: float) -> None:
    swept = sweep(probe(matrices()), D_MOST, [factor])
    for name, share in (("log_gain_low", 0.1), ("log_gain", 0.5), ("log_gain_high", 0.9)):
        assert_close(getattr(swept.measures, name)[0], swept.log_gains[0].quantile(share, dim=-1))


def repeated(which: list[int], apart: float, seed: int, dtype: torch.dtype) -> dict[str, torch.Tensor]:
    """Tokens drawn from a few, each the same as its like but for `apart` of itself."""
    tensors = matrices(seed)
    noise = torch.randn(len(which), D_MODEL, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    x = F.layer_norm(tensors["x"][which] + apart * noise, (D_MODEL,), eps=1e-12)
    tensors["x"], tensors["direction"] = x, tensors["direction"][: len(which)]
    return {name: m.to(dtype) for name, m in tensors.items()}


@given(
    which=st.lists(st.integers(0, 2), min_size=2, max_size=9),
    apart=st.sampled_from([0.0, 1e-6, 1e-4, 0.1]),
    seed=st.integers(0, 99),
    d_k=st.sampled_from([1, 5, D_MOST]),
    dtype=st.sampled_from([torch.float32, torch.float64]),
)
def test_the_signal_to_noise_ratio_is_a_number_whatever_repeats(
    which: list[int], apart: float, seed: int, d_k: int, dtype: torch.dtype
) -> None:
    """Equal tokens leave no gradient, and nearly equal ones parts that nearly agree: a large ratio, but a number."""
    tensors = repeated(which, apart, seed, dtype)
    ratios = sweep(probe(tensors), d_k, [1e-4, 0.1, 1.0]).measures.snr
    assert bool(ratios.isfinite().all())
    assert bool((ratios >= 0).all())
    if len(set(which)) == 1 and apart == 0:
        assert_close(ratios, torch.zeros_like(ratios), rtol=0, atol=0)
    elif apart in (0.0, 0.1) and len(set(which)) > 1:
        exact = sweep(probe(repeated(which, apart, seed, torch.float64)), d_k, [1e-4, 0.1, 1.0]).measures.snr
        assert_close(ratios.double(), exact, rtol=1e-2, atol=1e-3)


@pytest.mark.parametrize("apart", [1e-3, 1e-2])
def test_parts_that_nearly_agree_still_differ(apart: float) -> None:
    """Their plain noise, mean ‖g‖² − ‖mean g‖², is what rounding leaves in float32."""
    single, double = (repeated([1] * 7, apart, 3, dtype) for dtype in (torch.float32, torch.float64))
    tensors = {**double, "x": single["x"].double()}  # the same tokens
    scores = 0.3 * (tensors["x"] @ tensors["W_Q"]) @ (tensors["x"] @ tensors["W_K"]).mT
    weights = scores.softmax(-1).requires_grad_()
    output = torch.einsum("hnk,hkv,hvd->nd", weights, tensors["x"] @ tensors["W_V"], tensors["W_O"])
    (output * tensors["direction"]).sum().backward()
    assert weights.grad is not None
    p = weights.detach()
    d_scores = p * (weights.grad - (p * weights.grad).sum(-1, keepdim=True))
    parts = torch.einsum("nd,hnm,hmc->hndc", tensors["x"], d_scores, tensors["x"] @ tensors["W_K"])
    mean = parts.mean(dim=1, keepdim=True)
    expected = mean.norm(dim=(-2, -1))[:, 0] / (parts - mean).square().sum(dim=(-2, -1)).mean(1).sqrt()
    assert_close(sweep(probe(tensors), D_MOST, [0.3]).measures.snr[0], expected, rtol=1e-6, atol=0)
    assert_close(sweep(probe(single), D_MOST, [0.3]).measures.snr[0].double(), expected, rtol=0.05, atol=0)


@pytest.mark.parametrize("n", [3, N])
def test_a_single_row_with_a_gradient_has_a_ratio_of_its_own(n: int) -> None:
    """All rows but one one-hot: ‖mean g‖ = ‖G‖/n and the spread is ‖G‖ √(n−1)/n, so the ratio ends at 1/√(n−1)."""
    tensors = matrices()
    layer = probe({**tensors, "x": tensors["x"][:n], "direction": tensors["direction"][:n]})
    assert_close(sweep(layer, D_MOST, [1e4]).measures.snr[0], torch.full((H,), (n - 1) ** -0.5).double())


def test_single_precision_stays_within_a_thousandth_of_double() -> None:
    double, single = (sweep(probe(matrices(dtype=dtype)), 31, FACTORS) for dtype in (torch.float64, torch.float32))
    for name in MEASURE_NAMES:
        ours, theirs = getattr(single.measures, name).double(), getattr(double.measures, name)
        assert_close(ours, theirs, rtol=1e-3, atol=1e-4, msg=name)


def test_gains_below_every_float_are_their_asymptote() -> None:
    """Two keys and a gap g: dS = p₁p₂ (dP₁ − dP₂)(1, −1), so the gain is 2 p₁p₂ = 2e^-g / (1 + e^-g)²."""
    x = torch.tensor([[1.0, 0.0], [0.0, 1.0]], dtype=torch.float64)
    q = k = torch.tensor([[[1.0], [0.0]]], dtype=torch.float64)
    layer = Probe(x, q, k, x[None], torch.eye(2, dtype=torch.float64)[None], torch.tensor([[1.0, 0.0]] * 2).double())
    for gap in (20.0, 800.0, 6000.0):
        swept = sweep(layer, 1, [gap])
        expected = (math.log(2) - gap - 2 * math.log1p(math.exp(-gap))) / math.log(10)
        assert_close(swept.log_gains[0, 0, 0], torch.tensor(expected, dtype=torch.float64), rtol=1e-12, atol=1e-12)
        assert_close(swept.log_gains[0, 0, 1], torch.tensor(math.log10(0.5)).double(), rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("target", [None, 2])
def test_nothing_is_nan_at_any_stop_and_logarithms_stay_finite(target: int | None) -> None:
    x = torch.randn(7, 64, generator=torch.Generator().manual_seed(3))
    table = collect(list(tabulate(untrained(x, 5, target))))
    assert table.measures.shape == (2, len(D_K_STOPS), len(INPUT_SCALES), len(MEASURE_NAMES), 12)
    assert not table.measures.isnan().any()
    assert bool(table.log_gains.isfinite().all())
    assert float(table.log_gains[0, -1, -1].min()) < -300  # deeper than float64 reaches


def test_one_worker_is_the_thread_that_asks_and_two_find_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    probe = untrained(torch.randn(3, 64, generator=torch.Generator().manual_seed(3)), 5)
    shared = collect(list(tabulate(probe, workers=2)))
    monkeypatch.setattr(threading.Thread, "start", lambda thread: pytest.fail("a thread was started"))
    alone = collect(list(tabulate(probe, workers=1)))
    assert_close(alone.measures, shared.measures, rtol=0, atol=0)
    assert_close(alone.log_gains, shared.log_gains, rtol=0, atol=0)


def test_heads_taken_one_after_the_other_say_what_they_say_together(monkeypatch: pytest.MonkeyPatch) -> None:
    for target in (None, 4):
        layer = probe(matrices(), target)
        together = sweep(layer, 31, FACTORS)
        monkeypatch.setattr("attention_core.saturation.ELEMENTS", 1)
        apart = sweep(layer, 31, FACTORS)
        monkeypatch.undo()
        assert_close(apart.log_gains, together.log_gains, rtol=1e-12, atol=0)
        for name in MEASURE_NAMES:
            assert_close(getattr(apart.measures, name), getattr(together.measures, name), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(("row", "column"), [(0, 44), (17, 3), (27, 0)])
def test_a_cross_is_the_table_in_one_row_and_one_column_and_nothing_elsewhere(row: int, column: int) -> None:
    probe = untrained(torch.randn(7, 64, generator=torch.Generator().manual_seed(3)), 5)
    table, crossed = collect(list(tabulate(probe))), cross(probe, row, column)
    lines = torch.zeros(len(D_K_STOPS), len(INPUT_SCALES), dtype=torch.bool)
    lines[row], lines[:, column] = True, True
    for whole, part in ((table.measures, crossed.measures), (table.log_gains, crossed.log_gains)):
        assert_close(part[:, lines], whole[:, lines], rtol=2e-3, atol=2e-3)
        assert bool(part[:, ~lines].isnan().all())


def gradient_sizes(seeds: int, d_k: int, rule: str) -> dict[str, float]:
    """n = 16, d_model = 64, independent rows and directions: means of norms, medians of the others over the seeds."""
    norms: dict[str, list[torch.Tensor]] = {
        name: [] for name in ("log_d_W_Q", "log_d_W_V", "log_gain", "entropy", "peak")
    }
    for seed in range(seeds):
        draw = torch.Generator().manual_seed(seed)
        x, direction = (torch.randn(16, 64, generator=draw) for _ in range(2))
        W = [torch.randn(1, 64, d, generator=draw) / 8 for d in (d_k, d_k, 64)]
        layer = Probe(x, x @ W[0], x @ W[1], x @ W[2], torch.eye(64)[None], direction)
        factor = {"none": 1.0, "inverse_sqrt": d_k**-0.5, "inverse": 1 / d_k}[rule]
        measures = sweep(layer, d_k, [factor]).measures
        for name, values in norms.items():
            values.append(getattr(measures, name).squeeze())
    sizes = {name: torch.stack(values) for name, values in norms.items()}
    means = {name: float((10 ** sizes[name]).mean()) for name in ("log_d_W_Q", "log_d_W_V")}
    return means | {name: float(sizes[name].median()) for name in ("log_gain", "entropy", "peak")}


def test_the_gradient_of_W_Q_grows_unscaled_while_the_typical_row_dies() -> None:
    """‖dW_Q‖ from d_k 64 to 1024: unscaled ∝ d_k^¼, so × 2; with 1/√d_k × 1; with 1/d_k × ¼."""
    ratio = {}
    for rule in ("none", "inverse_sqrt", "inverse"):
        small, large = (gradient_sizes(40, d_k, rule) for d_k in (64, 1024))
        ratio[rule] = large["log_d_W_Q"] / small["log_d_W_Q"]
        if rule == "none":
            assert large["log_gain"] < -3.5
            assert small["entropy"] > large["entropy"]
        if rule == "inverse_sqrt":
            assert_close(10 ** large["log_gain"], 0.067, rtol=0.1, atol=0)
            assert_close(large["entropy"] / math.log(16), 0.851, rtol=0.03, atol=0)
    assert_close(ratio["none"], 2.0, rtol=0.25, atol=0)
    assert_close(ratio["inverse_sqrt"], 1.0, rtol=0.15, atol=0)
    assert_close(ratio["inverse"], 0.25, rtol=0.15, atol=0)


def test_scores_of_an_untrained_layer_have_the_variance_behind_the_square_root() -> None:
    """q and k of unit variance: the standard deviation of q·k is √d_k (1706.03762, footnote 4)."""
    x = torch.randn(61, 64, generator=torch.Generator().manual_seed(1))
    for d_k in (16, 256, 1024):
        std = torch.stack([sweep(untrained(x, seed), d_k, [1.0]).measures.score_std for seed in range(3)]).mean()
        assert_close(float(std), math.sqrt(d_k), rtol=0.1, atol=0)


def test_a_smaller_d_k_reads_the_first_columns_of_the_same_draw() -> None:
    x = torch.randn(5, 64, generator=torch.Generator().manual_seed(2))
    layer = untrained(x, 7)
    assert_close(layer.scores(13), layer.q[..., :13] @ layer.k[..., :13].mT, rtol=0, atol=0)
    again = untrained(x, 7)
    assert_close(again.q, layer.q, rtol=0, atol=0)


def test_the_stops_are_what_the_page_promises() -> None:
    assert (D_K_STOPS[0], D_K_STOPS[-1], INPUT_SCALES[0], INPUT_SCALES[-1]) == (1, 1024, 0.1, 16.0)
    assert len(D_K_STOPS) >= 41 and 64 in D_K_STOPS and sorted(set(D_K_STOPS)) == list(D_K_STOPS)
    assert len(INPUT_SCALES) >= 41
    assert 1.0 in INPUT_SCALES
    assert len(MEASURE_NAMES) >= 10
    assert_close(factors(64)[len(INPUT_SCALES) + INPUT_SCALES.index(2.0)], 4 / 8, rtol=1e-12, atol=0)


def test_one_token_has_nothing_to_share() -> None:
    with pytest.raises(ValueError, match="not 1"):
        sweep(untrained(torch.randn(1, 64), 0), 4, [1.0])


@given(st.integers(0, 999), st.floats(0.05, 30), st.sampled_from([2, 5, 64]))
def test_a_larger_scale_never_spreads_attention(seed: int, factor: float, d_k: int) -> None:
    """dH/dβ = −β Var_p(x) ≤ 0, and the peak can only grow."""
    layer = probe(matrices(seed))
    measures = sweep(layer, min(d_k, D_MOST), [factor, 1.3 * factor]).measures
    assert bool((measures.entropy[1] <= measures.entropy[0] + 1e-12).all())
    assert bool((measures.peak[1] >= measures.peak[0] - 1e-12).all())
    assert bool((measures.frobenius <= 0.5 + 1e-12).all())
    assert bool((10**measures.log_gain_high <= 0.5 + 1e-12).all())


def test_a_tie_keeps_its_gradient_at_any_scale() -> None:
    """Two identical keys share the weight for ever: p = (½, ½), and J does not vanish: differences count."""
    tensors = matrices()
    tensors["x"][3] = tensors["x"][8]
    swept: Sweep = sweep(probe(tensors), D_MOST, [500.0])
    winners = (tensors["x"] @ tensors["W_Q"] @ (tensors["x"] @ tensors["W_K"]).mT).argmax(-1)
    tied = (winners == 3) | (winners == 8)
    assert bool(tied.any())
    assert float(swept.measures.frobenius.max()) > 0.01
    assert bool((swept.log_gains[0][~tied] < -2).all())


@pytest.mark.parametrize(
    ("n", "expected"),
    [(2, 1 / math.sqrt(math.pi)), (3, 0.84628), (8, 1.42360), (16, 1.76599), (64, 2.34373), (1024, 3.24824)],
)
def test_the_expected_largest_of_n_normals(n: int, expected: float) -> None:
    """Tables of normal order statistics (Harter 1961, Biometrika 48)."""
    assert_close(expected_maximum(n), expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize(("n", "sigma"), [(8, 1.0), (16, 4.0), (64, 4.0), (512, 4.0), (64, 32.0)])
def test_the_mean_of_the_trace_follows_steins_identity(n: int, sigma: float) -> None:
    """σ² E tr J = E⟨x, p⟩ for Gaussian logits, within four standard errors (Stein)."""
    x = sigma * torch.randn(20_000 if n < 512 else 4_000, n, generator=torch.Generator().manual_seed(n)).double()
    p = x.softmax(-1)
    gap = trace(p) - (x * p).sum(-1) / sigma**2
    assert abs(float(gap.mean())) < 4 * float(gap.std()) / math.sqrt(len(gap))


@pytest.mark.parametrize(("n", "largest"), [(16, 1.76599), (64, 2.34373), (512, 3.04390)])
def test_the_mean_of_the_trace_ends_at_the_expected_largest_over_the_spread(n: int, largest: float) -> None:
    """σ E tr J / m_n is within five hundredths of 1 at σ = 32, with m_n from the tables."""
    x = 32 * torch.randn(20_000 if n < 512 else 8_000, n, generator=torch.Generator().manual_seed(0)).double()
    assert_close(32 * float(trace(x.softmax(-1)).mean()) / largest, 1.0, rtol=0.05, atol=0)
    assert_close(expected_maximum(n), largest, rtol=0, atol=1e-5)
