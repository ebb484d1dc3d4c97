"""`attend` inside every transformers model, and what one forward pass leaves: who called it, with what, and the stages.

transformers lets a function be registered as the attention of all its models. Ours runs `attend` and hands each trace
to the run in progress, so nothing here is a copy of a model and nothing is recomputed.
"""

import contextlib
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from attention_core.attention import AttentionTrace
from attention_core.models.base import LONG, Settings, attend_under
from attention_core.models.pretrained.errors import ModelError
from attention_core.scalings import by

DEFAULT = Settings()


@dataclass(slots=True)
class AttentionCall:
    """One call of the attention interface: who called, with which hidden states, and what came out."""

    module: nn.Module
    x: Tensor | None  # n_q × d_model
    memory: Tensor | None  # n_k × d_memory; the same tensor as x in self-attention
    again: Callable[[], tuple[AttentionTrace, float]]  # computes the trace, and the factor of its scores
    kept: AttentionTrace | None  # None for a long text
    shape: tuple[int, int]  # n_q, n_k
    factor: float
    softcap: float | None

    @property
    def trace(self) -> AttentionTrace:
        return self.again()[0] if self.kept is None else self.kept


@dataclass(slots=True)
class Recorder:
    """What one run collects. It lives in a ContextVar, so runs in other threads never see it."""

    settings: Settings = DEFAULT
    grad: bool = False
    calls: list[AttentionCall] = field(default_factory=list)
    inputs: dict[int, tuple[Tensor, Tensor]] = field(default_factory=dict)


_RECORDER: ContextVar[Recorder | None] = ContextVar("recorder", default=None)


@contextlib.contextmanager
def recording(settings: Settings, grad: bool = False) -> Iterator[Recorder]:
    """What the attention calls of one forward pass leave, under these settings."""
    recorder = Recorder(settings, grad)
    token = _RECORDER.set(recorder)
    try:
        yield recorder
    finally:
        _RECORDER.reset(token)


def register() -> None:
    """Make "headlight" an attention implementation of transformers; the mask function must go with it."""
    from transformers import AttentionInterface
    from transformers.masking_utils import AttentionMaskInterface, eager_mask
    from transformers.utils import logging

    logging.set_verbosity_error()
    logging.disable_progress_bar()
    AttentionInterface.register("headlight", _attention)
    AttentionMaskInterface.register("headlight", eager_mask)


def _attention(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    scaling: float | None = None,
    softcap: float | None = None,
    position_bias: Tensor | None = None,
    s_aux: Tensor | None = None,
    **_: object,
) -> tuple[Tensor, Tensor]:
    """The attention of every transformers model: (b, h, n, d) in, (b, n, h, d) and the weights out."""
    if s_aux is not None:
        raise ModelError("sinks", type(module).__name__)
    recorder = _RECORDER.get() or Recorder()
    allowed, bias = _split_mask(attention_mask, query.shape[-2], key.shape[-2])
    if position_bias is not None:
        apart, extra = _split_mask(position_bias, query.shape[-2], key.shape[-2])
        allowed = apart if allowed is None else allowed if apart is None else allowed & apart
        bias = extra if bias is None else bias if extra is None else bias + extra
    alone = query.shape[0] == 1  # one sequence, as in every run: its trace has no batch axis, and is what flows on
    if alone:
        query, key, value = query[0], key[0], value[0]
        allowed, bias = (None if mask is None else mask[0] for mask in (allowed, bias))
    if recorder.grad:  # the weights of the model are frozen, so a graph has to begin at the q, k, v of the first layer
        query, key, value = (t if t.requires_grad else t.requires_grad_() for t in (query, key, value))
    again = partial(
        attend_under,
        recorder.settings,
        len(recorder.calls),
        query,
        key,
        value,
        scaling=by(query.shape[-1] ** -0.5 if scaling is None else float(scaling)),
        allowed=allowed,
        bias=bias,
        softcap=softcap,
    )
    trace, factor = again()
    x, memory = recorder.inputs.pop(id(module), (None, None))
    kept = None if trace.weights.numel() > LONG and not recorder.grad else trace
    shape = query.shape[-2], key.shape[-2]
    recorder.calls.append(AttentionCall(module, x, memory, again, kept, shape, factor, softcap))
    context, weights = (trace.context[None], trace.weights[None]) if alone else (trace.context, trace.weights)
    return context.transpose(1, 2).contiguous(), weights


def _split_mask(mask: Tensor | None, n_q: int, n_k: int) -> tuple[Tensor | None, Tensor | None]:
    """transformers adds the lowest finite number to forbid a pair. Split that from what is a real bias."""
    if mask is None:
        return None, None
    mask = mask[..., -n_q:, :n_k]
    if mask.dtype == torch.bool:
        return (None if bool(mask.all()) else mask), None
    allowed = mask > torch.finfo(mask.dtype).min / 2
    bias = mask.masked_fill(~allowed, 0.0)
    return (None if bool(allowed.all()) else allowed), (bias if bool(bias.any()) else None)


def remember_inputs(module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    """Pre-hook of every attention module: give the run in progress the hidden states that ask and that answer."""
    recorder = _RECORDER.get()
    if recorder is None:
        return
    x = args[0] if args else kwargs.get("hidden_states")
    if x is None:
        return
    rest = [kwargs.get("key_value_states"), kwargs.get("encoder_hidden_states"), *args[1:2]]
    memory = next((item for item in rest if isinstance(item, Tensor) and item.ndim == x.ndim), x)
    asks = x[0]
    recorder.inputs[id(module)] = (asks, asks if memory is x else memory[0])
