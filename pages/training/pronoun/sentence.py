"""A reading → the map of every head, the row of the word in focus, and what the layer answers there."""

from collections.abc import Sequence

from attention_core.experiments.pronoun import PRONOUNS
from pages.training.pronoun.reading import HEADS, Answers, Reading
from ui.components.lab import Bars, Box, Film, Map, Plot
from ui.text import Words

MAPS = tuple(f"map_{head}" for head in range(HEADS))  # names of the maps, on which a click chooses a row
MAP = Box(span=3, height=356)
ROW = Box(stack="row", span=6, height=170)


def films(reading: Reading) -> list[Film]:
    """Every weight, head after head."""
    return [Film("weights", reading.weights.flatten().numpy(), columns=tuple(map(_column, range(HEADS))))]


def plots(reading: Reading, row: int, page: Words) -> list[Plot]:
    """The map of every head, and beside them the row of the word in focus."""
    return [
        *(_map(reading, head, row, page) for head in range(HEADS)),
        *(_row(reading, head, row, page) for head in range(HEADS)),
    ]


def _column(head: int) -> str:
    return f"head {head + 1}"


def _map(reading: Reading, head: int, row: int, page: Words) -> Map:
    return Map(
        name=MAPS[head],
        box=MAP,
        film="weights",
        column=_column(head),
        rows=len(reading.words),
        cols=len(reading.words),
        names=reading.words,
        marked=row,
        alike="heads",
        title=page.data("head", number=head + 1),
        note=page["map.note"],
        says=page["map.says"],
    )


def _row(reading: Reading, head: int, row: int, page: Words) -> Bars:
    return Bars(
        name=f"row_{head}",
        box=ROW,
        film="weights",
        column=_column(head),
        row=row,
        count=len(reading.words),
        names=reading.words,
        marked=int(reading.weights[head, row].argmax()),
        digits=2,
        title=page.data("row", number=head + 1, word=reading.words[row]),
        note=page["row_note"],
    )


def answer(reading: Reading, row: int, page: Words) -> tuple[str, str]:
    """What the layer says at the word in focus, and what to make of it: Markdown."""
    pronoun = reading.words[row]
    if pronoun not in PRONOUNS:
        return page.format("answer.other", word=pronoun), page["answer.other_note"]
    word, chance = reading.answers[row]
    title = page.format("answer.said", word=pronoun, answer=word, chance=chance)
    fitting = reading.candidates(row)
    if len(fitting) == 1:
        key = "right" if word == fitting[0] else "wrong"
        return title, page.format(f"answer.{key}", word=pronoun, noun=fitting[0])
    if fitting:
        return title, page.format("answer.several", word=pronoun, nouns=", ".join(fitting))
    return title, page.format("answer.none", word=pronoun)


def heads(reading: Reading, alone: Sequence[Answers], row: int, page: Words) -> str:
    """Where each head looks from a pronoun, what it answers alone, and which carries the answer: Markdown."""
    if row not in reading.pronouns:
        return ""
    answer, _ = reading.answers[row]
    lines, carry = [], []
    for number, (weights, answers) in enumerate(zip(reading.weights[:, row], alone, strict=True), start=1):
        word, chance = answers[row]
        most = int(weights.argmax())
        looks = {"word": reading.words[most], "weight": float(f"{weights[most]:.3g}")}
        lines.append(page.format("heads.each", number=number, answer=word, chance=chance, **looks))
        if word == answer:
            carry.append(number)
    key = "none" if not carry else "all" if len(carry) == len(alone) else "some"
    verdict = page.format(f"heads.{key}", number=carry[0] if carry else 0, answer=answer)
    return "  \n".join([*lines, verdict])
