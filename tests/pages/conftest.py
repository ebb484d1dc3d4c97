"""What tests of several pages share."""

import pytest
import torch

from attention_core.models import FromScratch, Sizes, load_embedded
from ui.controls import DEFAULT_SENTENCE


@pytest.fixture(scope="module")
def vectors() -> list[torch.Tensor]:
    """q, k and v, float64, of the head that the pages of mechanisms open with."""
    layer = FromScratch(Sizes(n_head=4), load_embedded())
    trace = layer.run(layer.tokenize(DEFAULT_SENTENCE)).layers[0].head(0)
    return [tensor.double() for tensor in (trace.q, trace.k, trace.v)]
