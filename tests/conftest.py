"""Hypothesis for every test: no deadlines (machines differ), and the same examples on every run. torch has one thread,
as in the app: the order of a sum, and with it the last bit, depends on how many add."""

import torch
from hypothesis import settings

torch.set_num_threads(1)

settings.register_profile("headlight", deadline=None, derandomize=True)
settings.register_profile("explore", deadline=None, max_examples=2000)  # pytest --hypothesis-profile=explore
settings.load_profile("headlight")
