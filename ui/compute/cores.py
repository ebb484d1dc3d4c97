"""How many cores this process may really use: affinity and a container's quota together."""

import math
import os
from pathlib import Path

QUOTA = Path("/sys/fs/cgroup/cpu.max")  # cgroup v2: "<quota or max> <period>", in microseconds
QUOTA_V1, PERIOD_V1 = (Path("/sys/fs/cgroup/cpu") / f"cpu.cfs_{name}_us" for name in ("quota", "period"))


def cores() -> int:
    """Cores this process may use, at least 1."""
    affinity = getattr(os, "sched_getaffinity", None)
    usable = len(affinity(0)) if affinity else os.cpu_count() or 1
    return max(1, math.ceil(min(usable, _quota())))


def _quota() -> float:
    """Cores the container is given, ∞ where nobody counts them."""
    for read in (_quota_v2, _quota_v1):
        try:
            return read()
        except (OSError, ValueError):
            continue
    return math.inf


def _quota_v2() -> float:
    quota, period = QUOTA.read_text(encoding="ascii").split()
    return math.inf if quota == "max" else int(quota) / int(period)


def _quota_v1() -> float:
    quota, period = (int(file.read_text(encoding="ascii")) for file in (QUOTA_V1, PERIOD_V1))
    return quota / period if quota > 0 else math.inf
