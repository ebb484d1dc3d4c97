"""Mechanisms side by side → panels, tables, words and scripts of the Bench page. Pure.

No mechanism is named here: a row of MECHANISMS without words of its own keeps those of its row.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor

from attention_core import masks
from attention_core.mechanisms import AXES, MECHANISMS, Mechanism, Options, moved, run
from attention_core.mechanisms.bench import SPREADING, WIDTHS, HeadGradient, Result, Spread, entropy
from attention_core.mechanisms.multiplicative import SCALED_DOT
from attention_core.models import LayerTrace
from ui.components.canvas import Panel
from ui.components.lab import Controls, Curves, Film, Item, Line, Plot, Readouts, Slider
from ui.numbers import significant, whole
from ui.session import Study
from ui.snippets import imports, rebuilt
from ui.text import Words

LEAST, MOST = 2, 6  # mechanisms at once
MAX_TOKENS = 64  # queries, and keys: six mechanisms then still answer while you watch
ONE_LINE = 3  # so many maps and their differences fit one line
LABELLED = 24  # tokens whose names have room beside a map
PLACES = {  # how the table says where in a paper a formula stands
    "section": r"section ([\d.]+)",
    "to": r"equations (\d+) to (\d+)",
    "and": r"equations (\d+) and (\d+)",
    "one": r"equation (\d+)",
    "others": r"\b(et al\.)",
    "with": r", with (\w+)",
}
HUES = {"dot": "k", "scaled_dot": "q", "additive": "v"}
COLUMNS = ("entropy", "support", "apart", "d_q", "d_k", "learned", "products", "pointwise", "held", "milliseconds")
COUNTED = {"learned", "products", "pointwise", "held"}  # exact, whatever their size
SUMMED = 1e-4  # a row whose sum is further than this from 1 is not normalised
PER_TOKEN = ("entropy", "support", "apart", "d_q")


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What all mechanisms of the bench share, by value: part of the cache key."""

    study: Study
    layer: int
    memory: str | None = None
    options: Options = field(default_factory=Options)
    mask: str = "none"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Vectors:
    """q of the sentence, k and v of the memory, all heads, cut to MAX_TOKENS; their tokens, and the reader's mask."""

    queries: tuple[str, ...]
    keys: tuple[str, ...]
    q: Float[Tensor, "h n_q d_k"]
    k: Float[Tensor, "h n_k d_k"]
    v: Float[Tensor, "h n_k d_v"]
    allowed: Bool[Tensor, "n_q n_k"] | None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Row:
    """One mechanism on one head. `weights` are NaN where a mask forbids; `apart` is ‖c_i − c_ref,i‖."""

    key: str
    mechanism: Mechanism
    result: Result
    reach: HeadGradient
    weights: Float[Tensor, "n_q n_k"]
    difference: Float[Tensor, "n_q n_k"]
    context: Float[Tensor, "n_q d_v"]
    entropy: Float[Tensor, " n_q"]
    apart: Float[Tensor, " n_q"]

    @property
    def heard(self) -> Bool[Tensor, " n_q"]:
        """The queries that may attend to something."""
        return ~self.weights.isnan().all(dim=-1)

    @property
    def sums(self) -> tuple[float, float]:
        """The smallest and the largest sum of a row of weights, over the queries that may attend to something."""
        found = self.weights[self.heard].nansum(dim=-1)
        return (float(found.min()), float(found.max())) if len(found) else (0.0, 0.0)

    def per_token(self, name: str) -> Float[Tensor, " n_q"]:
        """A measure of PER_TOKEN for every query."""
        made = {"entropy": self.entropy, "support": self.entropy.exp(), "apart": self.apart}
        return made[name] if name in made else self.reach.q.norm(dim=-1)

    def number(self, name: str) -> float:
        """A measure of COLUMNS for the head; entropy and support are means over the queries that attend to a key."""
        cost = self.result.cost
        costs = {"learned": self.result.learned, "products": cost.products, "pointwise": cost.pointwise}
        costs |= {"held": cost.held, "milliseconds": self.result.seconds * 1e3}
        norms = {"apart": self.apart, "d_q": self.reach.q, "d_k": self.reach.k}
        if name in costs:
            return float(costs[name])
        return float(norms[name].norm()) if name in norms else float(self.per_token(name).nanmean())


