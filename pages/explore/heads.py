"""All heads of all layers; one of them large; measured, compared, rolled out, switched off."""

from dataclasses import replace

import numpy as np
import streamlit as st

from attention_core.measures import MEASURES, mean_over_heads
from attention_core.models import LayerTrace, Run, Settings
from ui import compare
from ui.components.canvas import Live, Panel, Pick, canvas, overview_codes
from ui.components.lines import lines
from ui.controls import (
    TEMPERATURES,
    Choice,
    choose,
    focus,
    layer_label,
    set_focus,
    set_temperature,
    study_bar,
    switch,
    switch_heads_off,
    temperature,
    whole_number,
)
from ui.figures.heads import heads_by_layer, row_bars
from ui.layout import page_header, take_away, trust_line
from ui.link import publish, seed
from ui.session import SCRATCH, Study, catalogue, model
from ui.session import run as run_of
from ui.snippets import snippet
from ui.stages import live_panel
from ui.text import Words, words
from ui.trust import row_sum_residual, sdpa_residual

TABS = ("lines", "measures", "compare", "rollout", "off")
SHOWS = ("head", "all", "mean", "norm")
THUMBNAIL = 96  # pixels a side at most: more could not be told apart on the screen


def thumbnails(run: Run) -> list[list[Panel]]:
    """One row per layer, one thumbnail per head."""
    return [
        [
            Panel(
                name=f"{layer.index}.{head}",
                values=codes,
                rows="query",
                cols="key",
                scale="weights",
                title=f"{layer.index + 1}.{head + 1}",
            )
            for head, codes in enumerate(overview_codes(layer.attention.weights.numpy(), THUMBNAIL))
        ]
        for layer in run.layers
    ]


def chosen(pick: Pick) -> None:
    """A thumbnail was clicked: it becomes the head in focus everywhere."""
    layer, head = pick.panel.split(".")
    st.session_state.update(layer=int(layer), head=int(head), show="head")


def token_chosen(pick: Pick) -> None:
    """A cell or a token was clicked: it becomes the focus."""
    query, key = focus(10**6, 10**6)
    if pick.panel == "query":
        set_focus(pick.row, key)
    elif pick.panel == "key":
        set_focus(query, pick.row)
    else:
        set_focus(pick.row, pick.col)


def overview(choice: Choice, run: Run, page: Words) -> None:
    """All layers × all heads."""
    st.markdown(page.format("overview.text", side=THUMBNAIL))
    canvas(
        thumbnails(run),
        key="overview",
        queries=run.layers[0].queries,
        keys=run.layers[0].keys,
        words=words("canvas"),
        layout="grid",
        row_titles=[layer_label(layer.name) for layer in run.layers],
        selected=f"{choice.layer}.{choice.head}",
        summary=page["overview.summary"],
        on_pick=chosen,
    )


def large(choice: Choice, layer: LayerTrace, show: str, page: Words) -> None:
    """The chosen head, its whole layer, the mean of its heads, or the weights times the values they carry."""
    live = None
    if show in ("head", "all") and layer.settings.normalizer == "softmax":
        live = Live(temperature(), TEMPERATURES, page["temperature"])
    panels: list[list[Panel]]
    if show == "all":
        made = [
            replace(live_panel(layer, head), name=f"h{head}", title=f"{head + 1}") for head in range(layer.name.n_head)
        ]
        panels = [made[start : start + 4] for start in range(0, len(made), 4)]
    elif show == "head":
        panels = [[live_panel(layer, choice.head)]]
    else:
        panels = [[_derived(layer, choice.head, show)]]
    query, key = focus(len(layer.queries), len(layer.keys))
    canvas(
        panels,
        key=f"large_{show}",
        queries=layer.queries,
        keys=layer.keys,
        words=words("canvas"),
        focus=(query, key),
        strip=True,
        live=live,
        layout="grid" if show == "all" else "equation",
        summary=page.data("large.summary", layer=layer_label(layer.name), head=choice.head + 1),
        on_pick=chosen_in_layer(choice.layer) if show == "all" else token_chosen,
        on_temperature=set_temperature,
    )


def chosen_in_layer(layer: int):  # noqa: ANN201 a callback
    """The callback of the layer's own grid: its panels are named h0, h1, …"""

    def pick(pick: Pick) -> None:
        if pick.panel in ("query", "key"):
            token_chosen(pick)
        else:
            st.session_state.update(layer=layer, head=int(pick.panel[1:]), show="head")

    return pick


