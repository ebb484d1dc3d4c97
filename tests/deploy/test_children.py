"""Processes that are kept running."""

import signal
import sys
import time

from deploy.children import Child, end, keep, pause
from tests.harness.running import eventually

SLEEPER = (sys.executable, "-c", "import time; time.sleep(60)")
STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(60)"


def test_whoever_dies_again_and_again_waits_longer_each_time_but_not_for_ever():
    assert [pause(deaths) for deaths in range(1, 8)] == [1, 2, 4, 8, 16, 30, 30]


def test_a_child_that_was_killed_is_started_again(capfd):
    child = Child("Sleeper", SLEEPER)
    end_of_test = time.monotonic() + 20
    keep([child], lambda: child.process is not None)
    first = child.process
    first.kill()
    keep([child], lambda: child.process not in (None, first) or time.monotonic() > end_of_test)
    assert child.process.pid != first.pid
    end([child], 5)
    assert child.process.returncode == -signal.SIGTERM
    assert "Sleeper ended (-9); it starts again in 1 s." in capfd.readouterr().err


def test_deaths_long_ago_are_forgiven():
    child = Child("Sleeper", (sys.executable, "-c", ""))
    for now in (0.0, 100.0, 200.0):
        child.start(now)
        child.process.wait()
        child.look(now + 61)
    assert child.deaths == 1


def test_who_does_not_end_when_asked_is_killed(capfd):
    child = Child("Stubborn", (sys.executable, "-c", STUBBORN))
    child.start(0.0)
    assert eventually(lambda: "up" in capfd.readouterr().out)
    end([child], 0.2)
    assert child.process.returncode == -signal.SIGKILL


def test_what_a_child_prints_is_handed_on(capfd):
    child = Child("Speaker", (sys.executable, "-c", "print('a line')"), {})
    child.start(0.0)
    child.process.wait()
    assert eventually(lambda: "a line" in capfd.readouterr().out), "nothing was handed on"
