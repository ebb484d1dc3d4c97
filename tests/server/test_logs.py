"""Lines of JSON, and no visitor's sentence in any of them."""

import json
import logging

import pytest

from tests.harness.running import HERE, SERVE, eventually, rerun, running
from ui.server.logs import JsonLines, chain, route_of

TYPED = "my grandmother's maiden name is Quixote"
PAGES = frozenset({"/heads", "/why-sqrt"})


@pytest.mark.parametrize(("path", "route"), [
    ("/", "/"), ("/heads", "/heads"), ("/livez", "/livez"), ("/_stcore/stream", "/_stcore/stream"),
    ("/_stcore/upload_file/6f1c9d2e/0", "/_stcore/upload_file/{session}/{file}"), ("/media/0ab.npz", "/media/{file}"),
    ("/static/js/index.DormvYxC.js", "/static/js/{file}"), (f"/{TYPED}", "other"), (f"/heads/{TYPED}", "other"),
    (f"/static/{TYPED}", "other"), ("/static/js/a\nb", "other"),
])  # fmt: skip
def test_a_request_is_named_by_its_route(path, route):
    assert route_of(path, PAGES) == route


def line(log, *arguments, error=None):
    record = logging.LogRecord(
        log, logging.ERROR, __file__, 1, *arguments, error and (type(error), error, error.__traceback__)
    )
    return json.loads(JsonLines().format(record))


def raised():
    try:
        try:
            raise KeyError(TYPED)
        except KeyError as inner:
            raise ValueError(f"cannot read {TYPED}") from inner
    except ValueError as error:
        return error


def test_an_error_is_told_by_its_types_and_places():
    entry = line("headlight", "A page failed", (), error=raised())
    assert TYPED not in json.dumps(entry)
    assert [link["type"] for link in entry["error"]] == ["ValueError", "KeyError"]
    assert entry["error"][0]["traceback"] == [f"tests/server/test_logs.py:{raised.__code__.co_firstlineno + 5} raised"]
    assert (entry["message"], entry["level"]) == ("A page failed", "error")


def test_of_other_packages_messages_only_the_template_is_told():
    assert line("some.library", "cannot read %s", (TYPED,))["message"] == "cannot read %s"
    assert line("some.library", f"cannot read {TYPED}", ())["message"] == ""
    assert line("headlight", "%d readers", (3,))["message"] == "3 readers"


def test_a_circle_of_errors_ends():
    one, two = ValueError(), KeyError()
    one.__cause__, two.__cause__ = two, one
    assert list(chain(one)) == [one, two]


@pytest.mark.slow
def test_a_sentence_reaches_no_log():
    """Through the address, a widget, an upload's name, a page that fails, and a page whose failure nobody catches."""
    with running(SERVE, HERE / "apps" / "failing.py") as server:
        server.ask("/heads?text=Quixote", accept="text/html")
        server.ask("/Quixote/page", accept="text/html", referer="http://127.0.0.1/?text=Quixote", user_agent="Quixote")
        server.ask("/_stcore/upload_file/Quixote/Quixote", "PUT", b"Quixote")
        with server.socket() as socket:
            rerun(socket, query_string="text=Quixote")
            widget = next(message.delta.new_element.text_input.id for message in rerun(socket)
                          if message.delta.new_element.HasField("text_input"))  # fmt: skip
            states = {"widgets": [{"id": widget, "string_value": TYPED}]}
            messages = rerun(socket, widget_states=states)
            assert not any(message.delta.new_element.exception.stack_trace for message in messages)
            assert not any(TYPED in message.delta.new_element.exception.message for message in messages)
        assert eventually(lambda: len(server.errors()) >= 4)
        assert "Quixote" not in server.printed("stdout") + server.printed("stderr")
        assert {error["type"] for entry in server.errors() for error in entry.get("error", [])} >= {
            "ValueError",
            "RuntimeError",
        }
        paths = {entry["path"] for entry in server.requests()}
        assert paths >= {"other", "/_stcore/stream", "/_stcore/upload_file/{session}/{file}"}
        assert all(entry.keys() == {"time", "method", "path", "status", "ms", "bytes"} for entry in server.requests())
