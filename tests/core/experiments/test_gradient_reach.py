"""How far gradients reach: against a product of Jacobians, and the order of the layers."""

import pytest
import torch
import torch.nn.functional as F
from torch.testing import assert_close

from attention_core.experiments.base import stream
from attention_core.experiments.gradient_reach import (
    LAYER_KINDS,
    GradientReach,
    decay,
    gradient_reach,
    path_length,
    sequential_depth,
)
from attention_core.experiments.recurrent import last_state, layer
from attention_core.multihead import MultiHeadAttention


@pytest.mark.parametrize("seed", [0, 1])
def test_attention_reaches_where_an_lstm_does_not(seed) -> None:
    """Attention passes on more than half over 32 steps, an LSTM hardly anything."""
    reach = {kind: gradient_reach(GradientReach(kind=kind, seed=seed)) for kind in LAYER_KINDS}
    assert float(reach["attention"][32]) > 0.5
    assert float(reach["lstm"][32]) < 1e-5
    assert float(reach["bilstm"][32]) < 1e-5 < 0.5 < float(reach["bilstm"][63])
    assert float(reach["rnn"][32]) < float(reach["lstm"][32]) < float(reach["lstm_forget"][32]) < 0.01
    expected = {"rnn": 0.503, "lstm": 0.611, "lstm_forget": 0.819, "gru": 0.615, "attention": 1.002}
    for kind, rho in expected.items():
        assert_close(decay(reach[kind]), rho, rtol=0.08, atol=0)


def test_the_reach_of_an_rnn_is_its_product_of_jacobians() -> None:
    config = GradientReach(kind="rnn", length=7, d=5, batch=1, seed=3)
    x = torch.randn(1, 7, 5, generator=stream(3, "own"), dtype=torch.float64)
    module = layer("rnn", 5, 5, stream(3, "weights")).double()
    r = torch.randn(1, 5, generator=stream(3, "direction"), dtype=torch.float64)[0]
    states = module(x)[0][0].detach()
    row, sizes = r, []
    for t in range(6, -1, -1):
        through = row * (1 - states[t] ** 2)
        sizes.append((through @ module.weight_ih_l0.detach()).norm())
        row = through @ module.weight_hh_l0.detach()
    assert_close(gradient_reach(config, x), torch.stack(sizes) / sizes[0], rtol=1e-10, atol=0)


def test_attention_is_torchs_attention() -> None:
    """The gradient of r·output that torch's own scaled dot product has, with the same weights."""
    config, x = GradientReach(length=17, d=11, batch=1), torch.randn(1, 17, 11, generator=stream(1, "own")).double()
    layer_ = MultiHeadAttention(d_model=11, n_head=1, d_k=11, d_v=11).double()
    asks = torch.randn(1, 1, 11, generator=stream(0, "asks"), dtype=torch.float64)
    r = torch.randn(1, 11, generator=stream(0, "direction"), dtype=torch.float64)
    y = x.clone().requires_grad_()
    q, k, v = asks @ layer_.W_Q[0], y @ layer_.W_K[0], y @ layer_.W_V[0]
    out = F.scaled_dot_product_attention(q, k, v)[:, 0] @ layer_.W_O[0]
    (gradient,) = torch.autograd.grad((out * r).sum(), y)
    sizes = gradient[0].norm(dim=-1).flip(0)
    assert_close(gradient_reach(config, x), sizes / sizes[0], rtol=1e-10, atol=0)


@pytest.mark.parametrize("rho", [0.3, 0.97, 1.0])
def test_decay_of_a_known_decay(rho) -> None:
    assert_close(decay(5 * rho ** torch.arange(41, dtype=torch.float64)), rho, rtol=1e-9, atol=0)
    assert_close(decay(torch.tensor([1.0, 0.5, 0.0, 0.125])), 0.5, rtol=1e-6, atol=0)


def test_the_forget_bias_is_one_and_the_way_back_ends_at_the_first_position() -> None:
    module = layer("lstm_forget", 5, 7, stream(0, "weights"))
    assert_close(module.bias_ih_l0[7:14] + module.bias_hh_l0[7:14], torch.ones(7))
    both = layer("bilstm", 5, 7, stream(0, "weights"))
    x = torch.randn(3, 11, 5, generator=stream(0, "x"))
    _, (state, _) = both(x)
    assert_close(last_state(both, x), torch.cat([state[0], state[1]], dim=-1))
    _, state = (gru := layer("gru", 5, 7, stream(0, "weights")))(x)
    assert_close(last_state(gru, x), state[0])


def test_depth_and_path() -> None:
    assert [sequential_depth(kind, 31) for kind in ("attention", "lstm", "bigru")] == [1, 31, 31]
    assert [path_length(kind, 31) for kind in ("attention", "lstm", "bigru")] == [1, 30, 15]


@pytest.mark.parametrize("wrong", [{"kind": "cnn"}, {"length": 1}, {"length": 10**6}])
def test_what_cannot_be_built_is_refused(wrong) -> None:
    with pytest.raises(ValueError, match="must"):
        GradientReach(**wrong)
    with pytest.raises(ValueError, match="must be rnn"):
        layer("cnn", 3, 5, stream(0, "x"))