def _derived(layer: LayerTrace, head: int, show: str) -> Panel:
    masked = layer.attention.masked_scores.isneginf()
    if show == "mean":
        values = mean_over_heads(layer.attention.weights).masked_fill(masked.all(dim=0), float("nan"))
        return Panel(name="mean", values=values.numpy(), rows="query", cols="key", scale="weights", title="ᾱ")
    values = compare.value_norms(layer)[head].masked_fill(masked[head], float("nan"))
    return Panel(name="norm", values=values.numpy(), rows="query", cols="key", scale="positive", title="‖α v W_O‖")


def lines_tab(choice: Choice, run: Run, page: Words) -> None:
    """The chosen head as lines, and the focused row as bars."""
    layer = run.layers[choice.layer]
    weights = layer.attention.weights[choice.head].masked_fill(
        layer.attention.masked_scores[choice.head].isneginf(), float("nan")
    )
    query, _ = focus(len(layer.queries), len(layer.keys))
    left, right = st.columns([1.3, 1], gap="large")
    with left:
        lines(
            weights.numpy(),
            key="lines",
            queries=layer.queries,
            keys=layer.keys,
            words=words("canvas"),
            summary=page["lines.summary"],
            on_pick=token_chosen,
        )
    with right:
        st.markdown(page["lines.row"])
        st.text(page.data("lines.query", number=query + 1, token=layer.queries[query]))
        figure = row_bars(
            layer.attention.weights[choice.head, query].numpy(),
            tokens=layer.keys,
            label=page["lines.weight"],
            mode=_mode(),
        )
        st.plotly_chart(figure, key="row_bars", theme=None, config={"displayModeBar": False}, alt=page["lines.row"])


def measures_tab(choice: Choice, run: Run, page: Words) -> None:
    """Every measure of every head, to sort and to jump from."""
    rows = compare.head_measures(run)
    names = [*MEASURES, "value_norm"]
    measure = choose("measure", names, page["measures.plot"], lambda name: page[f"measure.{name}.title"], width=320)
    values = [
        np.array([row[measure] for row in rows if row["layer"] == layer.index], dtype=np.float32)
        for layer in run.layers
    ]
    figure = heads_by_layer(
        values,
        names=[layer_label(layer.name) for layer in run.layers],
        chosen=(choice.layer, choice.head),
        label=_with_unit(measure, page),
        mode=_mode(),
    )
    st.latex(
        MEASURES[measure].formula if measure in MEASURES else r"\frac1n\sum_i\sum_j \lVert \alpha_{ij} v_j W^O \rVert"
    )
    st.caption(page[f"measure.{measure}.text"])
    st.plotly_chart(figure, key="by_layer", theme=None, config={"displayModeBar": False}, alt=page["measures.alt"])
    st.markdown(page["measures.table"])
    table = [
        {page["measures.layer"]: int(row["layer"]) + 1, page["measures.head"]: int(row["head"]) + 1}
        | {_with_unit(name, page): row[name] for name in names}
        for row in rows
    ]
    picked = st.dataframe(
        table,
        key="measures_table",
        hide_index=True,
        height=420,
        on_select="rerun",
        selection_mode="single-row",
        column_config={
            _with_unit(name, page): st.column_config.NumberColumn(format="%.4g", help=page[f"measure.{name}.text"])
            for name in names
        },
    )
    place = picked["selection"]["rows"]
    if place and (target := (int(rows[place[0]]["layer"]), int(rows[place[0]]["head"]))) != (choice.layer, choice.head):
        st.session_state["jump"] = target
        st.rerun()


