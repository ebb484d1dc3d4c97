"""What Streamlit would do for any visitor, and what is left of it. A change of Streamlit fails here first."""

import inspect
import math
from hashlib import sha256
from importlib.metadata import version

import pytest
from starlette.exceptions import HTTPException
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from streamlit.runtime.app_session import AppSession
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.state.common import WidgetMetadata
from streamlit.runtime.state.session_state import WStates
from streamlit.runtime.stats import StatsManager
from streamlit.runtime.uploaded_file_manager import UploadedFileRec
from streamlit.web.server.starlette import starlette_routes, starlette_websocket

from ui.server import guards
from ui.server.guards import BURST, MOST_NAMES, RATE, Allowance, may_ask, protect, too_old

# The first 16 hexadecimal digits of sha256 of each function's source, as the guards were written against it.
SOURCES = {
    AppSession.handle_backmsg: "54694407b0ff13a5",
    AppSession._create_new_session_message: "c90cb1120c020cbb",
    MemoryUploadedFileManager.add_file: "b30368a136190487",
    StatsManager.registered_families: "80ab18709fb135a2",
    StatsManager.get_stats: "91b0f2ec4e06c952",
    WStates.__getitem__: "d121d4c8594e5b4d",
    starlette_websocket._is_origin_allowed: "92ba72506e14686d",
    starlette_websocket.create_websocket_handler: "13632919b0a9cb67",
    starlette_routes.create_upload_routes: "4155ed4458edce19",
}


def message(**fields):
    return BackMsg(**fields)


def test_streamlit_is_the_version_the_guards_were_written_for():
    assert version("streamlit").startswith(f"{guards.WRITTEN_FOR}."), "read ui/server/guards.py again, then change this"


@pytest.mark.parametrize(("function", "digest"), SOURCES.items(), ids=lambda value: getattr(value, "__qualname__", ""))
def test_the_functions_of_streamlit_are_those_the_guards_were_written_for(function, digest):
    source = inspect.getsource(inspect.unwrap(function))
    assert sha256(source.encode()).hexdigest()[:16] == digest, "read what has changed, then change the digest"


def names(oneof):
    return {field.name for field in oneof.fields}


def test_every_message_a_browser_can_send_has_been_decided():
    asked = {"rerun_script", "stop_script", "file_urls_request", "app_heartbeat", "backend_operation_request"}
    refused = {"clear_cache", "set_run_on_save", "load_git_info"}
    debugging = {"debug_disconnect_websocket", "debug_shutdown_runtime"}
    assert names(BackMsg.DESCRIPTOR.oneofs_by_name["type"]) == asked | refused | debugging
    operations = BackMsg.DESCRIPTOR.fields_by_name["backend_operation_request"].message_type
    writing = {"install_skills", "dismiss_skills_nudge"}
    assert names(operations.oneofs_by_name["payload"]) == {"deferred_file", "dataframe_chunk"} | writing


REFUSED = (
    message(),
    message(clear_cache=True),
    message(set_run_on_save=True),
    message(load_git_info=True),
    message(debug_shutdown_runtime=True),
    message(debug_disconnect_websocket=True),
    message(backend_operation_request={}),
    message(backend_operation_request={"install_skills": {}}),
    message(backend_operation_request={"dismiss_skills_nudge": {}}),
    message(file_urls_request={"file_names": ["x"] * (MOST_NAMES + 1)}),
)
HEARD = (
    message(rerun_script={}),
    message(stop_script=True),
    message(app_heartbeat=True),
    message(file_urls_request={"file_names": ["x"] * MOST_NAMES}),
    message(backend_operation_request={"deferred_file": {"file_id": "x"}}),
    message(backend_operation_request={"dataframe_chunk": {}}),
)


@pytest.mark.parametrize("asked", REFUSED)
def test_what_no_reader_asks_is_not_heard(asked):
    assert not may_ask(asked)


