"""The room: long questions are worked on once for all who ask, one a topic for each visitor, and kept when they end."""

import gc
import threading
import time
import weakref
from collections.abc import Callable, Generator

import pytest

from ui.compute import cores
from ui.compute.answers import NestedAskError
from ui.compute.queue import Queue
from ui.compute.room import Room

pytestmark = pytest.mark.usefixtures("unhurried")
LIMIT = 2**20


def until(happened: Callable[[], bool]) -> None:
    end = time.monotonic() + 120
    while not happened():
        assert time.monotonic() < end
        time.sleep(0.002)


GATES: list[threading.Event] = []


@pytest.fixture(autouse=True)
def _open_gates():
    """What a test leaves behind ends with it."""
    yield
    while GATES:
        GATES.pop().set()


class Long:
    """A long question of two pieces; the second waits for a gate."""

    def __init__(self, answer: object = "answer") -> None:
        self.answer = answer
        self.gate = threading.Event()
        self.begun = 0
        GATES.append(self.gate)

    def __call__(self) -> Generator[float, None, object]:
        self.begun += 1
        yield 0.5
        assert self.gate.wait(60.0)
        return self.answer


def test_all_who_ask_the_same_wait_for_one_work_and_its_answer_is_kept() -> None:
    room, long = Room(LIMIT, workers=2), Long()
    works = [room.work("q", long, visitor=visitor, topic="t") for visitor in "abc"]
    assert len(set(map(id, works))) == 1
    until(lambda: works[0].share == 0.5)
    assert room.peek("q") is None
    long.gate.set()
    until(lambda: works[0].ended)
    assert room.peek("q") == "answer" and long.begun == 1
    assert room.result("q", long) == "answer" and long.begun == 1


def test_a_new_question_of_the_same_visitor_ends_the_work_for_the_old_one_unless_others_want_it() -> None:
    room, old, new = Room(LIMIT, workers=1), Long(), Long()
    alone = room.work("old", old, visitor="a", topic="t")
    until(lambda: alone.share == 0.5)
    other = room.work("new", new, visitor="a", topic="t")
    old.gate.set()
    until(lambda: alone.state == "stopped" or alone.ended)
    new.gate.set()
    until(lambda: other.ended)
    shared, long = room.work("shared", Long(), visitor="a", topic="t"), Long()
    assert room.work("shared", Long(), visitor="b", topic="t") is shared
    room.work("another", long, visitor="a", topic="t")
    assert shared.running and not shared.stopping
    assert room.work("own topic", long, visitor="a", topic="u").running


def test_work_that_failed_says_so_and_the_next_who_asks_tries_again() -> None:
    room = Room(LIMIT, workers=1)

    def fails() -> Generator[float, None, str]:
        yield 0.1
        raise ValueError("not foreseen")

    work = room.work("q", fails, visitor="a", topic="t")
    until(lambda: work.state == "ended")
    assert work.failed and not work.ended and room.peek("q") is None
    long = Long()
    long.gate.set()
    again = room.work("q", long, visitor="a", topic="t")
    until(lambda: again.ended)
    assert room.peek("q") == "answer"
    with pytest.raises(RuntimeError):
        room.result("other", fails)


def test_an_answer_too_large_to_be_kept_fails_instead_of_being_computed_for_ever() -> None:
    room, long = Room(LIMIT, workers=1), Long("x" * LIMIT)
    long.gate.set()
    work = room.work("q", long, visitor="a", topic="t")
    until(lambda: work.state == "ended")
    assert work.failed and room.peek("q") is None