def compare_tab(choice: Choice, run: Run, page: Words) -> None:
    """This run and another one, side by side, with their difference."""
    st.markdown(page["compare.text"])
    with st.container(horizontal=True, vertical_alignment="bottom"):
        seed("b_text", choice.study.text, str)
        other_text = st.text_input(page["compare.sentence"], key="b_text", persist_state="session", width="stretch")
        publish("b_text", other_text, choice.study.text)
        name = choose(
            "b_model",
            list(catalogue()),
            page["compare.model"],
            lambda item: words("controls")["scratch"] if item == SCRATCH else item,
            width=210,
        )
        scaling = choose(
            "b_scaling",
            ("model", "none", "inverse_sqrt", "inverse"),
            page["compare.scaling"],
            lambda rule: words("controls")[f"scalings.{rule}"],
            width=200,
        )
        mask = switch(
            "b_mask",
            ("none", "causal", "window"),
            page["compare.mask"],
            lambda rule: words("controls")[f"masks.{rule}"],
        )
    other_model = model(name, choice.study.sizes)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        layer_b = (
            whole_number(
                "b_layer",
                1,
                len(other_model.layers),
                min(choice.layer + 1, len(other_model.layers)),
                page["compare.layer"],
                130,
            )
            - 1
        )
        head_b = (
            whole_number(
                "b_head",
                1,
                other_model.layers[layer_b].n_head,
                min(choice.head + 1, other_model.layers[layer_b].n_head),
                page["compare.head"],
                130,
            )
            - 1
        )
    settings = Settings(scaling=scaling, mask=mask, temperature=temperature(), layers=(layer_b,))
    other = run_of(
        Study(text=other_text.strip() or choice.study.text, model=name, sizes=choice.study.sizes, settings=settings)
    )
    a, b = run.layers[choice.layer], other.layers[layer_b]
    weights_a, weights_b = a.attention.weights[choice.head], b.attention.weights[head_b]
    found = compare.difference(weights_a, weights_b)
    st.markdown(_what_differs(choice, other_text, name, settings, layer_b, head_b, page))
    columns = st.columns(3 if found else 2, gap="medium")
    for column, side, layer, values in ((columns[0], "A", a, weights_a), (columns[1], "B", b, weights_b)):
        with column:
            _map(
                f"compare_{side}",
                Panel(name=side, values=values.numpy(), rows="query", cols="key", scale="weights", title=side),
                layer,
                page,
            )
    if found is None:
        st.info(page.format("compare.shapes", a=len(a.queries), b=len(b.queries)), icon=":material/straighten:")
        return
    with columns[2]:
        _map(
            "compare_d",
            Panel(name="A − B", values=found.weights.numpy(), rows="query", cols="key", title="A − B"),
            a,
            page,
        )
    cosine = compare.output_cosine(run, other)
    st.caption(
        page.format("compare.numbers", largest=found.largest, divergence=found.divergence)
        + (
            ""
            if cosine is None
            else " " + page.format("compare.cosine", mean=float(cosine.mean()), least=float(cosine.min()))
        )
    )


def _what_differs(choice: Choice, text: str, name: str, settings: Settings, layer: int, head: int, page: Words) -> str:
    here = choice.study.settings
    differs = [
        page[f"compare.differs.{key}"]
        for key, other in (
            ("sentence", text.strip() != choice.study.text),
            ("model", name != choice.study.model),
            ("layer", layer != choice.layer),
            ("head", head != choice.head),
            (
                "settings",
                (settings.scaling, settings.mask, 1.0, "softmax")
                != (here.scaling, here.mask, here.input_scale, here.normalizer),
            ),
        )
        if other
    ]
    return f"{page['compare.differs.in']} {', '.join(differs)}." if differs else page["compare.same"]


def _map(key: str, panel: Panel, layer: LayerTrace, page: Words) -> None:
    canvas(
        [[panel]],
        key=key,
        queries=layer.queries,
        keys=layer.keys,
        words=words("canvas"),
        group=key,
        summary=page["compare.map"],
    )


def rollout_tab(choice: Choice, run: Run, page: Words) -> None:
    """What share of each token comes from each input token, layer by layer."""
    st.markdown(page["rollout.text"])
    st.latex(r"R^{(l)} = \tilde A^{(l)} R^{(l-1)} \qquad \tilde A = (1-r)\,\bar\alpha + r I")
    residual = whole_number("residual", 0, 100, 50, page["rollout.residual"], 200) / 100
    found = compare.rollouts(run, residual)
    if any(layer.name.stack == "cross" for layer in run.layers):
        st.info(page["rollout.cross"], icon=":material/call_split:")
    for stack, shares in found.items():
        layers = [layer for layer in run.layers if layer.name.stack == stack]
        tokens = layers[0].queries
        query, key = focus(len(tokens), len(tokens))
        st.text(page.data("rollout.query", number=query + 1, token=tokens[query]))
        per_layer = Panel(
            name="rollout",
            values=shares[:, query].numpy(),
            rows="layer",
            cols="key",
            scale="weights",
            title="R",
            note=" × ".join(map(str, shares[:, query].shape)),
        )
        whole = Panel(
            name="last",
            values=shares[-1].numpy(),
            rows="query",
            cols="key",
            scale="weights",
            title=page["rollout.whole"],
        )
        canvas(
            [[per_layer], [whole]],
            key=f"rollout_{stack}",
            queries=tokens,
            keys=tokens,
            words=words("canvas"),
            group=f"rollout_{stack}",
            strip=True,
            focus=(query, key),
            summary=page["rollout.summary"],
            on_pick=rollout_chosen,
        )


