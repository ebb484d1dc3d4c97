"""The queue of training runs: order, stop, resume, divergence, runs nobody looks at, memory. Time is ours."""

import gc
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import pytest
import torch
from torch.testing import assert_close

from attention_core.experiments.base import Diverged, Experiment, Record
from attention_core.experiments.sort import Sort
from ui.compute.queue import Job, Queue
from ui.compute.runs import MOST_BYTES, Run, Variant, agree

pytestmark = pytest.mark.usefixtures("unhurried")
ROOT = Path(__file__).parents[2]
SMALL = Sort(d_k=3, d_model=5, length=7, symbols=11, batch=2, evaluated=3, steps=12, every=1)


def begun(experiments: Mapping[str, Experiment]) -> Run:
    """A run in a queue of its own."""
    run = Run(experiments)
    Queue().enter(run)
    return run


class Clock:
    """Time that passes when a test says so."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@dataclass(frozen=True, kw_only=True)
class Gated:
    """Records that come one by one, when the test opens the gate."""

    gate: threading.Semaphore
    arrived: list[int] = field(default_factory=list)  # the steps that came to the gate
    seed: int = 0
    steps: int = 5
    every: int = 1
    width: int = 1
    breaks_at: int = -1
    fails_at: int = -1

    def build(self) -> torch.nn.Module:
        return torch.nn.Linear(1, 1)

    def records(self) -> Iterator[Record]:
        for step in range(self.steps + 1):
            self.arrived.append(step)
            assert self.gate.acquire(timeout=60)
            if step == self.breaks_at:
                raise Diverged(step, "the loss")
            if step == self.fails_at:
                raise RuntimeError("not foreseen")
            yield Record(step=step, loss=1.0, accuracy=0.5, arrays={"W": torch.zeros(self.width)})


@dataclass(frozen=True, kw_only=True)
class GatedSort(Sort):
    """A real training whose records come when the test opens the gate."""

    gate: threading.Semaphore

    def records(self) -> Iterator[Record]:
        for record in Sort.records(self):
            assert self.gate.acquire(timeout=60)
            yield record


def gated(gate: int = 0, **options) -> Gated:
    return Gated(gate=threading.Semaphore(gate), **options)


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.002)


def entered(queue: Queue, *configs, **options) -> list[Run]:
    runs = [Run({"only": config}, **options) for config in configs]
    for run in runs:
        queue.enter(run)
    return runs


def steps(run: Run, name: str = "only") -> list[int]:
    return [record.step for record in run.records(name)]


def same(a: Record, b: Record) -> None:
    """Bit for bit."""
    assert (a.step, a.loss, a.accuracy) == (b.step, b.loss, b.accuracy)
    assert_close(dict(a.measures), dict(b.measures), rtol=0, atol=0, equal_nan=True)
    for left, right in ((a.arrays, b.arrays), (a.state, b.state)):
        assert_close(dict(left), dict(right), rtol=0, atol=0, equal_nan=True)


def test_at_most_as_many_train_as_there_are_workers_and_the_rest_knows_its_place() -> None:
    queue = Queue(workers=2)
    configs = [gated() for _ in range(5)]
    runs = entered(queue, *configs)
    assert [run.position for run in runs] == [0, 0, 1, 2, 3]
    assert [run.state for run in runs] == ["training"] * 2 + ["waiting"] * 3
    assert (queue.training, queue.waiting) == (2, 3)
    configs[1].gate.release(6)
    until(lambda: not runs[1].running)
    until(lambda: runs[2].state == "training")
    assert [run.position for run in runs] == [0, 0, 0, 1, 2]
    runs[3].stop()
    assert (runs[3].state, runs[4].position) == ("stopped", 1)
    for config in configs:
        config.gate.release(6)
    until(lambda: not queue.training and not queue.waiting)
    assert [steps(run) for run in runs] == [list(range(6))] * 3 + [[], list(range(6))]


def test_a_race_makes_one_record_of_each_in_turn_and_a_series_one_after_the_other() -> None:
    for in_turns, expected in ((True, [1, 1]), (False, [2, 0])):
        gate = threading.Semaphore(2)
        run = Run({"a": Gated(gate=gate), "b": Gated(gate=gate)}, in_turns=in_turns)
        Queue(1).enter(run)
        until(lambda run=run: sum(len(steps(run, name)) for name in "ab") == 2)
        assert [len(steps(run, name)) for name in "ab"] == expected
        gate.release(10)
        run.wait(120.0)
        assert run.state == "ended" and run.share == 1 and run.remaining == 0
        assert steps(run, "a") == steps(run, "b") == list(range(6))


def test_stopped_and_resumed_gives_the_records_of_an_uninterrupted_run() -> None:
    race = {rule: replace(SMALL, rule=rule) for rule in ("none", "inverse_sqrt", "qk_norm")}
    gate = threading.Semaphore(0)
    queue, run = Queue(1), Run({rule: GatedSort(**asdict(config), gate=gate) for rule, config in race.items()})
    queue.enter(run)
    for more, least in ((2, 2), (3, 5), (4, 9)):
        gate.release(more * len(race))
        until(lambda least=least: len(run.records("none")) >= least)
        run.stop()
        gate.release()  # of the record that is being made
        run.wait(120.0)
        seen = len(run.records("none"))
        assert run.state == "stopped" and seen < 13
        until(lambda: queue._threads == 0)  # nobody is left who could go on
        assert len(run.records("none")) == seen and queue.training == 0
        run.resume()
    gate.release(13 * len(race))
    run.wait(120.0)
    assert run.state == "ended" and not run.failed
    for name, config in race.items():
        for ours, theirs in zip(run.records(name), config.records(), strict=True):
            same(ours, theirs)
    assert run.records("none")[-1].state


def test_a_run_told_to_go_on_before_it_had_stopped_goes_on() -> None:
    config = gated()
    (run,) = entered(Queue(1), config)
    run.stop()
    run.resume()
    config.gate.release(6)
    run.wait(120.0)
    assert steps(run) == list(range(6)) and run.state == "ended"


def test_a_run_that_nobody_looks_at_gives_its_core_back_and_goes_on_when_somebody_does() -> None:
    clock = Clock()
    queue = Queue(1, patience=5.0, clock=clock)
    left, next_one, waiting_and_left = (gated() for _ in range(3))
    gone, gone_too, watched = entered(queue, left, waiting_and_left, next_one)
    left.gate.release()
    until(lambda: steps(gone) == [0])
    clock.now = 4.0
    watched.look()
    assert [gone.state, gone_too.position, watched.position] == ["training", 1, 2]
    clock.now = 6.0  # nobody has asked for `gone` and `gone_too` since 0
    watched.look()
    left.gate.release()
    until(lambda: watched.state == "training")
    assert gone.state == gone_too.state == "stopped" and gone.away and gone_too.away
    assert (queue.training, queue.waiting) == (1, 0)
    next_one.gate.release(6)
    until(lambda: watched.state == "ended")
    left.gate.release(6)
    gone.look()
    until(lambda: gone.state == "ended")
    assert steps(gone) == list(range(6)) and not gone.away


def test_what_the_reader_stopped_does_not_go_on_by_being_looked_at() -> None:
    config = gated(1)
    queue = Queue(1)
    (run,) = entered(queue, config)
    until(lambda: steps(run) == [0])
    run.stop()
    config.gate.release()
    until(lambda: run.state == "stopped")
    run.look()
    assert run.state == "stopped" and not run.away and queue.training == 0


def test_a_run_that_diverges_ends_alone_and_says_when_and_what() -> None:
    run = Run({"wild": gated(10, breaks_at=3), "calm": gated(10)})
    Queue(1).enter(run)
    run.wait(120.0)
    assert (run.diverged, run.broke) == ({"wild": 3}, {"wild": "the loss"})
    assert steps(run, "wild") == [0, 1, 2] and steps(run, "calm") == list(range(6))
    assert run.state == "ended" and not run.failed and run.share == 1


def test_a_real_run_with_an_infinite_learning_rate_diverges() -> None:
    (run,) = entered(Queue(1), replace(SMALL, lr=float("inf")))
    run.wait(120.0)
    assert "only" in run.diverged and run.records("only")[0].step == 0


def test_what_is_not_foreseen_ends_the_run_and_frees_the_core() -> None:
    queue = Queue(1)
    broken, well = entered(queue, gated(10, fails_at=2), gated(10))
    well.wait(120.0)
    assert broken.failed and broken.state == "ended" and steps(broken) == [0, 1]
    assert well.state == "ended" and not well.failed


def test_the_memory_of_a_run_is_known_after_its_first_record_and_bounded() -> None:
    few = gated(10, width=1000)
    (run,) = entered(Queue(1), few)
    run.wait(120.0)
    assert run.kept == run.expected_bytes == 6 * 4000
    (run,) = entered(Queue(1), gated(10, width=MOST_BYTES // (6 * 4) + 1))
    run.wait(120.0)
    assert run.too_large and run.state == "ended" and run.kept == 0
    (run,) = entered(Queue(1), SMALL)
    run.wait(120.0)
    state = sum(value.nbytes for value in run.records("only")[-1].state.values())
    assert run.kept == run.expected_bytes + state < MOST_BYTES


def test_a_variant_is_spelled_alike_in_files_and_links_and_two_of_one_kind_are_told_apart() -> None:
    first, second = Variant("inverse_sqrt"), Variant("inverse_sqrt", 2)
    assert (str(first), str(second)) == ("inverse_sqrt", "inverse_sqrt 2")
    assert (first.numbered("1/√d_k"), second.numbered("1/√d_k")) == ("1/√d_k", "1/√d_k (2)")
    assert len({first, second, Variant("inverse_sqrt", 1)}) == 2


def test_configurations_agree_in_all_but_what_may_differ() -> None:
    assert agree(replace(SMALL, seed=3, lr=0.5), SMALL, but=("seed", "lr"))
    assert not agree(replace(SMALL, seed=3, lr=0.5), SMALL, but=("seed",))
    assert not agree(gated(), SMALL, but=("seed",)) and not agree("sort", SMALL, but=("seed",))


def test_a_run_has_begun_with_its_first_record_and_what_was_stopped_is_not_complete() -> None:
    records = list(SMALL.records())
    whole, half = Variant("whole"), Variant("half")
    run = Run.finished({whole: SMALL, half: SMALL}, {whole: records, half: records[:3]})
    assert run.begun and list(run.complete()) == [whole] and len(run.complete()[whole]) == len(records)
    assert not Run({whole: SMALL}).begun and not Run({whole: SMALL}).complete()


def test_the_queue_holds_no_run_that_has_ended_or_rests() -> None:
    queue = Queue(1)
    runs = list(entered(queue, gated(1), gated(10)))
    until(lambda: steps(runs[0]) == [0])
    runs[0].stop()
    next(iter(runs[0].experiments.values())).gate.release()
    runs[1].wait(120.0)
    alive = [weakref.ref(run) for run in runs]
    until(lambda: not queue.training)
    runs.clear()
    until(lambda: gc.collect() >= 0 and [run() for run in alive] == [None, None])


def test_progress_counts_steps_and_only_the_time_spent_training() -> None:
    config = gated(3)
    (run,) = entered(Queue(1), config)
    until(lambda: config.arrived == [0, 1, 2, 3])
    assert run.share == pytest.approx(2 / 5) and run.steps == 2
    run.stop()
    config.gate.release()
    until(lambda: run.state == "stopped")
    before = run.seconds
    time.sleep(0.05)  # that does not count
    assert run.seconds == before and run.share == pytest.approx(3 / 5)
    assert run.rate == pytest.approx(3 / run.seconds)
    assert run.remaining == pytest.approx(run.seconds * 2 / 3)


def test_python_ends_while_a_run_trains() -> None:
    """torch aborts when a thread computes while the interpreter is torn down."""
    code = """
