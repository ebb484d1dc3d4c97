"""One layer of multi-head attention with weights nobody has trained: every number follows from the seed."""

from dataclasses import dataclass
from functools import partial
from typing import Literal, Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor

from attention_core.models.base import (
    LONG,
    LayerName,
    LayerTrace,
    Projections,
    Recomputed,
    Run,
    Settings,
    Tokens,
    attend_under,
    remade,
)
from attention_core.models.built import Built, QuerySource, Way, way_back
from attention_core.models.remarks import Remarks
from attention_core.multihead import MultiHeadAttention, project
from attention_core.positions import alibi_bias, rope, sinusoidal
from attention_core.scalings import INVERSE_SQRT
from attention_core.text import digest_embedding, words

Positions = Literal["none", "sinusoidal", "rope", "alibi"]
Source = Literal["embeddings", "digest"]
DEFAULT = Settings()

MAP_SEED = 2**40  # far from the seeds of the layers, 4·seed + 0 … 3: W_Q must not repeat the map that made x


@runtime_checkable
class WordVectors(Protocol):
    """A trained model's tokenizer and word embeddings."""

    def tokenize(self, text: str, *, special: bool = True) -> Tokens:
        """Text → tokens; `special` adds [CLS] and the like."""
        ...

    def word_embeddings(self, tokens: Tokens) -> Float[Tensor, "n d"]:
        """The rows of the embedding matrix."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """What a from-scratch layer is made of. Hashable; raises ValueError for a size that cannot be built."""

    n_head: int = 4
    d_model: int = 64
    d_k: int = 16
    d_v: int = 16
    seed: int = 0
    positions: Positions = "sinusoidal"
    source: Source = "embeddings"

    def __post_init__(self) -> None:
        for name, largest in (("n_head", 32), ("d_model", 1024), ("d_k", 1024), ("d_v", 1024)):
            if not 1 <= getattr(self, name) <= largest:
                raise ValueError(f"{name} must lie between 1 and {largest}, not {getattr(self, name)}")
        if self.positions == "rope" and self.d_k % 2:
            raise ValueError(f"rotary positions turn pairs of components, so d_k must be even, not {self.d_k}")


class FromScratch:
    """An untrained layer: x with unit variance, W_Q, W_K, W_V from N(0, 1/d_model), one seed.

    x comes from the word embeddings of a trained model (`source="embeddings"`: a fixed random map to d_model
    columns, then each vector to mean 0 and variance 1) or from a digest of each word (`source="digest"`: N(0, 1) drawn
    from a BLAKE2b hash, the same in every process). A text of which the trained model's vocabulary lacks more than a
    quarter, so that many words would be one vector, is read by digest too.
    """

    max_tokens = 512
    example = ""  # it reads everything

    def __init__(self, sizes: Sizes, vectors: WordVectors | None = None) -> None:
        if sizes.source == "embeddings" and vectors is None:
            raise ValueError("x from word embeddings needs a model that has them")
        self.name = "from scratch"
        self.sizes = sizes
        self.layers = (LayerName("layer", 1, sizes.n_head),)
        self._vectors = vectors
        self._layer = MultiHeadAttention(
            d_model=sizes.d_model, n_head=sizes.n_head, d_k=sizes.d_k, d_v=sizes.d_v, seed=sizes.seed
        ).requires_grad_(False)

    @property
    def _way(self) -> Way:
        return "turned" if self.sizes.positions == "rope" else "projected"

    def tokenize(self, text: str) -> Tokens:
        """Word pieces of the trained tokenizer, or whole words when x comes from a digest."""
        if self.sizes.source == "digest":
            return self._words(text, Remarks())
        assert self._vectors is not None
        pieces = self._vectors.tokenize(text, special=False)
        return self._words(text, Remarks(digested=True)) if 4 * pieces.unknown > len(pieces) else pieces

    def _words(self, text: str, remarks: Remarks) -> Tokens:
        written, most = words(text), self.max_tokens
        return Tokens(strings=written[:most], dropped=max(0, len(written) - most), remarks=remarks)

    def word_embeddings(self, tokens: Tokens) -> Float[Tensor, "n d_model"]:
        """One unit-variance vector per token, the same wherever it stands."""
        sizes = self.sizes
        if not tokens.ids:
            return digest_embedding(tokens.strings, sizes.d_model, sizes.seed)
        assert self._vectors is not None
        vectors = self._vectors.word_embeddings(tokens)
        return _unit_variance(vectors @ _random_map(vectors.shape[-1], sizes.d_model))

    def embed(self, tokens: Tokens) -> Float[Tensor, "n d_model"]:
        """x: sinusoidal positions, when chosen, are added to the words, and every vector has unit variance again."""
        x, sizes = self.word_embeddings(tokens), self.sizes
        return _unit_variance(x + sinusoidal(len(tokens), sizes.d_model)) if sizes.positions == "sinusoidal" else x

    def run(
        self, tokens: Tokens, settings: Settings = DEFAULT, target: Tokens | None = None, *, grad: bool = False
    ) -> Run:
        """Self-attention on `tokens`, or `target` attending to `tokens` when it is given.

        With `grad` the stages are part of one graph, from q, k, v to the output, for `gradients`.
        """
        memory = self.embed(tokens)
        x = memory if target is None else self.embed(target)
        queries = tokens if target is None else target
        projected, k = (project(source, W) for source, W in ((x, self._layer.W_Q), (memory, self._layer.W_K)))
        if grad:  # the weights are frozen, so a graph has to begin here
            projected.requires_grad_()
        q, bias = projected, None
        if self.sizes.positions == "rope":
            q, k = rope(q), rope(k)
        elif self.sizes.positions == "alibi":
            bias = alibi_bias(self.sizes.n_head, len(queries), len(tokens))
        v = project(memory, self._layer.W_V)
        if grad:
            k, v = (part.requires_grad_() for part in (k, v))
        again = partial(attend_under, settings, 0, q, k, v, scaling=INVERSE_SQRT, bias=bias)
        trace, factor = again()
        make = partial(
            LayerTrace,
            index=0,
            name=self.layers[0] if target is None else LayerName("cross", 1, self.sizes.n_head),
            queries=queries.strings,
            keys=tokens.strings,
            x=x,
            memory=memory,
            projections=Projections(W_Q=self._layer.W_Q, W_K=self._layer.W_K, W_V=self._layer.W_V, W_O=self._layer.W_O),
            factor=factor,
            softcap=None,
            settings=settings.within(0),
            built=Built(query=self._way, key=self._way),
            source=QuerySource(x=x, back=way_back(q, projected)) if grad else None,
        )
        long = trace.weights.numel() > LONG and not grad
        layers = Recomputed([partial(remade, make, again)]) if long else (make(attention=trace),)
        return Run(tokens=queries, layers=layers, output=self._layer.output(trace))


def _random_map(d_from: int, d_to: int) -> Float[Tensor, "d_from d_to"]:
    """The identity where no columns have to change, else a fixed Gaussian map (Johnson & Lindenstrauss 1984)."""
    if d_from == d_to:
        return torch.eye(d_from)
    return torch.randn(d_from, d_to, generator=torch.Generator().manual_seed(MAP_SEED)) * d_from**-0.5


def _unit_variance(x: Float[Tensor, "n d"]) -> Float[Tensor, "n d"]:
    """Each row to mean 0 and variance 1, the assumption behind 1/√d_k."""
    return torch.nn.functional.layer_norm(x, x.shape[-1:], eps=1e-12) if x.shape[-1] > 1 else x.sign()
