"""The reader's sentence, an untrained layer: drag d_k and the input scale, watch softmax saturate and gradients die."""

import numpy as np
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from attention_core.saturation import D_K_STOPS, INPUT_SCALES, MEASURE_NAMES, SWEPT_RULES, Probe, Table, cross
from pages.saturation.vanishing import losses
from pages.saturation.vanishing import trained as strained
from pages.saturation.vanishing.pictures import (
    Place,
    autograd_residual,
    computed,
    films,
    plots,
    sliders,
    snippet,
    summary,
    theory,
)
from ui.chart import chart
from ui.components.canvas import Pick
from ui.components.lab import Positions, lab
from ui.compute import room
from ui.controls import focus, sentence_bar, set_focus, study_bar, switch, whole_number
from ui.errors import fragment
from ui.figures.laws import law_figure
from ui.layout import mode, page_header, take_away, trust_line
from ui.link import recall, remember
from ui.session import MAX_PROBED, Question, answer, bands, known, probe, tabulated
from ui.stops import head_number, released
from ui.stops import where as where_sliders_stand
from ui.text import Words, words
from ui.waiting import awaited, style

SEEDS = 8
TABLE, BANDS = "table", "bands"  # what is worked on for one reader at a time
IN_SIGHT = "curves_in_sight"  # the question whose curves the reader has on screen
# The pictures of the trained model are there only when its work has ended: their place is kept.
STYLE = """<style>
.st-key-table_losses [data-testid="stMarkdownContainer"] { overflow-x: auto; word-break: keep-all; }
.st-key-working_strain { margin-bottom: 60vh; }
</style>"""
WHERE = ("untrained", "trained")
LOSSES = ("direction", "token")


def place(n: int) -> Place:
    """Where the link says the sliders stand, each at its nearest stop."""
    query, _ = focus(n, n)
    rule = recall("rule", SWEPT_RULES[0])
    d_k, alpha = where_sliders_stand()
    return Place(
        rule=SWEPT_RULES.index(rule) if rule in SWEPT_RULES else 0,
        d_k=d_k,
        alpha=alpha,
        head=head_number() - 1,
        query=query,
    )


def moved(at: Positions) -> None:
    """A released slider: its value goes into the link."""
    remember("rule", SWEPT_RULES[at["rule"]])
    released(at["d_k"], at["alpha"])


def picked(pick: Pick) -> None:
    """A thumbnail chooses a head; a row of the large map, or a bar, the query."""
    if pick.panel == "heads":
        remember("probe_head", str(pick.row + 1))
    elif pick.panel == "weights":
        set_focus(pick.row, pick.col)


@fragment
def laboratory(question: Question, tokens: tuple[str, ...], page: Words) -> None:
    """Everything that follows the sliders: first the curves through where they stand, then every stop of the reader's
    own seed, which the other seeds then widen into bands.
    """
    stand, layer = place(len(tokens)), probe(question)

    def draw(own: Table, numbers: np.ndarray, seeds: int) -> None:
        lab(
            plots(layer, numbers, tokens, stand, seeds, page),
            key="vanishing",
            sliders=sliders(stand, page),
            films=films(layer, own, numbers, stand),
            computed=computed(layer.q.shape[0], len(tokens), stand),
            words=words("canvas"),
            summary=page["summary"],
            on_move=moved,
            on_pick=picked,
            seen="" if seeds > 1 else "curves",
            seen_for=question,
            on_seen=lambda: st.session_state.update({IN_SIGHT: question}),
        )

    with st.container(key=f"awaited_{TABLE}"):
        own = awaited(question, lambda: tabulated(layer), topic=TABLE, what=page["working"])
    with st.container(key="pictures"):
        if own is None:
            first = answer(("cross", question, stand.d_k, stand.alpha), lambda: cross(layer, stand.d_k, stand.alpha))
            draw(first, summary([first]), 1)
            return
        wide = bands_of(question, own, page)
        draw(own, summary([own]) if wide is None else wide, 1 if wide is None else SEEDS)
    what_follows(question, layer, own, stand, tokens, page)


def bands_of(question: Question, own: Table, page: Words) -> np.ndarray | None:
    """The quantiles over all seeds: begun when the curves are on screen and a core has nothing else to do."""
    asked = ("bands", question, SEEDS)
    if st.session_state.get(IN_SIGHT) != question and not known(asked):
        return None
    with st.container(key=f"awaited_{BANDS}"):
        return awaited(asked, lambda: bands(question, SEEDS, own, summary), topic=BANDS, what=page["bands"], idle=True)


