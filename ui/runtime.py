"""Once per process, before the first page: threads, heavy imports, models, and a collector with nothing left to do."""

import gc
import importlib
import logging
from collections.abc import Callable
from threading import Lock

from ui.server.memory import resident

HEAVY_IMPORTS = ("torch", "pandas", "pyarrow", "plotly.graph_objects", "plotly.subplots")

_log = logging.getLogger("headlight")
_lock = Lock()
_warm: set[Callable[[], object]] = set()


def warm_up(*load: Callable[[], object]) -> None:
    """Do the slow things now, each `load` once per process; later calls return at once.

    What fails to load is logged, and is the business of the page that needs it. One intra-op thread: at the sizes of a
    sentence, starting a second one takes longer than the work.
    """
    if _warm.issuperset({_imports, *load}):
        return
    with _lock:
        for step in (_imports, *load):
            if step not in _warm:
                try:
                    step()
                except Exception:
                    _log.exception("Warming up failed")
                _warm.add(step)
        settle()


def settle() -> None:
    """Move everything alive out of the garbage collector's sight: once, before there are visitors whose pages it would
    keep for ever.

    A full collection with torch imported stops every visitor for 130 ms, and then for none. Streamlit's own after each
    rerun is switched off in .streamlit/config.toml: a hundred sessions leave too much to look through each time.
    """
    gc.collect()
    gc.freeze()


def _imports() -> None:
    for name in HEAVY_IMPORTS:
        importlib.import_module(name)
    importlib.import_module("torch").set_num_threads(1)
    memory = importlib.import_module("ui.compute.memory")
    memory.settle_allocator()
    memory.Tidier(resident).start()
