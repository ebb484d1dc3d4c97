"""One row of softmax under a microscope: the article's, then the reader's own, its derivative, and what dtypes keep."""

import re
from functools import partial

import streamlit as st

from attention_core.softmax import ROUNDINGS
from pages.saturation.softmax.microscope import (
    A_STOPS,
    BETAS,
    GAPS,
    H_STOPS,
    LEAST,
    MOST,
    SHIFTS,
    arrays,
    article_computed,
    article_films,
    article_plots,
    article_slider,
    cases,
    check_films,
    check_plots,
    h_slider,
    parsed_row,
    precision_films,
    precision_plots,
    precision_sliders,
    printed_values,
    row_computed,
    row_films,
    row_plots,
    row_sliders,
    snippet,
    thresholds,
)
from ui.components.canvas import Pick
from ui.components.lab import Positions, lab
from ui.controls import whole_number
from ui.errors import fragment
from ui.layout import page_header, take_away, trust_line
from ui.link import recall, remember
from ui.numbers import nearest, significant
from ui.text import Words, words

# Where everything stands when the link says nothing. Keys of the session and of the link begin with sm_.
DEFAULTS = {"a": "1", "x": "1,1,2", "beta": "1", "c": "0", "pair": "3,1", "h": "1e-05", "gap": "5", "max": "1"}
PRESETS = {  # name → scores, c
    "article": ("1,1,2", "0"),
    "small": ("0,0,1", "0"),
    "large": ("0,0,1", "100"),
    "equal": ("0,0,0", "100"),
    "tie": ("4,4,0,0", "0"),
    "sixteen": ("0.5,-1.25,2,0,-0.75,1.5,-2,0.25,3,-0.5,1,-1.5,0.75,-0.25,1.25,-1", "0"),
}


# A wide table, or a long formula on a telephone, scrolls by itself; the page does not.
STYLE = """<style>
[class*="st-key-table_"] [data-testid="stMarkdownContainer"] {
  overflow-x: auto; --paper: light-dark(#fffffd, #141413); --shade: light-dark(#18181633, #eceae455); background:
    linear-gradient(to right, var(--paper) 50%, transparent) 0 / 2.4rem 100% no-repeat local,
    linear-gradient(to left, var(--paper) 50%, transparent) 100% / 2.4rem 100% no-repeat local,
    linear-gradient(to right, var(--shade), transparent) 0 / 0.8rem 100% no-repeat scroll,
    linear-gradient(to left, var(--shade), transparent) 100% / 0.8rem 100% no-repeat scroll;
}
[class*="st-key-table_"] table { font-variant-numeric: tabular-nums; }
.st-key-derivative .katex-display { overflow-y: hidden; padding: 3px 0; }
@media (max-width: 1199px) { .st-key-derivative .stColumn { flex: 1 1 100%; } }
@media (max-width: 640px) {
  .st-key-derivative .katex-display { text-align: left; }
  .st-key-derivative .katex-display > .katex { white-space: normal; text-align: left; }
  .st-key-derivative .katex .base { margin: 5px 0; }
}
</style>"""


def kept(name: str) -> str:
    """A value no widget owns, from this session or the link."""
    return recall(f"sm_{name}", DEFAULTS[name])


def keep(name: str, value: str) -> None:
    """Put it there."""
    remember(f"sm_{name}", value)


def stop(name: str, stops: tuple[float, ...]) -> int:
    """The stop nearest to what is kept; to the default, where that is not a number."""
    try:
        wanted = float(kept(name))
    except ValueError:
        wanted = float("nan")
    return nearest(stops, wanted if abs(wanted) < 1e9 else float(DEFAULTS[name]))


def pair(n: int) -> tuple[int, int]:
    """The chosen cell (i, j) of the Jacobian, counted from 0."""
    chosen = re.fullmatch(r"([0-9]{1,2}),([0-9]{1,2})", kept("pair"))
    i, j = (int(text) - 1 for text in chosen.groups()) if chosen else (n - 1, n - 1)
    return i if 0 <= i < n else n - 1, j if 0 <= j < n else n - 1


# --- the article's row ---


@fragment
def article(page: Words) -> None:
    """[a, a, 2a]."""

    def moved(at: Positions) -> None:
        keep("a", f"{A_STOPS[at['a']]:g}")

    lab(
        article_plots(page),
        key="softmax_article",
        sliders=[article_slider(stop("a", A_STOPS), page)],
        films=article_films(),
        computed=article_computed(),
        words=words("canvas"),
        summary=page["summary_article"],
        on_move=moved,
    )


def printed(page: Words) -> None:
    """What the article prints, beside the truth."""
    head = "| a | " + " | ".join(page[f"printed.{name}"] for name in ("article", "true", "torch", "written")) + " |"
    rows = [
        f"| {row.a} | `{row.printed}` | `{row.true}` | `{row.torch}` | `{row.written}` |" for row in printed_values()
    ]
    with st.container(key="table_printed"):
        st.markdown("\n".join([head, "|" + "---|" * 5, *rows]))
    st.markdown(page["printed.note"])


# --- the reader's row ---