@pytest.mark.parametrize("asked", HEARD)
def test_what_a_reader_asks_is_heard(asked):
    assert may_ask(asked)


def test_a_flood_of_messages_is_cut_to_a_rate():
    now = [0.0]
    allowance = Allowance(lambda: now[0])
    assert sum(allowance.spend() for _ in range(1000)) == BURST
    now[0] = 2.0
    assert sum(allowance.spend() for _ in range(1000)) == pytest.approx(min(BURST, 2 * RATE))


def test_the_oldest_files_of_a_session_give_way(monkeypatch):
    monkeypatch.setattr(guards, "SESSION_UPLOADS", 10)
    assert too_old({}, "new", 10) == []
    assert too_old({"a": 4, "b": 4}, "new", 2) == []
    assert too_old({"a": 4, "b": 4}, "new", 3) == ["a"]
    assert too_old({"a": 4, "b": 4}, "new", 10) == ["a", "b"]
    assert too_old({"a": 4, "b": 4}, "a", 6) == ["a"], "sent again: counted once"


def test_files_are_bounded_per_session_and_per_process(monkeypatch):
    protect({})
    monkeypatch.setattr(guards, "SESSION_UPLOADS", 10)
    monkeypatch.setattr(guards, "PROCESS_UPLOADS", 25)
    files = MemoryUploadedFileManager("/upload")

    def send(session, name, size):
        files.add_file(session, UploadedFileRec(name, name, "text/plain", b"x" * size))

    for number in range(20):
        send("ada", str(number), 5)
    assert list(files.file_storage["ada"]) == ["18", "19"]
    assert guards.held(files) == 10
    send("bob", "b", 10)
    with pytest.raises(HTTPException) as refused:
        send("eve", "e", 6)
    assert refused.value.status_code == 507
    assert guards.held(files) == 20 and not files.get_files("eve", ["e"])
    files.remove_session_files("ada")
    send("eve", "e", 6)
    assert files.get_files("eve", ["e"])


WIDGET = "$$ID-0123-alpha"


def held_after(sent, kind="double_value", read=int):
    protect({})
    states = WStates()
    states.set_widget_metadata(WidgetMetadata(WIDGET, read, read, kind))
    states.set_widget_from_proto(WidgetState(id=WIDGET, **sent))
    return states


@pytest.mark.parametrize(
    ("sent", "kind", "read"),
    [
        ({"string_value": "4"}, "double_value", int),
        ({"string_array_value": {"data": ["zh"]}}, "string_value", str),
        ({"double_value": math.nan}, "double_value", int),
        ({"double_value": math.inf}, "double_value", int),
        ({"double_array_value": {"data": []}}, "double_array_value", lambda values: values[0]),
        ({"json_value": "[" * 100_000}, "json_value", dict),
        ({"json_value": '{"temperature": 1' + "0" * 5000 + "}"}, "json_value", dict),
        ({"json_value": "not json"}, "json_value", dict),
        ({"string_value": "zz"}, "string_value", {"en": 0, "zh": 1}.__getitem__),
    ],
)
def test_what_a_widget_cannot_hold_is_as_if_it_had_not_been_said(sent, kind, read, caplog):
    states = held_after(sent, kind, read)
    assert list(states) == [WIDGET], "nobody who walks through them is surprised"
    assert WIDGET not in states and states.get(WIDGET) is None
    assert [record.message for record in caplog.records if "alpha" in record.message]
    assert states.get_serialized(WIDGET) is None
    states.set_widget_from_proto(WidgetState(id=WIDGET, **({kind: 4} if kind == "double_value" else {})))
    assert kind != "double_value" or states[WIDGET] == 4, "the next value counts"


def test_what_a_widget_can_hold_is_held(caplog):
    assert held_after({"double_value": 4.0})[WIDGET] == 4
    assert held_after({}, "string_value", lambda value: value or "nothing chosen")[WIDGET] == "nothing chosen"
    assert not caplog.records