def one_per_axis(table: Mapping[str, Mechanism]) -> list[str]:
    """What the bench opens with: the first row, and for each axis the first row that moves on it."""
    first, *others = table
    found = [first]
    for axis in AXES:
        found += [key for key in others if axis in moved(table[first], table[key]) and key not in found][:1]
    return found[:MOST]


def vectors(own: LayerTrace, memory: LayerTrace, mask: str, radius: int) -> Vectors:
    """The layer's q, and k and v of the layer on the memory. The model's own mask is left behind.

    Under the reader's, query i stands at key i, as in the mechanisms with a window, however long the memory is.
    """
    q, k, v = own.attention.q[:, :MAX_TOKENS], memory.attention.k[:, :MAX_TOKENS], memory.attention.v[:, :MAX_TOKENS]
    n_q, n_k = q.shape[-2], k.shape[-2]
    n = max(n_q, n_k)
    makers = {"causal": lambda: masks.causal(n, n), "window": lambda: masks.window(n, n, radius)}
    return Vectors(
        queries=own.queries[:MAX_TOKENS],
        keys=memory.keys[:MAX_TOKENS],
        q=q,
        k=k,
        v=v,
        allowed=makers[mask]()[:n_q, :n_k] if mask in makers else None,
    )


def rows(found: Mapping[str, tuple[Result, HeadGradient]], reference: str, head: int) -> list[Row]:
    """One head of every result, beside that of the reference."""
    base = found[reference][0].trace
    closed_base = base.masked_scores[head].isneginf()
    made = []
    for key, (result, reach) in found.items():
        trace = result.trace
        weights, context = trace.weights[head], trace.context[head]
        closed = trace.masked_scores[head].isneginf()
        made.append(
            Row(
                key=key,
                mechanism=MECHANISMS[key],
                result=result,
                reach=reach,
                weights=weights.masked_fill(closed, torch.nan),
                difference=(weights - base.weights[head]).masked_fill(closed & closed_base, torch.nan),
                context=context,
                entropy=entropy(weights),
                apart=(context - base.context[head]).norm(dim=-1),
            )
        )
    return made


# --- words ---


def title(key: str, mechanism: Mechanism, page: Words) -> str:
    """Its name in the reader's language, else that of its row."""
    return page.get(f"mechanism.{key}.title", mechanism.title)


def short(key: str, mechanism: Mechanism, page: Words) -> str:
    """The name without what stands in brackets, for the head of a small map."""
    return re.split(r" ?[(（]", title(key, mechanism, page))[0]


def gradient(key: str, mechanism: Mechanism, page: Words) -> str:
    """What reaches q and k, in the reader's language, else as its row says it."""
    return page.get(f"mechanism.{key}.gradient", mechanism.gradient)


def value(mechanism: Mechanism, axis: str, page: Words) -> str:
    """What stands on an axis, in the reader's language where there are words for it."""
    own = getattr(mechanism, axis)
    return page.get(f"value.{own}", own)


def differences(mechanism: Mechanism, reference: Mechanism, page: Words, *, whole: bool = True) -> str:
    """On which axes it differs: "score: dot → general"; the names alone unless `whole`."""
    axes = moved(reference, mechanism)
    if not axes:
        return page["nothing_moved"]
    if not whole:
        return _joined("between", [page[f"axis.{axis}"] for axis in axes], page)
    steps = [
        page.data(
            "from_to",
            axis=page[f"axis.{axis}"],
            before=value(reference, axis, page),
            after=value(mechanism, axis, page),
        )
        for axis in axes
    ]
    return _joined("then", steps, page)


