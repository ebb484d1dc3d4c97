"""Two sentences against each other: every word rebuilt from the other sentence, and a verdict with its evidence."""

import re
from functools import partial

import streamlit as st

from attention_core.checkpoints import DamagedError
from attention_core.matching import shipped
from attention_core.text import clean
from pages.mechanisms.two_sentences.pictures import (
    ENCODERS,
    MATCHERS,
    MAX_WORDS,
    SIDES,
    START,
    STOPS,
    Reading,
    arrays,
    computed,
    cosines,
    films,
    heard,
    partners,
    plots,
    read,
    residuals,
    self_attention_residual,
    snippet,
    temperature_slider,
)
from ui import session
from ui.components.canvas import Pick
from ui.components.lab import Positions, lab
from ui.controls import MAX_CHARS, choose
from ui.errors import fragment
from ui.layout import agreement, page_header, take_away, trust_line
from ui.link import publish, recall, remember, seed
from ui.numbers import nearest
from ui.text import Words, words

PAIRS = {  # key of its words → sentences, and the word to look at
    "student": ("I am a student", "You and me are students", "a4"),
    "paraphrase": ("The clever student helped an old lady", "This smart pupil assisted the aged woman", "a3"),
    "hard": ("The clever student helped an old lady", "This smart pupil assisted the aged doctor", "b6"),
    "order": ("The teacher helped the student", "The student helped the teacher", "a2"),
    "bank": ("She sat on the bank of the river", "She took the money from the bank", "a5"),
    "far": ("The king bought a fast horse", "You were tired yesterday", "a6"),
}
DEFAULT = PAIRS["student"]
TEXTS: dict[str, str] = dict(zip(SIDES, DEFAULT[:2], strict=True))


STYLE = """<style>
@media (max-width: 640px) { .st-key-first, .st-key-second { flex: 1 1 100% !important; } }
[class*="st-key-pair_of_"] button { justify-content: start; text-align: start; }
</style>"""


def use(first: str, second: str, word: str) -> None:
    """Put this pair into the boxes."""
    st.session_state.update(first=first, second=second)
    remember("two_word", word)


def sentences(page: Words) -> tuple[str, str, str]:
    """The bar: both boxes, pairs, the encoder. What was typed last takes the place of an empty box."""
    with st.container(horizontal=True, vertical_alignment="bottom", key="pair_bar"):
        for name in SIDES:
            seed(name, TEXTS[name], str)
            st.text_input(page[name], key=name, live=True, placeholder=page["placeholder"], width="stretch")
        with st.popover(page["pairs"], icon=":material/format_quote:", width="content"):
            for key, (first, second, word) in PAIRS.items():
                chosen = partial(use, first, second, word)
                with st.container(key=f"pair_of_{key}", gap=None):
                    st.button(
                        f"{first} / {second}", key=f"pair_{key}", type="tertiary", on_click=chosen, width="stretch"
                    )
                    st.caption(page[f"pair.{key}"])
        st.button(page["twice"], icon=":material/content_copy:", key="twice", on_click=again)
        label, explained = page["encoder"], page["encoder_help"]
        encoder = choose("encoder", ENCODERS, label, lambda name: page[f"encoders.{name}"], explained, 210)
    first, second = (usable(name, page) for name in SIDES)
    return first, second, encoder


def again() -> None:
    """Sentence 1 in both boxes."""
    st.session_state["second"] = st.session_state["first"]


def usable(name: str, page: Words) -> str:
    """What was typed, or the last that could be used with one sentence that says why."""
    cleaned = clean(st.session_state[name], MAX_CHARS)
    if not cleaned.text or not len(session.embedded().tokenize(cleaned.text, special=False)):
        st.warning(page[f"empty_{name}"], icon=":material/edit:")
        return st.session_state.get(f"last_{name}", TEXTS[name])
    st.session_state[f"last_{name}"] = cleaned.text
    publish(name, cleaned.text, TEXTS[name])
    return cleaned.text


def facts(texts: tuple[str, str], reading: Reading, page: Words) -> None:
    """What a reader should know about how the sentences were read."""
    whole = [session.embedded().tokenize(text, special=False) for text in texts]
    n, m = map(len, reading.tokens)
    found = [page.format("tokens", first=n, second=m)]
    dropped = sum(len(one) + one.dropped for one in whole) - n - m
    if any(clean(st.session_state[name], MAX_CHARS).cut for name in SIDES):
        found.append(page.format("cut_characters", limit=MAX_CHARS))
    if dropped:
        found.append(page.format("cut", limit=MAX_WORDS, dropped=dropped))
    if unknown := sum(one.unknown for one in whole):
        found.append(page.format("unknown", count=unknown))
    if min(n, m) == 1:
        found.append(page["single"])
    st.caption(" · ".join(found))


def word_in_focus(reading: Reading) -> tuple[int, int]:
    """The sentence (0 or 1) and the word in focus; the last word where the link names one that is not there."""
    found = re.fullmatch(r"([ab])(\d{1,4})", recall("two_word", DEFAULT[2]), re.ASCII)
    side, word = ("ab".index(found[1]), int(found[2]) - 1) if found else (0, 0)
    n = len(reading.tokens[side])
    return side, word if 0 <= word < n else n - 1