def what_follows(
    question: Question, layer: Probe, own: Table, stand: Place, tokens: tuple[str, ...], page: Words
) -> None:
    """Below the laboratory: the losses, why its numbers can be believed, and three laws."""
    alpha, d_k, rule = INPUT_SCALES[stand.alpha], D_K_STOPS[stand.d_k], SWEPT_RULES[stand.rule]
    target = focus(len(tokens), len(tokens))[1]
    ratios = answer(("losses", question, target, d_k, alpha), lambda: losses.ratios(layer, target, d_k, alpha))
    losses.section(ratios, tokens[target], d_k, alpha, page)
    st.header(page["law.title"], anchor="laws")
    st.markdown(page["law.text"])
    for number, (column, law) in enumerate(zip(st.columns(3), theory(layer, own, stand, page), strict=True)):
        with column:
            st.markdown(f"**{law.title}**")
            chart(law_figure(law, mode()), key=f"law_{number}", alt=law.title)
    residual = answer(("autograd", question, rule, d_k, alpha), lambda: autograd_residual(layer, rule, d_k, alpha))
    with st.container(horizontal=True, vertical_alignment="center"):
        trust_line(
            residual=residual,
            lost=residual is None,
            oracle="torch.autograd",
            seed=question.seed,
            dtype="float32",
            device="cpu",
        )
        take_away(
            "vanishing",
            arrays=lambda: arrays(question, tokens),
            snippet=snippet(question, rule, d_k, alpha, stand.head, page),
            count=own.measures.numel() + own.log_gains.numel(),
        )


def arrays(question: Question, tokens: tuple[str, ...]) -> dict[str, np.ndarray]:
    """The table, to take away."""
    layer = probe(question)
    own = room().result(question, lambda: tabulated(layer))
    return {
        "tokens": np.array(tokens),
        "rules": np.array(SWEPT_RULES),
        "d_k": np.array(D_K_STOPS),
        "input_scale": np.array(INPUT_SCALES),
        "names": np.array(MEASURE_NAMES),
        "measures": own.measures.numpy(),
        "log_gains": own.log_gains.numpy(),
    }


def choose_loss(page: Words) -> tuple[int, str, DeltaGenerator]:
    """The seed of the matrices, what the gradients are of, and the place for a token that belongs to it."""
    seed = whole_number("seed", 0, 9999, 0, page["seed"], 120)
    loss = switch("loss", LOSSES, page["loss"], lambda name: page[f"losses.{name}"], page["loss_help"])
    return seed, loss, st.empty()


def choose_target(strings: tuple[str, ...], page: Words) -> int:
    """The token that every query should name: the key token in focus."""
    query, key = focus(len(strings), len(strings))
    st.session_state["target"] = key
    return st.selectbox(
        page["target"],
        range(len(strings)),
        format_func=lambda index: f"{index + 1}: {strings[index]}",
        key="target",
        on_change=lambda: set_focus(query, st.session_state["target"]),
        width=190,
    )


def untrained(page: Words) -> None:
    """A fresh layer on the reader's sentence."""
    text, tokens, (seed, loss, beside) = sentence_bar(lambda: choose_loss(page), least=2)
    strings = tokens.strings[:MAX_PROBED]
    target = None
    if loss == "token":
        with beside:
            target = choose_target(strings, page)
    if len(tokens) > MAX_PROBED:
        st.caption(page.format("shortened", shown=MAX_PROBED, all=len(tokens)))
    laboratory(Question(text=text, seed=seed, target=target), strings, page)


def trained(page: Words) -> None:
    """The same in the model the reader chose."""
    strained.section(study_bar().choose(), page)


page = words("vanishing")
st.html(STYLE)
style(TABLE, BANDS)
page_header(page)

where = switch("where_from", WHERE, page["where"], lambda name: page[f"wheres.{name}"], folded=True)
(untrained if where == "untrained" else trained)(page)
with st.expander(page["measures"]):
    st.markdown("\n".join(f"- **{page[f'measure.{name}']}**: {page[f'help.{name}']}" for name in MEASURE_NAMES))