def _joined(key: str, texts: Sequence[str], page: Words) -> str:
    return reduce(lambda one, other: page.data(key, one=one, other=other), texts)


def cited(reference: str, page: Words) -> str:
    """The reference in the reader's language, its arXiv number as a link."""
    for kind, pattern in PLACES.items():
        reference = re.sub(pattern, lambda found, kind=kind: page[f"cite.{kind}"].format(*found.groups()), reference)
    return re.sub(r"arXiv:(\d{4}\.\d{4,5})", r"[arXiv:\1](https://arxiv.org/abs/\1)", reference)


def formula(mechanism: Mechanism, page: Words) -> str:
    """Its formula, the words in it in the reader's language."""
    return re.sub(
        r"\\text\{ (where|unless) \}", lambda found: rf"\text{{ {page[f'cite.{found[1]}']} }}", mechanism.formula
    )


def subscripts(text: str) -> str:
    """Plain text as Markdown in which d_k and p_t have real subscripts."""
    return re.sub(r"([A-Za-zΑ-Ωα-ω])_([a-z](?![a-z])|\{[^}]*\})", r"$\1_\2$", text)


# --- pictures ---


def maps(found: Sequence[Row], reference: str, page: Words) -> list[list[Panel]]:
    """Weights, and α − α_ref: in one line where there is room, else each difference under its map."""
    largest = max(float(row.difference.nan_to_num().abs().max()) for row in found) or 1.0
    few = len(found) <= ONE_LINE
    names = max(found[0].weights.shape) <= LABELLED
    shape: dict[str, Any] = {"rows": "query", "cols": "key"}
    weights = [
        Panel(
            name=f"weights_{row.key}",
            values=row.weights.numpy(),
            scale="weights",
            title=short(row.key, row.mechanism, page),
            note=page["reference_mark"] if row.key == reference else "",
            labels=names and few,
            **shape,
        )
        for row in found
    ]
    apart = [
        Panel(
            name=f"difference_{row.key}",
            values=row.difference.numpy(),
            limit=largest,
            title=short(row.key, row.mechanism, page),
            note=page["difference_mark"],
            labels=False,
            **shape,
        )
        for row in found
        if not few or row.key != reference
    ]
    return [weights + apart] if few else [weights, apart]


def contexts(found: Sequence[Row], page: Words) -> list[list[Panel]]:
    """The context vectors of the head, all on one scale."""
    largest = max(float(row.context.abs().max()) for row in found) or 1.0
    panels = [
        Panel(
            name=f"context_{row.key}",
            values=row.context.numpy(),
            rows="query",
            cols="d_v",
            scale="v",
            limit=largest,
            title=short(row.key, row.mechanism, page),
            labels=False,
        )
        for row in found
    ]
    return [panels]


def tokens(found: Sequence[Row], page: Words) -> list[list[Panel]]:
    """One line per mechanism, one column per query."""
    panels = [
        Panel(
            name=f"token_{name}",
            values=torch.stack([row.per_token(name) for row in found]).numpy(),
            rows="query",
            cols="key",
            scale="positive",
            title=page[f"column.{name}"],
            note=page.get(f"unit.{name}", ""),
        )
        for name in PER_TOKEN
    ]
    return [panels[:2], panels[2:]]


def table(found: Sequence[Row], reference: Mechanism, page: Words) -> Mapping[str, Sequence[str | float]]:
    """Every number of the head, mechanisms down."""
    return {
        page["mechanism_label"]: [title(row.key, row.mechanism, page) for row in found],
        page["moved_label"]: [differences(row.mechanism, reference, page, whole=False) for row in found],
        page["column.row_sum"]: [_range(row, page) for row in found],
    } | {
        page[f"column.{name}"]: [whole(row.number(name)) if name in COUNTED else row.number(name) for row in found]
        for name in COLUMNS
    }


