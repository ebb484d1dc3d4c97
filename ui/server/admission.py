"""Who is in, who waits, and in which order: seats for sessions, a line of tickets. No network, no threads of its own.

A seat is promised when a page is handed out, taken when its socket opens, and kept for a while when the socket closes,
so that whoever reloads or lost the network finds it again. Whoever waits asks again by themselves; a ticket that
stops asking is passed over, and later forgotten.
"""

import math
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

State = Literal["warming", "open", "draining"]

PROMISED = 30.0  # seconds a handed-out page may take to open its socket: a proxy may have its files already
LEFT = 10.0  # seconds a seat is kept for somebody who closed the page: perhaps it was a reload
LOST = 120.0  # seconds it is kept when the network failed: as long as Streamlit keeps the session
PRESENT = 25.0  # seconds without a question after which those behind are let past
FORGOTTEN = 120.0  # seconds after which the ticket has left; browsers slow the clocks of hidden pages to a minute
MOST_WAITING = 1000  # tickets; one takes about 300 bytes


@dataclass(slots=True, eq=False)
class Seat:
    """Room for one session. `ticket` may be empty: a socket that showed none."""

    ticket: str
    state: Literal["promised", "taken", "away"]
    until: float = math.inf
    shown: bool = False  # whether the ticket has come back, so the browser keeps it
    session: str = ""
    holder: int = 0  # which socket holds it: an old one that closes late does not free it


@dataclass(frozen=True, slots=True)
class Waiting:
    """Not now. `place` counts from 1 and is None where the line itself is full."""

    place: int | None


@dataclass(slots=True)
class Ticket:
    """A place in line. A browser that keeps no cookie leaves one behind each time it asks: until a ticket has been
    shown again nobody waits for it.
    """

    asked: float
    shown: bool


class House:
    """At most `limit` seats, and the line in front of the door."""

    def __init__(self, limit: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.limit = limit
        self.state: State = "open"  # in any other nobody new is let in
        self.happened: Counter[str] = Counter()  # admitted, refused
        self._clock = clock
        self._seats: list[Seat] = []
        self._line: dict[str, Ticket] = {}  # in the order in which they came
        self._sockets = 0

    def ask(self, ticket: str, *, shown: bool, reloads: bool = False) -> Waiting | None:
        """Somebody asks for a page. None: come in, a seat is promised.

        shown: whether the browser brought the ticket, or it was just made.
        reloads: the old page's socket closes only when the new page arrives, so its seat is still taken.
        """
        self._sweep()
        if self.state != "open":
            return Waiting(None)
        if seat := self._of(ticket, "promised", "away"):
            self._promise(seat, shown)
        elif reloads and self._of(ticket, "taken"):
            pass
        elif self._ahead(ticket) < self.free:
            self._line.pop(ticket, None)
            self._seats.append(seat := Seat(ticket, "promised"))
            self._promise(seat, shown)
        else:
            self.happened["refused"] += 1
            return self._wait(ticket, shown)
        return None

    def sit(self, ticket: str, session: str) -> Seat | None:
        """A socket opens; None: there is no seat for it. `session`: the session it says it comes back to."""
        self._sweep()
        seat = self._named(session) or (self._promised_or_free(ticket) if self.state == "open" else None)
        if seat is None:
            self.happened["refused"] += 1
            return None
        if seat.session != session:
            seat.session = ""
        self.happened["admitted"] += not seat.session
        self._sockets += 1
        seat.state, seat.until, seat.holder = "taken", math.inf, self._sockets
        return seat

    def leave(self, seat: Seat, holder: int, *, lost: bool) -> None:
        """The socket `holder` of this seat has closed; lost: without saying so."""
        if seat.holder == holder:
            seat.state, seat.until = "away", self._clock() + (LOST if lost else LEFT)

    def loads(self, ticket: str) -> None:
        """A page that was handed out loads its files: it is on its way."""
        if seat := self._of(ticket, "promised"):
            self._promise(seat, True)

    @property
    def taken(self) -> int:
        """Sessions that are open now."""
        return sum(seat.state == "taken" for seat in self._seats)

    @property
    def free(self) -> int:
        """Seats that are neither taken, nor promised, nor kept for somebody."""
        return self.limit - len(self._seats)

    @property
    def full(self) -> bool:
        """Whether one more would have to wait."""
        self._sweep()
        return self._ahead("") >= self.free

    @property
    def waiting(self) -> int:
        """Tickets in line."""
        self._sweep()
        return len(self._line)

    def _promise(self, seat: Seat, shown: bool) -> None:
        seat.state, seat.until, seat.shown = "promised", self._clock() + PROMISED, seat.shown or shown

    def _promised_or_free(self, ticket: str) -> Seat | None:
        if seat := self._of(ticket, "promised", "away") if ticket else self._unshown():
            return seat
        if self._ahead(ticket) >= self.free:
            return None
        self._line.pop(ticket, None)
        self._seats.append(seat := Seat(ticket, "taken"))
        return seat

    def _wait(self, ticket: str, shown: bool) -> Waiting:
        if ticket not in self._line and len(self._line) >= MOST_WAITING:
            stray = next((name for name, other in self._line.items() if not other.shown), None)
            if stray is None:
                return Waiting(None)
            del self._line[stray]
        place = self._line.setdefault(ticket, Ticket(self._clock(), shown))
        place.asked, place.shown = self._clock(), place.shown or shown
        return Waiting(sum(1 for _ in self._before(ticket)) + 1)

    def _ahead(self, ticket: str) -> int:
        """How many came before this ticket and have shown theirs again; of the whole line if it is not in it."""
        return sum(other.shown for other in self._before(ticket))

    def _before(self, ticket: str) -> Iterator[Ticket]:
        """Those of the line before this ticket who still ask."""
        for name, other in self._line.items():
            if name == ticket:
                return
            if self._clock() - other.asked <= PRESENT:
                yield other

    def _of(self, ticket: str, *states: str) -> Seat | None:
        return next((seat for seat in self._seats if seat.ticket == ticket and seat.state in states), None)

    def _named(self, session: str) -> Seat | None:
        return next((seat for seat in self._seats if session and seat.session == session), None)

    def _unshown(self) -> Seat | None:
        """A browser that keeps no cookie: the first page that was handed out to one."""
        return next((seat for seat in self._seats if seat.state == "promised" and not seat.shown), None)

    def _sweep(self) -> None:
        now = self._clock()
        self._seats = [seat for seat in self._seats if seat.until > now]
        self._line = {name: ticket for name, ticket in self._line.items() if now - ticket.asked <= FORGOTTEN}
