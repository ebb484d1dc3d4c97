"""What every model of the product is: tokens in, one trace per attention layer out."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, Protocol, overload, runtime_checkable
from weakref import WeakValueDictionary

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from attention_core import masks
from attention_core.attention import AttentionTrace, attend
from attention_core.models.built import Built, QuerySource
from attention_core.models.remarks import Remarks
from attention_core.multihead import mix, project
from attention_core.normalizers import NORMALIZERS
from attention_core.scalings import SCALINGS, Scaling, by

Stack = Literal["layer", "encoder", "decoder", "cross", "merged"]
CROSSING: tuple[Stack, ...] = ("cross", "merged")  # their columns are, or are also, tokens of another sequence
MASKS = ("none", "causal", "window")
INPUT_SCALE_RANGE = (0.1, 16.0)
TEMPERATURE_RANGE = (0.05, 20.0)
LONG = 2**17  # numbers in one stage of one layer from which on stages are computed when somebody looks, and not kept


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the reader changes inside a model. Hashable, so it is also a cache key.

    `scaling` is "model" (what the model was built with) or a key of SCALINGS; `input_scale` α multiplies q and k, so
    their products grow as α²; `temperature` T divides the scaled scores; `mask` is added to the model's own and can
    only forbid; `radius` is the half-width of the window in tokens; `layers` are the attention layers, counted from
    0, in which all this holds (None: all); `ablated` heads, as (layer, head), hand on nothing.
    Raises ValueError, with a sentence, for a value outside its range.
    """

    scaling: str = "model"
    input_scale: float = 1.0
    temperature: float = 1.0
    normalizer: str = "softmax"
    mask: str = "none"
    radius: int = 2
    layers: tuple[int, ...] | None = None
    ablated: frozenset[tuple[int, int]] = frozenset()

    def __post_init__(self) -> None:
        if self.scaling not in ("model", *SCALINGS):
            raise ValueError(f"the scaling rule must be model, {', '.join(SCALINGS)}; not {self.scaling!r}")
        if self.normalizer not in NORMALIZERS:
            raise ValueError(f"the normalizer must be {', '.join(NORMALIZERS)}; not {self.normalizer!r}")
        if self.mask not in MASKS:
            raise ValueError(f"the mask must be {', '.join(MASKS)}; not {self.mask!r}")
        if self.radius < 0:
            raise ValueError(f"the window radius must be 0 or more tokens, not {self.radius}")
        for name, value, (low, high) in (
            ("input scale", self.input_scale, INPUT_SCALE_RANGE),
            ("temperature", self.temperature, TEMPERATURE_RANGE),
        ):
            if not low <= value <= high:
                raise ValueError(f"the {name} must lie between {low} and {high}, not {value}")

    def within(self, layer: int) -> "Settings":
        """The settings as layer `layer` feels them: the defaults, but for ablation, outside `layers`."""
        return self if self.layers is None or layer in self.layers else Settings(ablated=self.ablated)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """A text as the model reads it. `ids`: their rows in its embedding, none where each vector is drawn from a digest.
    `dropped` counts the tokens cut off at the model's limit, `unknown` those that it reads as one and the same token,
    `framing` the special tokens that the model puts around every text.
    """

    strings: tuple[str, ...]
    ids: tuple[int, ...] = ()
    dropped: int = 0
    unknown: int = 0
    framing: int = 0
    remarks: Remarks = field(default_factory=Remarks)

    def __len__(self) -> int:
        return len(self.strings)

    @property
    def blank(self) -> bool:
        """Whether there is nothing of the text itself in it."""
        return len(self) <= self.framing


@dataclass(frozen=True, slots=True)
class LayerName:
    """Which attention layer: its stack, its number in that stack from 1, and how many heads it has.

    `of`: how many layers the stack has, where only some of them have attention to show (hybrids); the number is then
    the one the model itself counts. `maps`: how often the layer weighs values with the same q and k (2 in differential
    attention, Ye et al. 2024, arXiv:2410.05258); the maps are equal, and what they weigh stands side by side in v.
    """

    stack: Stack
    number: int
    n_head: int
    of: int | None = None
    maps: int = 1


