"""One head of one layer → the stages of the figure, each a row of panels as a paper would write it. Pure."""

from dataclasses import dataclass, replace

import numpy as np
from torch import Tensor

from attention_core.attention import AttentionTrace
from attention_core.models import LayerTrace
from attention_core.multihead import concatenate
from attention_core.normalizers import exponentials
from ui.components.canvas import Panel
from ui.numbers import significant
from ui.weights import live_panel, masked_like, weights_panel

REPEAT_UP_TO = 64  # tokens: in longer texts a stage shows its result only, not its operands again
AXES = {  # of every panel: what its rows and its columns count
    "x": ("query", "d_model"),
    "q": ("query", "d_k"),
    "k": ("key", "d_k"),
    "v": ("key", "d_v"),
    "k_t": ("d_k", "key"),
    "sum": ("query", "sum"),
    "context": ("query", "d_v"),
    "concat": ("query", "concat"),
    "output": ("query", "d_model"),
    "W_Q": ("d_model", "d_k"),
    "W_K": ("d_model", "d_k"),
    "W_V": ("d_model", "d_v"),
    "W_O": ("concat", "d_model"),
} | dict.fromkeys(
    ("scores", "scaled", "soft_scores", "soft_scaled", "capped", "masked", "exp", "weights"), ("query", "key")
)
CALLED: dict[str, str] = dict.fromkeys(
    ("x", "concat", "output"), "token"
)  # rows that are tokens, not queries, though as many


@dataclass(frozen=True, slots=True)
class Stage:
    """One step: its name in the words of the page, its panels, those below them, and what is not exposed here, if
    anything. `idle`: it changes nothing.
    """

    key: str
    panels: tuple[Panel, ...]
    missing: tuple[str, ...] = ()
    below: tuple[Panel, ...] = ()
    idle: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """Of its panels; first what it comes to, which is explained to whoever reads it."""
        ends = [panel.name for panel in self.panels if panel.operator.startswith(("=", "×"))]
        return *ends, *(panel.name for panel in (*self.panels, *self.below) if panel.name not in ends)


def stages(layer: LayerTrace, head: int) -> list[Stage]:
    """The stages of one head, in the order in which they are computed."""
    trace = layer.head(head)
    return [
        _input(layer),
        _matrices(layer, head),
        *_scores(layer, trace),
        *_weights(layer, head, trace),
        *_outputs(layer),
    ]


def panel_shapes(layer: LayerTrace) -> dict[str, tuple[int, int]]:
    """Rows and columns of every panel of the stages, without drawing them."""
    trace, projections = layer.attention, layer.projections
    n_head, n_q, d_k = trace.q.shape
    _, n_k, d_v = trace.v.shape
    shapes = {"q": (n_q, d_k), "k": (n_k, d_k), "v": (n_k, d_v), "context": (n_q, d_v), "sum": (n_q, 1)}
    shapes |= dict.fromkeys(("scores", "scaled", "masked", "exp", "weights"), (n_q, n_k))
    shapes["concat"] = (n_q, n_head * d_v)
    if layer.softcap is not None:
        shapes["capped"] = (n_q, n_k)
    if _short(trace):
        shapes["k_t"] = (d_k, n_k)
        shapes |= dict.fromkeys(("soft_scores", "soft_scaled"), (n_q, n_k))
    if layer.x is not None:
        shapes["x"] = (n_q, layer.x.shape[-1])
    for name in ("W_Q", "W_K", "W_V"):
        if (W := getattr(projections, name)) is not None:
            shapes[name] = (W.shape[1], W.shape[2])
    if projections.W_O is not None:
        d_out = projections.W_O.shape[-1]
        shapes |= {"W_O": (n_head * d_v, d_out), "output": (n_q, d_out)}
    return shapes


def arrays(layer: LayerTrace, head: int) -> dict[str, np.ndarray]:
    """Every stage of one head by name, and the biases of its projections, to take away."""
    panels = (panel for stage in stages(layer, head) for panel in stage.panels)
    taken = {panel.name: panel.values for panel in panels if panel.name != "k_t"}
    for name in "QKVO":
        b = getattr(layer.projections, f"b_{name}")
        if b is not None:
            taken[f"b_{name}"] = (b if name == "O" else b[head]).numpy()
    return taken | {"weights": layer.head(head).weights.numpy()}


def _input(layer: LayerTrace) -> Stage:
    if layer.x is None:
        return Stage("x", (), ("X",))
    return Stage("x", (_panel("x", layer.x, "query", "d_model", title="X"),))


def _matrices(layer: LayerTrace, head: int) -> Stage:
    panels, missing = [], []
    for name, cols in (("Q", "d_k"), ("K", "d_k"), ("V", "d_v")):
        W = getattr(layer.projections, f"W_{name}")
        if W is None:
            missing.append(f"W_{name}")
        else:
            panels.append(_panel(f"W_{name}", W[head], "d_model", cols, scale=name.lower(), title=f"W_{name}"))
    return Stage("W", tuple(panels), tuple(missing))