def _range(row: Row, page: Words) -> str:
    low, high = row.sums
    return page.data("row_range", low=low, high=high) if not normalised(row) else "1"


def normalised(row: Row) -> bool:
    """Whether every row of weights sums to 1, where anything may be attended to."""
    return all(abs(each - 1) <= SUMMED for each in row.sums) or not bool(row.heard.any())


def remarks(found: Sequence[Row], page: Words) -> list[str]:
    """What the maps do not say by themselves: rows that do not sum to 1, queries that may attend to nothing."""
    said = []
    for row in found:
        name, (low, high) = title(row.key, row.mechanism, page), row.sums
        if not normalised(row):
            said.append(page.data("not_normalised", name=name, low=low, high=high))
        if deaf := int((~row.heard).sum()):
            said.append(page.data("deaf", name=name, count=deaf, all=len(row.heard)))
    return said


def focused(found: Sequence[Row], query: int, page: Words) -> str:
    """The focused query under every mechanism, as a Markdown table."""
    undefined = page["nothing_attended"]
    lines = [
        f"| {page['mechanism_label']} | {page['column.entropy']} | {page['column.support']} | ‖c − c_ref‖ |",
        "|:--|--:|--:|--:|",
    ]
    for row in found:
        values = (float(row.per_token(name)[query]) for name in ("entropy", "support", "apart"))
        cells = " | ".join(significant(each, undefined=undefined) for each in values)
        lines.append(f"| {title(row.key, row.mechanism, page)} | {cells} |")
    return "\n".join(lines)


def lines(found: Sequence[Row], page: Words) -> list[str]:
    """Names of mechanisms as labels of an axis, where an ordinary space would be drawn as in a token."""
    return [short(row.key, row.mechanism, page).replace(" ", "\N{NO-BREAK SPACE}") for row in found]


# --- d_k ---


def spread_films(found: Spread) -> list[Film]:
    """log₁₀ of the standard deviations, largest weights and traces at every d_k."""
    logs = found.std.log10()
    claims = torch.tensor([WIDTHS], dtype=torch.float64).log10().mT / 2
    return [
        Film("std", torch.cat((logs, claims), dim=-1).numpy().astype(np.float32), ("width",)),
        Film("peak", found.peak.numpy().astype(np.float32), ("width",)),
        Film("trace", found.trace.numpy().astype(np.float32), ("width",)),
    ]


def spread_slider(at: int, page: Words) -> Slider:
    """d_k, two stops to an octave."""
    return Slider(
        name="width",
        label="d_k",
        readings=tuple(map(str, WIDTHS)),
        at=at,
        ticks=tuple((index, str(width)) for index, width in enumerate(WIDTHS) if width in (1, 4, 16, 64, 256, 1024)),
        help=page["width_help"],
    )


def spread_plots(page: Words) -> list[Plot]:
    """The slider and its read-outs, then the three curves."""
    names = [title(key, mechanism, page) for key, mechanism in SPREADING.items()]
    hues = [HUES[key] for key in SPREADING]

    def curves(*, named: bool) -> tuple[Line, ...]:
        return tuple(
            Line(start=index, hue=hue, name=name if named else "")
            for index, (name, hue) in enumerate(zip(names, hues, strict=True))
        )

    return [
        Controls(name="controls", stack="left", span=3, sliders=("width",)),
        Readouts(
            name="stds",
            stack="left",
            title=page["spread.std"],
            film="std",
            items=tuple(Item(label=name, start=index, log=True) for index, name in enumerate(names)),
        ),
        Readouts(
            name="peaks",
            stack="left",
            title=page["spread.peak"],
            film="peak",
            items=tuple(Item(label=name, start=index) for index, name in enumerate(names)),
        ),
        Curves(
            name="std", span=3, height=300, film="std", along="width", logs=True, low=-0.5, high=1.75,
            title=page["spread.std"], lines=(*curves(named=True), Line(start=3, hue="ink", name="√d_k", dash=True)),
        ),
        Curves(
            name="peak", span=3, height=300, film="peak", along="width", low=0.0, high=1.0,
            title=page["spread.peak"], lines=curves(named=True),
        ),
        Curves(
            name="trace", span=3, height=300, film="trace", along="width", low=0.0, high=1.0,
            title=page["spread.trace"], lines=curves(named=True),
        ),
    ]  # fmt: skip


