"""`attend` inside every transformers model, and what one forward pass leaves: who called it, with what, and the stages.

transformers lets a function be registered as the attention of all its models. Ours runs `attend` and hands each trace
to the run in progress, so nothing here is a copy of a model and nothing is recomputed.
"""

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from attention_core.attention import AttentionTrace
from attention_core.models.base import LONG, Settings, attend_under
from attention_core.models.pretrained.errors import ModelError
from attention_core.models.pretrained.places import Place
from attention_core.scalings import by

IMPLEMENTATION = "headlight"
DEFAULT = Settings()
# Tensors that models hand on to every implementation and that say nothing which q, k, v and the mask do not say too:
# positions, and where packed sequences begin.
SAID_ELSEWHERE = frozenset({"position_ids", "cache_position", "cu_seq_lens_q", "cu_seq_lens_k"})
SINKS = ("s_aux", "sinks")
Again = Callable[[], tuple[AttentionTrace, float]]
Projected = tuple[nn.Module, Tensor, Tensor]  # the map that made a q, what it read and what it made


@dataclass(slots=True)
class AttentionCall:
    """One attention layer of one forward pass: who called, with which hidden states, and what came out."""

    module: nn.Module
    x: Tensor | None  # n_q × d_model
    memory: Tensor | None  # n_k × d_memory; the same tensor as x in self-attention
    q: Tensor  # as the model gave it: h × n_q × d_k
    k: Tensor
    again: Again  # computes the trace, and the factor of its scores
    kept: AttentionTrace | None  # None for a long text
    factor: float
    softcap: float | None
    places: tuple[Place, ...]  # in the model's lists of modules
    merged: bool  # whether its keys are those of x and, after them, others
    maps: int = 1
    projected: Projected | None = None  # in a run with a graph

    @property
    def trace(self) -> AttentionTrace:
        return self.again()[0] if self.kept is None else self.kept

    @property
    def shape(self) -> tuple[int, int]:
        """How many queries and keys."""
        return self.q.shape[-2], self.k.shape[-2]


@dataclass(slots=True)
class Recorder:
    """What one run collects. It lives in a ContextVar, so runs in other threads never see it."""

    name: str = ""
    settings: Settings = DEFAULT
    grad: bool = False
    running: Sequence[Place] = ()
    calls: list[AttentionCall] = field(default_factory=list)
    inputs: dict[int, tuple[Tensor | None, Tensor | None]] = field(default_factory=dict)
    entered: nn.Module | None = None  # whose forward made the last call
    query_scales: Sequence[float] = ()  # what each layer multiplies q by before it hands it over
    projected: Projected | None = None  # of the next q

    def goes_on(self, module: nn.Module, q: Tensor, k: Tensor) -> bool:
        """Whether it is the last layer, which weighs further values with the same q and k."""
        if self.entered is not module or id(module) in self.inputs:
            return False
        last = self.calls[-1]
        return torch.equal(last.q, q) and torch.equal(last.k, k)


_RECORDER: ContextVar[Recorder | None] = ContextVar("recorder", default=None)


@contextlib.contextmanager
def recording(
    name: str, settings: Settings = DEFAULT, grad: bool = False, query_scales: Sequence[float] = ()
) -> Iterator[Recorder]:
    """What the attention calls of one forward pass of this model leave, under these settings."""
    recorder = Recorder(name, settings, grad, query_scales=query_scales)
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
    AttentionInterface.register(IMPLEMENTATION, _attention)
    AttentionMaskInterface.register(IMPLEMENTATION, eager_mask)


def _attention(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    scaling: float | None = None,
    softcap: float | None = None,
    position_bias: Tensor | None = None,
    **others: object,
) -> tuple[Tensor, Tensor]:
    """The attention of every transformers model: (b, h, n, d) in, (b, n, h, d) and the weights out."""
    recorder = _RECORDER.get() or Recorder()
    _refuse(others, recorder.name or type(module).__name__)
    batch, n_head = query.shape[:2]
    allowed, bias = _masks(attention_mask, position_bias, query, key)
    # A run is one sequence: its trace has no batch axis. What a model itself splits (windows) stands side by side.
    query, key, value = (stage.flatten(0, 1) for stage in (query, key, value))
    if recorder.grad:  # the weights of the model are frozen, so a graph has to begin at the q, k, v of the first layer
        query, key, value = (t if t.requires_grad else t.requires_grad_() for t in (query, key, value))
    goes_on = recorder.goes_on(module, query, key)
    place = len(recorder.calls) - goes_on
    again = partial(
        attend_under,
        recorder.settings,
        place,
        query,
        key,
        value,
        scaling=by(query.shape[-1] ** -0.5 if scaling is None else float(scaling)),
        allowed=allowed,
        bias=bias,
        softcap=softcap,
        query_scale=recorder.query_scales[place] if recorder.query_scales else 1.0,
    )
    trace = _go_on(recorder, again) if goes_on else _begin(recorder, module, again, query, key, softcap)
    context, weights = (stage.unflatten(0, (batch, n_head)) for stage in (trace.context, trace.weights))
    return context.transpose(1, 2).contiguous(), weights


