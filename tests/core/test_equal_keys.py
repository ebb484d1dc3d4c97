"""Keys that are the same share the top of a row, and rows so sharp that nothing is left: against hundreds of digits."""

import math

import pytest
import torch
import torch.nn.functional as F
from mpmath import mp, mpf
from torch.testing import assert_close

from attention_core.remedies import REMEDIES
from attention_core.remedy_curves import COLUMNS, Place, compare, head_of
from attention_core.saturation import D_K_STOPS, INPUT_SCALES, Probe, Sweep, sweep, untrained
from attention_core.slopes import slopes

H, N, D_MODEL, D_K, D_V = 2, 5, 13, 7, 3
DIGITS = 900  # more than what cancels: e^-1000 is 10^-434, and squares of it count


def layer(dtype: torch.dtype = torch.float32, seed: int = 0) -> Probe:
    """Tokens whose first key is everybody's favourite."""
    draw = torch.Generator().manual_seed(seed)
    shapes = (N, D_MODEL), (H, N, D_K), (H, N, D_K), (H, N, D_V), (H, D_V, D_MODEL), (N, D_MODEL)
    x, q, k, v, W_O, direction = (torch.randn(shape, generator=draw) for shape in shapes)
    q = q / 2 + k[:, :1] * (1 + torch.rand(H, N, 1, generator=draw))
    return Probe(*(part.to(dtype) for part in (x, q, k, v, W_O, direction)))


