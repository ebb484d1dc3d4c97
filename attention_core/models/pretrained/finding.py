"""Which layers of a model have attention, found by running it; and that what is recorded is what it computes."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from attention_core.models.base import LayerName, Projections, Stack
from attention_core.models.pretrained import places
from attention_core.models.pretrained.errors import ModelError
from attention_core.models.pretrained.matrices import projections_of, watch_linears
from attention_core.models.pretrained.recording import IMPLEMENTATION, AttentionCall, recording, remember_inputs

CLOSE = 1e-4  # of the largest number of the output: kernels round differently, a mask that is lost is far beyond it


def find_layers(
    name: str,
    model: Any,  # noqa: ANN401
    probe: dict[str, Tensor],
) -> tuple[tuple[LayerName, ...], tuple[Projections, ...]]:
    """The names and the matrices of a model's attention layers, in the order in which they run.

    Raises ModelError where there are none, or where transformers' own eager attention computes another output.
    """
    with torch.no_grad(), recording(name) as recorder:
        output = model(**probe)
    if not recorder.calls:
        raise ModelError("no_attention", name)
    if not isinstance(getattr(output, "last_hidden_state", None), Tensor):
        raise ModelError("no_output", name, ", ".join(output))
    for module in {id(call.module): call.module for call in recorder.calls}.values():  # ALBERT calls one many times
        module.register_forward_pre_hook(remember_inputs, with_kwargs=True)
    with (
        torch.no_grad(),
        recording(name) as recorder,
        watch_linears(model) as flows,
        places.watch_lists(model) as running,
    ):
        recorder.running = running
        recorded = model(**probe).last_hidden_state
    _compare_with_eager(name, model, probe, recorded)
    projections = tuple(projections_of(call, flows) for call in recorder.calls)
    return _names(model, recorder.calls), projections


def _compare_with_eager(name: str, model: Any, probe: dict[str, Tensor], recorded: Tensor) -> None:  # noqa: ANN401
    """Some models ask which implementation computes their attention, by name, and leave to it what ours does not know.

    Raises ModelError where the outputs differ, or are no numbers.
    """
    model.set_attn_implementation("eager")
    try:
        with torch.no_grad():
            eager = model(**probe).last_hidden_state
    finally:
        model.set_attn_implementation(IMPLEMENTATION)
    if not bool(eager.isfinite().all()):
        raise ModelError("not_finite", name)
    largest = float(eager.abs().max())
    if not torch.allclose(recorded, eager, rtol=0, atol=CLOSE * largest):  # noqa: TID251 a decision
        raise ModelError("differs", name, f"{float((recorded - eager).abs().max()) / largest:.0%}")


def _names(model: Any, calls: Sequence[AttentionCall]) -> tuple[LayerName, ...]:  # noqa: ANN401
    paths = {id(module): path for path, module in model.named_modules()}
    decodes = bool(getattr(model.config, "is_encoder_decoder", False))
    stacks: list[Stack] = [_stack(call, paths[id(call.module)]) if decodes else "layer" for call in calls]
    names: dict[int, LayerName] = {}
    for stack in set(stacks):
        within = [index for index, other in enumerate(stacks) if other == stack]
        numbers, of = places.numbers([calls[index].places for index in within])
        for index, number in zip(within, numbers, strict=True):
            names[index] = LayerName(stack, number, calls[index].q.shape[0], of, calls[index].maps)
    return tuple(names[index] for index in range(len(calls)))


def _stack(call: AttentionCall, module_name: str) -> Stack:
    if call.memory is not call.x:
        return "merged" if call.merged else "cross"
    return "decoder" if "decoder" in module_name else "encoder"
