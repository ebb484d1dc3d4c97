"""How much memory there is, how much this process holds, and how many readers fit."""

import resource
import sys
from pathlib import Path

MIB = 2**20
# Measured: a warm process 650 MB; its answers, at most 512; files of visitors, at most 256; the rest while it computes.
AT_REST = 1536 * MIB
# Measured with benchmarks/overload.py: 0.6 to 0.8 MB for a page that is open. Runs a reader trains come on top.
A_SESSION = 5 * MIB
MOST_READERS = 100  # one interpreter answers a class of so many within a second, whatever memory there is

CGROUP = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))
MEMINFO = Path("/proc/meminfo")
STATM = Path("/proc/self/statm")


def available() -> int:
    """Bytes this process may use: the container's limit, or the machine's memory if that is less."""
    return min([_machine(), *(int(text) for text in map(_read, CGROUP) if text.isdigit())])


def resident() -> int:
    """Bytes of memory this process holds now; where the system does not tell, the most it ever held."""
    if text := _read(STATM):
        return int(text.split()[1]) * resource.getpagesize()
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024


def readers(memory: int) -> int:
    """How many sessions fit: (memory - AT_REST) / A_SESSION, at least one, at most MOST_READERS."""
    return max(1, min(MOST_READERS, (memory - AT_REST) // A_SESSION))


def _machine() -> int:
    lines = (line.split() for line in _read(MEMINFO).splitlines())
    total = next((int(words[1]) * 1024 for words in lines if words[0] == "MemTotal:"), 0)
    return total or AT_REST + MOST_READERS * A_SESSION


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="ascii").strip()
    except OSError:
        return ""
