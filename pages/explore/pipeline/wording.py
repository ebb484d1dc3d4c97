"""What is said of each stage: its formula, and sentences that are true of the layer at hand. Pure."""

import math

from attention_core import masks
from attention_core.models import LayerTrace
from ui.text import Words

AROUND = {"projected": ("", ""), "turned": ("R(", ")"), "changed": ("f(", ")")}  # what stands around X W


def formula(stage: str, layer: LayerTrace, page: Words) -> str:
    """With biases, turns, cap and mask where the layer has them."""
    match stage:
        case "qkv":
            return rf"${_projection('Q', layer)} \qquad {_projection('K', layer)} \qquad {_projection('V', layer)}$"
        case "masked":
            return rf"$m_{{ij}} = {_masked(layer, page)}$"
        case "weights" if layer.settings.normalizer == "hard":
            return r"$\alpha_{ij} = [\,j = \arg\max_l m_{il}\,]$"
        case "output" if layer.projections.b_O is not None:
            return f"{page['stage.output.formula'].removesuffix('$')} + b^O$"
        case _:
            return page[f"stage.{stage}.formula"]


def _projection(name: str, layer: LayerTrace) -> str:
    """Q = X W^Q and likewise, with all that the layer does to it. Another sequence that answers is M."""
    crossed = layer.memory is not layer.x and name != "Q"
    b = "" if getattr(layer.projections, f"b_{name}") is None else f" + b^{name}"
    way = {"Q": layer.built.query, "K": layer.built.key}.get(name, "projected")
    if name == "V" and layer.projections.W_V is None:
        way = "changed"
    source = "M" if crossed else "X"
    before, after = AROUND[way]
    if name in "QK" and layer.settings.input_scale != 1.0:
        before, after = (rf"\alpha\,{before}", after) if before else (r"\alpha\,(", ")")
    inner = source if way == "changed" else f"{source}W^{name}{b}"
    return f"{name} = {before}{inner}{after}"


def _masked(layer: LayerTrace, page: Words) -> str:
    score = r"c\,s_{ij}" if layer.softcap is None else r"\tilde s_{ij}"
    added = " + b_{ij}" if biased(layer) else ""
    closed = rf"\ \text{{{page['stage.masked.or']}}}\ {{-\infty}}" if _closed(layer) else ""
    return score + added + closed


def biased(layer: LayerTrace) -> bool:
    """Whether the layer adds a bias to its scores, as for positions."""
    trace = layer.attention
    return bool((trace.masked_scores != trace.capped_scores)[layer.allowed].any())


def _closed(layer: LayerTrace) -> bool:
    return not bool(layer.allowed.all())


def sentences(stage: str, layer: LayerTrace, head: int, page: Words) -> str:
    """One sentence or more about a stage."""
    keys = {
        "x": _of_x,
        "W": lambda layer: [sharing("W", layer), "W.fixed"],
        "qkv": _of_qkv,
        "scaled": lambda layer: [f"scaled.{_scaled(layer)}"],
        "masked": lambda layer: _of_mask(layer, head),
        "exp": lambda layer: ["exp.text", "exp.hard" if layer.settings.normalizer == "hard" else "exp.sum"],
        "weights": lambda layer: ["weights.hard" if layer.settings.normalizer == "hard" else "weights.text"],
    }.get(stage, lambda layer: [f"{stage}.text"])(layer)
    values = _values(layer) | (_radius(layer, head) if stage == "masked" else {})
    return ("" if page.language == "zh" else " ").join(page.format(f"stage.{key}", **values) for key in keys)


def _radius(layer: LayerTrace, head: int) -> dict[str, int | float]:
    """Of the window through which a head sees; what takes long to tell is told where it is asked for."""
    return {"radius": masks.kind(layer.allowed[head])[1]}


def _values(layer: LayerTrace) -> dict[str, int | float]:
    """The numbers that the sentences name."""
    trace, built = layer.attention, layer.built
    h, d_k = trace.q.shape[0], trace.q.shape[-1]
    return {
        "h": h,
        "d_k": d_k,
        "d_v": trace.v.shape[-1],
        "factor": layer.factor,
        "temperature": layer.settings.temperature,
        "alpha": layer.settings.input_scale,
        "root": d_k**-0.5,
        "query_scale": built.query_scale,
        "key_heads": built.key_heads,
        "size": h // built.key_heads if built.key_heads else 1,
    }


def _of_x(layer: LayerTrace) -> list[str]:
    keys = ["x.text"]
    if layer.built.normalised:
        keys.append("x.normalised")
    if layer.memory is not layer.x:
        keys.append("x.merged" if layer.name.stack == "merged" else "x.cross")
    return keys


def sharing(what: str, layer: LayerTrace) -> str:
    """The key of what is said of matrices and vectors that heads share, or have each for itself."""
    key_heads = layer.built.key_heads
    return f"{what}.own" if key_heads == 0 else f"{what}.one" if key_heads == 1 else f"{what}.shared"


def _of_qkv(layer: LayerTrace) -> list[str]:
    ways = {layer.built.query, layer.built.key}
    keys = ["qkv.text", *(f"qkv.{way}" for way in ("turned", "changed") if way in ways)]
    if layer.built.query_scale != 1.0:
        keys.append("qkv.scaled")
    return [*keys, "qkv.alpha"] if layer.settings.input_scale != 1.0 else keys


def _scaled(layer: LayerTrace) -> str:
    """Which rule the factor follows: one of the reader's, or the model's own."""
    if layer.settings.scaling != "model":
        return "chosen"
    before, own = layer.built.query_scale, layer.own_scale
    if math.isclose(own, layer.attention.q.shape[-1] ** -0.5, rel_tol=1e-4):
        return "text" if before == 1.0 else "before"
    return "never" if math.isclose(own, 1.0, rel_tol=1e-4) else "own"


def _of_mask(layer: LayerTrace, head: int) -> list[str]:
    name, _ = masks.kind(layer.allowed[head])
    return [*(["masked.biased"] if biased(layer) else []), f"masked.{name}"]
