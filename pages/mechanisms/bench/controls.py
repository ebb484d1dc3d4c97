"""What the reader of the bench chooses: mechanisms, what they are compared with, the mask, D, the memory."""

import streamlit as st

from attention_core.mechanisms import MECHANISMS, Options
from attention_core.mechanisms.bench import WIDTHS
from attention_core.models import UnknownWords, Unreadable
from attention_core.models.base import MASKS as CHOSEN_MASKS
from attention_core.text import clean
from pages.mechanisms.bench.numbers import LEAST, MAX_TOKENS, MOST, OWN, Comparison, one_per_axis, three
from pages.mechanisms.bench.wording import title
from ui.controls import MAX_CHARS, Choice, choose, cut_off, remarks, switch, unreadable, untaught, whole_number
from ui.state import OF_ANY, Setting, kept
from ui.text import Words, words

MEMORIES = ("same", "other")
MASKS = (OWN, *CHOSEN_MASKS)
SPELLED_WIDTHS = tuple(map(str, WIDTHS))


def _known(spelling: str) -> list[str]:
    """The mechanisms that are listed, MOST at most. Raises ValueError where there is none."""
    keys = [key for key in dict.fromkeys(spelling.split(",")) if key in MECHANISMS]
    if not keys:
        raise ValueError(spelling)
    return keys[:MOST]


CHOSEN = Setting(key="bench", default=three(MECHANISMS), parse=_known, spell=",".join, spelled_out=True)
UNSAID = {"text", "focus", *OF_ANY}  # what a link to any page may say
RADIUS = Setting(key="bench_D", default=2, parse=int, options=range(MAX_TOKENS + 1))
MEMORY = Setting(key="bench_text", default="", parse=str)
WIDTH = Setting(
    key="bench_width", default=WIDTHS.index(64), parse=SPELLED_WIDTHS.index, spell=SPELLED_WIDTHS.__getitem__
)


def open_as_said() -> None:
    """Before anything else of the page: a link that says a view but no mechanisms was made when six were shown."""
    known = {*st.session_state, *st.query_params, *kept()}
    if CHOSEN.key not in known and not UNSAID.issuperset(st.query_params):
        CHOSEN.put(one_per_axis(MECHANISMS))


def controls(choice: Choice, page: Words) -> tuple[Comparison, list[str], str]:
    """What is compared, under which mask, on which memory; the mechanisms; the one that is the reference."""
    common = words("controls")
    with st.container(key="bench_bar", gap="xsmall"):
        keys = _mechanisms(page)
        with (
            st.expander(page["details"], expanded=_unfolded()),
            st.container(horizontal=True, vertical_alignment="top", gap="medium"),
        ):
            reference = choose(
                "bench_reference",
                keys,
                page["reference"],
                lambda key: title(key, MECHANISMS[key], page),
                page["reference_help"],
                180,
            )
            names = {OWN: page["mask_own"]} | {rule: common[f"masks.{rule}"] for rule in CHOSEN_MASKS}
            mask = switch("bench_mask", MASKS, page["mask"], names.__getitem__, page["mask_help"])
            radius = _radius(page)
            seed = whole_number("bench_seed", 0, 9999, 0, page["seed"], 110)
            memory = _memory(page)
            if len(keys) >= MOST:
                st.caption(page["full"], width=140)
    if memory is not None and not _readable(memory, choice, common, page):
        memory = None
    options = Options(radius=radius, seed=seed)
    comparison = Comparison(study=choice.study, layer=choice.layer, memory=memory, options=options, mask=mask)
    return comparison, keys, reference


def _unfolded() -> bool:
    """Whether the details stood open from the beginning: where the link said one of them."""
    names_one = any(key.startswith("bench_") and key != WIDTH.key for key in st.query_params)
    return st.session_state.setdefault("bench_unfolded", names_one)


def _readable(memory: str, choice: Choice, common: Words, page: Words) -> bool:
    """Whether the model reads this as a memory; if not, one sentence says why."""
    try:
        tokens = choice.model.tokenize(memory)
        if memory and not tokens.blank:
            if notes := remarks(common, tokens):
                st.caption(" · ".join(notes))
            return True
        st.warning(page["empty_memory"], icon=":material/edit:")
    except UnknownWords as error:
        untaught(error, common, page["own_memory"])
    except Unreadable as error:
        unreadable(error, common)
    return False


def _mechanisms(page: Words) -> list[str]:
    """Two to six rows of the table. With fewer, the last good choice stays on screen."""
    CHOSEN.seed()
    if len(st.session_state[CHOSEN.key]) > MOST:
        st.session_state[CHOSEN.key] = st.session_state[CHOSEN.key][:MOST]
    keys = st.multiselect(
        page.format("choose", least=LEAST, most=MOST),
        list(MECHANISMS),
        format_func=lambda key: title(key, MECHANISMS[key], page),
        key=CHOSEN.key,
        select_all=False,
        placeholder=page["choose_placeholder"],
    )
    if len(keys) < LEAST:
        st.warning(page.format("too_few", least=LEAST), icon=":material/edit:")
        return st.session_state.get("bench_last", CHOSEN.default)
    CHOSEN.publish(keys)
    st.session_state["bench_last"] = list(keys)
    return list(keys)


def _radius(page: Words) -> int:
    """D, in tokens."""
    RADIUS.seed()
    st.slider(page["radius"], 0, MAX_TOKENS, key=RADIUS.key, width=160, help=page["radius_help"])
    return RADIUS.value()


def _memory(page: Words) -> str | None:
    """The second sentence, or None where the sentence is its own memory."""
    if switch("bench_memory", MEMORIES, page["memory"], lambda name: page[f"memories.{name}"]) == "same":
        return None
    MEMORY.seed()
    typed = st.text_input(page["memory_text"], key=MEMORY.key, live=True, placeholder=page["memory_placeholder"])
    cleaned = clean(typed, MAX_CHARS)
    MEMORY.publish(cleaned.text)
    if cleaned.cut:
        st.caption(f"{page['memory_text']}: {cut_off(cleaned.cut, MAX_CHARS, words('controls'))}")
    return cleaned.text
