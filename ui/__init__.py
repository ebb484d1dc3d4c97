"""What the pages share: words, layout, controls, figures, components."""

import os

# Every rerun is a new thread, and MKL would start a team of OpenMP threads in each: twice the time of a rerun.
# The variable is read when torch is first imported, which app.py does after this package.
os.environ.setdefault("OMP_NUM_THREADS", "1")
