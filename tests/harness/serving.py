"""Start and stop real Streamlit servers, and talk to them without a browser. Shared by benchmarks and browser tests."""

import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

import psutil

from deploy.trial.cluster import free_ports

ROOT = Path(__file__).parents[2]
SERVER = "serve.py"
QUIET = 0.05  # CPU seconds within one, below which a server has nothing to do


@dataclass(frozen=True)
class Server:
    """A running server: its address, its process and what it has printed so far."""

    url: str
    process: subprocess.Popen[bytes]
    log: Path

    def printed(self) -> str:
        """What the server wrote to its console."""
        return self.log.read_text(encoding="utf-8", errors="replace")

    def cpu_seconds(self) -> float:
        """What its threads, and the processes it has started, have computed so far."""
        process = psutil.Process(self.process.pid)
        times = [member.cpu_times() for member in (process, *process.children(recursive=True))]
        return sum(spent.user + spent.system for spent in times)

    def rest(self, seconds: float = 60.0) -> None:
        """Wait until it computes nothing by itself any more, at most so long."""
        end, before = time.monotonic() + seconds, -1.0
        while time.monotonic() < end and (now := self.cpu_seconds()) - before > QUIET:
            before = now
            time.sleep(1.0)

    def gauge(self, name: str) -> float | None:
        """A figure the server reports at /metrics, or None."""
        try:
            with urlopen(f"{self.url}/metrics", timeout=10) as answer:
                figures = answer.read().decode()
        except HTTPError:
            return None
        line = re.search(rf"^headlight_{name} (\S+)$", figures, re.MULTILINE)
        return None if line is None else float(line[1])

    def megabytes(self) -> float:
        """Memory it holds."""
        return psutil.Process(self.process.pid).memory_info().rss / 2**20


@contextmanager
def serve(
    script: Path | str = "app.py",
    *,
    stock: bool = False,
    env: Mapping[str, str] | None = None,
    timeout: float = 60,
    root: Path = ROOT,
) -> Iterator[Server]:
    """`streamlit run script`, or `python serve.py`, on a free port until the block ends. `root`: the checkout to run.

    `stock` starts it outside the repository, so without our .streamlit/config.toml, and on asyncio instead of uvloop:
    Streamlit as it comes out of the box.
    """
    with tempfile.TemporaryDirectory(prefix="headlight-") as folder:
        port = free_ports(1)
        log = Path(folder) / "server.log"
        options = {"server.port": port, "server.headless": "true", "browser.serverAddress": "localhost"}
        command = [sys.executable, "-m", "benchmarks.stock" if stock else "streamlit", "run", str(root / script)]
        command += [f"--{name}={value}" for name, value in options.items()]
        command = [sys.executable, SERVER] if script == SERVER else command
        surroundings = os.environ | {"PYTHONPATH": str(root), "STREAMLIT_BROWSER_GATHER_USAGE_STATS": "false"}
        surroundings |= {"PORT": str(port), "HEADLIGHT_VISITORS": "1000"} | ({"HEADLIGHT_STOCK": "1"} if stock else {})
        with log.open("wb") as console:
            process = subprocess.Popen(
                command,
                cwd=folder if stock else root,
                env=surroundings | dict(env or {}),
                stdout=console,
                stderr=subprocess.STDOUT,
            )
        server = Server(f"http://localhost:{port}", process, log)
        try:
            _wait_for(f"{server.url}/{'readyz' if script == SERVER else '_stcore/health'}", server, timeout)
            yield server
        finally:
            process.terminate()
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def entry(root: Path) -> str:
    """How a checkout is served: by its own server where it has one."""
    return SERVER if (root / SERVER).exists() else "app.py"


@contextmanager
def checkout(version: str) -> Iterator[Path]:
    """The folder of another version: a folder as it is, a commit in a work tree of its own until the block ends."""
    if Path(version).is_dir():
        yield Path(version).resolve()
        return
    with tempfile.TemporaryDirectory(prefix="headlight-") as folder:
        tree = Path(folder) / "tree"
        git = ["git", "-C", str(ROOT), "worktree"]
        subprocess.run([*git, "add", "--quiet", "--detach", str(tree), version], check=True)
        try:
            yield tree
        finally:
            subprocess.run([*git, "remove", "--force", str(tree)], check=True)


def _wait_for(address: str, server: Server, timeout: float) -> None:
    end = time.monotonic() + timeout
    while time.monotonic() < end and server.process.poll() is None:
        try:
            with urlopen(address, timeout=1):
                return
        except (URLError, OSError):
            time.sleep(0.05)
    raise RuntimeError(f"The server did not start:\n{server.printed()}")
