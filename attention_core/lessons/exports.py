"""Questions with their answers as files: Moodle XML and GIFT for a course, JSON for a notebook.

Formats: docs.moodle.org, "Moodle XML format" and "GIFT format".
"""

import json
import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from xml.etree import ElementTree as ET

from attention_core.lessons.questions import Answer, Question

PLACES = 4  # decimals of an answer
# What XML 1.0 cannot hold, escaped or not.
UNSPEAKABLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A question as it is asked: `text` in words, `address` of the page that shows it."""

    name: str
    text: str
    address: str
    question: Question
    answer: Answer | None


def moodle(items: Iterable[Item]) -> str:
    """A quiz in Moodle XML: multichoice, numerical with its tolerance, essay."""
    quiz = ET.Element("quiz")
    for item in items:
        _question(quiz, item)
    ET.indent(quiz)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(quiz, encoding="unicode") + "\n"


def gift(items: Iterable[Item]) -> str:
    """The same in GIFT."""
    return "\n\n".join(
        f"::{_inert(item.name)}::[plain]{_inert(f'{item.text} {item.address}')} {{{_key(item.answer)}}}"
        for item in items
    )


def notebook(title: str, items: Iterable[Item]) -> str:
    """The same as JSON, with every field of a question as `attention_core.lessons.Question` takes it."""
    return json.dumps({"title": title, "items": [asdict(item) for item in items]}, ensure_ascii=False, indent=1) + "\n"


def _question(quiz: ET.Element, item: Item) -> None:
    kind = "essay" if item.answer is None else "multichoice" if item.answer.choices else "numerical"
    element = ET.SubElement(quiz, "question", type=kind)
    _text(ET.SubElement(element, "name"), item.name)
    _text(ET.SubElement(element, "questiontext", format="plain_text"), f"{item.text}\n{item.address}")
    if item.answer is None:
        _text(ET.SubElement(element, "answer", fraction="0"), "")
    elif item.answer.choices:
        ET.SubElement(element, "single").text = "true"
        ET.SubElement(element, "shuffleanswers").text = "0"
        for place, choice in enumerate(item.answer.choices):
            fraction = "100" if place == item.answer.value else "0"
            _text(ET.SubElement(element, "answer", fraction=fraction, format="plain_text"), choice)
    else:
        answer = ET.SubElement(element, "answer", fraction="100", format="plain_text")
        _text(answer, _number(item.answer.value))
        ET.SubElement(answer, "tolerance").text = _number(item.answer.tolerance)


def _text(parent: ET.Element, text: str) -> None:
    ET.SubElement(parent, "text").text = UNSPEAKABLE.sub("\ufffd", text)


def _key(answer: Answer | None) -> str:
    if answer is None:
        return ""
    if not answer.choices:
        return f"#{_number(answer.value)}:{_number(answer.tolerance)}"
    marks = ("=" if place == answer.value else "~" for place in range(len(answer.choices)))
    return "".join(f"\n\t{mark}{_inert(choice)}" for mark, choice in zip(marks, answer.choices, strict=True)) + "\n"


def _inert(text: str) -> str:
    """Text in which nothing means anything to GIFT, on one line: a blank line would end the question."""
    return re.sub(r"([~=#{}:\\])", r"\\\1", " ".join(text.split()))


def _number(value: int | float) -> str:
    return f"{round(value, PLACES):g}"
