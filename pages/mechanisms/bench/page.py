"""The reader's sentence through two to six mechanisms at once: same tokens, same q, k and v, same axes."""

import time
from dataclasses import replace

import numpy as np
import streamlit as st

from attention_core.mechanisms import MECHANISMS, Mechanism, Options
from attention_core.mechanisms.bench import ROWS, WIDTHS, HeadGradient, Result, compute, head_gradient, spread
from attention_core.models.base import MASKS
from attention_core.text import clean
from pages.mechanisms.bench import pictures as bench
from pages.mechanisms.bench.pictures import LEAST, MAX_TOKENS, MOST, Row, Setting, Vectors
from ui.components.canvas import Pick, canvas
from ui.components.lab import Positions, lab
from ui.controls import MAX_CHARS, Choice, choose, focus, model_label, set_focus, study_bar, switch, whole_number
from ui.errors import fragment
from ui.layout import page_header, take_away, trust_line
from ui.link import publish, recall, remember, seed
from ui.session import answer, run
from ui.text import Words, words

MEMORIES = ("same", "other")
MAX_RADIUS = MAX_TOKENS
PAINTED = 0.06  # seconds in which the maps are painted, before the browser has the rest of the page to draw again
WIDTH = {"row_sum": 130}  # pixels; a range must not be cut
# Names of mechanisms carry no colour; Streamlit's own, white on the accent, cannot be read in the dark.
STYLE = """<style>
.st-key-bench_bar { margin-top: -0.75rem; }
.st-key-bench [data-testid="stMultiSelectTagsContainer"] [role="group"] > span {
  background: transparent; box-shadow: inset 0 0 0 1px currentColor;
}
.st-key-bench [data-testid="stMultiSelectTagsContainer"] [role="group"] * { color: inherit; }
</style>"""


def chosen_mechanisms(page: Words) -> list[str]:
    """Two to six rows of the table. With fewer, the last good choice stays on screen."""
    start = bench.one_per_axis(MECHANISMS)
    seed("bench", start, lambda spelling: spelling.split(","))
    known = [key for key in dict.fromkeys(st.session_state["bench"]) if key in MECHANISMS]
    if len(known) > MOST or known != st.session_state["bench"]:
        st.session_state["bench"] = known[:MOST] or start
    keys = st.multiselect(
        page.format("choose", least=LEAST, most=MOST),
        list(MECHANISMS),
        format_func=lambda key: bench.title(key, MECHANISMS[key], page),
        key="bench",
        select_all=False,
        placeholder=page["choose_placeholder"],
    )
    if len(keys) < LEAST:
        st.warning(page.format("too_few", least=LEAST), icon=":material/edit:")
        return st.session_state.get("bench_last", start)
    publish("bench", ",".join(keys), ",".join(start))
    st.session_state["bench_last"] = list(keys)
    return list(keys)


def choose_memory(page: Words) -> str | None:
    """The second sentence, or None where the sentence is its own memory."""
    if switch("bench_memory", MEMORIES, page["memory"], lambda name: page[f"memories.{name}"]) == "same":
        return None
    seed("bench_text", "", str)
    typed = st.text_input(page["memory_text"], key="bench_text", live=True, placeholder=page["memory_placeholder"])
    text = clean(typed, MAX_CHARS).text
    publish("bench_text", text, "")
    return text


def controls(choice: Choice, page: Words) -> tuple[Setting, list[str], str]:
    """What is compared, with what, on which memory, under which mask."""
    common = words("controls")
    with st.container(key="bench_bar", gap="xsmall"):
        keys = chosen_mechanisms(page)
        with st.container(horizontal=True, vertical_alignment="top", gap="medium"):
            reference = choose(
                "bench_reference",
                keys,
                page["reference"],
                lambda key: bench.title(key, MECHANISMS[key], page),
                page["reference_help"],
                210,
            )
            mask = switch("bench_mask", MASKS, page["mask"], lambda rule: common[f"masks.{rule}"], page["mask_help"])
            seed("bench_D", 2, int, range(MAX_RADIUS + 1))
            radius = int(st.slider(page["radius"], 0, MAX_RADIUS, key="bench_D", width=200, help=page["radius_help"]))
            publish("bench_D", str(radius), "2")
            drawn = whole_number("bench_seed", 0, 9999, 0, page["seed"], 110)
            memory = choose_memory(page)
            if len(keys) >= MOST:
                st.caption(page["full"], width=140)
    if memory is not None and not (memory and len(choice.model.tokenize(memory))):
        st.warning(page["empty_memory"], icon=":material/edit:")
        memory = None
    options = Options(radius=radius, seed=drawn)
    return Setting(study=choice.study, layer=choice.layer, memory=memory, options=options, mask=mask), keys, reference


