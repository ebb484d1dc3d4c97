"""One head on the reader's sentence under every remedy: what keeps softmax from saturating, what it costs."""

from collections.abc import Hashable
from pathlib import Path

import streamlit as st

from attention_core.remedies import REMEDIES
from attention_core.remedy_curves import COLUMNS, Axis, Comparison, Place, compare, head_of
from attention_core.saturation import N_HEAD
from pages.saturation.remedies.choice import choose_remedy
from pages.saturation.remedies.evidence import draw_table, script, trust
from pages.saturation.remedies.guide import GUIDE, prediction
from pages.saturation.remedies.numbers import AXES, KEYS, arrays, remedies
from pages.saturation.remedies.pictures import computed, films, plots, sliders
from pages.saturation.remedies.settings import ALL, TOKENS, tokens_of
from ui.components.canvas import Pick
from ui.components.lab import Positions, lab
from ui.controls import sentence_bar, whole_number
from ui.errors import fragment
from ui.guide import predict
from ui.layout import page_header, style, take_away
from ui.session import MAX_PROBED, Question, answer, known, probe
from ui.stops import PROBE_HEAD, head_number, released, where
from ui.text import Words, words


def moved(n: int, at: Positions) -> None:
    """A released slider: its value goes into the link."""
    released(at)
    TOKENS.put(ALL if at["n"] == n - 2 else at["n"] + 2)


def picked(pick: Pick) -> None:
    """A thumbnail chooses a remedy."""
    if pick.panel == "thumbs":
        st.session_state["remedy"] = KEYS[pick.row]


def choose_head(page: Words) -> tuple[int, int]:
    """Which head, the one that Vanishing looks at too, and the seed of its layer."""
    st.session_state["cure_head"] = head_number()
    number = st.segmented_control(
        page["head"],
        range(1, N_HEAD + 1),
        required=True,
        key="cure_head",
        on_change=lambda: PROBE_HEAD.put(st.session_state["cure_head"]),
    )
    return (number or 1) - 1, whole_number("seed", 0, 9999, 0, page["seed"], 110)


@fragment
def laboratory(text: str, tokens: tuple[str, ...], number: int, seed: int, page: Words) -> None:
    """Everything that follows the sliders, and what they leave behind when released."""
    chosen, learned = choose_remedy(page)
    table, n = remedies(learned), len(tokens)
    d_k, alpha = where()
    stand = Place(d_k=d_k, alpha=alpha, n=tokens_of(n))
    head, stops = head_of(probe(Question(text=text, seed=seed)), seed, number), stand.at()

    def question(along: Axis) -> Hashable:
        others = tuple(at for name, at in stops.items() if name != along)
        return "remedies", text, seed, number, tuple(learned.values()), along, others

    def swept(along: Axis) -> Comparison:
        return answer(question(along), lambda: compare(head, table, along, stand))

    # The film of the slider that was released is known: what is written is written from it, before the others are made.
    axes: list[Axis] = [along for along in AXES if known(question(along))]
    first = axes[0] if axes else AXES[0]
    pictures = st.container(key="pictures")
    ready = swept(first)
    weights, columns = ready.weights[stops[first]], ready.table[stops[first]]
    with st.container(horizontal=True, vertical_alignment="center"):
        trust(head, weights, columns, table, stand, seed)
        take_away(
            "remedies",
            arrays=lambda: arrays(tokens, weights, {along: swept(along) for along in AXES}, stand.n),
            snippet=script(text, seed, number, stand, learned, page),
        )
    st.markdown(f"**{page['table']}** {page['table_note']}")
    draw_table(columns, stand.n, page)
    with pictures:
        sweeps: dict[Axis, Comparison] = {along: swept(along) for along in AXES}
        lab(
            plots(sweeps, tokens, chosen, page),
            key="remedies",
            sliders=sliders(stand, n, page),
            films=films(sweeps, stand, chosen),
            computed=computed(),
            words=words("canvas"),
            summary=page["summary"],
            on_move=lambda at: moved(n, at),
            on_pick=picked,
        )


page = words("remedies")
style(Path(__file__).with_name("style.css"))
place = page_header(page, GUIDE)
text, tokens, (number, seed) = sentence_bar(lambda: choose_head(page), least=2)
if len(tokens) > MAX_PROBED:
    st.caption(page.format("shortened", shown=MAX_PROBED, all=len(tokens)))
shown = tokens.strings[:MAX_PROBED]
at_d_k, at_alpha = where()
asked = Place(d_k=at_d_k, alpha=at_alpha, n=tokens_of(len(shown)))
predict(place, prediction(head_of(probe(Question(text=text, seed=seed)), seed, number), asked, REMEDIES, page), page)
laboratory(text, shown, number, seed, page)
with st.expander(page["measures"]):
    st.markdown("\n".join(f"- **{page[f'column.{name}']}**: {page[f'help.{name}']}" for name in COLUMNS))
