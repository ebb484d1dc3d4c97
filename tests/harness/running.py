"""Real servers, started both ways, and what may be asked of them without a browser."""

import asyncio
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.exceptions import InvalidStatus
from websockets.sync.client import ClientConnection, connect

from deploy.trial.cluster import free_ports
from tests.harness.client import visit
from tests.harness.serving import ROOT

HERE = Path(__file__).parent
SERVE = "python serve.py"
STREAMLIT = "streamlit run app.py"
SMALL = HERE / "apps" / "small.py"  # where what the page shows is not the question
WAYS = (SERVE, STREAMLIT)
PAGE = {"accept": "text/html"}
TICKET = re.compile(r"headlight_ticket=([\w-]+)")


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def ticket(self) -> str:
        return TICKET.search(self.headers.get("set-cookie", ""))[1]

    @property
    def text(self) -> str:
        return self.body.decode()


@dataclass(frozen=True)
class Running:
    port: int
    process: subprocess.Popen[bytes]
    folder: Path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def ask(self, path: str = "/", method: str = "GET", body: bytes | None = None, **headers: str) -> Answer:
        """One request on a connection of its own."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, path, body, named)
            reply = connection.getresponse()
            return Answer(reply.status, {name.lower(): value for name, value in reply.getheaders()}, reply.read())
        finally:
            connection.close()

    def page(self, ticket: str = "", **headers: str) -> Answer:
        """Ask for a page as a browser does."""
        return self.ask("/", **PAGE, **({"cookie": f"headlight_ticket={ticket}"} if ticket else {}), **headers)

    def socket(self, ticket: str = "", session: str = "", host: str = "", **options) -> ClientConnection:
        """Open the WebSocket; raises InvalidStatus where it is refused. `host`: under which name it asks."""
        network = socket.create_connection(("127.0.0.1", self.port))
        headers = {"cookie": f"headlight_ticket={ticket}"} if ticket else {}
        protocols = ["streamlit", "none", session] if session else ["streamlit"]
        return connect(
            f"ws://{host or f'127.0.0.1:{self.port}'}/_stcore/stream",
            sock=network,
            subprotocols=protocols,
            compression=None,
            proxy=None,
            max_size=None,
            additional_headers=headers,
            **options,
        )

    def refuses(self, **options) -> int:
        """The status with which the WebSocket is refused, 101 if it is not."""
        try:
            with self.socket(**options):
                return 101
        except InvalidStatus as refused:
            return refused.response.status_code

    def visited(self, page: str = "", query: str = "") -> list[ForwardMsg]:
        """The messages of one visit to a page."""

        async def visitor():
            async with visit(self.url, page, query) as session:
                return (await session.rerun()).messages

        return list(asyncio.run(asyncio.wait_for(visitor(), 90)))

    def figures(self) -> dict[str, float]:
        """/metrics, by name."""
        lines = (line.split() for line in self.ask("/metrics").text.splitlines() if not line.startswith("#"))
        return {name.removeprefix("headlight_"): float(value) for name, value in lines}

    def printed(self, stream: str) -> str:
        return (self.folder / stream).read_text(encoding="utf-8")

    def requests(self) -> list[dict]:
        return [json.loads(line) for line in self.printed("stdout").splitlines()]

    def errors(self) -> list[dict]:
        return [json.loads(line) for line in self.printed("stderr").splitlines()]

    def left(self) -> list[str]:
        """What left this machine."""
        file = self.folder / "outbound"
        return file.read_text().splitlines() if file.exists() else []


@contextmanager
def running(way: str = SERVE, script: Path | None = None, *, ready: bool = True, **env: str) -> Iterator[Running]:
    """A server on a free port until the block ends. With a script of a test's own no model is loaded; with
    `streamlit run` one visit is over, so app.py has run once.
    """
    port = free_ports(1)
    with tempfile.TemporaryDirectory(prefix="headlight-") as folder:
        surroundings = os.environ | {"PYTHONPATH": f"{ROOT}{os.pathsep}{HERE / 'outbound'}", "OMP_NUM_THREADS": "1",
                                     "OUTBOUND": f"{folder}/outbound", "PORT": str(port)}  # fmt: skip
        with Path(folder, "stdout").open("wb") as out, Path(folder, "stderr").open("wb") as err:
            process = subprocess.Popen(
                _command(way, script, port), cwd=ROOT, env=surroundings | env, stdout=out, stderr=err
            )
        server = Running(port, process, Path(folder))
        try:
            _wait(server, "/readyz" if way == SERVE and ready else "/_stcore/health")
            if way == STREAMLIT:
                server.visited()
            yield server
        finally:
            process.kill()
            process.wait()


def _command(way: str, script: Path | None, port: int) -> list[str]:
    if way == STREAMLIT:
        return [sys.executable, "-m", "streamlit", "run", str(script or ROOT / "app.py"), f"--server.port={port}"]
    if script is None:
        return [sys.executable, "serve.py"]
    start = f"import pathlib, serve; serve.leave(serve.main(pathlib.Path({str(script)!r}), lambda: dict))"
    return [sys.executable, "-c", start]


def _wait(server: Running, path: str) -> None:
    end = time.monotonic() + 90
    while time.monotonic() < end and server.process.poll() is None:
        try:
            if server.ask(path).status == 200:
                return
        except OSError:
            pass
        time.sleep(0.05)
    raise RuntimeError(f"The server did not start:\n{server.printed('stdout')}\n{server.printed('stderr')}")


def terminate(server: Running) -> None:
    server.process.send_signal(signal.SIGTERM)


def eventually(holds, seconds: float = 20) -> bool:
    """Whether `holds()` becomes true; asked again and again, for at most so long."""
    end = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


def rerun(connection: ClientConnection, **fields) -> list[ForwardMsg]:
    """Ask for a rerun and read until it has finished."""
    connection.send(BackMsg(rerun_script=fields).SerializeToString())
    return until_finished(connection)


def until_finished(connection: ClientConnection) -> list[ForwardMsg]:
    messages = []
    while not messages or messages[-1].WhichOneof("type") != "script_finished":
        messages.append(ForwardMsg.FromString(connection.recv(timeout=90)))
    return messages


def session_of(messages: list[ForwardMsg]) -> str:
    return next(message.new_session.initialize.session_id for message in messages if message.HasField("new_session"))