def use(name: str) -> None:
    """Take one of the prepared rows."""
    scores, shift = PRESETS[name]
    st.session_state["sm_n"] = scores.count(",") + 1
    keep("x", scores)
    keep("c", shift)
    keep("beta", DEFAULTS["beta"])


@fragment
def own_row(page: Words) -> None:
    """Bars to pull, and everything that follows from them."""
    with st.container(horizontal=True, vertical_alignment="bottom", key="presets"):
        n = whole_number("sm_n", LEAST, MOST, 3, page["count"], 150)
        for name in PRESETS:
            st.button(page[f"preset.{name}"], key=f"preset_{name}", on_click=partial(use, name))
    x, chosen = parsed_row(kept("x"), n), pair(n)
    beta_at, shift_at = stop("beta", BETAS), stop("c", SHIFTS)

    def moved(at: Positions) -> None:
        keep("beta", f"{BETAS[at['beta']]:g}")
        keep("c", f"{SHIFTS[at['shift']]:g}")

    def edited(panel: str, values: list[float]) -> None:
        keep("x", ",".join(f"{value:g}" for value in parsed_row(",".join(map(str, values)), len(values))))

    def picked(pick: Pick) -> None:
        if pick.panel == "jacobian":
            keep("pair", f"{pick.row + 1},{pick.col + 1}")
        elif pick.panel == "p":
            keep("pair", f"{pick.row + 1},{chosen[1] + 1}")

    films = row_films(x)
    lab(
        row_plots(films, n, chosen, page),
        key="softmax_row",
        sliders=row_sliders(beta_at, shift_at, page),
        films=films,
        computed=row_computed(n),
        words=words("canvas"),
        summary=page["summary_row"],
        on_move=moved,
        on_edit=edited,
        on_pick=picked,
    )
    st.markdown(page["differences"])
    derivative(x, BETAS[beta_at], SHIFTS[shift_at], chosen, page)
    residual = checks(x, BETAS[beta_at], page)
    with st.container(horizontal=True, vertical_alignment="center"):
        trust_line(residual=residual, oracle="torch.autograd", dtype="float64", device="cpu")
        take_away(
            "softmax",
            arrays=lambda: arrays(x, BETAS[beta_at], SHIFTS[shift_at]),
            snippet=snippet(x, BETAS[beta_at], SHIFTS[shift_at]),
        )


def derivative(x: tuple[float, ...], beta: float, shift: float, chosen: tuple[int, int], page: Words) -> None:
    """Two cases, each line with the reader's numbers."""
    st.subheader(page["derivative.title"], anchor=False)
    st.markdown(page["derivative.intro"])
    i, j = chosen
    j = j if i != j else (i + 1) % len(x)  # a cell on the diagonal was chosen: beside it stands its neighbour
    found = cases(x, beta, shift, (i, j))
    same, other = st.container(key="derivative").columns(2)
    with same:
        st.markdown(page.format("derivative.same", i=i + 1))
        st.latex(found.same)
        st.latex(found.same_here)
    with other:
        st.markdown(page.format("derivative.other", i=i + 1, j=j + 1))
        st.latex(found.other)
        st.latex(found.other_here)
    st.markdown(page["derivative.together"])


def checks(x: tuple[float, ...], beta: float, page: Words) -> float:
    """Formula, autograd, finite differences; returns how far the first two are apart, at most."""

    def moved(at: Positions) -> None:
        keep("h", f"{H_STOPS[at['h']]:.3g}")

    films = check_films(x, beta)
    st.subheader(page["check.title"], anchor=False)
    st.markdown(page["check.intro"])
    lab(
        check_plots(len(x), page),
        key="softmax_check",
        sliders=[h_slider(stop("h", H_STOPS), page)],
        films=films,
        words=words("canvas"),
        summary=page["summary_check"],
        on_move=moved,
    )
    return next(float(film.values[0, 1]) for film in films if film.name == "errors")


# --- dtypes ---


@fragment
def precision(page: Words) -> None:
    """What four dtypes keep of a row of two."""

    def moved(at: Positions) -> None:
        keep("gap", f"{GAPS[at['gap']]:.4g}")
        keep("max", str(1 - at["subtracted"]))

    lab(
        precision_plots(page),
        key="softmax_precision",
        sliders=precision_sliders(stop("gap", GAPS), 1 if kept("max") == "0" else 0, page),
        films=precision_films(),
        words=words("canvas"),
        summary=page["summary_precision"],
        on_move=moved,
    )
    names = ("epsilon", *ROUNDINGS)
    head = f"| {page['loss.dtype']} | " + " | ".join(page[f"loss.{name}"] for name in names) + " |"
    rows = [
        f"| **{dtype}** | " + " | ".join(significant(value) for value in values) + " |"
        for dtype, values in thresholds().items()
    ]
    with st.container(key="table_thresholds"):
        st.markdown("\n".join([head, "|" + "---|" * (len(names) + 1), *rows]))
    st.caption(page["loss.note"])


page = words("softmax")
st.html(STYLE)
page_header(page)
article(page)
printed(page)
st.header(page["own"], anchor=False)
own_row(page)
st.header(page["precision"], anchor=False)
st.markdown(page["precision_intro"])
precision(page)
st.markdown(page["correction"])
