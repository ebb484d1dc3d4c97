"""Clients that mean harm, on both ways of starting: nothing falls over, nothing is told, the others stay served."""

import re
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import psutil
import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.exceptions import ConnectionClosed

from tests.harness.running import HERE, WAYS, eventually, rerun, running, session_of
from ui.server.guards import PROCESS_UPLOADS, SESSION_UPLOADS
from ui.server.memory import MIB

pytestmark = pytest.mark.slow
BOUNDARY = "frontier"
FILE = 60 * MIB


def resident(server):
    return psutil.Process(server.process.pid).memory_info().rss


def is_served(server):
    """Somebody else's page still answers, and nothing in it failed."""
    messages = server.visited()
    assert not [message for message in messages if message.delta.new_element.HasField("exception")]
    return any(message.HasField("delta") for message in messages)


def closes(socket) -> int | None:
    """Reads until the server closes the socket; the code it gives, if it gives one."""
    try:
        while True:
            socket.recv(timeout=20)
    except ConnectionClosed as closed:
        return closed.rcvd and closed.rcvd.code


def upload(server, session, name, size):
    """A file as Streamlit's uploader sends it, with the token it takes from its cookie."""
    cookie = server.ask("/_stcore/health").headers["set-cookie"].split(";")[0]
    body = b'--%s\r\nContent-Disposition: form-data; name="f"; filename="run.npz"\r\n\r\n' % BOUNDARY.encode()
    body += b"\0" * size + f"\r\n--{BOUNDARY}--\r\n".encode()
    token = cookie.split("=", 1)[1]
    return server.ask(f"/_stcore/upload_file/{session}/{name}", "PUT", body, cookie=cookie, x_xsrftoken=token,
                      content_type=f"multipart/form-data; boundary={BOUNDARY}").status  # fmt: skip


@pytest.mark.parametrize("way", WAYS)
def test_nobody_can_drop_what_is_kept_for_everybody(way):
    """Two bytes from anybody dropped all models, and leaked 70 MB each time."""
    with running(way, HERE / "apps" / "cached.py") as server:
        kept = shown(server.visited())
        with server.socket() as socket:
            rerun(socket)
            answers(socket, BackMsg(clear_cache=True))
            assert shown(rerun(socket)) == kept
        assert shown(server.visited()) == kept


def shown(messages):
    return [message.delta.new_element.text.body for message in messages if message.delta.new_element.HasField("text")]


def answers(socket, message):
    """What comes back for this message before the answer to a heartbeat that follows it."""
    socket.send(message.SerializeToString())
    socket.send(BackMsg(app_heartbeat=True).SerializeToString())
    messages = []
    while not messages or messages[-1].WhichOneof("type") != "heartbeat_ack":
        messages.append(ForwardMsg.FromString(socket.recv(timeout=20)))
    return messages


def heard(socket):
    """Whatever comes back until nothing has come for two seconds."""
    messages = []
    with suppress(TimeoutError):
        while True:
            messages.append(ForwardMsg.FromString(socket.recv(timeout=2)))
    return messages


DEVELOPERS = ("load_git_info", "set_run_on_save", "debug_shutdown_runtime", "debug_disconnect_websocket")


@pytest.mark.parametrize("asked", DEVELOPERS)
def test_what_is_for_developers_is_not_answered(either, asked):
    with either.socket() as socket:
        rerun(socket)
        replies = answers(socket, BackMsg(**{asked: True}))
        assert not [message for message in replies if message.HasField("git_info_changed")]
        assert not any(message.session_status_changed.run_on_save for message in replies)


def test_nobody_can_write_where_the_app_stands(either):
    with either.socket() as socket:
        request = {"request_id": "1", "session_id": session_of(rerun(socket)), "install_skills": {}}
        socket.send(BackMsg(backend_operation_request=request).SerializeToString())
        assert not [message for message in heard(socket) if message.HasField("backend_operation_response")]


@pytest.mark.parametrize("frame", [b"\xff" * 64, b"\x5a\xff\xff\xff\xff\x0f", b"\0"])
def test_a_message_that_is_none_ends_its_own_connection_only(either, frame):
    with either.socket() as socket:
        socket.send(frame)
        assert closes(socket) == 1002
    assert is_served(either)


def test_a_text_message_ends_its_own_connection_only(either):
    with either.socket() as socket:
        socket.send("rerun")
        assert closes(socket) in (None, 1000, 1011)
    assert is_served(either)


def test_a_message_above_the_limit_ends_its_own_connection_only(either):
    with either.socket() as socket:
        before = resident(either)
        socket.send(b"\x5a" + b"x" * (2 * MIB + 1))
        assert closes(socket) == 1009
    assert resident(either) < before + 50 * MIB
    assert is_served(either)


