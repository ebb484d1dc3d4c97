"""q·k of a trained head: over the pairs that its mask allows, of the queries before any factor, against numpy."""

import math

import numpy as np
import pytest
from torch.testing import assert_close

from attention_core.models import LayerTrace, Settings
from pages.saturation.why_sqrt.numbers import own_scale, pairs, parts, parts_residual, spreads
from tests.harness.families import BART, GROUPED, OPT, SMALL, T5, TOKENS, traced

HEAD = 2
MODELS = {
    "causal": ("llama", GROUPED, 1),
    "window": ("mistral", GROUPED | {"sliding_window": 3}, 0),
    "qk norm": ("qwen3", GROUPED, 1),
    "scaled before": ("opt", OPT, 1),
    "cross": ("bart", BART, 3),
    "both ways": ("bert", SMALL, 0),
    "own scale": ("granite", GROUPED | {"attention_multiplier": 0.0078125}, 0),
    "no scale": ("t5", T5, 0),
}
MASKED = ("causal", "window", "qk norm", "scaled before", "own scale")


def layer(name: str, settings: Settings | None = None) -> LayerTrace:
    family, config, at = MODELS[name]
    return traced(family, config).run(TOKENS, settings or Settings()).layers[at]


def dots(one: LayerTrace, head: int) -> np.ndarray:
    """The products of the pairs with a weight, from the scores of the model before scale and mask."""
    trace = one.attention
    before = one.built.query_scale
    return (trace.scores[head].double() / before)[trace.weights[head] > 0].numpy()


@pytest.mark.parametrize("name", MODELS)
def test_pairs_that_the_mask_forbids_are_not_counted(name: str) -> None:
    one = layer(name)
    head, expected = pairs(one, HEAD), dots(one, HEAD)
    assert head.masked == (name in MASKED)
    np.testing.assert_allclose(np.sort(head.seen), np.sort(expected), rtol=1e-5, atol=1e-5)
    assert_close(float(head.observed.mean), float(expected.mean()), rtol=1e-5, atol=1e-6)
    assert_close(float(head.observed.variance), float(expected.var()), rtol=1e-5, atol=1e-6)
    assert len(parts(head.observed, masked=head.masked)) == (4 if head.masked else 3)
    assert parts_residual(head) < 1e-9


@pytest.mark.parametrize("name", MODELS)
def test_so_are_the_spreads_of_every_head(name: str) -> None:
    one = layer(name)
    d_k = one.attention.q.shape[-1]
    expected = [dots(one, head).std() / math.sqrt(d_k) for head in range(one.name.n_head)]
    np.testing.assert_allclose(spreads([one])[0], expected, rtol=1e-4)


def test_a_mask_of_the_readers_counts_too() -> None:
    one = layer("both ways", Settings(mask="causal"))
    assert pairs(one, HEAD).masked and len(pairs(one, HEAD).seen) == 28


@pytest.mark.parametrize(
    ("name", "expected"), [("causal", None), ("scaled before", None), ("own scale", 0.0078125), ("no scale", 1.0)]
)
def test_a_scale_of_the_models_own_is_named(name: str, expected: float | None) -> None:
    scale = own_scale(layer(name))
    assert (scale is None) == (expected is None)
    if expected is not None and scale is not None:
        assert_close(scale, expected)
    assert own_scale(layer(name, Settings(scaling="none"))) is None  # then it is the reader's
