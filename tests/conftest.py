"""Hypothesis for every test: no deadlines (machines differ), and the same examples on every run."""

from hypothesis import settings

settings.register_profile("headlight", deadline=None, derandomize=True)
settings.register_profile("explore", deadline=None, max_examples=2000)  # pytest --hypothesis-profile=explore
settings.load_profile("headlight")
