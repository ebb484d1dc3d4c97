"""What readers do on the real pages: sentences of their own, another head, a slider let go, a cell."""

import random
import tomllib
from collections.abc import Awaitable, Callable, Collection, Iterator
from dataclasses import dataclass, field
from typing import Any

from tests.harness.client import Reply, Session
from tests.harness.page import Piece, Value
from tests.harness.serving import ROOT
from ui.navigation import PAGES

SHARES = {"pipeline": 0.30, "heads": 0.30, "vanishing": 0.15, "softmax": 0.10}  # of a class; the others share the rest
FIELDS = ("text", "first", "pr_text", "b_text")  # where sentences are written
HEADS = ("head", "layer", "cure_head", "mechanism_head", "order_head")
LEXICON: dict[str, list[list[str]]] = tomllib.loads(
    (ROOT / "attention_core/experiments/lexicon.toml").read_text(encoding="utf-8")
)
WORDS = {kind: [word for meaning in meanings for word in meaning] for kind, meanings in LEXICON.items()}

KINDS = ("sentence", "head", "slider", "cell")

Act = Callable[[], Awaitable[Reply]]


def sentences(rng: random.Random) -> Iterator[str]:
    """Sentences of a dozen words that the embedded model knows, hardly one like another."""
    while True:
        yield about(rng.choice(WORDS["person"]), rng)


def about(person: str, rng: random.Random) -> str:
    """Such a sentence, about this person."""
    big, small = rng.sample(WORDS["quality"], 2)
    house, street = rng.sample(WORDS["thing"], 2)
    did = rng.choice(WORDS["act"])
    return f"The {big} {person} {did} the {house} because it was {small} and on the {street} {rng.randrange(1000)}"


def pages_of(visitors: int, among: Collection[str]) -> list[str]:
    """Which of these pages each of them reads: at every size of the class the shares are as near as they can be."""
    rest = [page.url_path for page in PAGES if page.url_path not in SHARES]
    shares = SHARES | dict.fromkeys(rest, (1 - sum(SHARES.values())) / len(rest))
    whole = sum(shares[page] for page in among)
    wanted = {page: share / whole for page, share in shares.items() if page in among}
    taken: dict[str, int] = dict.fromkeys(wanted, 0)
    chosen = []
    for count in range(1, visitors + 1):
        page = max(wanted, key=lambda name: wanted[name] * count - taken[name])
        taken[page] += 1
        chosen.append(page)
    return chosen


def address(page: str) -> str:
    """The path of a page; the landing page has none."""
    return "" if page == PAGES[0].url_path else page


@dataclass
class Reader:
    """A visitor who does what the page offers."""

    session: Session
    rng: random.Random
    words: Iterator[str] = field(init=False)

    def __post_init__(self) -> None:
        self.words = sentences(self.rng)

    def offers(self) -> dict[str, list[Act]]:
        """What can be done on the page as it stands, by kind."""
        offers: dict[str, list[Act]] = {kind: [] for kind in KINDS}
        for piece in self.session.page.pieces():
            for kind, act in _acts(piece, self.rng, self.session, self.words):
                offers[kind].append(act)
        return {kind: acts for kind, acts in offers.items() if acts}

    async def act(self, *kinds: str) -> Reply:
        """One action, of one of these kinds if the page offers any of them."""
        offers = self.offers()
        kind = self.rng.choice([kind for kind in offers if kind in kinds] or list(offers))
        return await self.rng.choice(offers[kind])()


def _acts(piece: Piece, rng: random.Random, session: Session, words: Iterator[str]) -> Iterator[tuple[str, Act]]:
    if piece.kind == "text_input" and piece.key in FIELDS:
        yield "sentence", lambda: session.change(piece.key, next(words))
    elif piece.kind == "button_group" and piece.key in HEADS:
        yield "head", lambda: session.change(piece.key, [rng.choice(_options(piece))])
    elif piece.kind == "number_input" and piece.key in HEADS:
        yield "head", lambda: session.change(piece.key, _within(piece, rng))
    elif piece.kind == "slider":
        yield "slider", lambda: session.change(piece.key, _anywhere(piece, rng))
    elif piece.frame:
        yield from _on_picture(piece, rng, session)


def _on_picture(piece: Piece, rng: random.Random, session: Session) -> Iterator[tuple[str, Act]]:
    picture = piece.picture()
    if sliders := [slider for slider in picture.get("sliders", ()) if len(slider["readings"]) > 1]:
        yield "slider", lambda: session.release(piece.key, _stop(rng.choice(sliders), rng))
    if grids := [panel for panel in picture.get("panels", ()) if isinstance(panel, dict) and panel["kind"] == "grid"]:
        yield "head", lambda: session.tell(piece.key, "pick", _thumbnail(rng.choice(grids), rng))
    if cells := [panel for row in picture.get("panels", ()) if isinstance(row, list) for panel in row]:
        yield "cell", lambda: session.tell(piece.key, "pick", _cell(rng.choice(cells), rng))
    if live := picture.get("live"):
        yield "slider", lambda: session.tell(piece.key, "temperature", rng.choice(live["stops"]))


def _options(piece: Piece) -> list[str]:
    return [option.content for option in piece.element.options]  # type: ignore[attr-defined]


def _within(piece: Piece, rng: random.Random) -> float:
    field: Any = piece.element
    return field.min + field.step * rng.randint(0, round((field.max - field.min) / field.step))


def _anywhere(piece: Piece, rng: random.Random) -> Value:
    field: Any = piece.element
    return [rng.choice(field.options)] if field.options else _within(piece, rng)


def _stop(slider: dict, rng: random.Random) -> dict[str, int]:
    return {slider["name"]: rng.randrange(len(slider["readings"]))}


def _thumbnail(grid: dict, rng: random.Random) -> dict[str, object]:
    return {"panel": grid["name"], "row": rng.randrange(grid["count"]), "col": 0}


def _cell(panel: dict, rng: random.Random) -> dict[str, object]:
    rows, cols = panel["shape"]
    return {"panel": panel["name"], "row": rng.randrange(rows), "col": rng.randrange(cols)}