def layer_numbers(layers: Sequence[LayerName]) -> tuple[int, ...]:
    """What links and files call these layers: in one stack each layer's own number, in several its place among all."""
    if any(layer.stack != "layer" for layer in layers):
        return tuple(range(1, len(layers) + 1))
    return tuple(layer.number for layer in layers)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Projections:
    """W_Q, W_K, W_V and W_O of one layer, one matrix per head, with their biases where the model has them."""

    W_Q: Float[Tensor, "h d_model d_k"] | None = None
    W_K: Float[Tensor, "h d_memory d_k"] | None = None
    W_V: Float[Tensor, "h d_memory d_v"] | None = None
    W_O: Float[Tensor, "h d_v d_out"] | None = None
    b_Q: Float[Tensor, "h d_k"] | None = None
    b_K: Float[Tensor, "h d_k"] | None = None
    b_V: Float[Tensor, "h d_v"] | None = None
    b_O: Float[Tensor, " d_out"] | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, weakref_slot=True)
class LayerTrace:
    """One attention layer of one run: what went in, the matrices, every stage of every head (first axis: head).

    `source` is there in a run with a graph, and where W_Q is known.
    """

    index: int
    name: LayerName
    queries: tuple[str, ...]
    keys: tuple[str, ...]
    x: Float[Tensor, "n_q d_model"] | None
    memory: Float[Tensor, "n_k d_memory"] | None
    projections: Projections
    attention: AttentionTrace
    factor: float
    softcap: float | None
    settings: Settings
    built: Built = field(default_factory=Built)
    source: QuerySource | None = None

    @property
    def allowed(self) -> Bool[Tensor, "h n_q n_k"]:
        """True where a query may attend to a key, by the mask of the model and the reader's together."""
        return ~self.attention.masked_scores.isneginf()

    @property
    def plain_q(self) -> Float[Tensor, "h n_q d_k"]:
        """q without the factor by which some models have multiplied it before they compare it with the keys."""
        scale = self.built.query_scale
        return self.attention.q if scale == 1.0 else self.attention.q / scale

    @property
    def own_scale(self) -> float:
        """What a model multiplies q·k by as it is built, in q and in the scores; under a rule of the reader's, that."""
        return self.factor * self.settings.temperature * self.built.query_scale

    def head(self, head: int) -> AttentionTrace:
        """The stages of one head."""
        return self.attention.map(lambda stage: stage[head])

    def projected(self, name: Literal["q", "k", "v"]) -> Float[Tensor, "h n d"] | None:
        """x W + b for q, k or v, times the input scale for q and k; None where the matrix is not exposed."""
        source = self.x if name == "q" else self.memory
        W, b = (getattr(self.projections, f"{kind}_{name.upper()}") for kind in "Wb")
        if source is None or W is None:
            return None
        return project(source, W, b) * (1.0 if name == "v" else self.settings.input_scale)

    def output(self) -> Float[Tensor, "n_q d_out"] | None:
        """Concat(head_1, …, head_h) W_O + b_O; None where W_O is not exposed."""
        W_O = self.projections.W_O
        return None if W_O is None else mix(self.attention.context, W_O, self.projections.b_O)


class Recomputed(Sequence[LayerTrace]):
    """The layers of a long text. Each is computed from its q, k and v when it is asked for and nobody holds it: the
    same bits, and only O(n) memory between, where the stages of 512 tokens take 50 MB a layer.
    """

    def __init__(self, layers: Sequence[Callable[[], LayerTrace]]) -> None:
        self.parts = tuple(layers)
        self._held: WeakValueDictionary[int, LayerTrace] = WeakValueDictionary()

    @overload
    def __getitem__(self, index: int) -> LayerTrace: ...

    @overload
    def __getitem__(self, index: slice) -> "Recomputed": ...

    def __getitem__(self, index: int | slice) -> "LayerTrace | Recomputed":
        if isinstance(index, slice):
            return Recomputed(self.parts[index])
        place = range(len(self.parts))[index]
        layer = self._held.get(place)
        if layer is None:
            layer = self._held[place] = self.parts[place]()
        return layer

    def __len__(self) -> int:
        return len(self.parts)


def remade(make: Callable[..., LayerTrace], again: Callable[[], tuple[AttentionTrace, float]]) -> LayerTrace:
    """The layer that `make` makes of its attention, computed again."""
    return make(attention=again()[0])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, weakref_slot=True)