def test_eight_uploads_at_once_and_twelve_in_a_row_stay_within_the_bounds(either):
    """Streamlit kept all of them for as long as the session: 727 MB."""
    with either.socket() as socket, either.socket() as other:
        session, neighbour = session_of(rerun(socket)), session_of(rerun(other))
        before = resident(either)
        with ThreadPoolExecutor(8) as together:
            assert set(together.map(lambda name: upload(either, session, name, FILE), range(8))) == {204}
            assert is_served(either)
        assert [upload(either, session, name, FILE) for name in range(8, 12)] == [204] * 4
        assert eventually(lambda: resident(either) < before + SESSION_UPLOADS + 100 * MIB)
        statuses = [upload(either, neighbour, name, FILE) for name in range(2)]
        assert statuses == [204, 204] and 4 * FILE <= PROCESS_UPLOADS
        assert rerun(other)
    assert is_served(either)


def test_one_file_above_the_limit_is_refused(either):
    with either.socket() as socket:
        assert upload(either, session_of(rerun(socket)), "large", 65 * MIB + 2**20) == 413
        assert upload(either, "6f1c9d2e-0000-4000-8000-000000000000", "x", 1) == 400, "nobody's session"


FORGED = (
    {"string_value": "x" * 5000},
    {"double_value": float("nan")},
    {"double_array_value": {"data": [float("inf")] * 1000}},
    {"int_array_value": {"data": [2**40]}},
    {"bytes_value": b"\xff" * 500},
    {"json_value": '{"value": ' + "[" * 5000},
    {"json_value": '{"picked": {"panel": -1, "row": 1e999, "column": null}}'},
    {"json_trigger_value": "not json"},
    {"string_trigger_value": {"data": "\ud7ff\x00"}},
    {"file_uploader_state_value": {"uploaded_file_info": [{"file_id": "../../etc/passwd", "name": "x", "size": 7}]}},
    {"arrow_value": {"data": b"\xff" * 100}},
    {"json_value": '{"temperature": 1' + "0" * 400 + ', "at": NaN, "pick": -Infinity, "seen": [], "edited": 7}'},
    {"json_value": '{"temperature": 1' + "0" * 5000 + "}"},
    {"json_value": '{"edited": {"panel": ["x"], "values": [1, "2", null, NaN]}, "at": {"positions": [], "puts": NaN}}'},
    {"json_trigger_value": '[{"event": "temperature", "value": 1' + "0" * 400 + '}, {"event": ["pick"]}, 7, null]'},
    {"string_array_value": {"data": ["zh", "en", "xx", ""]}},
    {"double_value": float("-inf")},
    {"double_array_value": {"data": []}},
    {"int_value": -(2**62)},
    {"bool_value": True},
    {"string_value": ""},
    {},
    {"trigger_value": True},
)


@pytest.mark.parametrize("page", ["", "vanishing", "bench"])
def test_forged_values_and_states_fail_for_their_sender_only(either, page):
    """Every widget and component of the page is told every kind of value, in one message message."""
    messages = either.visited(page)
    sent = b"".join(message.SerializeToString() for message in messages)
    widgets = {name.decode() for name in re.findall(rb"\$\$ID-[0-9a-f]+-[\w.]+", sent)}
    assert len(widgets) > 5
    with either.socket() as socket:
        rerun(socket, page_name=page)
        for forged in FORGED:
            states = [{"id": name} | forged for name in widgets]
            answer = rerun(socket, page_name=page, widget_states={"widgets": states})
            failed = [message for message in answer if message.delta.new_element.HasField("exception")]
            assert not failed, "what cannot be is ignored: no box of Streamlit's"
    assert is_served(either)


def test_a_whole_number_that_a_reader_types_arrives(either):
    with either.socket() as socket:
        opened = b"".join(message.SerializeToString() for message in rerun(socket, page_name="induction"))
        field = re.findall(rb"\$\$ID-[0-9a-f]+-in_steps", opened)[0].decode()
        answer = rerun(socket, page_name="induction", widget_states={"widgets": [{"id": field, "int_value": 353}]})
        assert any(b"steps=353" in message.SerializeToString() for message in answer)


def test_a_flood_of_messages_is_cut_and_leaves_the_others_served(either):
    with either.socket() as socket:
        rerun(socket)
        for _ in range(2000):
            socket.send(BackMsg(app_heartbeat=True).SerializeToString())
        assert 50 < sum(message.HasField("heartbeat_ack") for message in heard(socket)) < 1000
        for _ in range(2000):
            socket.send(BackMsg(rerun_script={}).SerializeToString())
        assert is_served(either)
        assert psutil.Process(either.process.pid).num_threads() < 150
