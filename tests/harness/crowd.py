"""Several people at one address at the same moment, each with sentences of their own."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import urlencode

from google.protobuf.message import Message

from tests.harness.client import PATIENCE, FaultError, Reply, Session, SilenceError, elements, visit
from tests.harness.visitors import address

# Whole words for the embedded model, which stand nowhere in the product; and for the layer that knows few words.
MARKS = ("emperor", "glacier", "lantern", "dolphin", "orchestra", "violin", "cathedral", "pirate")
TAUGHT = ("mother", "sister", "princess", "nun", "duchess", "aunt", "widow", "bride")


@dataclass(frozen=True)
class Case:
    """A page, or a part of it that computes something of its own: what the link says besides the visitor's own.

    `sentence`: where the link carries the visitor's sentence; `number`: where it carries a number of their own.
    `shown`: a picture names the tokens of the sentence. `press`: the button they press once the page is there.
    """

    page: str
    asked: tuple[tuple[str, str], ...] = ()
    sentence: str = ""
    number: str = ""
    shown: bool = False
    press: str = ""

    def __str__(self) -> str:
        return "?".join(filter(None, [self.page, urlencode(self.asked), self.press]))


@dataclass
class Visitor:
    """Who is there, what they ask, and everything that came."""

    case: Case
    mark: str
    number: str
    received: bytearray = field(default_factory=bytearray)
    pictures: set[str] = field(default_factory=set)  # names of rows and columns in any picture so far
    last: list[Message] = field(default_factory=list)  # the components in the answer to what was asked last

    def sentence(self, short: bool = False) -> str:
        """What this visitor writes, and nobody else."""
        if self.case.sentence == "pr_text":
            return f"the law saw the {self.mark} {'then ' * short}, but its city should be just ."
        return f"The {self.mark} crossed the wide field {'' if short else 'because it was late '}on day {self.number}"

    def query(self) -> str:
        """What stands behind the ? of their link."""
        own = {self.case.sentence: self.sentence(), self.case.number: self.number}
        return urlencode({**dict(self.case.asked), **{key: value for key, value in own.items() if key}, "lang": "en"})

    def note(self, reply: Reply, session: Session) -> None:
        """Keep what came."""
        self.received += b"".join(message.SerializeToString() for message in reply.messages)
        self.last = elements(reply, "bidi_component")
        self.pictures = {name for piece in session.page.pieces() if piece.frame for name in _names(piece.picture())}

    async def wait(self, session: Session, to_the_end: bool) -> None:
        """Look on until everything is there, or until the sentence is. Raises SilenceError after a minute."""
        end = time.perf_counter() + PATIENCE
        while (to_the_end or (self.case.shown and self.mark not in self.pictures)) and (reply := await session.tick()):
            self.note(reply, session)
            if time.perf_counter() > end:
                raise SilenceError(f"/{self.case} was still at work after {PATIENCE:g} s")


def visitors(case: Case, count: int, turn: int) -> list[Visitor]:
    """So many, whose sentences and numbers nobody has asked about before on the same server, in this `turn`."""
    marks = TAUGHT if case.sentence == "pr_text" else MARKS
    return [Visitor(case, mark, f"{turn}{place}") for place, mark in enumerate(marks[:count])]


async def together(url: str, everybody: Sequence[Visitor], again: bool) -> None:
    """All open the page at once, and with `again` all write another sentence at once. The first fault is raised."""
    begin = asyncio.Barrier(len(everybody))

    async def one(visitor: Visitor) -> None:
        async with visit(url, address(visitor.case.page), visitor.query()) as session:
            await begin.wait()
            visitor.note(await session.rerun(), session)
            if visitor.case.press:
                visitor.note(await session.press(visitor.case.press), session)
            await visitor.wait(session, to_the_end=again)
            if again and visitor.case.sentence:
                await begin.wait()
                visitor.note(await session.change(visitor.case.sentence, visitor.sentence(short=True)), session)
                await visitor.wait(session, to_the_end=False)

    try:
        async with asyncio.TaskGroup() as group:
            for visitor in everybody:
                group.create_task(one(visitor))
    except* (FaultError, SilenceError) as met:
        raise met.exceptions[0] from None


def _names(picture: dict) -> set[str]:
    """What rows, columns and stops are called in a canvas or a laboratory."""
    panels = [panel for panel in picture.get("panels", ()) if isinstance(panel, dict)]
    of_panels = [name for panel in panels for part in ("names", "col_names") for name in panel.get(part) or ()]
    stops = [reading for slider in picture.get("sliders", ()) for reading in slider["readings"]]
    return {*picture.get("queries", ()), *picture.get("keys", ()), *of_panels, *stops}