import time
from attention_core.experiments.sort import Sort
from ui.compute.queue import Job, Queue
from ui.compute.runs import Run
run = Run({"long": Sort(steps=10**6, every=1, batch=2, evaluated=2)})
Queue(1).enter(run)
while not run.records("long"):
    time.sleep(0.01)
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0 and not done.stderr


@dataclass
class Steps(Job):
    """A job of so many pieces, each done when the test opens the gate; `order` is told who did one."""

    name: str
    order: list[str]
    pieces: int = 3
    gate: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(100))
    bytes: int = 0
    forgotten: bool = False

    def __post_init__(self) -> None:
        super().__init__()
        self.unattended = True

    __hash__ = object.__hash__  # a job is itself, whatever it holds

    @property
    def done(self) -> bool:
        return self.pieces == 0

    @property
    def held(self) -> int:
        return 0 if self.forgotten else self.bytes

    def piece(self) -> None:
        assert self.gate.acquire(timeout=60)
        self.order.append(self.name)
        self.pieces -= 1

    def forget(self) -> None:
        self.forgotten = True


def worked(queue: Queue, *jobs: tuple[Steps, str]) -> None:
    """All of them enter while the first stands still, and then all are done."""
    first = jobs[0][0]
    first.gate = threading.Semaphore(0)
    for job, visitor in jobs:
        queue.enter(job, visitor)
    first.gate.release(100)
    until(lambda: all(job.done for job, _ in jobs) and not queue.training)


