"""Parameters are torch's, multiplications are those torch's flop counter sees, paths are found by autograd."""

import math

import pytest
import torch
from torch import nn
from torch.testing import assert_close
from torch.utils.flop_counter import FlopCounterMode

from attention_core.costs import LAYERS

PUBLISHED = {  # Counted from torch's own modules and operation counter: d = 64, k = 3, n = 10
    "attention": 16_640,
    "rnn": 8_320,
    "gru": 24_960,
    "lstm": 33_280,
    "bilstm": 66_560,
    "conv": 12_352,
    "linear": 410_240,
}


def modules(d, k, n):
    return {
        "attention": nn.MultiheadAttention(d, 1),
        "rnn": nn.RNN(d, d),
        "gru": nn.GRU(d, d),
        "lstm": nn.LSTM(d, d),
        "bilstm": nn.LSTM(d, d, bidirectional=True),
        "conv": nn.Conv1d(d, d, k),
        "linear": nn.Linear(n * d, n * d),
    }


@pytest.mark.parametrize("name", LAYERS)
def test_parameters_are_the_published_ones(name):
    assert LAYERS[name].parameters(64, 3, 10) == PUBLISHED[name]


@pytest.mark.parametrize(("d", "k", "n"), [(7, 3, 5), (11, 5, 2), (1, 1, 3), (29, 7, 13)])
@pytest.mark.parametrize("name", LAYERS)
def test_parameters_are_those_of_torchs_modules(name, d, k, n):
    assert LAYERS[name].parameters(d, k, n) == sum(p.numel() for p in modules(d, k, n)[name].parameters())


def test_the_number_of_heads_changes_no_parameters():
    counts = {sum(p.numel() for p in nn.MultiheadAttention(12, h).parameters()) for h in (1, 2, 3, 6)}
    assert counts == {LAYERS["attention"].parameters(12, 3, 5)}


def test_fewer_than_rnn_and_cnn_is_only_partly_true():
    at = {name: layer.parameters(64, 3, 10) for name, layer in LAYERS.items()}
    assert at["rnn"] < at["conv"] < at["attention"] < at["gru"] < at["lstm"] < at["bilstm"] < at["linear"]
    assert LAYERS["conv"].parameters(64, 5, 10) > at["attention"]


def run(name, d, k, n):
    """The layer's matrix products in plain torch."""
    x = torch.randn(n, d)
    cells = {"rnn": (nn.RNNCell, 1), "gru": (nn.GRUCell, 1), "lstm": (nn.LSTMCell, 1), "bilstm": (nn.LSTMCell, 2)}
    if name in cells:
        kind, directions = cells[name]
        for _ in range(directions):
            cell, state = kind(d, d), None
            weights = [cell.weight_ih, cell.weight_hh]
            for token in x:
                for W in weights:
                    token[None] @ W.mT
            assert state is None
    elif name == "attention":
        q, key, v, o = (nn.Linear(d, d) for _ in range(4))
        o((q(x) @ key(x).mT).softmax(-1) @ v(x))
    elif name == "conv":
        nn.Conv1d(d, d, k, padding="same")(x.mT[None])
    else:
        nn.Linear(n * d, n * d)(x.reshape(1, -1))


@pytest.mark.parametrize(("d", "k", "n"), [(7, 3, 5), (13, 5, 11)])
@pytest.mark.parametrize("name", LAYERS)
def test_multiplications_are_half_of_torchs_floating_point_operations(name, d, k, n):
    with FlopCounterMode(display=False) as counter:
        run(name, d, k, n)
    assert LAYERS[name].multiplications(d, k, n) * 2 == counter.get_total_flops()


@pytest.mark.parametrize(("k", "n"), [(3, 2), (3, 11), (5, 11), (7, 17), (15, 5)])
def test_the_path_of_a_convolution_is_the_first_stack_whose_end_hears_the_beginning(k, n):
    expected = LAYERS["conv"].path(7, k, n)
    for layers in range(1, n + 1):
        x = torch.ones(1, 1, n, requires_grad=True)
        y = x
        for _ in range(layers):
            y = nn.functional.conv1d(y, torch.ones(1, 1, k), padding="same")
        (slope,) = torch.autograd.grad(y[0, 0, -1], x)
        assert bool(slope[0, 0, 0] > 0) == (layers >= expected)


def test_a_kernel_of_one_never_reaches():
    assert LAYERS["conv"].path(7, 1, 5) == math.inf
    assert LAYERS["conv"].path(7, 1, 1) == 1


@pytest.mark.parametrize("n", [2, 13])
def test_recurrent_layers_wait_for_every_token_and_attention_for_none(n):
    """Vaswani et al. 2017, table 1."""
    for name in ("rnn", "gru", "lstm", "bilstm"):
        assert (LAYERS[name].depth(7, 3, n), LAYERS[name].path(7, 3, n)) == (n, n - 1)
    for name in ("attention", "linear"):
        assert LAYERS[name].depth(7, 3, n) == LAYERS[name].path(7, 3, n) == 1
    assert LAYERS["conv"].depth(7, 3, n) == 1
    cell, tokens = nn.RNNCell(5, 5), torch.randn(n, 1, 5)
    state, steps = cell(tokens[0]), 0  # the first token is in: from here it has to be handed on
    for token in tokens[1:]:
        state, steps = cell(token, state), steps + 1
    assert_close(steps, LAYERS["rnn"].path(5, 3, n))


def test_only_the_bilstm_writes_more_than_it_reads():
    """What the page says about the comparison, held to torch's modules."""
    layers, x = modules(7, 3, 5), torch.randn(5, 7)
    widths = {name: layers[name](x)[0].shape[-1] for name in ("rnn", "gru", "lstm", "bilstm")}
    assert widths == {"rnn": 7, "gru": 7, "lstm": 7, "bilstm": 14}