# --- evidence ---


def sdpa_residual(here: Vectors) -> float:
    """max |context − torch's own| of scaled dot on these q, k, v and this mask, over queries that may attend."""
    ours = run(SCALED_DOT, here.q, here.k, here.v, parameters={}, allowed=here.allowed).context
    theirs = F.scaled_dot_product_attention(here.q, here.k, here.v, attn_mask=here.allowed)
    heard = slice(None) if here.allowed is None else here.allowed.any(dim=-1)
    return float((ours - theirs)[:, heard].abs().max())


def arrays(found: Sequence[Row]) -> dict[str, np.ndarray]:
    """What the pictures show, for the download."""
    made = {"mechanisms": np.array([row.key for row in found]), "columns": np.array(COLUMNS)}
    made |= {
        f"{name}_{row.key}": getattr(row, name).numpy()
        for row in found
        for name in ("weights", "difference", "context")
    }
    made |= {name: torch.stack([row.per_token(name) for row in found]).numpy() for name in PER_TOKEN}
    made["d_k"] = torch.stack([row.reach.k.norm(dim=-1) for row in found]).numpy()
    return made | {"table": np.array([[row.number(name) for name in COLUMNS] for row in found])}


def snippet(setting: Setting, keys: Sequence[str], reference: str, head: int) -> str:
    """A script that prints the table of this head."""
    study, options = setting.study, setting.options
    memory = "own"
    if setting.memory is not None:
        memory = f"model.run(model.tokenize({setting.memory!a}), settings).layers[{setting.layer}].attention"
    allowed = {
        "causal": "masks.causal(n, n)[:n_q, :n_k]",
        "window": f"masks.window(n, n, {options.radius})[:n_q, :n_k]",
    }.get(setting.mask, "None")
    return f"""# In the folder of Headlight: PYTHONPATH=. .venv/bin/python the_name_of_this_file.py
from attention_core import masks
from attention_core.mechanisms import MECHANISMS, Options
from attention_core.mechanisms.bench import compute, entropy, head_gradient
from attention_core.models import {imports(study)}
from ui.numbers import significant, whole

{rebuilt(study)}
settings = {study.settings!r}
own = model.run(model.tokenize({study.text!a}), settings).layers[{setting.layer}].attention
memory = {memory}
q, k, v = own.q[:, :{MAX_TOKENS}], memory.k[:, :{MAX_TOKENS}], memory.v[:, :{MAX_TOKENS}]
n_q, n_k = q.shape[-2], k.shape[-2]
n = max(n_q, n_k)
head, reference, names = {head}, {reference!r}, {list(keys)!r}
shared = {{"options": {options!r}, "allowed": {allowed}}}

results = {{name: compute(MECHANISMS[name], q, k, v, **shared) for name in names}}
print("mechanism: entropy, |c - c_ref|, |dL/dq|, |dL/dk|, parameters, operations in products")
for name, found in results.items():
    apart = (found.trace.context - results[reference].trace.context)[head].norm()
    slopes = head_gradient(MECHANISMS[name], q, k, v, head=head, **shared)
    numbers = (entropy(found.trace.weights[head]).nanmean(), apart, slopes.q.norm(), slopes.k.norm())
    counts = (whole(found.learned), whole(found.cost.products))
    print(f"{{name}}:", ", ".join([*(significant(float(number)) for number in numbers), *counts]))
"""