def test_visitors_take_turns_and_nobody_waits_for_all_that_another_one_asked_first() -> None:
    order: list[str] = []
    jobs = [(Steps(f"a{number}", order, pieces=1), "a") for number in range(4)]
    jobs += [(Steps("b0", order, pieces=1), "b"), (Steps("c0", order, pieces=1), "c")]
    worked(Queue(1), *jobs)
    assert order == ["a0", "b0", "c0", "a1", "a2", "a3"]


def test_who_works_longer_than_a_slice_lets_the_next_visitor_work() -> None:
    order: list[str] = []
    worked(Queue(1, slice=0.0), (Steps("long", order, pieces=4), "a"), (Steps("short", order, pieces=2), "b"))
    assert order == ["long", "short", "long", "short", "long", "long"]
    order.clear()
    worked(Queue(1, slice=3600.0), (Steps("long", order, pieces=4), "a"), (Steps("short", order, pieces=2), "b"))
    assert order == ["long"] * 4 + ["short"] * 2


def test_a_training_gives_way_to_a_question_and_no_further_training_begins_meanwhile() -> None:
    queue, order = Queue(1, slice=0.0), []
    first, second = gated(), gated(10)
    trains, waits = entered(queue, first, second)
    until(lambda: trains.state == "training")
    question = Steps("question", order, pieces=2)
    queue.enter(question, "reader")
    first.gate.release(2)
    until(lambda: question.done)
    assert trains.state == "training" and waits.position == 1 and not steps(waits)
    first.gate.release(10)
    until(lambda: waits.state == "ended")
    assert steps(trains) == steps(waits) == list(range(6))


