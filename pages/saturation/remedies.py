"""One head on the reader's sentence under every remedy: what keeps softmax from saturating, what it costs."""

import re

import numpy as np
import streamlit as st

from attention_core.remedies import REMEDIES, Remedy
from attention_core.remedy_sweeps import COLUMNS, Axis, Place, Sweep, head_of, sweep
from attention_core.saturation import N_HEAD
from ui.components.canvas import Pick
from ui.components.lab import Positions, lab
from ui.controls import choose, sentence_bar, whole_number
from ui.errors import ReaderError, fragment
from ui.layout import page_header, take_away, trust_line
from ui.link import publish, recall, remember, seed
from ui.numbers import significant
from ui.saturation.remedies import (
    AXES,
    BASELINE,
    PARAMETERS,
    films,
    forks,
    plots,
    remedies,
    row_sum_residual,
    sdpa_residual,
    sliders,
    snippet,
)
from ui.saturation.stops import positive, released, where
from ui.session import MAX_PROBED, Question, probe
from ui.text import Words, words

ALL = "all"  # tokens of the sentence
KEYS = tuple(REMEDIES)
SIDES = ("helps", "costs")


def place(n: int) -> Place:
    """Where the link says the sliders stand, each at its nearest stop."""
    d_k, alpha = where()
    return Place(d_k=d_k, alpha=alpha, n=min(max(round(positive(recall("tokens", ALL), float(n))), 2), n))


def moved(n: int, at: Positions) -> None:
    """A released slider: its value goes into the link."""
    released(at["d_k"], at["alpha"])
    remember("tokens", ALL if at["n"] == n - 2 else str(at["n"] + 2))


def picked(pick: Pick) -> None:
    """A thumbnail chooses a remedy."""
    if pick.panel == "thumbs":
        st.session_state["remedy"] = KEYS[pick.row]


def choose_head(page: Words) -> tuple[int, int]:
    """Which head, and the seed of its layer."""
    number = whole_number("cure_head", 1, N_HEAD, 1, page["head"], 100) - 1
    return number, whole_number("seed", 0, 9999, 0, page["seed"], 110)


def settings(chosen: str, page: Words) -> dict[str, float]:
    """The numbers that remedies learn; a slider for that of the chosen one."""
    found = {}
    for key, parameter in PARAMETERS.items():
        name = f"remedy_{parameter.letter}"
        seed(name, parameter.start, float, parameter.stops)
        if key == chosen:
            st.select_slider(
                page.format("parameter", letter=parameter.letter),
                parameter.stops,
                format_func=lambda value: significant(value) if value else page["g0"],
                key=name,
            )
        found[key] = float(st.session_state[name])
        publish(name, f"{found[key]:g}", f"{parameter.start:g}")
    return found


def about(key: str, remedy: Remedy, page: Words) -> None:
    """Where it comes from, when it helps and what it costs."""
    helps, costs = (re.sub(r"([dW])_(\w+)", r"$\1_{\\mathrm{\2}}$", page[f"remedy.{key}.{side}"]) for side in SIDES)
    st.markdown(
        f"**{page['helps']}** {helps}  \n**{page['costs']}** {costs}  \n{cited(remedy.reference) or page['no_paper']}"
    )


def cited(reference: str) -> str:
    """The reference with its address as a link."""
    linked = re.sub(r"arXiv:(\d{4}\.\d{5})", r"[arXiv:\1](https://arxiv.org/abs/\1)", reference)
    return re.sub(r"evanmiller\.org\S+", r"[evanmiller.org](https://www.\g<0>)", linked)


@fragment
def laboratory(text: str, tokens: tuple[str, ...], number: int, drawn: int, page: Words) -> None:
    """Everything that follows the sliders, and what they leave behind when released."""
    n = len(tokens)
    choice, formula, verdict = st.columns([3, 4, 5], vertical_alignment="center", gap="medium")
    with choice:
        key = choose("remedy", KEYS, page["remedy_label"], lambda name: page[f"remedy.{name}.name"])
        learned = settings(key, page)
    table, chosen = remedies(learned), KEYS.index(key)
    with formula:
        st.latex(table[key].formula)
    with verdict:
        about(key, table[key], page)
    here = place(n)
    layer = probe(Question(text=text, seed=drawn))
    head = head_of(layer, drawn, number)
    sweeps: dict[Axis, Sweep] = {along: sweep(head, table, along, here) for along in AXES}
    lab(
        plots(sweeps, tokens, KEYS, chosen, page),
        key="remedies",
        sliders=sliders(here, n, page),
        films=films(sweeps, here, chosen),
        computed=forks(),
        words=words("canvas"),
        summary=page["summary"],
        on_move=lambda at: moved(n, at),
        on_pick=picked,
    )
    weights, numbers = (each[here.alpha] for each in (sweeps["alpha"].weights, sweeps["alpha"].table))
    with st.container(horizontal=True, vertical_alignment="center"):
        trust_line(
            rows=row_sum_residual(weights, table),
            residual=sdpa_residual(head, weights[KEYS.index(BASELINE)], here),
            oracle="torch SDPA",
            seed=drawn,
            dtype="float64",
            device="cpu",
        )
        take_away(
            "remedies",
            arrays=lambda: (
                {"weights": weights[:, : here.n, : here.n]}
                | {f"table_{along}": swept.table for along, swept in sweeps.items()}
            ),
            snippet=snippet(text, drawn, number, here, learned),
        )
    st.markdown(f"**{page['table']}** {page['table_note']}")
    st.dataframe(
        rows(numbers, page),
        hide_index=True,
        height="content",
        column_config={
            page[f"column.{name}"]: st.column_config.NumberColumn(format="%.4g", help=page[f"help.{name}"])
            for name in COLUMNS
        },
    )


def rows(numbers: np.ndarray, page: Words) -> dict[str, list[str] | list[float]]:
    """The read-outs of every remedy, gains and gradients as numbers rather than logarithms."""
    plain = {
        page[f"column.{name}"]: (10.0**values if name.startswith("log_") else values).tolist()
        for name, values in zip(COLUMNS, numbers.T.astype(np.float64), strict=True)
    }
    return {page["remedy_label"]: [page[f"remedy.{key}.name"] for key in KEYS], **plain}


page = words("remedies")
page_header(page)
text, tokens, (number, drawn) = sentence_bar(lambda: choose_head(page))
strings = tokens.strings[:MAX_PROBED]
if len(strings) < 2:
    raise ReaderError("one_token")
if len(tokens) > MAX_PROBED:
    st.caption(page.format("shortened", shown=MAX_PROBED, all=len(tokens)))
laboratory(text, strings, number, drawn, page)
with st.expander(page["measures"]):
    st.markdown("\n".join(f"- **{page[f'column.{name}']}**: {page[f'help.{name}']}" for name in COLUMNS))
