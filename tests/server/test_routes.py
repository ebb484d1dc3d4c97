"""What a stranger can ask of the running server, and what it answers, over real connections."""

import os
import re
import sys
from importlib.metadata import version
from pathlib import Path

import psutil
import pytest

from tests.harness.running import SERVE, eventually, running

FORWARDED = ({"x_forwarded_for": "192.0.2.7"}, {"forwarded": "for=192.0.2.7"}, {"x_real_ip": "192.0.2.7"})
FOREIGN = ("https://evil.example", "http://127.0.0.1.evil.example", "null", "http://localhost:3000", "file://")


def test_it_lives_and_is_ready(server):
    assert server.ask("/livez").status == 200
    assert (server.ask("/readyz").status, server.ask("/readyz").text) == (200, "ready\n")


def test_it_is_not_ready_while_it_warms_up():
    with running(SERVE, ready=False) as server:
        assert server.ask("/livez").status == 200
        assert (server.ask("/readyz").status, server.ask("/readyz").text) == (503, "warming\n")
        page = server.page()
        assert page.status == 503 and "Headlight is starting" in page.text
        assert server.refuses() == 403
        assert eventually(lambda: server.page().status == 200, 90)


def test_metrics_are_prometheus_text_and_agree_with_the_system(server):
    server.visited()
    answer, figures = server.ask("/metrics"), server.figures()
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    line = re.compile(r"# (HELP|TYPE) headlight_\w+ .+|headlight_[a-z0-9_]+ [0-9.e+-]+")
    assert all(line.fullmatch(text) for text in answer.text.splitlines())
    held = psutil.Process(server.process.pid).memory_info().rss
    assert 0.8 * held < figures["resident_bytes"] < 1.25 * held
    assert figures["reruns_total"] >= 1 and figures["rerun_seconds_total"] > 0
    assert figures["sessions_admitted_total"] >= 1
    assert 0 < figures["answers_bytes"] <= figures["answers_limit_bytes"] and figures["queue_waiting"] == 0
    assert 0 <= figures["uploads_bytes"] <= figures["uploads_limit_bytes"]


def test_metrics_count_an_open_session(server):
    with server.socket() as socket:
        socket.send(b"")
        assert server.figures()["sessions"] == 1


@pytest.mark.parametrize("headers", FORWARDED)
def test_metrics_are_not_told_through_a_proxy(server, headers):
    assert server.ask("/metrics", **headers).status == 403


def test_streamlits_own_metrics_tell_nothing(either):
    assert "memory" not in either.ask("/_stcore/metrics").text
    assert "sessions" not in either.ask("/_stcore/metrics").text


@pytest.mark.parametrize("path", ["/_stcore/metrics", "/_stcore/script-health-check", "/_stcore/agent/openapi.json",
                                  "/_stcore/agent/interact", "/auth/login", "/oauth2callback"])  # fmt: skip
def test_routes_no_reader_needs_are_closed(server, path):
    assert server.ask(path).status == 404
    assert server.ask(path, "POST", b"{}").status == 404


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "localhost@evil.example", "", "10.0.0.1"])
def test_a_page_is_not_served_under_a_strangers_name(server, host):
    assert server.ask("/", host=host).status == 421
    assert server.ask("/_stcore/host-config", host=host).status == 421


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:{port}", "[::1]:{port}", "LOCALHOST:{port}"])
def test_a_page_is_served_under_this_machines_names(server, host):
    assert server.ask("/", host=host.format(port=server.port)).status == 200


def test_a_socket_is_not_opened_under_a_strangers_name(either):
    assert either.refuses(host="evil.example", origin="http://evil.example") == 403
    assert either.refuses(host="evil.example") == 403
    assert either.refuses(host="localhost") == 101


@pytest.mark.parametrize("origin", FOREIGN)
def test_a_foreign_page_cannot_open_the_socket_and_nobody_is_asked_about_it(either, origin):
    assert either.refuses(origin=origin) == 403
    assert either.refuses(origin=f"http://127.0.0.1:{either.port}") == 101
    assert not either.left()


