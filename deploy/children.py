"""Processes that are started again when they die, and all end together."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from threading import Thread
from typing import IO

STEADY = 60.0  # seconds after which an earlier death is forgiven
LONGEST_PAUSE = 30.0  # seconds
LOOK = 0.5  # seconds between two looks at all of them


def pause(deaths: int) -> float:
    """Seconds before a process that has died so often in a row starts again: 1, 2, 4 … 30."""
    return min(2.0 ** (deaths - 1), LONGEST_PAUSE)


@dataclass
class Child:
    """A process that shall run: what it is called in messages, and how it starts."""

    name: str
    command: Sequence[str]
    env: Mapping[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None
    born: float = 0.0
    deaths: int = 0
    due: float = 0.0

    def start(self, now: float) -> None:
        """Start it, in a group of its own: Ctrl+C reaches only us, and we say when it ends."""
        self.process = subprocess.Popen(
            self.command,
            env=os.environ | dict(self.env),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self.born = now
        assert self.process.stdout is not None
        Thread(target=_hand_on, args=(self.process.stdout,), daemon=True).start()

    def look(self, now: float) -> None:
        """Note a death, and start again when it is time."""
        if self.process is not None and (code := self.process.poll()) is not None:
            self.process = None
            self.deaths = 1 if now - self.born > STEADY else self.deaths + 1
            self.due = now + pause(self.deaths)
            say(f"{self.name} ended ({code}); it starts again in {pause(self.deaths):g} s.")
        elif self.process is None and now >= self.due:
            self.start(now)

    def signal(self, number: signal.Signals) -> None:
        """Send a signal, if it runs."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(number)

    def wait(self, seconds: float) -> None:
        """Wait until it has ended; kill it if that takes longer."""
        if self.process is None:
            return
        try:
            self.process.wait(timeout=max(0.0, seconds))
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def keep(children: Sequence[Child], enough: Callable[[], bool]) -> None:
    """Keep all of them running until it is enough."""
    while not enough():
        for child in children:
            child.look(time.monotonic())
        time.sleep(LOOK)


def end(children: Sequence[Child], grace: float) -> None:
    """Ask all to end, and wait at most `grace` seconds for them together."""
    for child in children:
        child.signal(signal.SIGTERM)
    last = time.monotonic() + grace
    for child in children:
        child.wait(last - time.monotonic())


def say(sentence: str) -> None:
    """One line on the console."""
    print(sentence, file=sys.stderr, flush=True)


def _hand_on(lines: IO[bytes]) -> None:
    """What a child prints, line by line: nginx cannot open its parent's console where that is a socket."""
    with lines:
        for line in lines:
            sys.stdout.buffer.write(line)
            sys.stdout.buffer.flush()
