"""The sheets for paper as HTML: whatever a teacher has typed is escaped. Pure."""

from base64 import b64encode
from collections.abc import Sequence
from html import escape

import segno

from attention_core.lessons import Item
from pages.lessons.lesson.numbers import graphs, shown
from ui.text import Words

W, H = 320, 120  # of blank axes, in their own units
LINES = {"open": 3}  # to write on, by the kind of question; else one


def handout(title: str, link: str, items: Sequence[Item], page: Words) -> str:
    """Questions with room for answers, and the link as a code."""
    drawn = graphs(items)
    rooms = [_room(item, axes, page) for item, axes in zip(items, drawn, strict=True)]
    blanks = "".join(f"<span>{escape(page[name])} <i></i></span>" for name in ("name", "date"))
    return _sheet(title, f"<p class='blanks'>{blanks}</p>", _rows(items, rooms), code(link, page))


def answers(title: str, link: str, items: Sequence[Item], page: Words) -> str:
    """The same questions with what was computed."""
    computed = [f"<p class='answer'>{escape(shown(item, page))}</p>" for item in items]
    return _sheet(title, "", _rows(items, computed), code(link, page))


def code(link: str, page: Words) -> str:
    """The link as a QR code; a sentence where it is too long for one."""
    try:
        image = segno.make_qr(link).svg_data_uri(scale=3, border=2, light="#fff")
    except segno.DataOverflowError:
        return f"<p class='code'>{escape(page['no_code'])}</p>"
    return f'<img class="code" src="{escape(image)}" alt="{escape(page["code"])}">'


def _sheet(title: str, under: str, rows: str, picture: str) -> str:
    head = f"<header><div><h2>{escape(title)}</h2>{under}</div>{picture}</header>"
    return f"<article class='sheet'>{head}<ol>{rows}</ol></article>"


def _rows(items: Sequence[Item], rooms: Sequence[str]) -> str:
    """Each question with the sentence it is about, where that is another than before."""
    sentences = [item.question.text for item in items]
    shown_before = [next(filter(None, sentences[:at][::-1]), "") for at in range(len(items))]
    return "".join(map(_row, items, shown_before, rooms))


def _row(item: Item, before: str, room: str) -> str:
    text = item.question.text
    sentence = f"<p class='of'>{escape(text)}</p>" if text not in ("", before) else ""
    return f"<li>{sentence}<p>{escape(item.text)}</p>{room}</li>"


def _room(item: Item, axes: bool, page: Words) -> str:
    lines = "<hr>" * LINES.get(item.question.kind, 1)
    return (_axes(page) if axes else "") + lines


def _axes(page: Words) -> str:
    """Blank axes, to draw rows that can learn over d_k."""
    x, y = escape(page["axes"]), escape(page["rows"])
    frame = f'<path d="M1 0V{H - 1}H{W}" fill="none" stroke="#808078" stroke-width="2"/>'
    svg = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {W} {H}" width="{W}" height="{H}">{frame}</svg>'
    image = "data:image/svg+xml;base64," + b64encode(svg.encode()).decode()
    return f"<figure><figcaption>{y}</figcaption><img src='{image}' alt=''><figcaption>{x}</figcaption></figure>"