def _refuse(others: Mapping[str, object], name: str) -> None:
    """A tensor whose meaning is unknown may change the weights, so there is no going on without it."""
    for keyword, value in others.items():
        if isinstance(value, Tensor) and keyword not in SAID_ELSEWHERE:
            raise ModelError("sinks" if keyword in SINKS else "keyword", name, keyword)


def _begin(
    recorder: Recorder, module: nn.Module, again: Again, q: Tensor, k: Tensor, softcap: float | None
) -> AttentionTrace:
    """A layer's attention."""
    trace, factor = again()
    recorder.entered = module if id(module) in recorder.inputs else None
    x, memory = recorder.inputs.pop(id(module), (None, None))
    merged = False
    if x is not None and memory is not None and memory is not x and k.shape[-2] == len(x) + len(memory):
        merged, memory = True, torch.cat([x, memory])  # one softmax over the tokens of both (T5Gemma 2)
    kept = None if trace.weights.numel() > LONG and not recorder.grad else trace
    places = tuple(recorder.running)
    call = AttentionCall(module, x, memory, q, k, again, kept, factor, softcap, places, merged)
    call.projected, recorder.projected = recorder.projected, None
    recorder.calls.append(call)
    return trace


def _go_on(recorder: Recorder, further: Callable[..., tuple[AttentionTrace, float]]) -> AttentionTrace:
    """The last layer weighs further values with the weights it has: they stand beside the others."""
    last = recorder.calls[-1]
    trace, _ = further(weights=last.trace.weights)
    if last.kept is not None:
        last.kept = _beside(last.kept, trace)
    last.again = partial(_again_beside, last.again, further)
    last.maps += 1
    return trace


def _again_beside(first: Again, further: Callable[..., tuple[AttentionTrace, float]]) -> tuple[AttentionTrace, float]:
    trace, factor = first()
    return _beside(trace, further(weights=trace.weights)[0]), factor


def _beside(first: AttentionTrace, second: AttentionTrace) -> AttentionTrace:
    joined = {name: torch.cat([getattr(first, name), getattr(second, name)], dim=-1) for name in ("v", "context")}
    return replace(first, **joined)


def _masks(
    attention_mask: Tensor | None, position_bias: Tensor | None, q: Tensor, k: Tensor
) -> tuple[Tensor | None, Tensor | None]:
    """Where all that is added to the scores allows a pair, and what it adds there; None for everywhere and nothing."""
    allowed, bias = _split_mask(attention_mask, q, k)
    if position_bias is not None:
        apart, extra = _split_mask(position_bias, q, k)
        allowed = apart if allowed is None else allowed if apart is None else allowed & apart
        bias = extra if bias is None else bias if extra is None else bias + extra
    return allowed, bias


def _split_mask(mask: Tensor | None, q: Tensor, k: Tensor) -> tuple[Tensor | None, Tensor | None]:
    """transformers adds the lowest finite number to forbid a pair. Split that from what is a real bias."""
    if mask is None:
        return None, None
    mask = mask[(None,) * (4 - mask.ndim)][..., -q.shape[-2] :, : k.shape[-2]]
    mask = mask[0] if q.shape[0] == 1 else mask.expand(*q.shape[:2], -1, -1).flatten(0, 1)
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
    if not isinstance(x, Tensor) or x.ndim != 3 or len(x) != 1:  # not one sequence of vectors
        recorder.inputs[id(module)] = None, None
        return
    rest = [kwargs.get("key_value_states"), kwargs.get("encoder_hidden_states"), *args[1:2]]
    memory = next((item for item in rest if isinstance(item, Tensor) and item.ndim == x.ndim), x)
    asks = x[0]
    recorder.inputs[id(module)] = (asks, asks if memory is x else memory[0])


def remember_query(module: nn.Module, args: tuple[Any, ...], output: Tensor) -> Tensor | None:
    """Hook of every map that makes a q: a run with a graph may be asked for the gradient of that map."""
    recorder = _RECORDER.get()
    if recorder is None or not recorder.grad:
        return None
    if not output.requires_grad:
        output.requires_grad_()
    recorder.projected = module, args[0], output
    return output.clone()  # a model may go on in place