def test_an_answer_on_its_way_to_a_page_is_there_when_the_page_comes_for_it_however_cheap_it_was() -> None:
    room, long = Room(LIMIT, workers=1), Long("x" * (LIMIT // 20))
    long.gate.set()
    for number in range(19):
        room.answers.put(number, "x" * (LIMIT // 20), 10.0 + number)  # the room is full of what took longer
    work = room.work("q", long, visitor="a", topic="t")
    until(lambda: work.ended)
    for number in range(19, 25):
        room.answers.put(number, "x" * (LIMIT // 20), 10.0 + number)  # others ask before the page runs again
    assert room.peek("q") == long.answer and room.answers.bytes <= LIMIT
    for number in range(25, 75):
        room.answers.put(number, "x" * (LIMIT // 20), 100.0)
    assert room.peek("q") is None  # not for ever


class Steps:
    """A long question of four pieces, each done when the test says so."""

    def __init__(self) -> None:
        self.gate = threading.Semaphore(0)
        self.begun = 0

    def __call__(self) -> Generator[float, None, str]:
        self.begun += 1
        for piece in range(1, 4):
            assert self.gate.acquire(timeout=60)
            yield piece / 4
        assert self.gate.acquire(timeout=60)
        return "answer"


def test_work_that_rested_because_nobody_looked_goes_on_where_it_stood_for_whoever_asks_next() -> None:
    room, steps, now = Room(LIMIT, workers=1), Steps(), [0.0]
    room.queue = Queue(1, patience=5.0, clock=lambda: now[0])
    work = room.work("q", steps, visitor="a", topic="t")
    steps.gate.release()
    until(lambda: work.share == 0.25)
    now[0] = 6.0
    steps.gate.release()
    until(lambda: work.away)
    assert room.work("q", steps, visitor="b", topic="t") is work
    steps.gate.release(2)
    until(lambda: work.ended)
    assert room.peek("q") == "answer" and steps.begun == 1


def test_work_that_was_given_up_begins_again_with_its_share_and_its_time() -> None:
    room, steps = Room(LIMIT, workers=1), Steps()
    work = room.work("q", steps, visitor="a", topic="t")
    steps.gate.release()
    until(lambda: work.share == 0.25)
    work.seconds = 3600.0
    work.leave("a")
    steps.gate.release()
    until(lambda: work.state == "stopped")
    assert room.work("q", steps, visitor="a", topic="t") is work and work.share == 0
    steps.gate.release()
    until(lambda: work.share == 0.25)
    assert steps.begun == 2 and work.seconds < 3600
    steps.gate.release(3)
    until(lambda: work.ended)


def test_who_asks_in_the_moment_in_which_the_answer_arrives_does_not_begin_it_again() -> None:
    room, long = Room(LIMIT, workers=1), Long()
    work = room.work("q", long, visitor="a", topic="t")
    long.gate.set()
    until(lambda: work.state == "ended")
    assert room.work("q", long, visitor="b", topic="t") is work and long.begun == 1


def test_a_room_keeps_no_work_that_nobody_holds() -> None:
    room, steps = Room(LIMIT, workers=1), Steps()
    kept = weakref.ref(room.work("q", steps, visitor="a", topic="t"))
    steps.gate.release(4)
    until(lambda: gc.collect() >= 0 and kept() is None)


def test_long_work_that_asks_is_refused_too() -> None:
    room = Room(LIMIT, workers=1)

    def asks() -> Generator[float, None, int]:
        yield 0.5
        return room.ask("short", lambda: 1)

    work = room.work("q", asks, visitor="a", topic="t")
    until(lambda: work.state == "ended")
    assert work.failed
    with pytest.raises(NestedAskError):
        room.ask("outer", lambda: room.ask("inner", lambda: 1))


def test_short_answers_do_not_stand_behind_long_ones() -> None:
    room, longs = Room(LIMIT, workers=1, permits=1), [Long() for _ in range(5)]
    for number, long in enumerate(longs):
        room.work(number, long, visitor=number, topic="t")
    until(lambda: any(long.begun for long in longs))
    assert room.ask("short", lambda: "at once") == "at once"


def test_what_is_prepared_is_done_for_nobody_and_is_asked_for_as_any_other() -> None:
    room, long = Room(LIMIT, workers=1), Long()
    room.prepare("q", long)
    work = room.work("q", Long(), visitor="a", topic="t")
    assert not work.idle
    long.gate.set()
    until(lambda: work.ended)
    assert room.peek("q") == "answer" and long.begun == 1


def test_the_gauges_count_what_is_there() -> None:
    room, long = Room(LIMIT, workers=1), Long()
    room.ask("short", lambda: "x" * 1000)
    room.ask("short", lambda: "never")
    room.work("q", long, visitor="a", topic="t")
    until(lambda: long.begun == 1)
    gauges = room.gauges()
    assert (gauges["answers_kept"], gauges["answers_hits_total"], gauges["answers_misses_total"]) == (1, 1, 1)
    assert 1000 < gauges["answers_bytes"] < 2000 and gauges["answers_limit_bytes"] == LIMIT
    assert (gauges["queue_running"], gauges["queue_waiting"], gauges["queue_workers"]) == (1, 0, 1)
    long.gate.set()


@pytest.mark.parametrize(
    ("quota", "affinity", "expected"),
    [("max 100000", 4, 4), ("100000 100000", 4, 1), ("150000 100000", 4, 2), ("50000 100000", 4, 1), ("", 3, 3)],
)
def test_cores_are_those_of_the_affinity_and_of_the_containers_quota(
    quota: str, affinity: int, expected: int, monkeypatch, tmp_path
) -> None:
    file = tmp_path / "cpu.max"
    if quota:
        file.write_text(quota)
    monkeypatch.setattr(cores, "QUOTA", file)
    monkeypatch.setattr(cores, "QUOTA_V1", tmp_path / "absent")
    monkeypatch.setattr(cores.os, "sched_getaffinity", lambda _: set(range(affinity)))
    assert cores.cores() == expected


def test_an_old_containers_quota_counts_too(monkeypatch, tmp_path) -> None:
    for name, value in (("QUOTA_V1", "200000"), ("PERIOD_V1", "100000")):
        (tmp_path / name).write_text(value)
        monkeypatch.setattr(cores, name, tmp_path / name)
    monkeypatch.setattr(cores, "QUOTA", tmp_path / "absent")
    monkeypatch.setattr(cores.os, "sched_getaffinity", lambda _: set(range(7)))
    assert cores.cores() == 2
