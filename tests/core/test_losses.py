"""Three losses on one layer: each gradient against torch's own modules."""

import math

import pytest
import torch
import torch.nn.functional as F
from torch.testing import assert_close

from attention_core.losses import GRADIENTS, LOSSES, gradient_norms
from attention_core.saturation import Probe

H, N, D_MODEL, D_V, D_K, TARGET, FACTOR = 3, 7, 13, 5, 11, 4, 0.37


@pytest.fixture
def matrices():
    draw = torch.Generator().manual_seed(0)
    shapes = (
        (N, D_MODEL),
        (H, D_MODEL, D_K + 2),
        (H, D_MODEL, D_K + 2),
        (H, D_MODEL, D_V),
        (H, D_V, D_MODEL),
        (N, D_MODEL),
    )
    return [torch.randn(shape, generator=draw, dtype=torch.float64) for shape in shapes]


def expected(matrices, loss):
    """‖∂L/∂logits‖, ‖dW_Q‖, ‖dW_K‖ with W_Q and W_K as leaves."""
    x, W_Q, W_K, W_V, W_O, direction = matrices
    W_Q, W_K = (W[..., :D_K].clone().requires_grad_() for W in (W_Q, W_K))
    q, k, v = x @ W_Q, x @ W_K, x @ W_V
    logits = FACTOR * q @ k.mT
    logits.retain_grad()
    output = torch.einsum("hnv,hvd->nd", F.softmax(logits, -1) @ v, W_O)
    value = {
        "direction": lambda: (output * direction).sum(),
        "token": lambda: F.cross_entropy(output @ x.T / math.sqrt(D_MODEL), torch.full((N,), TARGET), reduction="sum"),
        "weights": lambda: F.cross_entropy(logits.flatten(0, 1), torch.full((H * N,), TARGET), reduction="sum"),
    }[loss]()
    value.backward()
    return [leaf.grad.flatten(1).norm(dim=1) for leaf in (logits, W_Q, W_K)]


@pytest.mark.parametrize("loss", LOSSES)
def test_the_gradients_of_every_loss(matrices, loss):
    x, W_Q, W_K, W_V, W_O, direction = matrices
    layer = Probe(x, x @ W_Q, x @ W_K, x @ W_V, W_O, direction)
    norms = gradient_norms(layer, loss, TARGET, D_K, FACTOR)
    for name, theirs in zip(GRADIENTS, expected(matrices, loss), strict=True):
        assert_close(norms[name], theirs, rtol=1e-10, atol=0)


def test_a_loss_on_the_weights_is_not_stopped_by_saturation(matrices):
    """At one-hot rows the output's gradient is gone, that of −ln α is √2 for every row that is wrong."""
    x, W_Q, W_K, W_V, W_O, direction = matrices
    layer = Probe(x, x @ W_Q, x @ W_K, x @ W_V, W_O, direction)
    factor = 1000.0
    wrong = ((layer.scores(D_K)).argmax(-1) != TARGET).sum(-1)
    assert_close(gradient_norms(layer, "weights", TARGET, D_K, factor)["d_scores"], (2.0 * wrong.double()).sqrt())
    assert gradient_norms(layer, "direction", TARGET, D_K, factor)["d_scores"].max() < 1e-9
