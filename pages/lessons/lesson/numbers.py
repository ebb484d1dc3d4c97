"""A lesson as questions with their answers, for files and for the sheets. Pure."""

from collections.abc import Sequence
from urllib.parse import urlencode

from attention_core.lessons import Answer, Item
from ui.lessons import asked
from ui.lessons.lesson import Lesson, Step, entry
from ui.numbers import significant
from ui.text import Words


def items(lesson: Lesson, root: str, page: Words) -> list[Item]:
    """Every step with its answer; `root`: the address of the app."""
    return [_item(number, step, root, page) for number, step in enumerate(lesson.steps, start=1)]


def _item(number: int, step: Step, root: str, page: Words) -> Item:
    try:
        computed = asked.computed(step, page)
    except ValueError:
        computed = None  # a head or a token that is not there: the question stays, its answer does not
    return Item(
        name=f"{number:02d}",
        text=asked.sentence(step, page),
        address=f"{root}/{entry(step).url_path}?{urlencode(step.link())}".rstrip("?"),
        question=asked.question(step),
        answer=computed,
    )


def shown(item: Item, page: Words) -> str:
    """An answer as a teacher reads it."""
    match item.answer:
        case None:
            return page["free" if item.question.kind == "open" else "no_answer"]
        case Answer(choices=choices, value=value) if choices:
            return choices[int(value)]
        case Answer(tolerance=0.0, value=value):
            return significant(float(value))
        case Answer(tolerance=tolerance, value=value):
            return page.data("tolerance", value=round(value, 3), tolerance=tolerance)


def graphs(items: Sequence[Item]) -> list[bool]:
    """Which of them are answered with a drawing too: the first that counts rows over d_k."""
    first = next((place for place, item in enumerate(items) if item.question.kind == "alive"), -1)
    return [place == first for place in range(len(items))]
