"""One query under a sliding window, against plain torch: a slice, a softmax, a Gaussian, autograd, differences."""

import math

import pytest
import torch
from torch.testing import assert_close

from attention_core.sliding import NUMBERS, d_center, slide

N, D_K, D_V = 11, 5, 7
TARGET = 3
RADII = (1, 2, 5, N)
CENTERS = torch.tensor([0.0, 0.25, 2.0, 4.75, 10.0], dtype=torch.float64)


@pytest.fixture(scope="module")
def vectors():
    generator = torch.Generator().manual_seed(2)
    shapes = ((D_K,), (N, D_K), (N, D_V))
    return [torch.randn(shape, generator=generator, dtype=torch.float64) for shape in shapes]


@pytest.fixture(scope="module")
def slid(vectors):
    return slide(*vectors, target=TARGET, radii=RADII, centers=CENTERS)


def row(vectors, radius, center):
    """Token by token: softmax over the tokens inside, and the Gaussian, as the paper writes them."""
    q, k, _ = vectors
    inside = [s for s in range(N) if abs(s - float(center)) <= radius]
    scores = torch.stack([sum(q[a] * k[s, a] for a in range(D_K)) / math.sqrt(D_K) for s in inside])
    return inside, torch.softmax(scores, dim=0)


def loss(vectors, radius, center, inside, alpha):
    _, _, v = vectors
    sigma = radius / 2
    weights = [a * torch.exp(-((s - center) ** 2) / (2 * sigma**2)) for s, a in zip(inside, alpha, strict=True)]
    context = sum(w * v[s] for s, w in zip(inside, weights, strict=True))
    return 0.5 * ((context - v[TARGET]) ** 2).sum(), weights


def every_stop():
    return [(i, j, radius, center) for i, radius in enumerate(RADII) for j, center in enumerate(CENTERS)]


@pytest.mark.parametrize(("i", "j", "radius", "center"), every_stop())
def test_a_row_is_softmax_times_gaussian_inside_and_nothing_outside(vectors, slid, i, j, radius, center) -> None:
    inside, alpha = row(vectors, radius, center)
    _, weights = loss(vectors, radius, center, inside, alpha)
    outside = [s for s in range(N) if s not in inside]
    assert slid.weights[i, j][outside].isnan().all() and slid.inside[i, j][outside].isnan().all()
    assert_close(slid.inside[i, j][inside], alpha)
    assert_close(slid.weights[i, j][inside], torch.stack(weights))
    numbers = dict(zip(NUMBERS, slid.numbers[i, j].tolist(), strict=True))
    assert numbers["inside"] == len(inside)
    assert_close(numbers["row_sum"], float(sum(weights)))
    assert numbers["row_sum"] < 1  # not renormalised


@pytest.mark.parametrize(("i", "j", "radius", "center"), every_stop())
def test_the_gradient_to_the_centre_is_torchs_and_that_of_differences(vectors, slid, i, j, radius, center) -> None:
    inside, alpha = row(vectors, radius, center)
    p = center.clone().requires_grad_()
    value, _ = loss(vectors, radius, p, inside, alpha)
    theirs = float(torch.autograd.grad(value, p)[0])
    h = 1e-6
    ahead, behind = (loss(vectors, radius, center + step, inside, alpha)[0] for step in (h, -h))
    numbers = dict(zip(NUMBERS, slid.numbers[i, j].tolist(), strict=True))
    assert_close(numbers["loss"], float(value.detach()))
    for name in ("autograd", "closed", "difference"):
        assert_close(numbers[name], theirs, rtol=1e-6, atol=1e-8)
    assert_close(numbers["closed"], float(ahead - behind) / (2 * h), rtol=1e-5, atol=1e-7)
    assert numbers["residual"] < 1e-7


def test_a_window_as_wide_as_the_sentence_is_global_attention(vectors, slid) -> None:
    q, k, _ = vectors
    everywhere = torch.softmax(k @ q / math.sqrt(D_K), dim=0)
    apart = slid.numbers[..., NUMBERS.index("apart")]
    assert float(apart[RADII.index(N)].max()) == 0
    assert float(apart[RADII.index(2)].min()) > 0.01
    assert_close(slid.inside[RADII.index(N), 2], everywhere)


def test_the_closed_form_points_to_the_token_that_is_rewarded() -> None:
    weights = torch.full((1, N), 0.1, dtype=torch.float64)
    for rewarded in (1, 9):
        d_weights = torch.zeros(1, N, dtype=torch.float64)
        d_weights[0, rewarded] = -1.0  # more weight there, less loss
        slope = float(d_center(weights, d_weights, torch.tensor([5.0], dtype=torch.float64), 4))
        assert_close(slope, -0.1 * (rewarded - 5) / 4.0)
