"""A full house on the real server: three seats, eight arrivals. In this order: each test finds the house full."""

import asyncio
import json
import re
from contextlib import ExitStack

import pytest

from tests.harness.running import SMALL, eventually, rerun, running, session_of
from ui.server.admission import LEFT

SEATS, ARRIVALS = 3, 8
pytestmark = pytest.mark.slow
AGAIN = {"accept": "application/json"}


@pytest.fixture(scope="module")
def server():
    with running(script=SMALL, HEADLIGHT_VISITORS=str(SEATS)) as server:
        yield server


class Inside:
    """Three readers with their pages open. The tests use one after the other and leave all three inside."""

    def __init__(self, server, stack):
        self.server, self.stack = server, stack
        self.sockets = dict(self.arrive() for _ in range(SEATS))

    def arrive(self):
        assert eventually(lambda: self.server.ask("/readyz").status == 200, 60)
        ticket = self.server.page().ticket
        return ticket, self.enter(ticket)

    def enter(self, ticket):
        socket = self.stack.enter_context(self.server.socket(ticket))
        rerun(socket)
        return socket

    def one(self):
        return next(iter(self.sockets.items()))


@pytest.fixture(scope="module")
def inside(server):
    with ExitStack() as stack:
        yield Inside(server, stack)


def again(server, ticket):
    answer = server.ask("/", **AGAIN, cookie=f"headlight_ticket={ticket}")
    return answer.status, json.loads(answer.body)


def test_everybody_at_the_same_moment(server):
    async def arrive():
        return await asyncio.gather(*(asyncio.to_thread(server.page) for _ in range(ARRIVALS)))

    assert sorted(answer.status for answer in asyncio.run(arrive())) == [200] * SEATS + [503] * (ARRIVALS - SEATS)


def test_files_and_health_are_served_to_everybody(server, inside):
    page = server.page(inside.one()[0], cache_control="no-cache").text
    script = re.search(r'src="\./(static/js/index\.[^"]+\.js)"', page)[1]
    for path in (f"/{script}", "/livez", "/metrics", "/_stcore/health", "/favicon.png"):
        assert server.ask(path).status == 200, path


def test_whoever_waits_is_told_in_their_language(server, inside):
    chinese = server.page(accept_language="fr;q=0.9, zh-CN, en;q=0.5")
    assert "人满了：现在有 3 位读者" in chinese.text and '<html lang="zh">' in chinese.text
    assert chinese.headers["content-language"] == "zh" and chinese.headers["cache-control"] == "no-store"
    assert int(chinese.headers["retry-after"]) > 0
    linked = server.ask("/heads?lang=zh&text=%3Cscript%3E", accept="text/html")
    assert '<html lang="zh">' in linked.text and "<script>alert" not in linked.text
    assert '<html lang="en">' in server.page(accept_language="fr").text


def test_the_ticket_is_out_of_reach_of_scripts_and_means_nothing(server, inside):
    cookies = [server.page().headers["set-cookie"] for _ in range(2)]
    assert all("HttpOnly" in cookie and "SameSite=Lax" in cookie for cookie in cookies)
    assert cookies[0] != cookies[1]
    assert server.page("../../etc/passwd").status == 503
    assert "Secure" in server.page(x_forwarded_proto="https").headers["set-cookie"]


def test_a_reader_whose_network_failed_comes_back_into_a_full_house(server, inside):
    ticket, socket = inside.one()
    session = session_of(rerun(socket))
    assert server.refuses() == 403
    with server.socket(ticket, session) as again:  # the old connection is not known to be dead yet
        assert session_of(rerun(again)) == session
    with server.socket("", session) as again:  # and without a cookie
        assert session_of(rerun(again)) == session
    assert server.refuses(session="6f1c9d2e-0000-4000-8000-000000000000") == 403, "a made-up session is nobody's"
    inside.sockets[ticket] = inside.enter(ticket)


def test_a_reload_keeps_its_seat(server, inside):
    ticket, socket = inside.one()
    assert server.page(ticket, cache_control="max-age=0").status == 200
    assert server.page("x" * 22, cache_control="max-age=0").status == 503
    socket.close()
    inside.sockets[ticket] = inside.enter(ticket)


def test_eight_arrive_three_come_in_and_keep_answering_and_the_next_follow_in_order():
    with running(script=SMALL, HEADLIGHT_VISITORS=str(SEATS)) as server, ExitStack() as stack:
        inside = Inside(server, stack)
        others = [server.page() for _ in range(ARRIVALS - SEATS)]
        assert [answer.status for answer in others] == [503] * 5
        assert [re.search("Your place in line: ([0-9]+)", answer.text)[1] for answer in others] == list("12345")
        assert "Full: every seat is taken (3)" in others[0].text and len(others[0].body) < 8000
        assert server.ask("/readyz").text == "full\n"
        assert [server.refuses(ticket=answer.ticket) for answer in others] == [403] * 5, "nor by the socket itself"
        for socket in inside.sockets.values():
            assert rerun(socket)[-1].script_finished == 0, "those inside are answered"

        first, second = others[0].ticket, others[1].ticket
        assert again(server, first)[1]["place"] == 1
        assert again(server, second)[1]["place"] == 2
        inside.one()[1].close()
        assert eventually(lambda: again(server, first)[1]["open"], LEFT + 10), "somebody has left: the first comes in"
        status, reply = again(server, second)
        assert (status, reply["open"], reply["place"]) == (503, False, 1), "the second is the next"
        with server.socket(first) as socket:
            assert rerun(socket)
            figures = server.figures()
            assert figures["sessions"] == SEATS == figures["sessions_limit"]
            assert figures["sessions_refused_total"] >= 5 and figures["sessions_waiting"] >= 1
