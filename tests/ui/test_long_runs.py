"""What a long text leaves in memory: little while its run is kept, and nothing at all once nobody holds it."""

import gc
import weakref
from collections.abc import Iterator

import pytest

from attention_core.models import Pretrained, Run, Settings, Tokens
from attention_core.models.base import LONG, Recomputed
from attention_core.models.strain import strain
from tests.harness.families import BART, GROUPED, OPT, TOKENS, traced
from ui.compute.sizes import size

DEEP = GROUPED | {"num_hidden_layers": 30, "max_position_embeddings": 600}
N = 490
MODELS = {
    "deep": ("llama", DEEP),
    "normalised queries": ("qwen3", DEEP),
    "scaled before": ("opt", OPT | {"max_position_embeddings": 600}),
    "pair": ("bart", BART | {"max_position_embeddings": 600}),
}


@pytest.fixture
def no_collection() -> Iterator[None]:
    """What dies, dies because nobody holds it: a cycle would stay."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def long_text() -> Tokens:
    return Tokens(strings=tuple(f"t{at}" for at in range(N)), ids=tuple(at % 37 for at in range(N)))


def run_of(name: str) -> tuple[Pretrained, Run]:
    model = traced(*MODELS[name])
    return model, model.run(long_text())


@pytest.mark.parametrize("name", MODELS)
def test_a_long_run_keeps_its_q_k_and_v_and_no_stage(name: str) -> None:
    _, run = run_of(name)
    assert isinstance(run.layers, Recomputed)
    layer = run.layers[0].attention
    assert layer.weights.numel() > LONG
    vectors = sum(getattr(layer, part).numel() * 4 for part in ("q", "k", "v"))
    assert size(run) < len(run.layers) * (3 * vectors + 4 * N * N)  # with x and a mask
    assert size(run) < len(run.layers) * layer.bytes() / 4


@pytest.mark.parametrize("name", MODELS)
def test_nothing_of_a_run_outlives_it(name: str, no_collection: None) -> None:
    _, run = run_of(name)
    layers = [run.layers[at] for at in range(2)]
    held = [weakref.ref(part) for layer in layers for part in (layer, layer.attention.weights, layer.attention.q)]
    held += [weakref.ref(run), weakref.ref(run.output)]
    del run, layers
    assert not [reference for reference in held if reference() is not None]


def test_nothing_of_a_run_with_a_graph_outlives_it(no_collection: None) -> None:
    """The way back from q to W_Q holds the graph, and nothing may hold the way back but the run."""
    model = traced(*MODELS["deep"])
    run = model.run(TOKENS, grad=True)
    held = [weakref.ref(part) for layer in run.layers for part in (layer, layer.attention.weights, layer.source)]
    assert all(reference() is not None for reference in held)
    del run
    assert not [reference for reference in held if reference() is not None]


def test_nor_does_anything_of_a_strain(no_collection: None) -> None:
    model, references = traced(*MODELS["normalised queries"]), []
    as_built = model.run

    def run(*args, **options) -> Run:
        one = as_built(*args, **options)
        references.extend(weakref.ref(layer.attention.weights) for layer in one.layers)
        return one

    model.run = run
    for _ in strain(model, TOKENS, [Settings(), Settings(input_scale=2.0)]):
        assert not [reference for reference in references if reference() is not None]
