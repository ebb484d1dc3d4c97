"""`python -m deploy`: REPLICAS processes of Headlight behind nginx on PORT, until SIGTERM or Ctrl+C.

They listen on the ports after PORT, to this machine alone. All settings of serve.py hold for each of them.
"""

import os
import runpy
import secrets
import signal
import sys
import time
from collections.abc import Sequence
from http.client import HTTPException
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event
from urllib.request import urlopen

from deploy.children import Child, end, keep, say
from deploy.proxy import ADVICE, complaint, find_nginx, prepare, taken
from ui.server import memory
from ui.server.settings import SettingError, Settings, allowed_hosts, settings

ROOT = Path(__file__).parents[1]
SERVE = ROOT / "serve.py"
CORES = ROOT / "ui/compute/cores.py"
START = 180.0  # seconds in which all replicas must become ready
MARGIN = 10.0  # seconds a replica may take to end after it has drained
MOST = 64  # replicas


def main() -> int:
    """Start everything, keep it running, end it. The exit status: 2 for settings nobody can act on."""
    try:
        asked, count = settings(os.environ), replicas_asked(os.environ.get("REPLICAS", "2"))
    except SettingError as error:
        say(str(error))
        return 2
    ports = range(asked.port + 1, asked.port + 1 + count)
    nginx = find_nginx()
    if nginx is None or any(map(taken, (asked.port, *ports))):
        say(ADVICE if nginx is None else f"One of the ports {asked.port} to {ports[-1]} is taken; choose another PORT.")
        return 1
    common = environment(asked, count)
    replicas = [Child(f"Replica {port}", (sys.executable, str(SERVE)), common | {"PORT": str(port)}) for port in ports]
    with TemporaryDirectory(prefix="headlight-nginx-") as folder:
        address = f"[{asked.address}]" if ":" in asked.address else asked.address
        prepare(Path(folder), [f"127.0.0.1:{port}" for port in ports], f"{address}:{asked.port}")
        command = (nginx, "-p", folder, "-c", f"{folder}/nginx.conf", "-g", "daemon off;")
        if wrong := complaint(command):
            say(wrong)
            return 1
        return serve(replicas, ports, Child("nginx", command), asked)


def serve(replicas: Sequence[Child], ports: Sequence[int], proxy: Child, asked: Settings) -> int:
    """The proxy starts when every replica can answer, and ends after the last of them."""
    stopped = _until_told()
    last = time.monotonic() + START
    keep(replicas, lambda: stopped.is_set() or time.monotonic() > last or all(map(ready, ports)))
    late = time.monotonic() > last
    if late:
        say(f"The replicas were not ready within {START:g} seconds.")
    elif not stopped.is_set():
        say(f"Headlight: http://{asked.address}:{asked.port}   ({len(replicas)} replicas; stop them with Ctrl+C)")
        keep([*replicas, proxy], stopped.is_set)
    end(replicas, asked.grace + MARGIN)
    end([proxy], MARGIN)
    return int(late)


def environment(asked: Settings, count: int) -> dict[str, str]:
    """What each of `count` replicas gets beside its port: its share of this machine, and what all have in common.

    They listen to nginx alone, so they are told under which address it is asked. Whoever was signed a cookie by one of
    them is known to all.
    """
    seats = os.environ.get("HEADLIGHT_VISITORS") or str(memory.readers(memory.available() // count))
    return {
        "HEADLIGHT_ADDRESS": "127.0.0.1",
        "HEADLIGHT_HOSTS": ",".join(allowed_hosts(os.environ)),
        "HEADLIGHT_VISITORS": seats,
        "OMP_NUM_THREADS": str(max(1, cores() // count)),
        "STREAMLIT_SERVER_COOKIE_SECRET": os.environ.get("STREAMLIT_SERVER_COOKIE_SECRET") or secrets.token_hex(32),
    }


def cores() -> int:
    """How many cores this machine or container gives us. The file is read alone: its package would load torch."""
    return runpy.run_path(str(CORES))["cores"]()


def replicas_asked(text: str) -> int:
    """How many replicas the setting asks for. Raises SettingError."""
    if not (text.isascii() and text.isdigit() and len(text) < 4 and 1 <= int(text) <= MOST):
        raise SettingError(f"REPLICAS must be a whole number from 1 to {MOST}.")
    return int(text)


def ready(port: int) -> bool:
    """Whether the replica on this port says that it can take readers."""
    try:
        with urlopen(f"http://127.0.0.1:{port}/readyz", timeout=2):
            return True
    except (OSError, HTTPException):
        return False


def _until_told() -> Event:
    """An event that is set by SIGTERM, by Ctrl+C, or when the console goes away."""
    stopped = Event()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: stopped.set())
    return stopped


if __name__ == "__main__":
    sys.exit(main())