def _scores(layer: LayerTrace, trace: AttentionTrace) -> list[Stage]:
    """Q, K and V, and what becomes of the scores up to the mask."""
    short = _short(trace)
    q = _panel("q", trace.q, "query", "d_k", scale="q", title="Q")
    k = _panel("k", trace.k, "key", "d_k", scale="k", title="K")
    k_t = _panel("k_t", trace.k.mT, "d_k", "key", scale="k", title="Kᵀ", operator="·", limit=k.limit)
    most = _largest(trace.scores, trace.scaled_scores)  # one scale for both: scaling is seen to pale them
    scores = _panel("scores", trace.scores, "query", "key", title="QKᵀ", operator="=" if short else "", limit=most)
    factor = f"× {significant(layer.factor)}" if short else ""
    scaled = _panel("scaled", trace.scaled_scores, "query", "key", title="c·QKᵀ", operator=factor, limit=most)
    masked_scores = masked_like(trace.masked_scores, trace.masked_scores)
    capped = [] if layer.softcap is None else [_panel("capped", trace.capped_scores, "query", "key", title="cap")]
    both = Stage("scaled", (replace(scores, operator=""), scaled), below=_softened(trace))
    return [
        Stage("qkv", (q, k, _values(trace))),
        Stage("scores", (q, k_t, scores) if short else (scores,)),
        both if short else Stage("scaled", (scaled,)),
        *(Stage("capped", (panel,)) for panel in capped),
        Stage(
            "masked",
            (_panel("masked", masked_scores, "query", "key", title="masked"),),
            idle=bool((trace.masked_scores == trace.capped_scores).all()),
        ),
    ]


def _softened(trace: AttentionTrace) -> tuple[Panel, ...]:
    """What softmax makes of the scores before and after scaling: how much softer its rows become."""
    return tuple(
        replace(weights_panel(name, scores.softmax(dim=-1), "weights", title), limit=1.0)
        for name, scores, title in (
            ("soft_scores", trace.scores, "softmax(QKᵀ)"),
            ("soft_scaled", trace.scaled_scores, "softmax(c·QKᵀ)"),
        )
    )


def _weights(layer: LayerTrace, head: int, trace: AttentionTrace) -> list[Stage]:
    """The softmax, and the values it mixes."""
    stretched, total, _ = exponentials(trace.masked_scores)
    exp = masked_like(stretched, trace.masked_scores)
    exp_panel = replace(weights_panel("exp", exp, "positive", "exp"), limit=1.0)
    row_sum = _panel("sum", total, "query", "sum", scale="positive", title="Σ", operator="Σ →", labels=False)
    weights = weights_panel("weights", masked_like(trace.weights, trace.masked_scores), "weights", "α")
    short = _short(trace)
    context = _panel("context", trace.context, "query", "d_v", scale="v", title="αV", operator="=" if short else "")
    mixed = (weights, replace(_values(trace), operator="·"), context) if short else (context,)
    return [
        Stage("exp", (exp_panel, row_sum)),
        Stage("weights", (live_panel(layer, head),)),
        Stage("context", mixed),
    ]


def _outputs(layer: LayerTrace) -> list[Stage]:
    """All heads side by side, and what the layer makes of them."""
    concat = concatenate(layer.attention.context)
    stage = Stage("concat", (_panel("concat", concat, "query", "concat", scale="v", title="Concat"),))
    output, W_O = layer.output(), layer.projections.W_O
    if output is None or W_O is None:
        return [stage, Stage("output", (), ("W_O",))]
    matrix = _panel("W_O", W_O.flatten(0, 1), "concat", "d_model", title="W_O", operator="Concat ·")
    return [
        stage,
        Stage("output", (matrix, _panel("output", output, "query", "d_model", title="output", operator="="))),
    ]


def _values(trace: AttentionTrace) -> Panel:
    return _panel("v", trace.v, "key", "d_v", scale="v", title="V")


def _short(trace: AttentionTrace) -> bool:
    return max(trace.weights.shape[-2:]) <= REPEAT_UP_TO


def _panel(name: str, values: Tensor, rows: str, cols: str, **options: str | float | bool | None) -> Panel:
    note = " × ".join(map(str, values.shape))
    if "d_model" in (rows, cols):
        options["limit"] = _most(values)
    called = CALLED.get(name, "")
    return Panel(name=name, values=values.numpy(), rows=rows, cols=cols, called=called, note=note, **options)  # type: ignore[arg-type]


def _largest(*matrices: Tensor) -> float:
    """The largest finite size of all of them; 1 where there is none."""
    return max(float(values.nan_to_num(0.0, 0.0, 0.0).abs().max()) for values in matrices) or 1.0


def _most(values: Tensor) -> float:
    """What 199 of 200 values stay below: a single outlier component would leave the rest without colour."""
    return float(np.quantile(values.abs().numpy(), 0.995)) or 1.0
