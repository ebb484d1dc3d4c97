"""What glibc does with memory that is freed: a server of many threads hands it back instead of keeping it in each."""

import ctypes
import gc
import os
from collections.abc import Callable
from threading import Event, Thread

# From glibc's malloc.h.
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, M_ARENA_MAX = -1, -3, -8
ARENAS = 2  # every rerun is a new thread, and glibc gives them eight arenas a core, each with its own leftovers
LARGE = 2**21  # bytes of a block that is mapped by itself, and so handed back when it is freed; a table's are smaller
TRIM = 2**25  # bytes at the end of an arena above which they are handed back
GROWTH = 2**24  # bytes a process has grown by since it was last tidied, above which it is tidied again
EVERY = 10.0  # seconds between two looks at how large it is

_LIBC = ctypes.CDLL(None) if os.name == "posix" else None


def settle_allocator() -> bool:
    """Before the first threads: few arenas, large blocks by themselves. False where there is no glibc."""
    mallopt = getattr(_LIBC, "mallopt", None)
    settings = {M_ARENA_MAX: ARENAS, M_MMAP_THRESHOLD: LARGE, M_TRIM_THRESHOLD: TRIM}
    return mallopt is not None and all(mallopt(name, value) for name, value in settings.items())


def trim() -> None:
    """Hand back what is free between blocks that are in use; nothing where there is no glibc."""
    malloc_trim = getattr(_LIBC, "malloc_trim", None)
    if malloc_trim is not None:
        malloc_trim(0)


class Tidier:
    """Hands memory back when the process has grown: what is garbage in cycles, then what is free between blocks.

    Streamlit's own collection after each rerun is switched off (ui/runtime.py), and a page leaves cycles behind. After
    the freeze at the start a full collection looks at what visitors have alone: about 20 ms for twenty of them.
    """

    def __init__(self, resident: Callable[[], int]) -> None:
        self._resident = resident
        self._least = resident()

    def look(self) -> bool:
        """Tidy if there is reason to, and say whether there was."""
        now = self._resident()
        self._least = min(self._least, now)
        if now - self._least < GROWTH:
            return False
        gc.collect()
        trim()
        self._least = self._resident()
        return True

    def start(self) -> None:
        """Look again and again, in a thread of its own that ends with the process."""
        Thread(target=self._run, name="tidier", daemon=True).start()

    def _run(self) -> None:
        never = Event()
        while not never.wait(EVERY):
            self.look()