def test_idle_work_begins_when_nobody_else_waits_and_gives_way_at_once() -> None:
    order: list[str] = []
    queue, idle = Queue(1), Steps("idle", [], pieces=3, gate=threading.Semaphore(0))
    idle.idle, idle.order = True, order
    queue.enter(idle)
    asked = [Steps(f"asked {number}", order, pieces=2) for number in range(2)]
    for job in asked:
        queue.enter(job, job.name)
    idle.gate.release(100)
    until(lambda: idle.done)
    assert order == ["idle", *["asked 0"] * 2, *["asked 1"] * 2, "idle", "idle"]


def test_whoever_leaves_takes_along_only_what_nobody_else_wants() -> None:
    queue, order = Queue(1), []
    busy = Steps("busy", order, pieces=1, gate=threading.Semaphore(0))
    shared, alone = (Steps(name, order, pieces=1) for name in ("shared", "alone"))
    queue.enter(busy)
    for job, visitors in ((shared, "ab"), (alone, "a")):
        for visitor in visitors:
            queue.enter(job, visitor)
    shared.leave("a")
    alone.leave("a")
    assert (shared.state, alone.state) == ("waiting", "stopped")
    busy.gate.release()
    until(lambda: shared.done and not queue.training)
    assert order == ["busy", "shared"]