class Run:
    """One text through one model: its tokens, one trace per attention layer, and what the last layer hands on."""

    tokens: Tokens
    layers: Sequence[LayerTrace]
    output: Float[Tensor, "n d_model"]


@runtime_checkable
class Model(Protocol):
    """tokens → list of layer traces. Models hold no state between runs, so one can serve many readers at once.

    `example`: a sentence that it reads, where it does not read every one; else empty.
    """

    name: str
    max_tokens: int
    layers: tuple[LayerName, ...]
    example: str

    def tokenize(self, text: str) -> Tokens:
        """Text → tokens, cut at `max_tokens`. Raises UnknownWords where the model was taught words and not these."""
        ...

    def word_embeddings(self, tokens: Tokens) -> Float[Tensor, "n d"]:
        """One vector per token, before positions."""
        ...

    def run(self, tokens: Tokens, settings: Settings = ..., target: Tokens | None = None, *, grad: bool = False) -> Run:
        """Every attention layer on these tokens; `target` is what a decoder, or a second sequence, reads.

        With `grad` the stages are part of one graph, from the first q, k, v to the output, for `gradients`.
        """
        ...


class UnknownWords(ValueError):
    """A sentence with words the model was never taught."""

    def __init__(self, unknown: Sequence[str], known: Sequence[str]) -> None:
        quoted = ", ".join(f"“{word}”" for word in unknown)
        super().__init__(f"This model does not know {quoted}. It knows these words: {' '.join(known)}")
        self.unknown, self.known = tuple(unknown), tuple(known)


def attend_under(
    settings: Settings,
    layer: int,
    q: Float[Tensor, "*batch n_q d_k"],
    k: Float[Tensor, "*k_batch n_k d_k"],
    v: Float[Tensor, "*k_batch n_k d_v"],
    *,
    scaling: Scaling,
    allowed: Bool[Tensor, "*#mask #n_q #n_k"] | None = None,
    bias: Float[Tensor, "*#mask #n_q #n_k"] | None = None,
    softcap: float | None = None,
    weights: Float[Tensor, "*batch n_q n_k"] | None = None,
    query_scale: float = 1.0,
) -> tuple[AttentionTrace, float]:
    """`attend` under the reader's settings for this layer; also the factor the raw scores were multiplied by.

    `weights`: those of an earlier call with the same q and k, where it is only other values that they weigh.
    `query_scale`: what the model has multiplied q by already; a scaling rule of the reader's takes the place of that.
    """
    felt = settings.within(layer)
    if felt.input_scale != 1.0:
        q, k = q * felt.input_scale, k * felt.input_scale
    rule = scaling if felt.scaling == "model" else SCALINGS[felt.scaling]
    factor = rule.factor(q.shape[-1]) / felt.temperature
    if felt.scaling != "model":
        factor /= query_scale
    extra = _extra_mask(felt, q.shape[-2], k.shape[-2], q.device)
    trace = attend(
        q,
        k,
        v,
        scaling=by(factor),
        normalize=NORMALIZERS[felt.normalizer].apply if weights is None else lambda *_: weights,
        allowed=extra if allowed is None else allowed if extra is None else allowed & extra,
        bias=bias,
        softcap=softcap,
    )
    silent = [head for index, head in felt.ablated if index == layer and head < q.shape[-3]]
    return (_silence(trace, silent) if silent else trace), factor


def _extra_mask(settings: Settings, n_q: int, n_k: int, device: torch.device) -> Tensor | None:
    makers: dict[str, Callable[[], Tensor | None]] = {
        "none": lambda: None,
        "causal": lambda: masks.causal(n_q, n_k, device),
        "window": lambda: masks.window(n_q, n_k, settings.radius, device=device),
    }
    return makers[settings.mask]()


def _silence(trace: AttentionTrace, heads: list[int]) -> AttentionTrace:
    """The trace with the context of these heads at 0: the same as deleting their rows of W_O (Michel et al. 2019)."""
    gate = torch.ones(trace.context.shape[-3], 1, 1, dtype=trace.context.dtype, device=trace.context.device)
    gate[heads] = 0.0
    return replace(trace, context=trace.context * gate)