def layer_vectors(setting: Setting) -> tuple[Vectors, int, int]:
    """q of the sentence, k and v of the memory; and how many queries and keys there were before the cut."""
    own = run(setting.study).layers[setting.layer]
    other = own if setting.memory is None else run(replace(setting.study, text=setting.memory)).layers[setting.layer]
    here = bench.vectors(own, other, setting.mask, setting.options.radius)
    return here, len(own.queries), len(other.keys)


def measured(setting: Setting, mechanism: Mechanism, here: Vectors, head: int) -> tuple[Result, HeadGradient]:
    """What the mechanism makes of all heads, and the gradient of this one; computed once for all who ask."""
    given = {"options": setting.options, "allowed": here.allowed}
    result = answer(("mechanism", setting, mechanism), lambda: compute(mechanism, here.q, here.k, here.v, **given))
    reach = answer(
        ("reach", setting, mechanism, head),
        lambda: head_gradient(mechanism, here.q, here.k, here.v, head=head, **given),
    )
    return result, reach


def remarks(here: Vectors, n_q: int, n_k: int, radius: int, page: Words) -> None:
    """What a reader should know about these sizes."""
    if max(n_q, n_k) > MAX_TOKENS:
        st.caption(page.format("shortened", shown=MAX_TOKENS, n_q=n_q, n_k=n_k))
    if len(here.keys) == 1:
        st.caption(page["one_key"])
    elif radius >= max(len(here.queries), len(here.keys)):
        st.caption(page.format("covers", radius=radius))


def picked(pick: Pick) -> None:
    """A cell, a token, or a column of the table per token: its query comes into focus."""
    query, key = focus(10**6, 10**6)
    if pick.panel.startswith("token_"):
        set_focus(pick.col, key)
    elif pick.panel.startswith("context_") or pick.panel == "query":
        set_focus(pick.row, key)
    elif pick.panel == "key":
        set_focus(query, pick.row)
    else:
        set_focus(pick.row, pick.col)


@fragment
def laboratory(choice: Choice, page: Words) -> None:
    """The bench: controls, maps, what moved, numbers."""
    setting, keys, reference = controls(choice, page)
    here, n_q, n_k = layer_vectors(setting)
    remarks(here, n_q, n_k, setting.options.radius, page)
    head = min(choice.head, here.q.shape[0] - 1)
    found = bench.rows({key: measured(setting, MECHANISMS[key], here, head) for key in keys}, reference, head)
    query, key = focus(len(here.queries), len(here.keys))
    names = words("canvas")
    canvas(
        bench.maps(found, reference, page),
        key="bench_maps",
        queries=here.queries,
        keys=here.keys,
        words=names,
        focus=(query, key),
        strip=True,
        summary=page["summary"],
        on_pick=picked,
    )
    time.sleep(PAINTED)
    if said := bench.remarks(found, page):
        st.caption("  \n".join(said))
    what_moved(found, reference, page)
    numbers(found, reference, page)
    per_token(found, here, query, names, page)
    evidence(choice, setting, here, found, reference, head)
    cards(found, reference, page)


def what_moved(found: list[Row], reference: str, page: Words) -> None:
    """On which axis each differs from the reference."""
    base = MECHANISMS[reference]
    said = [
        f"- **{bench.title(row.key, row.mechanism, page)}** "
        + bench.subscripts(bench.differences(row.mechanism, base, page))
        for row in found
        if row.key != reference
    ]
    name = bench.title(reference, base, page)
    with st.container(key="what_moved"):
        st.markdown("\n".join([page.data("moved_from", name=name), "", *said]))