def test_who_rested_because_nobody_looked_comes_back_to_the_same_place() -> None:
    clock, order = Clock(), []
    queue = Queue(1, clock=clock, patience=5.0)
    busy, first, second = (Steps(name, order, pieces=1) for name in ("busy", "first", "second"))
    busy.gate = threading.Semaphore(0)
    for job in (busy, first, second):
        queue.enter(job, job.name)
    first.unattended = False
    clock.now = 6.0
    assert queue.position(second) == 1 and first.away
    first.look("first")
    assert (queue.position(first), queue.position(second)) == (1, 2)
    busy.gate.release()
    until(lambda: second.done and not queue.training)
    assert order == ["busy", "first", "second"]


def test_the_memory_of_all_jobs_is_limited_and_what_nobody_looks_at_gives_way() -> None:
    clock = Clock()
    queue = Queue(1, limit=100, clock=clock)
    old, new, wanted = (Steps(name, [], pieces=1, bytes=size) for name, size in (("old", 60), ("new", 30), ("w", 40)))
    for job in (old, new, wanted):
        queue.enter(job, job.name)
        until(lambda job=job: job.state == "ended")
    assert queue.held == 130 and not queue.grants(wanted)  # somebody has looked at both a moment ago
    clock.now = 601.0
    new.look("new")
    assert queue.grants(wanted) and old.forgotten and not new.forgotten
    assert queue.held == 70


def test_a_run_too_many_says_so_and_a_forgotten_one_has_no_records() -> None:
    queue = Queue(1, limit=6 * 4000 + 1)
    kept, crowded = entered(queue, gated(10, width=1000), gated(10, width=1000))
    until(lambda: crowded.state == "ended")
    assert steps(kept) == list(range(6)) and not kept.crowded
    assert crowded.crowded and not crowded.too_large and not steps(crowded)
    kept.forget()
    assert kept.forgotten and not steps(kept) and queue.held == 0


def test_when_no_thread_is_to_be_had_the_job_rests_and_the_core_is_not_lost(monkeypatch) -> None:
    queue, order, job = Queue(1), [], Steps("job", [], pieces=1)
    job.order = order
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", lambda thread: (_ for _ in ()).throw(RuntimeError("no thread")))
        queue.enter(job, "a")
    assert (job.state, job.away, queue.training) == ("stopped", True, 0)
    job.look("a")
    until(lambda: job.state == "ended")
    assert order == ["job"]


def test_a_run_from_a_file_is_not_forgotten_while_somebody_looks_at_it() -> None:
    clock, config = Clock(), gated(10, width=1000)
    clock.now = 10_000.0
    queue = Queue(1, limit=6 * 4000 + 1, clock=clock)
    (trained,) = entered(Queue(1), config)
    until(lambda: trained.state == "ended")
    opened = Run.finished({"only": config}, {"only": trained.records("only")})
    queue.keep(opened, "reader")
    clock.now += 400.0
    opened.look("reader")
    clock.now += 400.0
    (other,) = entered(queue, gated(10, width=1000))
    until(lambda: other.state == "ended")
    assert other.crowded and not opened.forgotten and steps(opened) == list(range(6))
    clock.now += 601.0
    (last,) = entered(queue, gated(10, width=1000))
    until(lambda: last.state == "ended")
    assert opened.forgotten and not last.crowded


def test_two_long_things_of_one_visitor_take_turns_too() -> None:
    order: list[str] = []
    long, short = Steps("long", order, pieces=4), Steps("short", order, pieces=2)
    worked(Queue(1, slice=0.0), (long, "a"), (short, "a"))
    assert order == ["long", "short", "long", "short", "long", "long"]
