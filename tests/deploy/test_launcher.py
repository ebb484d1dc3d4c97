"""What `python -m deploy` says when it cannot start, and what it gives each replica."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.__main__ import environment, main
from ui.server.settings import settings

ROOT = Path(__file__).parents[2]


def launched(**env):
    surroundings = os.environ | env
    command = [sys.executable, "-m", "deploy"]
    return subprocess.run(command, cwd=ROOT, env=surroundings, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize("count", ["0", "65", "two", "-1", "1.5", "٣"])
def test_a_number_of_replicas_nobody_can_start_is_refused(count):
    done = launched(REPLICAS=count)
    assert (done.returncode, done.stderr) == (2, "REPLICAS must be a whole number from 1 to 64.\n")


def test_a_setting_no_replica_could_act_on_is_refused_before_any_starts():
    done = launched(HEADLIGHT_VISITORS="many")
    assert done.returncode == 2
    assert "HEADLIGHT_VISITORS" in done.stderr


def test_without_nginx_it_says_what_to_install(monkeypatch, capsys):
    monkeypatch.setattr("deploy.__main__.find_nginx", lambda: None)
    monkeypatch.delenv("REPLICAS", raising=False)
    assert main() == 1
    assert "apt-get install nginx" in capsys.readouterr().err


def test_a_port_in_use_is_named(monkeypatch, capsys):
    with socket.create_server(("127.0.0.1", 0)) as other:
        monkeypatch.setattr("deploy.__main__.find_nginx", lambda: "/bin/true")
        monkeypatch.setenv("PORT", str(other.getsockname()[1]))
        assert main() == 1
    assert "is taken" in capsys.readouterr().err


def test_replicas_share_the_machine_and_one_secret(monkeypatch):
    monkeypatch.setattr("deploy.__main__.cores", lambda: 8)
    monkeypatch.setattr("deploy.__main__.memory.available", lambda: 8 * 2**30)
    monkeypatch.delenv("STREAMLIT_SERVER_COOKIE_SECRET", raising=False)
    monkeypatch.delenv("HEADLIGHT_VISITORS", raising=False)
    monkeypatch.setenv("HEADLIGHT_ADDRESS", "192.0.2.1")
    monkeypatch.setenv("HEADLIGHT_HOSTS", "school.example")
    two, five = (environment(settings(os.environ), count) for count in (2, 5))
    assert (two["OMP_NUM_THREADS"], five["OMP_NUM_THREADS"]) == ("4", "1")
    assert int(two["HEADLIGHT_VISITORS"]) > int(five["HEADLIGHT_VISITORS"]) > 0
    assert two["HEADLIGHT_ADDRESS"] == "127.0.0.1"
    assert two["HEADLIGHT_HOSTS"] == "school.example,192.0.2.1"
    assert len(two["STREAMLIT_SERVER_COOKIE_SECRET"]) == 64
    assert two["STREAMLIT_SERVER_COOKIE_SECRET"] != five["STREAMLIT_SERVER_COOKIE_SECRET"]


def test_what_the_operator_asks_for_each_replica_is_kept(monkeypatch):
    monkeypatch.setenv("STREAMLIT_SERVER_COOKIE_SECRET", "ours")
    monkeypatch.setenv("HEADLIGHT_VISITORS", "7")
    asked = environment(settings(os.environ), 3)
    assert (asked["STREAMLIT_SERVER_COOKIE_SECRET"], asked["HEADLIGHT_VISITORS"]) == ("ours", "7")
