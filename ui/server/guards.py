"""What Streamlit lets any visitor do to everybody, ended where it has no setting for it. The only place that changes
Streamlit itself; written for the version below, and a test holds every changed function to the text it had there.

Both ways of starting use it: serve.py before it listens, app.py before each page (so that `streamlit run app.py` has
it from the first page on).
"""

import functools
import logging
import os
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from hashlib import blake2b
from pathlib import Path
from typing import Any, cast
from weakref import WeakKeyDictionary

from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope
from streamlit import file_util
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.runtime import get_instance
from streamlit.runtime.app_session import AppSession
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.state.session_state import Serialized, WStates
from streamlit.runtime.stats import Stat, StatsManager
from streamlit.runtime.uploaded_file_manager import UploadedFileRec
from streamlit.web.server.starlette import starlette_websocket

from ui.server import hosts, memory
from ui.server.addresses import Find, elsewhere
from ui.server.settings import allowed_hosts

WRITTEN_FOR = "1.67"

# What a reader's browser needs. Not: clear_cache (drops everybody's models and results), set_run_on_save and
# load_git_info (for whoever writes the app), the debug messages.
ASKED = ("rerun_script", "stop_script", "file_urls_request", "app_heartbeat", "backend_operation_request")
# Not: install_skills and dismiss_skills_nudge, which write files where the app stands.
OPERATIONS = ("deferred_file", "dataframe_chunk")
MOST_NAMES = 16  # files chosen at once; each name costs an address
RATE, BURST = 50.0, 100.0  # messages a second and at once that one session may send; a reader sends a handful

