"""The reader's sentence, an untrained layer: drag d_k and the input scale, watch softmax saturate and gradients die."""

import time
from collections.abc import Callable

import numpy as np
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from attention_core.saturation import D_K_STOPS, INPUT_SCALES, MEASURES, RULES, Table, cross
from ui.chart import chart
from ui.components.canvas import Pick
from ui.components.lab import Positions, lab
from ui.controls import focus, sentence_bar, set_focus, study_bar, switch, whole_number
from ui.errors import fragment
from ui.figures.laws import law_figure
from ui.layout import mode, page_header, take_away, trust_line
from ui.link import recall, remember
from ui.saturation import losses
from ui.saturation import trained as strained
from ui.saturation.stops import head_number, released
from ui.saturation.stops import where as where_sliders_stand
from ui.saturation.vanishing import Place, autograd_residual, computed, films, plots, sliders, snippet, summary, theory
from ui.session import MAX_PROBED, Question, bands, known, known_bands, probe, table
from ui.text import Words, words

SEEDS = 8
TOLD = 0.25  # seconds between two signs of progress
LEAVES = 0.1  # seconds in which the first curves reach the screen, before torch takes every core
# What works in the background says so in a corner of the window, where it moves nothing on the page.
STYLE = """<style>
.st-key-table_losses [data-testid="stMarkdownContainer"] { overflow-x: auto; word-break: keep-all; }
.st-key-working {
  position: fixed; right: 1.2rem; bottom: 1.2rem; z-index: 900; width: min(27rem, calc(100vw - 2.4rem));
  padding: 0.6rem 0.9rem;
  background: light-dark(#fffffd, #141413); border: 1px solid light-dark(#dedcd5, #3a3835); border-radius: 4px;
}
.st-key-working:not(:has(.stProgress)) { display: none; }
[data-testid="stLayoutWrapper"]:has(> .st-key-working) { display: contents; }
</style>"""
WHERE = ("untrained", "trained")
LOSSES = ("direction", "token")


def place(n: int) -> Place:
    """Where the link says the sliders stand, each at its nearest stop."""
    query, _ = focus(n, n)
    rule = recall("rule", RULES[0])
    d_k, alpha = where_sliders_stand()
    return Place(
        rule=RULES.index(rule) if rule in RULES else 0,
        d_k=d_k,
        alpha=alpha,
        head=head_number() - 1,
        query=query,
    )


def moved(at: Positions) -> None:
    """A released slider: its value goes into the link."""
    remember("rule", RULES[at["rule"]])
    released(at["d_k"], at["alpha"])


def picked(pick: Pick) -> None:
    """A thumbnail chooses a head; a row of the large map, or a bar, the query."""
    if pick.panel == "heads":
        remember("probe_head", str(pick.row + 1))
    elif pick.panel == "weights":
        set_focus(pick.row, pick.col)


def progress_in(place: DeltaGenerator, page: Words, key: str) -> Callable[[float], None]:
    """Tells of the share that is done, and of the time left; not so often that telling takes a core of its own."""
    begin = last = time.monotonic()

    def told(share: float) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last < TOLD:
            st.session_state.get("stopped")  # here Streamlit ends a run that has become out of date
            return
        last = now
        left = (now - begin) * (1 - share) / share if share else 0.0
        place.progress(share, page.data(key, seconds=max(1, round(left))))

    return told


def stop(question: Question | None) -> None:
    """Compute no more for this question; None: go on."""
    st.session_state["stopped"] = question


@fragment
def laboratory(question: Question, tokens: tuple[str, ...], bar: DeltaGenerator, page: Words) -> None:
    """Everything that follows the sliders: first the curves through where they stand, then every stop of the reader's
    own seed, which the other seeds then widen into bands.
    """
    wide, stopped = known_bands(question, SEEDS), st.session_state.get("stopped") == question
    if stopped and not known(question):
        st.button(page["go_on_all"], on_click=stop, args=(None,), icon=":material/play_arrow:")
        return
    here, layer = place(len(tokens)), probe(question)
    pictures = st.container(key="pictures")

    def draw(own: Table, numbers: np.ndarray, seeds: int) -> None:
        with pictures:
            lab(
                plots(layer, numbers, tokens, here, seeds, page),
                key="vanishing",
                sliders=sliders(here, page),
                films=films(layer, own, numbers, here),
                computed=computed(layer.q.shape[0], len(tokens), here),
                words=words("canvas"),
                summary=page["summary"],
                on_move=moved,
                on_pick=picked,
            )

    if not known(question):
        first = cross(layer, here.d_k, here.alpha)
        draw(first, summary([first]), 1)
        time.sleep(LEAVES)
        table(question, progress_in(bar, page, "working"))
        st.rerun()
    own = table(question)
    bar.empty()
    alpha, d_k = INPUT_SCALES[here.alpha], D_K_STOPS[here.d_k]
    losses.section(layer, tokens, focus(len(tokens), len(tokens))[1], d_k, alpha, page)
    st.header(page["law.title"], anchor="laws")
    st.markdown(page["law.text"])
    laws = st.columns(3)
    residual = autograd_residual(layer, RULES[here.rule], d_k, alpha)
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
            arrays=lambda: {
                "tokens": np.array(tokens),
                "rules": np.array(RULES),
                "d_k": np.array(D_K_STOPS),
                "input_scale": np.array(INPUT_SCALES),
                "names": np.array(MEASURES),
                "measures": own.measures.numpy(),
                "log_gains": own.log_gains.numpy(),
            },
            snippet=snippet(question, RULES[here.rule], d_k, alpha, here.head, page),
            count=own.measures.numel() + own.log_gains.numel(),
        )
    # What is written comes first. The pictures have followed the slider already.
    draw(own, summary([own]) if wide is None else wide.numbers, 1 if wide is None else SEEDS)
    for number, (column, law) in enumerate(zip(laws, theory(layer, own, here, page), strict=True)):
        with column:
            st.markdown(f"**{law.title}**")
            chart(law_figure(law, mode()), key=f"law_{number}", alt=law.title)
    if wide is not None:
        return
    if stopped:
        st.button(page["go_on"], on_click=stop, args=(None,), type="tertiary", icon=":material/area_chart:")
        return
    told = progress_in(bar, page, "bands")
    bands(question, SEEDS, summary, lambda done, share: told((done - 1 + share) / (SEEDS - 1)))
    st.rerun()


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
    question = Question(text=text, seed=seed, target=target)
    # Outside the fragment: a click inside it would wait until it has finished.
    with st.container(horizontal=True, vertical_alignment="center", key="working"):
        bar = st.empty()
        if known_bands(question, SEEDS) is None and st.session_state.get("stopped") != question:
            st.button(page["stop"], on_click=stop, args=(question,), key="stop_here")
    laboratory(question, strings, bar, page)


def trained(page: Words) -> None:
    """The same in the model the reader chose."""
    strained.section(study_bar(), page)


page = words("vanishing")
st.html(STYLE)
page_header(page)

where = switch("where_from", WHERE, page["where"], lambda name: page[f"wheres.{name}"], folded=True)
(untrained if where == "untrained" else trained)(page)
with st.expander(page["measures"]):
    st.markdown("\n".join(f"- **{page[f'measure.{name}']}**: {page[f'help.{name}']}" for name in MEASURES))