def temperature() -> int:
    """The stop nearest to what the link says."""
    try:
        wanted = float(recall("two_t", "1"))
    except ValueError:
        return START
    return nearest(STOPS, wanted) if abs(wanted) < 1e9 else START


@fragment
def laboratory(texts: tuple[str, str], encoder: str, reading: Reading, page: Words) -> None:
    """Everything that follows the slider and the word in focus."""
    side, word = word_in_focus(reading)
    at = temperature()

    def moved(positions: Positions) -> None:
        remember("two_t", f"{STOPS[positions['t']]:g}")

    def picked(pick: Pick) -> None:
        if pick.panel in ("vectors", "components"):
            return
        chosen = 1 - side if pick.panel == "row" else int(pick.panel.endswith("second"))
        remember("two_word", f"{'ab'[chosen]}{pick.row + 1}")

    lab(
        plots(reading, side, word, page),
        key="two_sentences",
        sliders=[temperature_slider(at, page)],
        films=films(reading, side, word),
        computed=computed(reading),
        words=words("canvas"),
        summary=page["summary"],
        on_move=moved,
        on_pick=picked,
    )
    rows, residual = residuals(reading, STOPS[at])
    with st.container(horizontal=True, vertical_alignment="center"):
        trust_line(
            rows=rows,
            residual=residual,
            oracle="torch SDPA",
            model=session.embedded().name,
            seed=shipped(MATCHERS[encoder])[1]["seed"] if encoder in MATCHERS else None,
            dtype="float64",
            device="cpu",
        )
        take_away(
            "two_sentences",
            arrays=lambda: arrays(reading, STOPS[at]),
            snippet=snippet(encoder, texts, STOPS[at]),
        )
    twice(reading, STOPS[at], page)


def twice(reading: Reading, chosen: float, page: Words) -> None:
    """The same sentence twice is self-attention."""
    st.header(page["twice_title"], anchor=False)
    residual = agreement(self_attention_residual(reading.encoded[0], chosen))
    if reading.tokens[0] == reading.tokens[1]:
        found = reading.alignment(chosen)
        transposed = float((found.first.weights - found.second.weights).abs().max())
        st.markdown(page.data("twice_now", residual=residual, transposed=agreement(transposed)))
    else:
        st.markdown(page.data("twice_not", residual=residual))


def context(texts: tuple[str, str], reading: Reading, page: Words) -> None:
    """One word, two sentences, before and after context."""
    st.header(page["context_title"], anchor=False)
    st.markdown(page["context_intro"])
    a, b = reading.tokens
    found = partners(reading)
    names = ("vectors", "bilstm", "transformer")
    columns = cosines(session.embedded(), texts, found)
    shared = [i for i, j in enumerate(found) if a[i] == b[j]]
    for i in sorted(shared, key=lambda i: len(a[i]))[-1:]:  # the longest: seldom an article
        before, after, whole = (float(columns[name][i]) for name in names)
        st.markdown(page.format("context_same", word=a[i], before=before, after=after, transformer=whole))
    st.dataframe(
        {page["column_word"]: list(a), page["column_partner"]: [b[j] for j in found]}
        | {page[f"column_{name}"]: columns[name].tolist() for name in names},
        hide_index=True,
        height="content" if len(a) <= 12 else 460,
        column_config={page[f"column_{name}"]: st.column_config.NumberColumn(format="%.4g") for name in names},
    )


def price(reading: Reading, page: Words) -> None:
    """What comes from the first word to the last, and in how many steps."""
    st.header(page["order_title"], anchor=False)
    n = len(reading.tokens[0])
    if n == 1:
        st.markdown(page["order_single"])
        return
    st.markdown(page.format("order_text", steps=n - 1, share=float(heard(reading.x[0])[0])))


def worth(encoder: str, page: Words) -> None:
    """How often the matcher is right, measured when it was trained."""
    st.header(page["worth_title"], anchor=False)
    if encoder not in MATCHERS:
        st.markdown(page["worth_none"])
        return
    recipe = shipped(MATCHERS[encoder])[1]
    cases = [(name, kind) for name in ("unmet", "unknown") for kind in ("same", "word", "order")]
    shares = {f"{name}_{kind}": f"{100 * recipe[name][kind]:.0f} %" for name, kind in cases}
    st.markdown(page["worth_text"].format_map(shares))
    if encoder == "vectors":
        st.markdown(page["worth_blind"].format_map(shares))


page = words("two_sentences")
st.html(STYLE)
page_header(page)
first, second, encoder = sentences(page)
texts = (first, second)
whole = True
try:
    reading = read(session.embedded(), encoder, texts)
    shipped("both")  # what stands below the pictures needs it with any encoder
except DamagedError:
    st.warning(page["damaged"], icon=":material/warning:")
    whole, encoder = False, "transformer"
    reading = read(session.embedded(), encoder, texts)
facts(texts, reading, page)
laboratory(texts, encoder, reading, page)
if whole:
    context(texts, reading, page)
    price(reading, page)
    worth(encoder, page)
