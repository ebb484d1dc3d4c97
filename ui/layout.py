"""What every page has: a header, a guide, a trust line, a take-away menu."""

import io
import zipfile
from codecs import BOM_UTF8
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from urllib.parse import urlencode

import numpy as np
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from ui.guide import Guide, dock, toggle
from ui.lessons.bar import add_view_button
from ui.palette import Mode, properties
from ui.present import present_switch
from ui.state import cut
from ui.text import Words, language_switch, reader_language, words

# Streamlit lets every formula scroll by itself, also where it fits: a stop of the keyboard that leads nowhere.
# Pictures that are drawn after what is written below them keep their room from the beginning.
# Labels of one row stand on one line: pills, which are lower than fields, stand in the middle of their height.
STYLE = """<style>
@media (min-width: 1200px) { .katex-display { overflow: visible !important; } }
@media (min-width: 1000px) { .st-key-header > .stElementContainer:nth-child(2) { flex: 1 1 24rem; min-width: 0; } }
.st-key-margin .katex-display { overflow: auto hidden !important; }
.st-key-library, .st-key-reader, .st-key-caption { position: absolute; }
.st-key-pictures { min-height: 56rem; }
[data-testid="stBaseButton-primary"]:not(:disabled) { &, * { color: light-dark(#fffffd, #181816); } }
.st-key-sentence_bar [data-testid="stButtonGroup"] button:not(label button) { min-height: 2.5rem; }
[data-testid="stHorizontalBlock"]:not(.st-key-sentence_bar):has(
  > .stElementContainer :is([data-testid="stTextInput"], [data-testid="stNumberInput"], [data-testid="stSelectbox"])
) > .stElementContainer [data-testid="stButtonGroup"] {
  padding-bottom: 0.25rem;
  [data-testid="stWidgetLabel"] { margin-bottom: 0.5rem; }
}
@media (max-width: 640px) { .st-key-sentence_bar > .stElementContainer:first-child { flex-basis: 100%; } }
</style>"""
SHEETS = "\n".join(
    (Path(__file__).parents[1] / "assets" / name).read_text(encoding="utf-8") for name in ("room.css", "print.css")
)
Arrays = Callable[[], Mapping[str, np.ndarray]]
CSV_BYTES = 8  # of one number among many in the zipped tables, about


def page_header(page: Words, guide: Guide, standfirst: str = "standfirst") -> DeltaGenerator:
    """Title, standfirst, guide and language switch, on one line where there is room.

    The title is the menu's. The page's own words, Markdown: `standfirst` (or, of a page with several views, that
    of the view), `see`, `try` (a list of three), `limits`.
    """
    common = words("common", page.language)
    st.html(f"{STYLE}<style>{SHEETS}</style>")
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="header"):
        st.title(common[f"page.{page.page}.title"], anchor=False, width="content")
        st.markdown(page[standfirst], width="stretch")
        toggle(common)
        present_switch(common)
        language_switch()
    place = dock(guide, page, common)
    if cut():
        st.warning(common["link.cut"], icon=":material/link_off:")
    return place


def style(file: Path) -> None:
    """Put a page's own style sheet, a file beside its script, on the page; the palette is var(--hue-ink) and so on."""
    st.html(f"<style>{properties()}\n{file.read_text(encoding='utf-8')}</style>")


def trust_line(
    *,
    first: str | None = None,
    rows: float | None = None,
    residual: float | None = None,
    lost: bool = False,
    oracle: str | None = None,
    seed: int | None = None,
    dtype: str | None = None,
    model: str | None = None,
    device: str | None = None,
) -> None:
    """Small print under a figure: why its numbers can be believed. What is None is left out.

    `first` is a page's own sentence, Markdown. `rows` is max |Σ_j α_ij − 1|; `residual` the largest difference from
    `oracle`, an independent computation; `lost` says that the oracle has nothing left to compare with.
    """
    common = words("common")
    parts: dict[str, dict[str, str | int | float | None]] = {
        "rows": {"value": rows},
        "equal" if residual == 0 else "residual": {"value": residual, "oracle": oracle},
        "lost": {"oracle": oracle if lost else None},
        "model": {"value": model},
        "seed": {"value": seed},
        "dtype": {"value": dtype},
        "device": {"value": device},
    }
    sentences = [
        common.format(f"trust.{name}", **{key: value for key, value in values.items() if value is not None})
        for name, values in parts.items()
        if None not in values.values()
    ]
    st.caption(" · ".join([first, *sentences] if first else sentences))


