"""Single layers, with an application of the test's own behind them."""

import asyncio
from base64 import b64encode
from collections import Counter
from hashlib import sha256

import pytest
from starlette.datastructures import Headers as Sent
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from ui.server import doors
from ui.server.conversation import Conversation
from ui.server.doors import AT_ONCE, Doors
from ui.server.gate import asks_for_page, session_of, ticket_of
from ui.server.headers import Headers, hashes, security_headers
from ui.server.waiting import pause, reader_language


def scope(path="/", kind="http", method="GET", **headers):
    named = {"host": "localhost"} | headers
    raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in named.items()]
    return {"type": kind, "path": path, "method": method, "headers": raw, "query_string": b""}


async def nothing():
    return {"type": "http.request", "body": b"", "more_body": False}


def upload(layer, statuses):
    async def note(message):
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    return layer(scope("/_stcore/upload_file/session/file", method="PUT"), nothing, note)


def test_only_so_many_files_are_read_at_once_and_a_slow_one_gives_way(monkeypatch):
    monkeypatch.setattr(doors, "PATIENCE", 0.05)
    reading, most, statuses = [0], [0], []

    async def slow(scope, receive, send):
        reading[0] += 1
        most[0] = max(most[0], reading[0])
        try:
            await asyncio.Event().wait()
        finally:
            reading[0] -= 1

    async def eight():
        layer = Doors(slow, ())
        await asyncio.gather(*(upload(layer, statuses) for _ in range(8)))

    asyncio.run(eight())
    assert most == [AT_ONCE] and statuses == [408] * 8


@pytest.mark.parametrize(("code", "lost"), [(1000, False), (1001, False), (1005, True), (1006, True), (1011, True)])
def test_a_goodbye_is_told_from_a_lost_network(code, lost):
    async def disconnect():
        return {"type": "websocket.disconnect", "code": code}

    conversation = Conversation(Counter(), lambda session: None)
    asyncio.run(conversation.listening(disconnect)())
    assert conversation.lost == lost


def test_a_session_is_named_once_and_its_reruns_are_counted():
    opened, ended = ForwardMsg(), ForwardMsg(script_finished=ForwardMsg.FINISHED_SUCCESSFULLY)
    opened.new_session.initialize.session_id = "ada"
    figures, named, sent = Counter(), [], []

    async def network(message):
        sent.append(message["bytes"])

    async def browser():
        return {"type": "websocket.receive", "bytes": b""}

    async def talk():
        conversation = Conversation(figures, named.append)
        say = conversation.speaking(network)
        await conversation.listening(browser)()
        for message in (opened, ended, opened, ended):
            await say({"type": "websocket.send", "bytes": message.SerializeToString()})

    asyncio.run(talk())
    assert named == ["ada"] and figures["reruns"] == 2 and figures["rerun_seconds"] > 0
    assert sent == [message.SerializeToString() for message in (opened, ended, opened, ended)]


PAGES = ("/", "/heads", "/no/such/page")
FILES = (
    "/static/js/x.js",
    "/favicon.png",
    "/favicon.ico",
    "/_stcore/health",
    "/media/x",
    "/livez",
    "/readyz",
    "/metrics",
)


@pytest.mark.parametrize("path", PAGES)
def test_what_asks_for_a_page(path):
    assert asks_for_page(scope(path, accept="text/html,application/xhtml+xml"))
    assert asks_for_page(scope(path))
    assert not asks_for_page(scope(path, method="HEAD")) and not asks_for_page(scope(path, accept="image/png"))


@pytest.mark.parametrize("path", FILES)
def test_what_does_not(path):
    assert not asks_for_page(scope(path, accept="text/html"))


@pytest.mark.parametrize(("cookie", "ticket"), [
    ("", ""), ("headlight_ticket=" + "a" * 22, "a" * 22), ("x=1; headlight_ticket=" + "-" * 22, "-" * 22),
    ("headlight_ticket=short", ""), ("headlight_ticket=" + "a" * 23, ""), ("headlight_ticket=" + "/" * 22, ""),
])  # fmt: skip
def test_a_ticket_is_taken_from_the_cookie_if_it_can_be_one(cookie, ticket):
    assert ticket_of(Sent({"cookie": cookie})) == ticket


@pytest.mark.parametrize(("protocols", "session"), [("", ""), ("streamlit", ""), ("streamlit, , ada", "ada")])
def test_a_session_to_come_back_to_is_the_third_protocol(protocols, session):
    assert session_of(Sent({"sec-websocket-protocol": protocols})) == session


def test_inline_scripts_are_named_by_their_digest():
    script = b" const a = '\xe4\xb8\xad'; "
    page = f'<script src="a.js"></script><script type="module">{script.decode()}</script>'
    assert hashes(page) == [f"'sha256-{b64encode(sha256(script).digest()).decode()}'"]


@pytest.mark.parametrize(
    ("ancestors", "framing"), [("'self'", "SAMEORIGIN"), ("'none'", "DENY"), ("https://a.example", None)]
)
def test_the_two_headers_about_frames_agree(ancestors, framing):
    headers = security_headers((), ancestors)
    assert headers.get("x-frame-options") == framing
    assert f"frame-ancestors {ancestors}" in headers["content-security-policy"]


def test_what_tells_about_the_server_is_taken_away():
    async def telling(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": [(b"server", b"x/1"), (b"etag", b"y")]})

    async def note(message):
        sent.extend(message["headers"])

    sent = []
    asyncio.run(Headers(telling, {"a": "b"})(scope(), nothing, note))
    assert sent == [(b"etag", b"y"), (b"a", b"b")]


@pytest.mark.parametrize(("accepted", "query", "language"), [
    ("", b"", "en"), ("zh-CN,zh;q=0.9,en;q=0.8", b"", "zh"), ("en-US,zh;q=0.9", b"", "en"), ("fr,de;q=0.9", b"", "en"),
    ("zh;q=0,en", b"", "en"), ("en", b"lang=zh", "zh"), ("zh", b"lang=xx", "zh"), ("zh;q=x,en;q=0.1", b"", "en"),
])  # fmt: skip
def test_the_language_is_the_links_or_the_browsers(accepted, query, language):
    assert reader_language(accepted, query) == language


def test_the_further_back_the_more_patient():
    assert [pause(place) for place in (1, 50, 1000, None)] == [3, 8, 15, 15]
