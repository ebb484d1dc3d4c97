"""One head of one run → the stages of the figure, each a row of panels as a paper would write it. Pure."""

import math
from dataclasses import dataclass, replace

import numpy as np
from torch import Tensor

from attention_core.models import LayerTrace, Run
from attention_core.multihead import concatenate
from attention_core.normalizers import exponentials
from ui.components.canvas import Panel
from ui.numbers import significant

REPEAT_UP_TO = 64  # tokens: in longer texts a stage shows its result only, not its operands again


@dataclass(frozen=True, slots=True)
class Stage:
    """One step: its name in the words of the page, its panels, and what is not exposed here, if anything."""

    key: str
    panels: tuple[Panel, ...]
    missing: tuple[str, ...] = ()


def stages(layer: LayerTrace, head: int) -> list[Stage]:
    """The stages of one head, in the order in which they are computed."""
    trace = layer.head(head)
    short = max(trace.weights.shape) <= REPEAT_UP_TO
    q = _panel("q", trace.q, "query", "d_k", scale="q", title="Q")
    k = _panel("k", trace.k, "key", "d_k", scale="k", title="K")
    v = _panel("v", trace.v, "key", "d_v", scale="v", title="V")
    k_t = _panel("k_t", trace.k.mT, "d_k", "key", scale="k", title="Kᵀ", operator="·", limit=k.limit)
    scores = _panel("scores", trace.scores, "query", "key", title="QKᵀ", operator="=" if short else "")
    masked_scores = _nan_where_forbidden(trace.masked_scores)
    factor = f"× {significant(layer.factor)}"
    scaled = _panel("scaled", trace.scaled_scores, "query", "key", title="c·QKᵀ", operator=factor if short else "")
    stretched, total, _ = exponentials(trace.masked_scores)
    exp = _panel(
        "exp", _masked_like(stretched, trace.masked_scores), "query", "key", scale="positive", title="exp", limit=1.0
    )
    row_sum = _panel("sum", total, "query", "sum", scale="positive", title="Σ", operator="Σ →", labels=False)
    weights = _panel(
        "weights", _masked_like(trace.weights, trace.masked_scores), "query", "key", scale="weights", title="α"
    )
    context = _panel("context", trace.context, "query", "d_v", scale="v", title="αV", operator="=" if short else "")
    concat = concatenate(layer.attention.context)
    made = [
        Stage("x", _known(x_panel(layer)), () if layer.x is not None else ("X",)),
        Stage("W", *_matrices(layer, head)),
        Stage("qkv", (q, k, v)),
        Stage("scores", (q, k_t, scores) if short else (scores,)),
        Stage("scaled", (_again(scores), scaled) if short else (scaled,)),
    ]
    if layer.softcap is not None:
        made.append(Stage("capped", (_panel("capped", trace.capped_scores, "query", "key", title="cap"),)))
    made += [
        Stage("masked", (_panel("masked", masked_scores, "query", "key", title="masked"),)),
        Stage("exp", (exp, row_sum)),
        Stage("weights", (live_panel(layer, head),)),
        Stage("context", (weights, _operand(v), context) if short else (context,)),
        Stage("concat", (_panel("concat", concat, "query", "concat", scale="v", title="Concat"),)),
        _output_stage(layer),
    ]
    return made


def x_panel(layer: LayerTrace) -> Panel | None:
    """The layer input, if the model lets it be seen."""
    return None if layer.x is None else _panel("x", layer.x, "query", "d_model", title="X")


def live_panel(layer: LayerTrace, head: int) -> Panel:
    """The scaled scores of one head at T = 1, of which the browser shows the weights; hard weights as they are."""
    trace = layer.head(head)
    if layer.settings.normalizer != "softmax":
        shown = _masked_like(trace.weights, trace.masked_scores)
        return _panel("weights", shown, "query", "key", scale="weights", title="α")
    forbidden = trace.masked_scores.isneginf()
    scores = trace.scaled_scores.masked_fill(forbidden, math.nan) * layer.settings.temperature
    bias = (trace.masked_scores - trace.capped_scores).masked_fill(forbidden, 0.0)
    panel = _panel("weights", scores, "query", "key", scale="weights", title="α", live=True, limit=1.0)
    return replace(panel, bias=bias.numpy() if bool(bias.any()) else None, softcap=layer.softcap)


