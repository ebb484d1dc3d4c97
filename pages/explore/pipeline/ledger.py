"""Every tensor of a layer: its symbol, what it means, its shape, its dtype, its bytes. Pure."""

from dataclasses import dataclass

from torch import Tensor

from attention_core.models import LayerTrace, Run
from attention_core.multihead import concatenate

REPEATED = ("W_K", "W_V", "b_K", "b_V", "k", "v")  # once a query head, where several share them


@dataclass(frozen=True, slots=True)
class Entry:
    """One tensor. `meaning` is a key of the words of the page."""

    symbol: str
    meaning: str
    shape: tuple[int, ...]
    dtype: str
    bytes: int

    @property
    def size(self) -> str:
        """Its shape, as a paper writes it."""
        return " × ".join(map(str, self.shape))


def ledger(run: Run, layer: LayerTrace) -> list[Entry]:
    """In the order in which they are computed; what is not exposed is left out."""
    trace, projections = layer.attention, layer.projections
    tensors: list[tuple[str, str, Tensor | None]] = [
        ("X", "x", layer.x),
        *((f"W_{name}", f"W_{name}", getattr(projections, f"W_{name}")) for name in "QKV"),
        *((f"b_{name}", f"b_{name}", getattr(projections, f"b_{name}")) for name in "QKV"),
        ("Q", "q", trace.q),
        ("K", "k", trace.k),
        ("V", "v", trace.v),
        ("QKᵀ", "scores", trace.scores),
        ("c·QKᵀ", "scaled", trace.scaled_scores),
        ("masked", "masked", trace.masked_scores),
        ("α", "weights", trace.weights),
        ("αV", "context", trace.context),
        ("Concat", "concat", concatenate(trace.context)),
        ("W_O", "W_O", projections.W_O),
        ("b_O", "b_O", projections.b_O),
        ("output", "output", layer.output()),
        ("last hidden state", "last", run.output),
    ]
    return [_entry(symbol, meaning, tensor) for symbol, meaning, tensor in tensors if tensor is not None]


def _entry(symbol: str, meaning: str, tensor: Tensor) -> Entry:
    dtype = str(tensor.dtype).removeprefix("torch.")
    return Entry(symbol, meaning, tuple(tensor.shape), dtype, tensor.numel() * tensor.itemsize)