def numbers(found: list[Row], reference: str, page: Words) -> None:
    """The head in numbers, a line per mechanism."""
    st.header(page["numbers"], anchor="numbers")
    st.markdown(page["numbers_text"])
    st.dataframe(
        bench.table(found, MECHANISMS[reference], page),
        hide_index=True,
        height="content",
        column_config={
            page["moved_label"]: st.column_config.TextColumn(width="medium"),
            **{
                page[f"column.{name}"]: st.column_config.TextColumn(
                    alignment="right", help=page[f"help.{name}"], width=WIDTH.get(name)
                )
                for name in ("row_sum", *bench.COUNTED)
            },
            **{
                page[f"column.{name}"]: st.column_config.NumberColumn(format="%.4g", help=page[f"help.{name}"])
                for name in bench.COLUMNS
                if name not in bench.COUNTED
            },
        },
    )


def per_token(found: list[Row], here: Vectors, query: int, names: Words, page: Words) -> None:
    """Every query for itself: context vectors, entropy, distance from the reference, gradient."""
    st.header(page["per_token"], anchor="tokens")
    st.markdown(page["per_token_text"])
    canvas(
        bench.contexts(found, page),
        key="bench_contexts",
        queries=here.queries,
        keys=here.keys,
        words=names,
        summary=page["contexts"],
        on_pick=picked,
    )
    axes = {"query": page["mechanism_label"], "axis_query": page["mechanism_label"]}
    axes |= {"key": names["query"], "axis_key": names["axis_query"]}
    canvas(
        bench.tokens(found, page),
        key="bench_tokens",
        queries=bench.lines(found, page),
        keys=here.queries,
        words={**names, **axes},
        group="per_token",
        summary=page["per_token"],
        on_pick=picked,
    )
    st.text(page.data("focused", number=query + 1, token=here.queries[query]))
    st.markdown(bench.focused(found, query, page))


def evidence(choice: Choice, setting: Setting, here: Vectors, found: list[Row], reference: str, head: int) -> None:
    """Why the numbers can be believed, and how to take them away."""
    with st.container(horizontal=True, vertical_alignment="center"):
        trust_line(
            residual=bench.sdpa_residual(here),
            oracle="torch SDPA",
            seed=setting.options.seed,
            dtype=str(here.q.dtype).removeprefix("torch."),
            model=model_label(choice.study.model),
            device=str(here.q.device),
        )
        take_away(
            "bench",
            arrays=lambda: {"queries": np.array(here.queries), "keys": np.array(here.keys), **bench.arrays(found)},
            snippet=bench.snippet(setting, [row.key for row in found], reference, head),
        )


def cards(found: list[Row], reference: str, page: Words) -> None:
    """Formula, source and gradient of each."""
    st.header(page["cards"], anchor="formulas")
    for start in range(0, len(found), 2):
        for column, row in zip(st.columns(2, gap="large"), found[start : start + 2], strict=False):
            with column, st.container(key=f"card_{row.key}", gap="xsmall"):
                st.markdown(f"**{bench.title(row.key, row.mechanism, page)}**")
                st.latex(bench.formula(row.mechanism, page))
                moved = bench.subscripts(bench.differences(row.mechanism, MECHANISMS[reference], page))
                lines = [
                    f"**{page['moved_label']}** {moved}",
                    f"**{page['gradient_label']}** {bench.subscripts(bench.gradient(row.key, row.mechanism, page))}",
                    bench.cited(row.mechanism.reference, page),
                ]
                st.markdown("  \n".join(lines))


def width_moved(at: Positions) -> None:
    """A released slider: its value goes into the link."""
    remember("bench_width", str(WIDTHS[at["width"]]))


@fragment
def widths(page: Words) -> None:
    """Additive scores and dot products as d_k grows."""
    st.header(bench.subscripts(page["spread.title"]), anchor="d_k")
    st.markdown(bench.subscripts(page.format("spread.text", rows=ROWS)))
    with st.spinner(page["spread.working"], show_time=True):
        found = answer("spread", spread)
    wanted = recall("bench_width", "64")
    at = next((index for index, width in enumerate(WIDTHS) if str(width) == wanted), WIDTHS.index(64))
    lab(
        bench.spread_plots(page),
        key="bench_widths",
        sliders=[bench.spread_slider(at, page)],
        films=bench.spread_films(found),
        words=words("canvas"),
        summary=page["spread.title"],
        on_move=width_moved,
    )


page = words("bench")
st.html(STYLE)
page_header(page)
laboratory(study_bar(page["settings_note"]).choose(), page)
widths(page)