def test_what_leaves_the_machine_would_be_seen(tmp_path):
    """The watch itself: without it the test above could not fail."""
    import subprocess

    watch = Path(__file__).parents[1] / "harness" / "outbound"
    code = "import socket\ntry: socket.create_connection(('192.0.2.1', 9), 0.01)\nexcept OSError: pass"
    subprocess.run([sys.executable, "-c", code], check=True,
                   env=os.environ | {"PYTHONPATH": str(watch), "OUTBOUND": str(tmp_path / "outbound")})  # fmt: skip
    assert "socket.connect 192.0.2.1" in (tmp_path / "outbound").read_text()


def test_it_listens_on_this_machine_only(either):
    listening = [
        network.laddr for network in psutil.Process(either.process.pid).net_connections() if network.status == "LISTEN"
    ]
    assert {(address.ip, address.port) for address in listening} == {("127.0.0.1", either.port)}


def test_the_first_messages_tell_no_path_and_no_version(either):
    sent = b"".join(message.SerializeToString() for message in either.visited())
    home = str(Path(__file__).parents[2])
    secrets = [home, sys.prefix, str(Path.home()), version("streamlit"), version("torch"), sys.version.split()[0]]
    assert not [secret for secret in secrets if secret.encode() in sent]
    assert not re.search(rb"/(?:home|usr|tmp|srv|opt|var|root)/[\w.]", sent)


def test_the_first_message_names_no_installation(either):
    opened = next(message.new_session for message in either.visited() if message.HasField("new_session"))
    user, surroundings = opened.initialize.user_info, opened.initialize.environment_info
    assert not any((user.installation_id, user.installation_id_v3, user.installation_id_v4))
    assert not any((opened.main_script_path, surroundings.python_version, surroundings.server_os))


def test_every_answer_carries_the_headers(server):
    for path in ("/", "/heads", "/livez", "/metrics", "/static/js/nothing.js", "/_stcore/health", "/_stcore/metrics"):
        headers = server.ask(path).headers
        assert "default-src 'none'" in headers["content-security-policy"], path
        assert "'unsafe-eval'" not in headers["content-security-policy"]
        assert "frame-ancestors 'self'" in headers["content-security-policy"]
        assert (headers["x-content-type-options"], headers["referrer-policy"]) == ("nosniff", "no-referrer")
        assert headers["x-frame-options"] == "SAMEORIGIN"
        assert "server" not in headers


def test_the_operator_names_hosts_frames_and_opens_metrics():
    with running(HEADLIGHT_HOSTS="learn.example, *.school.example", HEADLIGHT_METRICS="open",
                 HEADLIGHT_FRAME_ANCESTORS="self https://huggingface.co") as server:  # fmt: skip
        assert [server.ask("/", host=host).status for host in ("learn.example", "a.school.example")] == [200, 200]
        assert server.ask("/", host="school.example").status == 421
        assert server.refuses(host="learn.example", origin="https://learn.example") == 101
        assert (
            server.refuses(host="localhost", origin="https://learn.example") == 101
        )  # a proxy that asks by its own name
        assert server.refuses(host="learn.example", origin="https://other.example") == 403
        assert server.ask("/metrics", x_forwarded_for="192.0.2.7").status == 200
        page = server.page()
        assert "frame-ancestors 'self' https://huggingface.co" in page.headers["content-security-policy"]
        assert "x-frame-options" not in page.headers
        assert "SameSite=None; Secure; Partitioned" in page.headers["set-cookie"]


def test_scripts_are_compressed_and_kept_by_the_browser(server):
    import gzip

    script = re.search(r'src="\./(static/js/index\.[^"]+\.js)"', server.ask("/").text)[1]
    plain, small = server.ask(f"/{script}"), server.ask(f"/{script}", accept_encoding="gzip")
    assert gzip.decompress(small.body) == plain.body and len(small.body) < len(plain.body) / 2
    assert plain.headers["cache-control"] == small.headers["cache-control"]
    assert "immutable" in small.headers["cache-control"]
    assert small.headers["content-type"].split(";")[0] == plain.headers["content-type"].split(";")[0]


def test_a_wrong_setting_is_one_sentence(tmp_path):
    import subprocess

    ended = subprocess.run([sys.executable, "serve.py"], cwd=Path(__file__).parents[2], capture_output=True, text=True,
                           env=os.environ | {"HEADLIGHT_VISITORS": "many"})  # fmt: skip
    assert (ended.returncode, ended.stderr) == (2, "HEADLIGHT_VISITORS must be a whole number from 1 to 100000.\n")
