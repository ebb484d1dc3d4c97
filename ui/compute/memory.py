"""What glibc does with memory that is freed: a server of many threads hands it back instead of keeping it in each."""

import ctypes
import os

# From glibc's malloc.h.
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, M_ARENA_MAX = -1, -3, -8
ARENAS = 2  # every rerun is a new thread, and glibc gives them eight arenas a core, each with its own leftovers
LARGE = 2**21  # bytes of a block that is mapped by itself, and so handed back when it is freed; a table's are smaller
TRIM = 2**25  # bytes at the end of an arena above which they are handed back

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