def ledger(run: Run, layer: LayerTrace) -> list[tuple[str, str, tuple[int, ...], str, int]]:
    """Every tensor of the layer: symbol, meaning as a key of the words, shape, dtype, bytes."""
    trace, projections = layer.attention, layer.projections
    named: list[tuple[str, str, Tensor | None]] = [
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
    return [
        (symbol, key, tuple(tensor.shape), str(tensor.dtype).removeprefix("torch."), tensor.numel() * tensor.itemsize)
        for symbol, key, tensor in named
        if tensor is not None
    ]


def arrays(layer: LayerTrace, head: int) -> dict[str, np.ndarray]:
    """Every stage of one head by name, and the biases of its projections, to take away."""
    found = {panel.name: panel.values for stage in stages(layer, head) for panel in stage.panels if panel.name != "k_t"}
    biases = {f"b_{name}": getattr(layer.projections, f"b_{name}") for name in "QKVO"}
    found |= {name: (b if name == "b_O" else b[head]).numpy() for name, b in biases.items() if b is not None}
    return found | {"weights": layer.head(head).weights.numpy()}


def _panel(name: str, values: Tensor, rows: str, cols: str, **options: str | float | bool | None) -> Panel:
    note = " × ".join(map(str, values.shape))
    if "d_model" in (rows, cols) and "limit" not in options:
        options["limit"] = _most(values)
    return Panel(name=name, values=values.numpy(), rows=rows, cols=cols, note=note, **options)  # type: ignore[arg-type]


def _again(panel: Panel) -> Panel:
    """A result as the first operand of the next stage."""
    return Panel(
        name=panel.name, values=panel.values, rows=panel.rows, cols=panel.cols, title=panel.title, note=panel.note
    )


def _operand(panel: Panel) -> Panel:
    return Panel(
        name=panel.name,
        values=panel.values,
        rows=panel.rows,
        cols=panel.cols,
        scale=panel.scale,
        title=panel.title,
        note=panel.note,
        operator="·",
    )


def _known(panel: Panel | None) -> tuple[Panel, ...]:
    return () if panel is None else (panel,)


def _matrices(layer: LayerTrace, head: int) -> tuple[tuple[Panel, ...], tuple[str, ...]]:
    found, missing = [], []
    for name, cols in (("Q", "d_k"), ("K", "d_k"), ("V", "d_v")):
        W = getattr(layer.projections, f"W_{name}")
        if W is None:
            missing.append(f"W_{name}")
        else:
            found.append(_panel(f"W_{name}", W[head], "d_model", cols, scale=name.lower(), title=f"W_{name}"))
    return tuple(found), tuple(missing)


def _output_stage(layer: LayerTrace) -> Stage:
    output, W_O = layer.output(), layer.projections.W_O
    if output is None or W_O is None:
        return Stage("output", (), ("W_O",))
    return Stage(
        "output",
        (
            _panel("W_O", W_O.flatten(0, 1), "concat", "d_model", title="W_O", operator="Concat ·"),
            _panel("output", output, "query", "d_model", title="output", operator="="),
        ),
    )


def _most(values: Tensor) -> float:
    """What 199 of 200 values stay below: a single outlier component would leave the rest without colour."""
    return float(np.quantile(values.abs().numpy(), 0.995)) or 1.0


def _nan_where_forbidden(scores: Tensor) -> Tensor:
    return scores.masked_fill(scores.isneginf(), math.nan)


def _masked_like(values: Tensor, masked_scores: Tensor) -> Tensor:
    return values.masked_fill(masked_scores.isneginf(), math.nan)
