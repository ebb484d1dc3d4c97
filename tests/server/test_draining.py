"""The end of a server: SIGTERM, with and without readers, with and without a training that goes on."""

import signal

import pytest

from tests.harness.running import HERE, SMALL, eventually, rerun, running, terminate

pytestmark = pytest.mark.slow
TRAINING = HERE / "apps" / "training.py"


def test_open_pages_go_on_nobody_new_comes_in_and_it_ends_when_the_last_has_left():
    with running(script=SMALL, HEADLIGHT_GRACE="60") as server:
        with server.socket() as socket:
            rerun(socket)
            terminate(server)
            assert eventually(lambda: server.ask("/readyz").text == "draining\n")
            assert server.ask("/livez").status == 200
            page = server.page()
            assert page.status == 503 and "being restarted" in page.text and "Full" not in page.text
            assert server.refuses() == 403
            assert rerun(socket)[-1].script_finished == 0
            assert server.process.poll() is None
        assert server.process.wait(timeout=20) == 0


def test_after_the_grace_it_ends_although_pages_are_open():
    with running(script=SMALL, HEADLIGHT_GRACE="1") as server, server.socket() as socket:
        rerun(socket)
        terminate(server)
        assert server.process.wait(timeout=20) == 0


def test_a_training_does_not_hold_it():
    with running(script=TRAINING, HEADLIGHT_GRACE="1") as server, server.socket() as socket:
        rerun(socket)
        terminate(server)
        assert server.process.wait(timeout=20) == 0


def test_ctrl_c_ends_it_at_once():
    with running(script=SMALL, HEADLIGHT_GRACE="60") as server, server.socket() as socket:
        rerun(socket)
        server.process.send_signal(signal.SIGINT)
        assert server.process.wait(timeout=20) == 0
