"""What is kept between asks: by value, once, the dear before the cheap, within a limit that is measured."""

import gc
import threading
import weakref
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from attention_core.models import EMBEDDED, FromScratch, Sizes, load_embedded
from ui.compute.answers import LARGEST_SHARE, Answers, NestedAskError
from ui.compute.sizes import size
from ui.compute.watchdog import Watchdog
from ui.session import Study

KB = 1024
LIMIT = 1024 * KB


class Clock:
    """Time that passes when a test says so."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class Computed:
    """Answers whose cost is what a test says."""

    def __init__(self, limit: int = LIMIT) -> None:
        self.clock = Clock()
        self.answers = Answers(limit, permits=1, clock=self.clock)
        self.count = 0

    def ask(self, question: object, seconds: float, kilobytes: int = 64) -> torch.Tensor:
        def compute() -> torch.Tensor:
            self.clock.now += seconds
            self.count += 1
            return torch.zeros(kilobytes * KB, dtype=torch.uint8)

        return self.answers.ask(question, compute)


def test_the_same_question_is_computed_once_and_shared() -> None:
    computed = Computed()
    first, second = (computed.ask(Study(text="one two"), 0.01) for _ in range(2))
    assert first is second and computed.count == 1
    computed.ask(Study(text="one two", model="scratch"), 0.01)
    assert computed.count == 2
    assert (computed.answers.hits, computed.answers.misses) == (1, 2)


def test_the_bytes_kept_stay_below_the_limit_and_are_those_of_what_is_kept() -> None:
    computed = Computed()
    kept = {}
    for number in range(300):
        kept[number] = computed.ask(number, 0.01, kilobytes=1 + number % 97)
        assert computed.answers.bytes <= LIMIT
    known = {number: value for number, value in kept.items() if computed.answers.peek(number) is not None}
    assert len(known) == len(computed.answers) > 7
    assert computed.answers.bytes == sum(size(value) + size(number) for number, value in known.items())


def test_what_took_long_is_not_thrown_out_by_what_is_quick() -> None:
    computed = Computed()
    computed.ask("a table", 4.0)
    for number in range(100):
        computed.ask(f"a sentence {number}", 0.01)
    assert computed.answers.peek("a table") is not None


def test_of_equal_cost_the_one_that_was_used_last_stays() -> None:
    computed = Computed()
    for number in range(100):
        computed.ask(number, 0.01)
        computed.ask(-1, 0.01)
    assert computed.count == 101
    assert computed.answers.peek(1) is None and computed.answers.peek(99) is not None


def test_what_nobody_asks_for_any_more_goes_though_it_was_dear() -> None:
    computed = Computed()
    computed.ask("dear", 0.4)  # 40 times as dear, so it stays for some 40 rounds of the limit, and not for ever
    for number in range(5000):
        computed.ask(number % 1000, 0.01)
    assert computed.answers.peek("dear") is None


def test_nothing_larger_than_an_eighth_of_the_limit_is_kept() -> None:
    computed = Computed()
    computed.ask("small", 0.01)
    computed.ask("large", 9.0, kilobytes=LIMIT // KB // LARGEST_SHARE + 1)
    assert computed.answers.peek("large") is None and computed.answers.peek("small") is not None
    assert not computed.answers.put("large too", torch.zeros(LIMIT), 9.0)


def test_what_is_too_large_to_be_kept_is_shared_as_long_as_somebody_holds_it() -> None:
    model = FromScratch(Sizes(n_head=2, d_model=11, d_k=3, d_v=5, source="digest"))
    answers, begun = Answers(1000), []

    def compute():
        begun.append(1)
        return model.run(model.tokenize("one two three"))

    run = answers.ask("q", compute)
    assert answers.ask("q", compute) is run and answers.peek("q") is run
    assert (len(begun), len(answers), answers.bytes) == (1, 0, 0)
    del run
    assert answers.peek("q") is None
    answers.ask("q", compute)
    assert len(begun) == 2


def test_a_question_counts_with_its_text() -> None:
    computed = Computed()
    computed.ask(Study(text="a" * 4000), 0.01, kilobytes=1)
    with_long_text = computed.answers.bytes
    computed = Computed()
    computed.ask(Study(text="a"), 0.01, kilobytes=1)
    assert with_long_text - computed.answers.bytes == 3999


def test_many_who_ask_the_same_at_once_wait_for_one_computation_without_a_permit() -> None:
    answers, begun, go_on = Answers(LIMIT, permits=2), [], threading.Event()

    def slow() -> str:
        begun.append(1)
        assert go_on.wait(60.0)
        return "slow"

    with ThreadPoolExecutor(9) as pool:
        waiting = [pool.submit(answers.ask, "same", slow) for _ in range(8)]
        # Eight wait for one question, and two permits are enough for another.
        assert pool.submit(answers.ask, "other", lambda: "quick").result(60.0) == "quick"
        go_on.set()
        assert [answer.result(60.0) for answer in waiting] == ["slow"] * 8
    assert len(begun) == 1


def test_of_those_who_waited_for_a_computation_that_failed_one_computes_it() -> None:
    answers, begun, go_on = Answers(LIMIT, permits=2), [], threading.Event()

    def compute() -> str:
        begun.append(1)
        if len(begun) == 1:
            assert go_on.wait(60.0)
            raise ValueError("the first fails")
        return "well"

    with ThreadPoolExecutor(5) as pool:
        asks = [pool.submit(answers.ask, "q", compute) for _ in range(5)]
        go_on.set()
        outcomes = [ask.exception(60.0) or ask.result() for ask in asks]
    assert sum(isinstance(outcome, ValueError) for outcome in outcomes) == 1
    assert outcomes.count("well") == 4 and len(begun) == 2


def test_asking_while_computing_is_refused_and_leaves_the_permit_free() -> None:
    answers = Answers(LIMIT, permits=1)
    with pytest.raises(NestedAskError):
        answers.ask("outer", lambda: answers.ask("inner", lambda: 1))
    assert answers.ask("outer", lambda: 2) == 2


def test_at_most_as_many_compute_as_there_are_permits() -> None:
    answers, lock, gate = Answers(LIMIT, permits=3), threading.Lock(), threading.Event()
    now, most = 0, 0

    def compute() -> int:
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
            if now == 3:
                gate.set()
        assert gate.wait(60.0)
        with lock:
            now -= 1
        return 1

    with ThreadPoolExecutor(12) as pool:
        list(pool.map(lambda number: answers.ask(number, compute), range(12)))
    assert most == 3


def test_whoever_takes_too_long_is_logged_once_with_the_place_and_without_the_question() -> None:
    clock = Clock()
    watchdog = Watchdog(late=30.0, look=3600.0, clock=clock)
    answers, begun, go_on = Answers(LIMIT, permits=1, watchdog=watchdog), threading.Event(), threading.Event()

    def stands_still() -> int:
        begun.set()
        assert go_on.wait(60.0)
        return 1

    with ThreadPoolExecutor(1) as pool:
        ask = pool.submit(answers.ask, "a secret sentence", stands_still)
        assert begun.wait(60.0)
        clock.now = 29.0
        assert not watchdog.late()
        clock.now = 31.0
        (text,) = watchdog.late()
        assert not watchdog.late()
        go_on.set()
        assert ask.result(60.0) == 1
    assert "stands_still" in text and "computes since 31 s" in text
    assert "secret" not in text


@dataclass(frozen=True)
class Holds:
    """Something that holds what it was given."""

    parts: tuple[object, ...]


def test_size_counts_storages_once_whole_and_no_weights() -> None:
    base = torch.zeros(7, 11)
    array = np.zeros((5, 13))
    empty = size(Holds((base[0], array[0]))) - base.nbytes - array.nbytes
    assert 0 < empty < 1000
    assert size(Holds((base[0], array[0], base[1], array.T))) < size(Holds((base[0], array[0]))) + 500
    assert size(torch.nn.Linear(1000, 1000)) == 0
    assert size("a" * 5000) - size("a") == 4999


@pytest.mark.parametrize("tokens", [7, 300])
def test_a_run_holds_what_its_tensors_take_and_a_long_one_little(tokens: int) -> None:
    model = load_embedded()
    read = model.tokenize(" ".join(["law"] * (tokens - 2)))
    run = model.run(read)
    stages = {
        tensor.untyped_storage().data_ptr(): tensor.untyped_storage().nbytes()
        for layer in run.layers
        for tensor in (layer.attention.q, layer.attention.k, layer.attention.v, layer.x)
        if tensor is not None
    }
    n, h = len(read), run.layers[0].name.n_head
    if tokens == 7:
        assert size(run) >= sum(stages.values()) + len(run.layers) * 4 * h * n * n * 3
    else:
        assert size(run) < 1.2 * len(run.layers) * 4 * (5 * n * 384 + n * n)
    assert model.name == EMBEDDED


def test_layers_of_a_long_text_are_computed_again_bit_for_bit() -> None:
    model = load_embedded()
    read = model.tokenize(" ".join(["law", "king", "just"] * 60))
    run = model.run(read)
    assert not isinstance(run.layers, tuple)
    assert len(run.layers[1:3]) == 2 and run.layers[-1].index == 5
    for layer in run.layers:
        assert run.layers[layer.index] is layer  # as long as somebody holds it
        again = run.layers[layer.index : layer.index + 1][0]
        assert again is not layer
        assert_close(again.attention.weights, layer.attention.weights, rtol=0, atol=0)
        theirs = torch.nn.functional.scaled_dot_product_attention(
            layer.attention.q, layer.attention.k, layer.attention.v, scale=layer.factor
        )
        assert_close(layer.attention.context, theirs)
    untrained = FromScratch(Sizes(n_head=12, d_model=11, d_k=3, d_v=5, source="digest", positions="alibi"))
    long = untrained.run(untrained.tokenize("word " * 200))
    assert_close(untrained._layer.output(long.layers[0].attention), long.output, rtol=0, atol=0)


def test_an_answer_does_not_fail_because_no_thread_can_be_had_to_watch_it(monkeypatch) -> None:
    def refuses(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    answers = Answers(LIMIT, permits=1)
    with monkeypatch.context() as short:
        short.setattr(threading.Thread, "start", refuses)
        assert answers.ask("q", lambda: 1) == 1
    assert answers.ask("next", lambda: 2) == 2
    assert "headlight watchdog" in {thread.name for thread in threading.enumerate()}


@pytest.mark.parametrize("late", [-1.0, 60.0])
def test_a_look_at_the_threads_holds_nothing_of_theirs(late: float) -> None:
    def computed() -> weakref.ref[torch.Tensor]:
        result, watchdog = torch.zeros(7), Watchdog(late=late, look=3600.0)
        with watchdog.asking():
            assert bool(watchdog.late()) == (late < 0)
        return weakref.ref(result)

    gc.collect()
    gc.disable()
    try:
        assert computed()() is None
    finally:
        gc.enable()
