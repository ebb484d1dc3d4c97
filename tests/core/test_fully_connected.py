"""A fully connected layer over a sentence is torch's: its error, its parameters, its blocks."""

import pytest
import torch
import torch.nn.functional as F
from torch.testing import assert_close

from attention_core.fully_connected import applied, blocks, fully_connected

N, D = 7, 5


def test_it_runs_at_its_own_length_and_raises_at_any_other():
    layer = fully_connected(N, D, seed=3)
    x = torch.randn(11, D, generator=torch.Generator().manual_seed(1))
    assert applied(layer, x[:N]) == ((1, N * D), "")
    assert_close(layer(x[:N].flatten()), F.linear(x[:N].flatten(), layer.weight, layer.bias))
    for length in (N - 1, N + 1, 11):
        shape, error = applied(layer, x[:length])
        with pytest.raises(RuntimeError) as raised:
            torch.nn.Linear(N * D, N * D)(x[:length].reshape(1, -1))
        assert shape == () and error == str(raised.value)
        assert f"1x{length * D} and {N * D}x{N * D}" in error


@pytest.mark.parametrize(("n", "expected"), [(10, 410_240), (20, 1_639_680)])
def test_its_parameters_are_the_published_ones(n, expected):
    """n² d² weights and n d biases, d = 64."""
    assert sum(p.numel() for p in fully_connected(n, 64, seed=0).parameters()) == expected


def test_it_is_drawn_as_torch_draws_it_and_from_the_seed():
    layer = fully_connected(N, D, seed=3)
    bound = (N * D) ** -0.5
    assert bound * 0.98 < float(layer.weight.abs().max()) <= bound
    assert_close(layer.weight.std().item(), bound / 3**0.5, rtol=0.05, atol=0)
    assert_close(fully_connected(N, D, seed=3).weight, layer.weight)
    assert not torch.equal(fully_connected(N, D, seed=4).weight, layer.weight)


def test_blocks_are_norms_of_place_to_place():
    layer = fully_connected(N, D, seed=3)
    norms = blocks(layer, N)
    for i in range(N):
        for j in range(N):
            block = layer.weight[i * D : (i + 1) * D, j * D : (j + 1) * D]
            assert_close(norms[i, j], torch.linalg.matrix_norm(block))
