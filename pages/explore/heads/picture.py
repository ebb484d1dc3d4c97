"""The first screen: all heads as thumbnails, one of them large, what it does in five numbers."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from hashlib import blake2b

import numpy as np
import streamlit as st
from torch import Tensor

from attention_core.measures import mean_over_heads
from attention_core.models import LayerTrace, Run
from pages.explore.heads import compare
from pages.explore.heads.shared import PORTRAIT_FRAGMENT, show_head, shown_weights, token_chosen, with_unit
from ui.chart import chart
from ui.components.canvas import Drawn, Live, Panel, Pick, Shown, canvas, drawn, mount, overview_codes
from ui.controls import TEMPERATURES, Choice, focus, layer_label, set_temperature, temperature
from ui.errors import fragment
from ui.figures.heads import token_bars
from ui.layout import Arrays, mode
from ui.numbers import significant
from ui.session import answer
from ui.stages import live_panel
from ui.text import Words, words

THUMBNAIL = 96  # pixels a side at most: more could not be told apart on the screen
LIVE_TOKENS = 128  # above it, the heads of a layer together are more than a browser repaints within a frame
ACROSS = 4
PORTRAIT = ("entropy", "distance", "previous", "first", "last")


@dataclass(frozen=True, slots=True, eq=False)
class Thumbnails:
    """All layers × all heads as a canvas; which run they are of, by value; the tokens of the longest axis; for each
    layer the first one with the same tokens on its axes.
    """

    canvas: Drawn
    run: str
    longest: int
    first_alike: tuple[int, ...]


def overview(choice: Choice, run: Run, page: Words) -> Shown:
    """All layers × all heads, one byte a value. They stay the same, byte for byte, whichever head is chosen."""
    thumbnails = answer(("thumbnails", choice.study, page.language), lambda: _thumbnails(run, page))
    if thumbnails.longest > THUMBNAIL:
        st.caption(page.format("overview.pooled", tokens=thumbnails.longest, side=THUMBNAIL))
    mount(thumbnails.canvas, "overview", _thumbnail_chosen)
    first, everywhere = thumbnails.first_alike, choice.study.settings.layers is None
    same = tuple(at for at in range(len(first)) if first[at] == first[choice.layer]) if everywhere else (choice.layer,)
    return Shown(thumbnails.run, (choice.layer, choice.head), same)


def _thumbnails(run: Run, page: Words) -> Thumbnails:
    common = words("controls", page.language)
    codes, names, axes = [], [], []
    for layer in run.layers:  # one at a time: those of a long text are computed when they are looked at
        codes.append(overview_codes(_weights(layer), THUMBNAIL))
        names.append(layer.name)
        axes.append((layer.queries, layer.keys))
    labels = [layer_label(name, common) for name in names]
    digest = blake2b(b"".join(of_layer.tobytes() for of_layer in codes), digest_size=16).hexdigest()
    panels = [
        [
            _thumbnail((layer, head), code, page.data("overview.head", layer=label, head=head + 1))
            for head, code in enumerate(of_layer)
        ]
        for layer, (label, of_layer) in enumerate(zip(labels, codes, strict=True))
    ]
    picture = drawn(
        panels,
        queries=(),
        keys=(),
        words=words("canvas", page.language),
        layout="grid",
        row_titles=labels,
        col_titles=[str(head + 1) for head in range(max(name.n_head for name in names))],
        offers=digest,
        summary=page["overview.summary"],
    )
    longest = max(len(tokens) for pair in axes for tokens in pair)
    return Thumbnails(picture, digest, longest, tuple(map(axes.index, axes)))


def _thumbnail(head: tuple[int, int], codes: np.ndarray, title: str) -> Panel:
    name = f"{head[0]}.{head[1]}"
    return Panel(name=name, values=codes, rows="query", cols="key", scale="weights", title=title, head=head)


def _weights(layer: LayerTrace) -> np.ndarray:
    """The weights of all heads, NaN where masked."""
    masked = layer.attention.masked_scores.isneginf()
    return layer.attention.weights.masked_fill(masked, float("nan")).numpy()


def _thumbnail_chosen(pick: Pick) -> None:
    layer, head = pick.panel.split(".")
    show_head(int(layer), int(head))


def strip(layer: LayerTrace, shown: Shown, page: Words) -> None:
    """The sentence; the query and the key in focus are chosen here."""
    canvas(
        [],
        key="strip_canvas",
        queries=layer.queries,
        keys=layer.keys,
        words=words("canvas"),
        focus=focus(len(layer.queries), len(layer.keys)),
        strip=True,
        shown=shown,
        summary=page["strip"],
        on_pick=token_chosen,
    )


def large(choice: Choice, layer: LayerTrace, show: str, shown: Shown, page: Words) -> Arrays:
    """The chosen head, its whole layer, the mean of its heads, or the weights times the values they carry."""
    together = show == "all"
    too_long = together and max(len(layer.queries), len(layer.keys)) > LIVE_TOKENS
    live = None
    if show in ("head", "all") and layer.settings.normalizer == "softmax" and not too_long:
        live = Live(temperature(), TEMPERATURES, page["temperature"])
    panels = [[_panel(layer, choice.head, show)]] if not together else _of_layer(layer, too_long, page)
    if note := _note(layer, show, too_long, page):
        st.caption(note)
    canvas(
        panels,
        key=f"large_{show}",
        queries=layer.queries,
        keys=layer.keys,
        words=words("canvas"),
        live=live,
        layout="grid" if together else "equation",
        row_titles=_row_titles(len(panels), layer.name.n_head) if together else (),
        shown=shown if show == "head" else None,
        summary=page.data("large.summary", layer=layer_label(layer.name), head=choice.head + 1),
        on_pick=_head_of(choice.layer) if together else token_chosen,
        on_temperature=set_temperature,
    )
    return lambda: large_values(choice, show)


def large_values(choice: Choice, show: str) -> dict[str, np.ndarray]:
    """What `large` shows beyond weights, to take away."""
    if show not in ("mean", "norm"):
        return {}
    return {show: _panel(choice.run().layers[choice.layer], choice.head, show).values}


def _panel(layer: LayerTrace, head: int, show: str) -> Panel:
    if show == "head":
        return live_panel(layer, head)
    masked = layer.attention.masked_scores.isneginf()
    if show == "mean":
        mean = mean_over_heads(layer.attention.weights)
        return _square("mean", mean.masked_fill(masked.all(dim=0), float("nan")), "weights", "ᾱ")
    norms = compare.value_norms(layer, slice(head, head + 1))[0]
    title = "‖α v‖" if layer.projections.W_O is None else "‖α v W_O‖"
    return _square("norm", norms.masked_fill(masked[head], float("nan")), "positive", title)


def _square(name: str, values: Tensor, scale: str, title: str) -> Panel:
    shape = " × ".join(map(str, values.shape))
    return Panel(name=name, values=values.numpy(), rows="query", cols="key", scale=scale, title=title, note=shape)


def _of_layer(layer: LayerTrace, pooled: bool, page: Words) -> list[list[Panel]]:
    name = layer_label(layer.name)
    titles = [page.data("overview.head", layer=name, head=head + 1) for head in range(layer.name.n_head)]
    panels = [
        replace(live_panel(layer, head), name=f"h{head}", title=title, head=(layer.index, head))
        for head, title in enumerate(titles)
    ]
    if pooled:
        codes = overview_codes(_weights(layer), LIVE_TOKENS)
        panels = [replace(panel, values=code, live=False) for panel, code in zip(panels, codes, strict=True)]
    return [panels[start : start + ACROSS] for start in range(0, len(panels), ACROSS)]


def _row_titles(rows: int, n_head: int) -> list[str]:
    ends = [(row * ACROSS + 1, min((row + 1) * ACROSS, n_head)) for row in range(rows)]
    return [str(first) if first == last else f"{first} – {last}" for first, last in ends]


def _note(layer: LayerTrace, show: str, too_long: bool, page: Words) -> str:
    if too_long:
        return page.format("large.too_long", limit=LIVE_TOKENS)
    named = {"layer": layer.index + 1, "count": layer.name.n_head}
    return page.format(f"large.{show}", **named) if show in ("mean", "norm") else ""


def _head_of(layer: int) -> Callable[[Pick], None]:
    """The callback of the layer's own grid: its panels are named h0, h1, …"""
    return lambda pick: show_head(layer, int(pick.panel[1:]))


@partial(fragment, key=PORTRAIT_FRAGMENT)
def portrait(choice: Choice, page: Words) -> None:
    """The chosen head in five numbers, and the row of the query in focus as bars."""
    layer = choice.run().layers[choice.layer]
    found = compare.measured(layer, slice(choice.head, choice.head + 1))
    undefined = words("common")["undefined"]
    with st.container(horizontal=True, gap="medium", key="numbers"):
        for name in PORTRAIT:
            value = significant(float(found[name]), undefined=undefined)
            st.metric(with_unit(name, page), value, help=page[f"measure.{name}.text"], width="content")
    query, key = focus(len(layer.queries), len(layer.keys))
    row = page.data("portrait.row", number=query + 1, token=layer.queries[query])
    st.text(row)
    figure = token_bars(
        shown_weights(layer, choice.head)[query],
        tokens=layer.keys,
        label=page["portrait.weight"],
        mode=mode(),
        y=(0.0, 1.0),
        marked=key,
    )
    chart(figure, key="row_bars", alt=row)
