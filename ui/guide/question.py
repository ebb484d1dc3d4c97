"""A prediction in the dock: the question, what the reader says, then the truth beside it. Nothing waits."""

from functools import partial
from hashlib import blake2b
from html import escape
from math import isfinite

import numpy as np
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from ui.components.lab import Bars, Box, Film, lab
from ui.errors import fragment
from ui.guide.kinds import Answer, Choose, Kind, Number, Prediction, Row, gaps
from ui.numbers import significant
from ui.state import Setting, go
from ui.text import Words, inline_code, words

SIDE_BY_SIDE = 24  # options; of more a list
HEIGHT = 150  # pixels of the bars


def predict(place: DeltaGenerator, prediction: Prediction, page: Words) -> None:
    """Ask in this place of the dock. The answer stands in the link; another question of the page takes it back."""
    with place:
        _question(prediction, page)


@fragment
def _question(prediction: Prediction, page: Words) -> None:
    common, setting = words("common"), _answer(page.page, prediction.kind)
    _renewed(setting, prediction)
    answer = setting.value()
    st.markdown(f"**{common['predict.title']}** {page.format('predict.ask', **prediction.values)}")
    draft = answer or _drafted(prediction.kind, setting.name)
    if not answer:
        _widget(prediction.kind, setting.name, page)
        draft = _drafted(prediction.kind, setting.name)
        st.button(
            common["predict.see"],
            key=f"{setting.name}_see",
            on_click=partial(_happen, setting, prediction),
            disabled=not draft,
            type="primary",
        )
        return
    truth = tuple(prediction.truth())
    if truth:
        _outcome(prediction.kind, answer, truth, common, page)
    else:
        st.caption(common["predict.absent"])
    st.button(common["predict.again"], key=f"{setting.name}_again", on_click=setting.reset, type="tertiary")


def _answer(page: str, kind: Kind) -> Setting[Answer]:
    """What the reader has said; nothing where it answers another question."""

    def clamp(answer: Answer) -> Answer:
        return answer if kind.fits(answer) else ()

    return Setting(key="guess", widget=f"guess_{page}", default=(), parse=_parsed, spell=_spelled, clamp=clamp)


def _parsed(spelling: str) -> Answer:
    numbers = tuple(map(float, spelling.split(","))) if spelling else ()
    if not all(map(isfinite, numbers)):
        raise ValueError(f"{spelling!r} is no answer")
    return numbers


def _spelled(answer: Answer) -> str:
    return ",".join(f"{number:g}" for number in answer)


def _renewed(setting: Setting[Answer], prediction: Prediction) -> None:
    """Another sentence, another question: what was said before answers it no longer."""
    asked, name = repr((prediction.kind, sorted(prediction.values.items()))), f"{setting.name}_of"
    digest = blake2b(asked.encode(), digest_size=8).hexdigest()
    if st.session_state.setdefault(name, digest) != digest:
        st.session_state[name] = digest
        st.session_state.pop(f"{setting.name}_draft", None)
        setting.reset()


def _happen(setting: Setting[Answer], prediction: Prediction) -> None:
    """The answer is given, and what it is about happens on the page."""
    setting.put(_drafted(prediction.kind, setting.name))
    go(prediction.state)
    st.rerun()


def _drafted(kind: Kind, name: str) -> Answer:
    """What stands in the widget, not said yet."""
    draft = st.session_state.get(f"{name}_draft")
    if isinstance(kind, Row):
        draft = draft if draft is not None and kind.fits(draft) else (kind.high / 2,) * len(kind.names)
        return draft
    return () if draft is None or not kind.fits((float(draft),)) else (float(draft),)


def _widget(kind: Kind, name: str, page: Words) -> None:
    key, label = f"{name}_draft", words("common")["predict.label"]
    if isinstance(kind, Choose):
        numbers, options = range(1, len(kind.options) + 1), kind.options
        if len(options) <= SIDE_BY_SIDE:  # labels are Markdown: what a reader typed stays inert
            name_of = [inline_code(option) for option in options]
            st.pills(label, numbers, format_func=lambda at: name_of[at - 1], key=key, label_visibility="collapsed")
        else:
            shown = {"format_func": lambda at: options[at - 1], "key": key, "label_visibility": "collapsed"}
            st.selectbox(label, numbers, index=None, **shown)
    elif isinstance(kind, Number):
        if st.session_state.get(key) not in kind.stops:
            st.session_state[key] = kind.stops[len(kind.stops) // 2]
        st.select_slider(label, kind.stops, format_func=_short, key=key, label_visibility="collapsed")
    else:
        _bars(kind, _drafted(kind, name), (), name, page)


def _bars(kind: Row, answer: Answer, truth: tuple[float, ...], name: str, page: Words) -> None:
    """Bars to pull; once the truth is known, it stands as outlines around them."""
    common, films = words("common"), [Film("said", np.array(answer, np.float32))]
    if truth:
        films.append(Film("truth", np.array(truth, np.float32)))

    def edited(panel: str, values: list[float]) -> None:
        st.session_state[f"{name}_draft"] = tuple(values)

    plot = Bars(
        name="said",
        film="said",
        count=len(kind.names),
        names=kind.names,
        high=kind.high,
        step=kind.step,
        editable=not truth,
        ghost="truth" if truth else "",
        ghost_name=common["predict.computed"],
        box=Box(span=12, height=HEIGHT),
    )
    # A key of its own: that of the answer would hold what the component remembers.
    key, summary = f"{name}_bars", common["predict.label"]
    lab([plot], key=key, sliders=[], films=films, words=words("canvas"), summary=summary, on_edit=edited)


def _outcome(kind: Kind, answer: Answer, truth: tuple[float, ...], common: Words, page: Words) -> None:
    """What was said and what is, beside each other; and why."""
    if isinstance(kind, Row):
        _bars(kind, answer, truth, f"guess_{page.page}", page)
    rows = zip(*_written(kind, answer, truth), gaps(kind, answer, truth), strict=True)
    body = "".join(
        f"<tr><td>{escape(yours)}</td><td>{escape(right)}</td><td>{_short(gap)}</td></tr>" for yours, right, gap in rows
    )
    head = "".join(f"<th scope='col'>{escape(common[f'predict.{name}'])}</th>" for name in ("yours", "computed", "gap"))
    st.html(f'<table class="guide-gap"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>')
    st.markdown(page["predict.why"])


def _written(kind: Kind, answer: Answer, truth: tuple[float, ...]) -> tuple[list[str], list[str]]:
    """What was said and what is, as they are written."""
    if isinstance(kind, Choose):
        places = int(answer[0]) - 1, int(np.argmax(truth))
        yours, right = (f"{kind.options[place]} · {_short(truth[place])}" for place in places)
        return [yours], [right]
    names = [f"{name}: " for name in kind.names] if isinstance(kind, Row) else [""]
    return [name + _short(number) for name, number in zip(names, answer, strict=True)], list(map(_short, truth))


def _short(number: float) -> str:
    return significant(float(number), 3)