def rollout_chosen(pick: Pick) -> None:
    """A token of the rollout was clicked."""
    query, key = focus(10**6, 10**6)
    if pick.panel == "query":
        set_focus(pick.row, key)
    elif pick.panel == "key":
        set_focus(query, pick.row)
    else:
        set_focus(pick.row if pick.panel == "last" else query, pick.col)


def off_tab(choice: Choice, run: Run, page: Words) -> None:
    """What the output and the other heads do when heads are switched off."""
    st.markdown(page["off.text"])
    here = (choice.layer, choice.head)
    ablated = choice.study.settings.ablated
    is_off = here in ablated
    with st.container(horizontal=True):
        st.button(
            page.format("off.on" if is_off else "off.off", layer=choice.layer + 1, head=choice.head + 1),
            on_click=switch_heads_off,
            args=(sorted(ablated ^ {here}),),
            icon=":material/toggle_on:" if is_off else ":material/toggle_off:",
        )
        st.button(page["off.all_on"], on_click=switch_heads_off, args=((),), disabled=not ablated, type="tertiary")
    if not ablated:
        st.info(page["off.none"], icon=":material/lightbulb:")
        return
    intact = run_of(replace(choice.study, settings=replace(choice.study.settings, ablated=frozenset())))
    found = compare.effect(intact, run)
    st.markdown(page.format("off.names", names=", ".join(f"{layer + 1}.{head + 1}" for layer, head in sorted(ablated))))
    st.caption(
        page.format(
            "off.numbers",
            mean=float(found.relative.mean()),
            most=float(found.relative.max()),
            cosine=float(found.cosine.mean()),
        )
    )
    left, right = st.columns(2, gap="large")
    with left:
        st.markdown(page["off.output"])
        figure = row_bars(
            found.relative.clamp(max=1).numpy(), tokens=run.tokens.strings, label=page["off.change"], mode=_mode()
        )
        st.plotly_chart(figure, key="off_output", theme=None, config={"displayModeBar": False}, alt=page["off.output"])
    with right:
        st.markdown(page["off.others"])
        most = max(len(row) for row in found.divergence)
        moved = np.full((len(found.divergence), most), np.nan, dtype=np.float32)
        for index, row in enumerate(found.divergence):
            moved[index, : len(row)] = row.numpy()
        canvas(
            [[Panel(name="moved", values=moved, rows="layer", cols="head", scale="positive", title="JS (nats)")]],
            key="off_others",
            queries=run.layers[0].queries,
            keys=run.layers[0].keys,
            words=words("canvas"),
            group="off",
            summary=page["off.others"],
        )


def _with_unit(name: str, page: Words) -> str:
    unit = MEASURES[name].unit if name in MEASURES else ""
    title = page[f"measure.{name}.title"]
    return f"{title} ({page[f'unit.{unit}']})" if unit else title


def _mode():  # noqa: ANN202 light or dark
    return "dark" if st.context.theme.type == "dark" else "light"


SECTIONS = {
    "lines": lines_tab,
    "measures": measures_tab,
    "compare": compare_tab,
    "rollout": rollout_tab,
    "off": off_tab,
}

if "jump" in st.session_state:
    layer_index, head_index = st.session_state.pop("jump")
    st.session_state.update(layer=layer_index, head=head_index)
page = words("heads")
page_header(page)
choice = study_bar()
run = choice.run()
layer = run.layers[choice.layer]
left, right = st.columns([1.15, 1], gap="large")
with left:
    overview(choice, run, page)
with right:
    shown = switch("show", SHOWS, page["show"], lambda name: page[f"shows.{name}"])
    large(choice, layer, shown, page)
tab = switch("tab", TABS, page["tabs"], lambda name: page[f"tab.{name}"])
SECTIONS[tab](choice, run, page)
query, _ = focus(len(layer.queries), len(layer.keys))
with st.container(horizontal=True, vertical_alignment="center"):
    trust_line(
        rows=max(row_sum_residual(each) for each in run.layers),
        residual=sdpa_residual(layer),
        oracle="torch.nn.functional.scaled_dot_product_attention",
        seed=choice.study.sizes.seed if choice.study.model == SCRATCH else None,
        dtype=str(run.output.dtype).removeprefix("torch."),
        model=choice.study.model,
        device=str(run.output.device),
    )
    take_away(
        "heads",
        arrays=lambda: {f"weights_{each.index + 1}": each.attention.weights.numpy() for each in run.layers},
        snippet=snippet(choice.study, choice.layer, choice.head, query),
    )
