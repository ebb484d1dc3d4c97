"""One head on the reader's sentence under every remedy: what keeps softmax from saturating, what it costs."""

import re
from collections.abc import Hashable

import numpy as np
import streamlit as st

from attention_core.remedies import REMEDIES, Remedy
from attention_core.remedy_curves import COLUMNS, Axis, Comparison, Place, compare, head_of
from attention_core.saturation import N_HEAD
from pages.saturation.remedies.pictures import (
    AXES,
    BASELINE,
    PARAMETERS,
    autograd_residual,
    films,
    forks,
    plots,
    remedies,
    row_sum_residual,
    sdpa_residual,
    sliders,
    snippet,
)
from ui.components.canvas import Pick
from ui.components.lab import Positions, lab
from ui.controls import choose, sentence_bar, whole_number
from ui.errors import fragment
from ui.layout import page_header, take_away, trust_line
from ui.link import publish, recall, remember, seed
from ui.numbers import significant
from ui.session import MAX_PROBED, Question, answer, known, probe
from ui.stops import head_number, positive, released, where
from ui.text import Words, words

ALL = "all"  # tokens of the sentence
KEYS = tuple(REMEDIES)
SIDES = ("helps", "costs")
# What is said of a remedy takes the same room for each, so that the sliders below stay where they are.
STYLE = """<style>
.st-key-remedy_choice { min-height: 9.6rem; }
@media (max-width: 640px) { .st-key-remedy_choice { min-height: 0; } }
</style>"""


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
    """Which head, the one that Vanishing looks at too, and the seed of its layer."""
    st.session_state["cure_head"] = head_number()
    number = st.segmented_control(
        page["head"],
        range(1, N_HEAD + 1),
        required=True,
        key="cure_head",
        on_change=lambda: remember("probe_head", str(st.session_state["cure_head"])),
    )
    return (number or 1) - 1, whole_number("seed", 0, 9999, 0, page["seed"], 110)


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
    with st.container(key="remedy_choice"):
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
    head = head_of(probe(Question(text=text, seed=drawn)), drawn, number)
    stops = here.at()

    def asked(along: Axis) -> Hashable:
        others = tuple(at for name, at in stops.items() if name != along)
        return "remedies", text, drawn, number, tuple(learned.values()), along, others

    def swept(along: Axis) -> Comparison:
        return answer(asked(along), lambda: compare(head, table, along, here))

    # The film of the slider that was released is known: what is written is written from it, before the others are made.
    ready: list[Axis] = [along for along in AXES if known(asked(along))]
    first = ready[0] if ready else AXES[0]
    pictures = st.container(key="pictures")
    sweeps: dict[Axis, Comparison] = {first: swept(first)}
    weights, numbers = (each[stops[first]] for each in (sweeps[first].weights, sweeps[first].table))
    with st.container(horizontal=True, vertical_alignment="center"):
        trust_line(
            rows=row_sum_residual(weights, table),
            residual=max(
                sdpa_residual(head, weights[KEYS.index(BASELINE)], here), autograd_residual(head, numbers, table, here)
            ),
            oracle="torch SDPA, torch.autograd",
            seed=drawn,
            dtype="float64 → float32",  # computed, and rounded to be sent
            device="cpu",
        )
        take_away(
            "remedies",
            arrays=lambda: (
                {"tokens": np.array(tokens), "remedies": np.array(KEYS), "columns": np.array(COLUMNS)}
                | {"weights": weights[:, : here.n, : here.n]}
                | {f"table_{along}": swept(along).table for along in AXES}
            ),
            snippet=snippet(text, drawn, number, here, learned, page),
        )
    st.markdown(f"**{page['table']}** {page['table_note']}")
    st.dataframe(
        rows(numbers, here.n, page),
        hide_index=True,
        height="content",
        column_config={
            page[f"column.{name}"]: st.column_config.NumberColumn(
                format=form(name, here.n, page), help=page[f"help.{name}"]
            )
            for name in COLUMNS
        },
    )
    with pictures:
        sweeps |= {along: swept(along) for along in AXES}
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


def form(name: str, n: int, page: Words) -> str:
    """How a column is written: as many decimals in every row, so that they stand below each other."""
    if name == "dead":
        return page["of"].replace("{whole}", str(n))
    return "%.3e" if name.startswith("log_") else "%.4f"


def rows(numbers: np.ndarray, n: int, page: Words) -> dict[str, list[str] | list[float]]:
    """The read-outs of every remedy: gains and gradients rather than their logarithms, dead rows counted."""
    plain = {
        page[f"column.{name}"]: (
            10.0**values if name.startswith("log_") else (n * values).round() if name == "dead" else values
        ).tolist()
        for name, values in zip(COLUMNS, numbers.T.astype(np.float64), strict=True)
    }
    return {page["remedy_label"]: [page[f"remedy.{key}.name"] for key in KEYS], **plain}


page = words("remedies")
st.html(STYLE)
page_header(page)
text, tokens, (number, drawn) = sentence_bar(lambda: choose_head(page), least=2)
strings = tokens.strings[:MAX_PROBED]
if len(tokens) > MAX_PROBED:
    st.caption(page.format("shortened", shown=MAX_PROBED, all=len(tokens)))
laboratory(text, strings, number, drawn, page)
with st.expander(page["measures"]):
    st.markdown("\n".join(f"- **{page[f'column.{name}']}**: {page[f'help.{name}']}" for name in COLUMNS))