def agreement(value: float) -> str:
    """How far two things are apart at most, in words: "identical, bit for bit" where they are."""
    common = words("common")
    return common["apart.equal"] if value == 0 else common.format("apart.by", value=value)


def take_away(name: str, *, arrays: Arrays, snippet: str, count: int = 0) -> None:
    """The link to this view, its numbers (NPZ, CSV), and Python that prints the same numbers.

    `name` goes into file names and keys; `arrays`, numbers or the words that name them, is only called when somebody
    downloads. Of many numbers the `count` is said, and how large they are.
    """
    common = words("common")
    with st.popover(common["take.title"], icon=":material/download:", key=f"take_{name}"):
        st.markdown(f"**{common['take.link']}**")
        st.caption(common["take.link_help"])
        st.code(link(), language=None, wrap_lines=True)
        add_view_button(name)
        st.markdown(f"**{common['take.arrays']}**")
        with st.container(horizontal=True):
            _download(common["take.npz"], lambda: npz(arrays()), f"{name}.npz")
            _download(common["take.csv"], lambda: csv(arrays()), f"{name}.csv.zip")
        if count:
            st.caption(common.format("take.large", count=count, megabytes=round(count * CSV_BYTES / 2**20)))
        st.markdown(f"**{common['take.snippet']}**")
        st.code(snippet, language="python", height=240)
        _download(common["take.script"], lambda: snippet.encode(), f"{name}.py")


def mode() -> Mode:
    """Light or dark, as the reader sees the page."""
    return "dark" if st.context.theme.type == "dark" else "light"


def link() -> str:
    """The address of this exact view: every bound widget, and the language."""
    query = {"lang": reader_language(), **{key: st.query_params.get_all(key) for key in st.query_params}}
    return f"{st.context.url or ''}?{urlencode(query, doseq=True)}"


def npz(arrays: Mapping[str, np.ndarray]) -> bytes:
    """The arrays as one compressed .npz file, for `numpy.load`."""
    file = io.BytesIO()
    np.savez_compressed(file, allow_pickle=False, **arrays)
    return file.getvalue()


def csv(arrays: Mapping[str, np.ndarray]) -> bytes:
    """The arrays as a .zip of one .csv each, with a header and the indices of every row: a matrix as it stands, more
    axes as one row per value.

    Nine significant digits, which is all that float32 holds. A file begins with the mark by which Excel knows UTF-8.
    """
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as folder:
        for name, array in arrays.items():
            with folder.open(f"{name}.csv", "w", force_zip64=True) as table:
                table.write(BOM_UTF8)
                table.writelines(line.encode() for line in _lines(name, np.atleast_1d(array)))
    return file.getvalue()


def _lines(name: str, array: np.ndarray) -> Iterator[str]:
    """A table in pieces of one row of the array: one format string a row is ten times as fast as one a number."""
    axes = [f"axis_{axis}" for axis in range(array.ndim)]
    if array.ndim == 2:
        yield ",".join([axes[0], *map(str, range(array.shape[1]))]) + "\n"
        form = "%d" + ",%.9g" * array.shape[1] + "\n"
        yield from (form % (index, *row.tolist()) for index, row in enumerate(array))
        return
    yield ",".join([*axes, name]) + "\n"
    if array.dtype.kind == "U":
        yield from (f"{index},{_inert(word)}\n" for index, word in enumerate(array.tolist()))
        return
    form = "".join(f"@{last},%.9g\n" for last in range(array.shape[-1]))
    for place in np.ndindex(array.shape[:-1]):
        yield form.replace("@", "".join(f"{index}," for index in place)) % tuple(array[place].tolist())


def _inert(word: str) -> str:
    """A word somebody typed, as a cell: a spreadsheet runs what begins like a formula, but not after an apostrophe."""
    return '"' + ("'" if word[:1] in set("=+-@\t\r") else "") + word.replace('"', '""') + '"'


def _download(label: str, data: Callable[[], bytes], file_name: str) -> None:
    st.download_button(label, data, file_name=file_name, on_click="ignore", key=f"download_{file_name}")
