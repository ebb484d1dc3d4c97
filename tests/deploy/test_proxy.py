"""The shipped nginx.conf in front of three small replicas that answer with what they were asked."""

import gzip
import json
import select
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import pytest

from deploy.proxy import ADVICE, find_nginx, prepare, replicas_conf, taken
from deploy.trial.cluster import free_ports

needs_nginx = pytest.mark.skipif(find_nginx() is None, reason=ADVICE)
BUNDLE = b"let attention = 1;\n" * 1000
PRIVATE = [
    "/metrics",
    "/metrics/",
    "//metrics",
    "/x/../metrics",
    "/%6detrics",
    "/livez",
    "/readyz",
    "/_stcore/metrics",
    "/heads/_stcore/metrics",
    "/_stcore/script-health-check",
    "/_stcore/agent/mcp",
]
WEBSOCKET = b"GET /_stcore/stream HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"


class Echo(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        if self.headers.get("Upgrade") == "websocket":
            return self.send_error(403) if self.server.full else self.upgrade()
        port = self.server.server_address[1]
        length = len(self.rfile.read(int(self.headers.get("Content-Length", 0))))
        asked = {"port": port, "path": self.path, "length": length, **self.headers}
        body, status = json.dumps(asked).encode(), 200
        if self.path.startswith("/static/"):
            body = BUNDLE
            self.server.bundles.append(self.path)
        elif self.path.startswith("/media/") and self.path != f"/media/{port}":
            status = 404
        elif self.path == "/pipeline" and self.server.full:
            status = 503
        self.send_response(status)
        self.send_header("Content-Type", "text/javascript")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_PUT = do_GET

    def upgrade(self):
        self.send_response(101)
        self.send_header("Upgrade", "websocket")
        self.send_header("Connection", "Upgrade")
        self.end_headers()
        self.wfile.write(self.rfile.read(4))

    def log_message(self, *_):
        pass


@contextmanager
def replica(port: int) -> Iterator[ThreadingHTTPServer]:
    server = ThreadingHTTPServer(("127.0.0.1", port), Echo)
    server.bundles, server.full = [], False
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def asked(self) -> dict:
        """What the replica was asked."""
        return json.loads(self.body)

    @property
    def cookie(self) -> str:
        return self.headers["Set-Cookie"].partition(";")[0]


class Front(NamedTuple):
    port: int
    replicas: list[ThreadingHTTPServer]
    stacks: list[ExitStack]
    log: Path

    def ask(self, path: str = "/", method: str = "GET", body: bytes | None = None, **headers: str) -> Answer:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=20)
        connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
        reply = connection.getresponse()
        answer = Answer(reply.status, dict(reply.getheaders()), reply.read())
        connection.close()
        return answer

    def wire(self, cookie: str) -> str:
        """What a WebSocket says before it sends the first four bytes back."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=5) as wire:
            wire.sendall(WEBSOCKET + f"Cookie: {cookie}\r\n\r\nping".encode())
            received = b""
            while not received.endswith(b"ping") and (more := wire.recv(4096)):
                received += more
        return received.decode()


@pytest.fixture
def front(tmp_path) -> Iterator[Front]:
    first = free_ports(4)
    ports = range(first + 1, first + 4)
    log = tmp_path / "log"
    with ExitStack() as stack, log.open("wb") as console:
        folder = Path(stack.enter_context(TemporaryDirectory()))  # nobody may go where pytest writes
        prepare(folder, [f"127.0.0.1:{port}" for port in ports], f"127.0.0.1:{first}")
        stacks = [stack.enter_context(ExitStack()) for _ in ports]
        replicas = [own.enter_context(replica(port)) for own, port in zip(stacks, ports, strict=True)]
        command = [find_nginx(), "-p", folder, "-c", folder / "nginx.conf", "-g", "daemon off;"]
        process = subprocess.Popen(command, stdout=console, stderr=subprocess.STDOUT)
        stack.callback(process.wait)
        stack.callback(process.terminate)
        wait_until(lambda: taken(first))
        yield Front(first, replicas, stacks, log)


def wait_until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


@needs_nginx
def test_a_reader_stays_with_the_replica_that_answered_first(front):
    first = front.ask("/pipeline?text=hello")
    assert first.headers["Set-Cookie"] == f"headlight_replica={first.asked['port']}; Path=/; HttpOnly; SameSite=Lax"
    for path in ("/", "/heads", "/_stcore/health", "/_stcore/upload_file/a/b", "/_stcore/host-config"):
        again = front.ask(path, Cookie=first.cookie)
        assert again.asked["port"] == first.asked["port"]
        assert "Set-Cookie" not in again.headers


@needs_nginx
def test_newcomers_are_spread_over_all_replicas(front):
    assert len({front.ask().asked["port"] for _ in range(12)}) == 3


@needs_nginx
def test_behind_tls_that_ended_elsewhere_the_cookie_is_secure(front):
    assert front.ask(X_Forwarded_Proto="https").headers["Set-Cookie"].endswith("; SameSite=Lax; Secure")


@needs_nginx
@pytest.mark.parametrize("value", ["", "1", "anyone", "replica_1", "127.0.0.1:1", "x" * 3000, "1; headlight_replica=2"])
def test_a_cookie_that_names_no_replica_is_replaced(front, value):
    answer = front.ask(Cookie=f"headlight_replica={value}")
    assert answer.cookie == f"headlight_replica={answer.asked['port']}"


@needs_nginx
def test_the_readers_of_a_dead_replica_move_and_stay_where_they_moved(front):
    first = front.ask()
    number = first.asked["port"] - front.port - 1
    front.stacks[number].close()
    moved = front.ask("/_stcore/health", Cookie=first.cookie)
    assert moved.status == 200
    assert moved.asked["port"] != first.asked["port"]
    front.stacks[number].enter_context(replica(first.asked["port"]))
    again = front.ask("/_stcore/upload_file/a/b", "PUT", b"12345", Cookie=moved.cookie)
    assert (again.asked["port"], again.asked["length"]) == (moved.asked["port"], 5)


@needs_nginx
def test_who_finds_no_room_goes_to_a_replica_that_has_some_and_who_has_a_seat_keeps_it(front):
    first = front.ask()
    home = front.replicas[first.asked["port"] - front.port - 1]
    home.full = True
    moved = front.ask("/pipeline", Cookie=first.cookie)
    assert (moved.status, moved.asked["port"] == first.asked["port"]) == (200, False)
    assert moved.cookie == f"headlight_replica={moved.asked['port']}"
    assert front.ask("/_stcore/upload_file/a/b", "PUT", b"1", Cookie=first.cookie).asked["port"] == first.asked["port"]
    received = front.wire(first.cookie)
    assert received.startswith("HTTP/1.1 101")
    assert "Set-Cookie: headlight_replica=" in received


@needs_nginx
def test_when_all_are_full_the_answer_of_a_replica_says_so(front):
    cookie = front.ask().cookie
    for server in front.replicas:
        server.full = True
    for _ in range(5):
        answer = front.ask("/pipeline", Cookie=cookie)
        assert (answer.status, answer.asked["path"]) == (503, "/pipeline")
        assert "Set-Cookie" not in answer.headers


@needs_nginx
def test_when_all_are_dead_the_page_says_so_and_tries_again_and_no_log_holds_the_sentence(front):
    for own in front.stacks:
        own.close()
    answer = front.ask("/pipeline?text=a+secret+sentence", Referer="http://127.0.0.1/?text=a+secret+sentence")
    assert answer.status == 503
    assert b'http-equiv="refresh"' in answer.body
    assert "本页会自动重试" in answer.body.decode()
    assert "Set-Cookie" not in answer.headers
    wait_until(lambda: '"path":"/pipeline","status":503' in front.log.read_text(encoding="utf-8"))
    assert "secret" not in front.log.read_text(encoding="utf-8")


@needs_nginx
def test_a_websocket_is_handed_through(front):
    received = front.wire("")
    assert received.startswith("HTTP/1.1 101")
    assert "Set-Cookie: headlight_replica=" in received


@needs_nginx
@pytest.mark.parametrize("path", PRIVATE)
def test_what_is_for_those_who_run_it_is_not_there_from_outside(front, path):
    answer = front.ask(path)
    assert (answer.status, b"port" in answer.body) == (404, False)


@needs_nginx
def test_a_replica_learns_who_asks_and_for_which_host(front):
    asked = front.ask(Host="school.example:8501", X_Forwarded_For="203.0.113.9", Referer="http://x/?text=a").asked
    assert asked["Host"] == asked["X-Forwarded-Host"] == "school.example:8501"
    assert asked["X-Forwarded-For"] == "203.0.113.9"
    assert asked["X-Forwarded-Proto"] == "http"
    assert "Referer" not in asked


@needs_nginx
def test_media_are_found_on_whichever_replica_has_them(front):
    first = front.ask()
    for server in front.replicas:
        port = server.server_address[1]
        answer = front.ask(f"/media/{port}", Cookie=first.cookie)
        assert (answer.status, answer.asked["port"]) == (200, port)
        assert "Set-Cookie" not in answer.headers
    assert front.ask("/media/nowhere", Cookie=first.cookie).status == 404


@needs_nginx
def test_static_files_are_asked_for_once_and_travel_compressed(front):
    answers = [front.ask("/static/js/index.js", Accept_Encoding="gzip") for _ in range(6)]
    assert all(gzip.decompress(answer.body) == BUNDLE for answer in answers)
    assert all("Set-Cookie" not in answer.headers for answer in answers)
    assert sum(len(server.bundles) for server in front.replicas) == 1


@needs_nginx
def test_a_link_with_four_thousand_chinese_characters_arrives(front):
    path = "/pipeline?text=" + "%E5%AD%97" * 4000
    assert front.ask(path, Referer="http://x" + path).asked["path"] == path


@needs_nginx
def test_a_school_behind_one_address_opens_six_hundred_pages_at_once(front):
    cookie = front.ask().cookie
    assert {front.ask(Cookie=cookie).status for _ in range(600)} == {200}


@needs_nginx
def test_a_stranger_who_opens_six_hundred_sockets_at_once_is_refused_some_and_delays_nobody_else(front):
    with ExitStack() as stack:
        wires = [stack.enter_context(socket.create_connection(("127.0.0.1", front.port))) for _ in range(600)]
        for wire in wires:
            wire.sendall(WEBSOCKET + b"X-Forwarded-For: 203.0.113.9\r\n\r\n")
        assert "headlight_replica" in front.wire("")
        refused = [wire for wire in wires if select.select([wire], [], [], 0)[0] and b" 429 " in wire.recv(50)]
    assert 0 < len(refused) < 200  # 400 wait their turn, thirty a second


@needs_nginx
def test_an_upload_above_the_limit_is_refused_before_a_replica_sees_it(front):
    with socket.create_connection(("127.0.0.1", front.port), timeout=5) as wire:
        wire.sendall(b"PUT /_stcore/upload_file/a/b HTTP/1.1\r\nHost: x\r\nContent-Length: 70000000\r\n\r\n")
        assert wire.recv(4096).startswith(b"HTTP/1.1 413")


def test_two_replicas_with_one_port_are_refused():
    with pytest.raises(ValueError, match="port of its own"):
        replicas_conf(["one:8501", "two:8501"])
