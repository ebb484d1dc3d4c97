"""On the PYTHONPATH of a server, this makes its machine seem to have $CORES cores, before anything else is imported."""

import os

CORES = int(os.environ["CORES"])

os.cpu_count = lambda: CORES
os.sched_getaffinity = lambda _: set(range(CORES))