SESSION_UPLOADS = 128 * memory.MIB  # two of the largest files; an older one gives way
PROCESS_UPLOADS = min(256 * memory.MIB, memory.available() // 8)  # above, a file is refused

# What a browser also sends for a widget of this kind: whole numbers, for a field of whole numbers.
ALSO = {"double_value": ("int_value",)}

STATIC = "_StreamlitStaticFiles"

_log = logging.getLogger("headlight")
_lock = threading.Lock()
_done = False


def protect(environment: Mapping[str, str] = os.environ, find: Find | None = None) -> None:
    """Put the guards in place, once per process. `find`: see Addresses, which stands before Streamlit in serve.py."""
    global _done
    with _lock:
        if not _done:
            _done = True
            _messages()
            _first_message()
            _states()
            _uploads()
            _origins(allowed_hosts(environment))
            _statistics()
            if find is not None:
                _addresses(find)


def _messages() -> None:
    handle = AppSession.handle_backmsg
    allowances: WeakKeyDictionary[AppSession, Allowance] = WeakKeyDictionary()

    @functools.wraps(handle)
    def handled(self: AppSession, msg: BackMsg) -> None:
        if may_ask(msg) and allowances.setdefault(self, Allowance()).spend():
            handle(self, msg)

    AppSession.handle_backmsg = handled


def may_ask(message: BackMsg) -> bool:
    """Whether a reader's browser has a reason to send this."""
    match message.WhichOneof("type"):
        case "backend_operation_request":
            return message.backend_operation_request.WhichOneof("payload") in OPERATIONS
        case "file_urls_request":
            return len(message.file_urls_request.file_names) <= MOST_NAMES
        case kind:
            return kind in ASKED


class Allowance:
    """So many messages at once, and so many a second after that."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._left, self._looked = BURST, clock()

    def spend(self) -> bool:
        """One message more: whether it may pass."""
        now = self._clock()
        self._left = min(BURST, self._left + (now - self._looked) * RATE)
        self._looked = now
        if self._left < 1:
            return False
        self._left -= 1
        return True


def _first_message() -> None:
    create = AppSession._create_new_session_message
    page = Path(file_util.get_static_dir(), "index.html").read_bytes()
    mark = blake2b(page, digest_size=8).hexdigest()

    @functools.wraps(create)
    def created(self: AppSession, *args: Any, **kwargs: Any) -> ForwardMsg:  # noqa: ANN401
        return discreet(create(self, *args, **kwargs), mark)

    AppSession._create_new_session_message = created


def discreet(message: ForwardMsg, mark: str) -> ForwardMsg:
    """The first message without the server's paths, versions and identity. The browser compares the version with the
    one it saw before, to load its scripts anew after an update: `mark` names the page that serves them instead.
    """
    opened = message.new_session
    opened.main_script_path = ""
    user, surroundings = opened.initialize.user_info, opened.initialize.environment_info
    user.installation_id = user.installation_id_v3 = user.installation_id_v4 = ""
    surroundings.streamlit_version = mark
    surroundings.python_version = surroundings.server_os = ""
    surroundings.has_display = False
    return message


def _states() -> None:
    """What a browser says a widget holds and cannot be (another kind, no number, no JSON) is as if it had said nothing.
    Streamlit would fail before any page could make a sentence of it.
    """
    read = WStates.__getitem__

    @functools.wraps(read)
    def understood(self: WStates, k: str) -> object:
        sent, metadata = self.states.get(k), self.widget_metadata.get(k)
        if not isinstance(sent, Serialized) or metadata is None:
            return read(self, k)
        kind = why = sent.value.WhichOneof("value")
        try:
            # Of a widget that was cleared Streamlit no longer knows the kind.
            if metadata.value_type is None or kind in (None, metadata.value_type, *ALSO.get(metadata.value_type, ())):
                return read(self, k)
        except Exception as error:
            why = type(error).__name__
        _log.warning("A browser sent what %s cannot hold: %s", k.rpartition("-")[2], why)
        cast(dict[str, object], self.states)[k] = None  # not taken out: somebody may be walking through them
        raise KeyError(k)

    WStates.__getitem__ = understood


def _uploads() -> None:
    add = MemoryUploadedFileManager.add_file
    lock = threading.Lock()  # two that arrive together are counted one after the other

    @functools.wraps(add)
    def added(self: MemoryUploadedFileManager, session_id: str, file: UploadedFileRec) -> None:
        with lock:
            for old in too_old({key: len(kept.data) for key, kept in self.file_storage.get(session_id, {}).items()},
                               file.file_id, len(file.data)):  # fmt: skip
                self.remove_file(session_id, old)
            if held(self) + len(file.data) > PROCESS_UPLOADS:
                raise HTTPException(507, "Too many files are being read here just now. Try again in a few minutes.")
            add(self, session_id, file)

    MemoryUploadedFileManager.add_file = added


def too_old(sizes: Mapping[str, int], name: str, size: int) -> list[str]:
    """Which files of a session, oldest first, give way to a new one of `size` bytes."""
    kept = OrderedDict((key, bytes_) for key, bytes_ in sizes.items() if key != name)
    dropped = [name] if name in sizes else []
    while kept and sum(kept.values()) + size > SESSION_UPLOADS:
        dropped.append(kept.popitem(last=False)[0])
    return dropped


def uploaded() -> int:
    """Bytes of all files that visitors have sent and that are still kept."""
    return held(cast(MemoryUploadedFileManager, get_instance().uploaded_file_mgr))


def held(files: MemoryUploadedFileManager) -> int:
    """Bytes of the files in one keeper of files."""
    return files._total_bytes


def _origins(names: tuple[str, ...]) -> None:
    """Streamlit compares a foreign origin with its own address on the internet, which it asks a service for, while
    everybody waits. Nobody is asked here.
    """

    @functools.wraps(starlette_websocket._is_origin_allowed)
    def allowed(origin: str | None, host: str | None) -> bool:
        return hosts.host_allowed(host, names) and hosts.origin_allowed(origin, host, names)

    starlette_websocket._is_origin_allowed = allowed


def _statistics() -> None:
    """/_stcore/metrics answers everybody, and walks through every session for it: it has nothing to tell."""

    @functools.wraps(StatsManager.registered_families)
    def families(self: StatsManager) -> Sequence[str]:
        return ()

    @functools.wraps(StatsManager.get_stats)
    def figures(self: StatsManager, family_names: Sequence[str] | None = None) -> Mapping[str, Sequence[Stat]]:
        return {}

    StatsManager.registered_families = families
    StatsManager.get_stats = figures


def _addresses(find: Find) -> None:
    """What serve.py has a layer for. Streamlit has made its handler of files, of a class of its own, by now."""
    for kind in StaticFiles.__subclasses__():
        if kind.__name__ == STATIC:
            _answer_elsewhere(kind, find)


def _answer_elsewhere(kind: type[StaticFiles], find: Find) -> None:
    serve = kind.get_response

    @functools.wraps(serve)
    async def served(self: StaticFiles, path: str, scope: Scope) -> Response:
        return elsewhere(scope, find) or await serve(self, path, scope)

    kind.get_response = served
