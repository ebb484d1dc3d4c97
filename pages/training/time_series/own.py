"""A series of the reader's own: a file, which column of it, what was done to have numbers, or why there are none."""

from collections.abc import Sequence
from hashlib import blake2b

import streamlit as st

from pages.training.time_series import reading
from pages.training.time_series.numbers import enough, least
from pages.training.time_series.own_choice import chosen
from pages.training.time_series.settings import KEY
from ui.text import Words
from ui.training.controls import current, go
from ui.uploads import uploader

OWN = "ts_own"  # the last usable series of the reader's own: the name of its column, its numbers
SHEET = "ts_sheet"  # the file that is there now, by its digest: what stands in it, or why nothing does
PLAIN = ("from", "rows")  # notes that say nothing surprising


def own(page: Words, past: int) -> tuple[float, ...]:
    """The reader's own numbers, or those of the last usable file, or none."""
    left, right = st.columns(2, vertical_alignment="top")
    most = page.format("own.help", most=reading.LARGEST // 2**20)
    sent = uploader("ts_file", page["own.label"], left, most=2, help=most)
    with right:
        return _read(sent[0].getvalue(), page, past) if sent else _without_file(page, past)


def _without_file(page: Words, past: int) -> tuple[float, ...]:
    """The last usable series, if it is long enough; what to do, if there is none."""
    name, last = st.session_state.get(OWN, ("", ()))
    st.session_state.pop(SHEET, None)
    if not last and go(KEY).value() and current(KEY) is None:
        st.info(page["own.missing"], icon=":material/upload_file:")
    if _short(last, past):
        refused = reading.Refused("too_short", column=name, count=len(last), least=least(past))
        st.warning(_refusal(refused, page), icon=":material/warning:")
        return ()
    st.caption(page["own.kept"] if last else page.format("own.none", most=reading.MOST, least=least(past)))
    return last


def _short(values: Sequence[float], past: int) -> bool:
    return 0 < len(values) < least(past)


def _read(data: bytes, page: Words, past: int) -> tuple[float, ...]:
    """The numbers of a file, and what was done to have them, or why not."""
    try:
        digest = blake2b(data, digest_size=8).hexdigest()
        sheet = _sheet(data, digest)
        choice = chosen(sheet, digest, page, least(past))
        usable = reading.usable(sheet, choice, least(past))
    except reading.Refused as refused:
        return _refused(refused, page, past)
    name = sheet.columns[choice.column].name
    st.session_state[OWN] = name, usable.values
    _understood(name, usable, page)
    return usable.values


def _refused(refused: reading.Refused, page: Words, past: int) -> tuple[float, ...]:
    """Say why, and what is on screen meanwhile: the last usable series, or none."""
    _, last = st.session_state.get(OWN, ("", ()))
    last = () if _short(last, past) else last
    meanwhile = page["own.kept" if last else "own.made"]
    st.warning(f"{_refusal(refused, page)} {meanwhile}", icon=":material/warning:")
    return last


def _understood(name: str, usable: reading.Usable, page: Words) -> None:
    """In one place all that was done to have numbers."""
    notes = [page.format(f"note.{one.key}", **one.named) for one in usable.notes]
    if usable.gaps:
        notes.append(page.format("own.gaps", gaps=usable.gaps))
    if usable.dropped:
        notes.append(page.format("own.dropped", dropped=usable.dropped))
    text = " ".join([page.format("own.used", count=len(usable.values), column=name), *notes])
    if any(one.key not in PLAIN for one in usable.notes):
        st.info(text, icon=":material/info:")
    else:
        st.caption(text)


def _refusal(refused: reading.Refused, page: Words) -> str:
    """Why a series cannot be used, and what to do."""
    why = page.format(f"refused.{refused.why}", **refused.named)
    if refused.why != "too_short":
        return why
    count, wanted = int(refused.named["count"]), int(refused.named["least"])
    other = enough(count)
    if least(other) <= count:
        return f"{why} {page.format('refused.shorter', past=other, least=least(other))}"
    fewest = [page.format("refused.fewest", past=other, least=least(other))] if least(other) < wanted else []
    return " ".join([why, page["refused.more"], *fewest])


def _sheet(data: bytes, digest: str) -> reading.Sheet:
    """What stands in the file, read once. Raises Refused."""
    if digest != st.session_state.get(SHEET, ("", None))[0]:
        try:
            sheet: reading.Sheet | reading.Refused = reading.read(data)
        except reading.Refused as refused:
            sheet = refused.again()
        st.session_state[SHEET] = digest, sheet
    _, sheet = st.session_state[SHEET]
    if isinstance(sheet, reading.Refused):
        raise sheet.again()
    return sheet
