"""What the operator may set, and which names and origins follow from it."""

import pytest

from ui.server import memory
from ui.server.hosts import host_allowed, origin_allowed
from ui.server.settings import SettingError, settings


def test_without_any_setting_it_is_for_this_machine():
    asked = settings({})
    assert (asked.address, asked.port, asked.hosts, asked.grace) == ("127.0.0.1", 8501, (), 20)
    assert (asked.frame_ancestors, asked.framed, asked.open_metrics) == ("'self'", False, False)


def test_settings_are_read():
    asked = settings({"PORT": "7860", "HEADLIGHT_ADDRESS": "0.0.0.0", "HEADLIGHT_VISITORS": "3", "HEADLIGHT_GRACE": "0",
                      "HEADLIGHT_HOSTS": " A.example ,b.example.", "HEADLIGHT_METRICS": "open",
                      "HEADLIGHT_FRAME_ANCESTORS": "self https://a.example"})  # fmt: skip
    assert (asked.port, asked.address, asked.visitors, asked.grace) == (7860, "0.0.0.0", 3, 0)
    assert (asked.hosts, asked.open_metrics) == (("a.example", "b.example"), True)
    assert (asked.frame_ancestors, asked.framed) == ("'self' https://a.example", True)


def test_an_address_of_its_own_is_a_name_it_answers_to():
    assert settings({"HEADLIGHT_ADDRESS": "192.168.1.5"}).hosts == ("192.168.1.5",)


@pytest.mark.parametrize(("name", "value"), [
    ("PORT", "0"), ("PORT", "65536"), ("PORT", "x"), ("HEADLIGHT_VISITORS", "0"), ("HEADLIGHT_VISITORS", "-1"),
    ("HEADLIGHT_GRACE", "nan"), ("HEADLIGHT_METRICS", "yes"), ("HEADLIGHT_VISITORS", "٣"),
    ("HEADLIGHT_FRAME_ANCESTORS", "'self'; script-src *"), ("HEADLIGHT_FRAME_ANCESTORS", "a\x00b"),
])  # fmt: skip
def test_what_cannot_be_meant_is_refused_by_name(name, value):
    with pytest.raises(SettingError, match=name):
        settings({name: value})


@pytest.mark.parametrize(("gib", "readers"), [(0.5, 1), (1.5, 1), (1.75, 51), (2, 100), (64, 100)])
def test_readers_follow_from_memory(gib, readers):
    """(memory - 1536 MiB) / 5 MiB, from 1 to 100: by hand."""
    assert memory.readers(int(gib * 1024) * memory.MIB) == readers


def test_a_containers_limit_counts(tmp_path, monkeypatch):
    limit = tmp_path / "memory.max"
    monkeypatch.setattr(memory, "CGROUP", (limit,))
    whole = memory.available()
    limit.write_text("max\n")
    assert memory.available() == whole
    limit.write_text(f"{2**30}\n")
    assert memory.available() == 2**30


OURS = ("localhost", "LocalHost:8501", "127.0.0.1:1", "[::1]:80", "localhost.")
NAMED = ("a.school.example", "learn.example:443", "headlight.streamlit.app")
UNKNOWN = ("evil.example", "school.example", "xschool.example", "127.0.0.1.evil.example")
BROKEN = (None, "", "localhost:x", "a@localhost", "localhost/..", "localhost#", "[::1", "localhost evil", "localhost?")
SAME = ("http://a.example:8501", "HTTP://A.example:8501", "https://b.example", None)
FOREIGN = ("", "null", "http://a.example", "http://a.example:8502", "file://a.example:8501", "http://x@a.example:8501",
           "http://localhost", "http://a.example:8501.evil.example")  # fmt: skip


@pytest.mark.parametrize("host", OURS + NAMED)
def test_names_that_are_answered(host):
    assert host_allowed(host, ("learn.example", "*.school.example"))


@pytest.mark.parametrize("host", UNKNOWN + BROKEN)
def test_names_that_are_not(host):
    assert not host_allowed(host, ("learn.example", "*.school.example"))


@pytest.mark.parametrize("origin", SAME)
def test_origins_that_may_open_the_socket(origin):
    assert origin_allowed(origin, "a.example:8501", ("b.example",))


@pytest.mark.parametrize("origin", FOREIGN)
def test_origins_that_may_not(origin):
    assert not origin_allowed(origin, "a.example:8501", ("b.example",))