def exactly(probe: Probe, factor: float, head: int) -> dict[str, float]:
    """What `sweep` measures of one head, from the definitions, with DIGITS digits; norms as log₁₀."""
    with mp.workdps(DIGITS):
        x, q, k, v, W_O, direction = (
            [[mpf(float(one)) for one in row] for row in part]
            for part in (probe.x, probe.q[head], probe.k[head], probe.v[head], probe.W_O[head], probe.direction)
        )
        n, f = len(x), mpf(factor)
        entropy, gains, parts, d_scores = mpf(0), [], [], []
        for i in range(n):
            s = [f * _dot(q[i], key) for key in k]
            powers = [mp.exp(one - max(s)) for one in s]
            p = [power / mp.fsum(powers) for power in powers]
            d_context = [_dot(direction[i], row) for row in W_O]
            d = [_dot(d_context, value) for value in v]
            mean = _dot(p, d)
            dS = [p_j * (d_j - mean) for p_j, d_j in zip(p, d, strict=True)]
            arriving = mp.norm([d_j - mp.fsum(d) / n for d_j in d])
            gains.append(mp.norm(dS) / arriving)
            entropy -= mp.fsum(p_j * mp.log(p_j) for p_j in p) / n
            reached = [mp.fsum(dS[j] * k[j][c] for j in range(n)) for c in range(len(k[0]))]
            parts.append([f * a * b for a in x[i] for b in reached])
            d_scores.append(dS)
        total = [mp.fsum(column) for column in zip(*parts, strict=True)]
        noise = mp.fsum((one - whole / n) ** 2 for part in parts for one, whole in zip(part, total, strict=True)) / n
        d_q = [[mp.fsum(d_scores[i][j] * q[i][c] for i in range(n)) for c in range(len(q[0]))] for j in range(n)]
        d_W_K = [f * mp.fsum(x[j][m] * d_q[j][c] for j in range(n)) for m in range(len(x[0])) for c in range(len(q[0]))]
        return {
            "entropy": float(entropy),
            "log_gain": float(mp.log10(sorted(gains)[n // 2])),
            "log_d_scores": float(mp.log10(mp.norm([one for row in d_scores for one in row]))),
            "log_d_W_Q": float(mp.log10(mp.norm(total))),
            "log_d_W_K": float(mp.log10(mp.norm(d_W_K))),
            "snr": float(mp.norm(total) / n / mp.sqrt(noise)),
        }


def _dot(a, b):
    return mp.fsum(one * other for one, other in zip(a, b, strict=True))


def agrees(swept: Sweep, probe: Probe, factor: float, index: int = 0) -> None:
    """Logarithms to a thousandth of a decade, the others to a thousandth."""
    for head in range(H):
        for name, expected in exactly(probe, factor, head).items():
            ours = float(getattr(swept.measures, name)[index, head])
            rtol, atol = (0.0, 2e-3) if name.startswith("log") else (2e-3, 1e-37)
            assert_close(ours, expected, rtol=rtol, atol=atol, msg=lambda text, name=name: f"{name} {factor}: {text}")


def changed(probe: Probe, **parts: torch.Tensor) -> Probe:
    return Probe(**{name: getattr(probe, name) for name in ("x", "q", "k", "v", "W_O", "direction")} | parts)


SETS = {"two": [1], "three": [1, 3], "four": [1, 2, 4]}


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("values", [False, True])
@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize("factor", [0.3, 2.0, 5.0, 12.0, 30.0])
def test_equal_keys_at_the_top_pass_on_what_the_others_leave(factor, name, values, dtype) -> None:
    """What goes to and fro between them cancels in dS K; with equal values there is nothing that goes."""
    probe = layer(dtype)
    k, v = probe.k.clone(), probe.v.clone()
    k[:, SETS[name]] = k[:, :1]
    if values:
        v[:, SETS[name]] = v[:, :1]
    probe = changed(probe, k=k, v=v)
    agrees(sweep(probe, D_K, [factor]), probe, factor)


@pytest.mark.parametrize("values", [False, True])
@pytest.mark.parametrize("factor", [2.0, 12.0, 40.0])
def test_keys_that_are_equal_but_for_rounding_are_equal(factor, values) -> None:
    probe = layer()
    k, v = probe.k.clone(), probe.v.clone()
    k[:, [1, 3]] = k[:, :1]
    if values:
        v[:, [1, 3]] = v[:, :1]
    equal = changed(probe, k=k, v=v)
    ulp = torch.finfo(torch.float32).eps
    rounded = changed(probe, k=k.clone(), v=v.clone())
    rounded.k[:, 1] *= 1 + ulp
    rounded.k[:, 3] *= 1 - 2 * ulp
    if values:
        rounded.v[:, 3] *= 1 + ulp
    agrees(sweep(rounded, D_K, [factor]), equal, factor)


@pytest.mark.parametrize("seed", range(5))
def test_one_row_with_a_gradient_has_its_ratio_also_where_two_keys_share_the_top(seed: int) -> None:
    """n = 5: 1/√4 = 0.5, in float32, where ‖dW_Q‖ is far below what rounding would leave."""
    probe = layer(seed=seed)
    k = probe.k.clone()
    k[:, 2] = k[:, 0]
    probe = changed(probe, k=k)
    double = changed(Probe(*(getattr(probe, name).double() for name in ("x", "q", "k", "v", "W_O", "direction"))))
    measures, exact = (sweep(one, D_K, [60.0]).measures for one in (probe, double))
    assert_close(measures.log_d_W_Q.double(), exact.log_d_W_Q, rtol=1e-3, atol=1e-2)
    assert_close(measures.snr.double(), exact.snr, rtol=1e-2, atol=0)
    assert_close(exact.snr, torch.full((1, H), 0.5, dtype=torch.float64), rtol=0.2, atol=0)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_where_all_keys_are_equal_there_is_nothing_to_pass_on(dtype) -> None:
    probe = layer(dtype)
    same = changed(probe, k=probe.k[:, :1].expand(-1, N, -1).clone(), v=probe.v[:, :1].expand(-1, N, -1).clone())
    swept = sweep(same, D_K, [0.5, 40.0])
    assert_close(swept.measures.snr, torch.zeros(2, H, dtype=dtype))
    for name in ("log_gain", "log_d_scores", "log_d_W_Q"):
        assert bool(getattr(swept.measures, name).isneginf().all()), name
    assert_close(swept.measures.entropy, torch.full((2, H), math.log(N), dtype=dtype))
    assert_close(swept.measures.trace, torch.full((2, H), 1 - 1 / N, dtype=dtype))
    assert_close(swept.measures.frobenius, torch.full((2, H), math.sqrt(N - 1) / N, dtype=dtype))


@pytest.mark.parametrize("target", [None, 2])
@pytest.mark.parametrize("factor", [0.02, 0.3, 1.0])
def test_repeated_tokens_are_what_autograd_finds_in_float64(factor, target) -> None:
    """The same word three times, in a layer without positions: every token once more than its like in two columns."""
    draw = torch.Generator().manual_seed(7)
    x = torch.randn(4, 64, generator=draw)[[0, 1, 0, 2, 3, 0, 1]]
    probe = untrained(x, 3, target)
    for part in (probe.q, probe.k, probe.v):
        assert torch.equal(part[:, 0], part[:, 2]) and torch.equal(part[:, 1], part[:, 6])
    q, k, v = (part.double().requires_grad_() for part in (probe.q[..., :16], probe.k[..., :16], probe.v))
    weights = (factor * q @ k.mT).softmax(dim=-1)
    weights.retain_grad()
    output = torch.einsum("hnk,hkv,hvd->nd", weights, v, probe.W_O.double())
    if target is None:
        loss = (output * probe.direction.double()).sum()
    else:
        readout = output @ probe.x.double().mT / 8
        loss = F.cross_entropy(readout, torch.full((7,), target), reduction="sum")
    d_q, d_k = torch.autograd.grad(loss, (q, k))
    measures = sweep(probe, 16, [factor]).measures
    x64 = probe.x.double()
    for ours, slope in ((measures.log_d_W_Q, d_q), (measures.log_d_W_K, d_k)):
        expected = (x64.mT @ slope).norm(dim=(-2, -1)).log10()
        assert_close(ours[0].double(), expected, rtol=1e-4, atol=1e-3)
    nats = torch.special.entr(weights.detach()).sum(-1).mean(-1)
    assert_close(measures.entropy[0].double(), nats, rtol=1e-4, atol=1e-5)


# The runner-up of a row with twins ----------------------------------------------------------------------------------


@pytest.mark.parametrize("normalizer", ["softmax", "softmax1"])
@pytest.mark.parametrize("gap", [3.0, 40.0, 400.0, 3000.0])
def test_the_slope_of_twins_is_that_of_the_key_behind_them(gap: float, normalizer: str) -> None:
    logits = torch.tensor([[gap, 0.0, gap, -1.0, gap]], dtype=torch.float64) + 2000
    d = torch.tensor([[0.3, -0.7, 0.3, 1.1, 0.3]], dtype=torch.float64)
    d_scores, log_size = slopes(normalizer, logits, logits.softmax(-1), d, torch.zeros_like(d), torch.tensor([[5]]))
    with mp.workdps(4 * DIGITS):
        s, d_ = [mpf(one) for one in logits[0].tolist()], [mpf(one) for one in d[0].tolist()]
        powers = [mp.exp(one - max(s)) for one in s]
        total = mp.fsum(powers) + (mp.exp(-max(s)) if normalizer == "softmax1" else 0)
        p = [power / total for power in powers]
        mean = _dot(p, d_)
        expected = [p_j * (d_j - mean) for p_j, d_j in zip(p, d_, strict=True)]
        ours = [mpf(one) * mp.exp(mpf(float(log_size[0]))) for one in d_scores[0].tolist()]
        for slope, want in zip(ours, expected, strict=True):
            assert abs(slope - want) <= abs(want) * mpf("1e-9") + max(map(abs, expected)) * mpf("1e-9")


def test_a_remedy_says_how_little_a_repeated_word_passes_on() -> None:
    """Two words of three are the same, and the third is far behind: no gain stops where rounding would leave it."""
    draw = torch.Generator().manual_seed(1)
    x = torch.randn(2, 64, generator=draw)[[0, 1, 0]]
    head = head_of(untrained(x, 0), 0, 0)
    place = Place(d_k=len(D_K_STOPS) - 1, alpha=len(INPUT_SCALES) - 1, n=3)
    table = {"none": REMEDIES["none"]}
    log_gain = compare(head, table, "alpha", place).table[:, 0, COLUMNS.index("log_gain")]
    scores = head.q @ head.k.mT
    for index in (10, len(INPUT_SCALES) // 2, len(INPUT_SCALES) - 1):
        gains = []
        with mp.workdps(4 * DIGITS):
            for row, d in zip(scores, head.d_weights, strict=True):
                s = [mpf(INPUT_SCALES[index]) ** 2 * mpf(float(one)) for one in (row[0], row[1], row[0])]
                d_ = [mpf(float(one)) for one in (d[0], d[1], d[0])]
                powers = [mp.exp(one - max(s)) for one in s]
                p = [power / mp.fsum(powers) for power in powers]
                mean, even = _dot(p, d_), mp.fsum(d_) / 3
                dS = [p_j * (d_j - mean) for p_j, d_j in zip(p, d_, strict=True)]
                gains.append(float(mp.log10(mp.norm(dS) / mp.norm([d_j - even for d_j in d_]))))
        assert_close(float(log_gain[index]), sorted(gains)[1], rtol=1e-4, atol=1e-3)


# Entropies that are almost nothing -----------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("gap", [0.5, 20.0, 40.0, 75.75, 80.0])
@pytest.mark.parametrize("n", [2, 3, 5])
def test_the_entropy_of_a_saturated_row_counts_what_its_winner_has_lost(n: int, gap: float, dtype) -> None:
    """−ln p_m is what p_m lacks of 1: 1 / (1 + gap) of the whole."""
    x = torch.eye(n, dtype=dtype)
    q = torch.ones(1, n, 1, dtype=dtype)
    k = torch.tensor([[gap], *([-0.1 * j] for j in range(n - 1))], dtype=dtype)[None]
    v = torch.randn(1, n, 2, generator=torch.Generator().manual_seed(0)).to(dtype)
    probe = Probe(x, q, k, v, torch.eye(2, n, dtype=dtype)[None], torch.eye(n, dtype=dtype))
    measures = sweep(probe, 1, [1.0]).measures
    with mp.workdps(60):
        powers = [mp.exp(mpf(float(one))) for one in k[0, :, 0]]
        p = [power / mp.fsum(powers) for power in powers]
        expected = -mp.fsum(p_j * mp.log(p_j) for p_j in p)
    tolerance = {torch.float32: 1e-5, torch.float64: 1e-12}[dtype]
    assert_close(float(measures.entropy[0, 0]) / float(expected), 1.0, rtol=tolerance, atol=0)
