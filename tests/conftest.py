"""Hypothesis for every test: no deadlines (machines differ), and the same examples on every run. torch has one thread,
as in the app, and so have the scripts and servers that tests start: the order of a sum, and with it the last bit,
depends on how many add."""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # read when torch is first imported, here and in every process from here

import re

import pytest
import torch
from hypothesis import settings
from xdist.scheduler import LoadScopeScheduling

from tests.harness.fixtures import *  # noqa: F403 the fixtures of a browser are everybody's

torch.set_num_threads(1)


BROWSER = re.compile(r"tests/(browser/|pages/\w+/test_browser|deploy/test_replicas)")


class OneBrowser(LoadScopeScheduling):
    """Where tests run in several processes, all that drive a browser share one: two would measure each other."""

    def _split_scope(self, nodeid: str) -> str:
        return "browser" if BROWSER.match(nodeid) else nodeid


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log) -> OneBrowser:
    return OneBrowser(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if BROWSER.match(item.nodeid):
            item.add_marker(pytest.mark.browser)


settings.register_profile("headlight", deadline=None, derandomize=True)
settings.register_profile("explore", deadline=None, max_examples=2000)  # pytest --hypothesis-profile=explore
settings.load_profile("headlight")
