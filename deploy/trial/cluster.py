"""`python -m deploy` on free ports, for a while."""

import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from deploy.proxy import taken

ROOT = Path(__file__).parents[2]
START = 180.0  # seconds


@dataclass(frozen=True)
class Cluster:
    """`python -m deploy` at work."""

    url: str
    ports: Sequence[int]
    process: psutil.Process
    log: Path

    def printed(self) -> str:
        """What the replicas, the proxy and the one above them have written."""
        return self.log.read_text(encoding="utf-8", errors="replace")

    def replica(self, port: int) -> psutil.Process:
        """The process that listens on a port."""
        return next(child for child in self.process.children() if _listens(child, port))


@contextmanager
def cluster(replicas: int, env: Mapping[str, str] | None = None) -> Iterator[Cluster]:
    """So many replicas behind the shipped proxy on free ports, until the block ends."""
    port = free_ports(replicas + 1)
    surroundings = os.environ | {"PORT": str(port), "REPLICAS": str(replicas), "OMP_NUM_THREADS": "1"} | dict(env or {})
    with tempfile.TemporaryDirectory(prefix="headlight-") as folder:
        log = Path(folder) / "log"
        with log.open("wb") as console:
            command = [sys.executable, "-m", "deploy"]
            process = subprocess.Popen(command, cwd=ROOT, env=surroundings, stdout=console, stderr=subprocess.STDOUT)
        ports = range(port + 1, port + 1 + replicas)
        started = Cluster(f"http://127.0.0.1:{port}", ports, psutil.Process(process.pid), log)
        try:
            _wait_for(started)
            yield started
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=60)


def free_ports(count: int) -> int:
    """The first of so many free ports in a row, below those the system gives to outgoing connections."""
    while True:
        first = random.randrange(20_000, 32_000)
        if not any(taken(port) for port in range(first, first + count)):
            return first


def _wait_for(started: Cluster) -> None:
    end = time.monotonic() + START
    while f"Headlight: {started.url}" not in started.printed():
        if time.monotonic() > end or not started.process.is_running() or started.process.status() == "zombie":
            raise RuntimeError(f"The replicas did not start:\n{started.printed()}")
        time.sleep(0.1)


def _listens(process: psutil.Process, port: int) -> bool:
    return any(each.status == "LISTEN" and each.laddr.port == port for each in process.net_connections("tcp"))
