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
# A real browser or a real server shares the machine with whatever else runs there: these may be tried a second time.
REAL = re.compile(r"tests/(browser|pages/\w+/test_browser|many|server|deploy)\b")


class OneBrowser(LoadScopeScheduling):
    """Where tests run in several processes, all that drive a browser share one: two would measure each other. Of the
    others a file stays together, because what its tests share takes seconds; so do all that ask the same two servers.
    """

    def _split_scope(self, nodeid: str) -> str:
        if BROWSER.match(nodeid):
            return "browser"
        file, _, test = nodeid.partition("::")
        cores = re.search(r"\d-cores", test)  # tests/many has a server for each number of cores
        return "tests/server" if file.startswith("tests/server/") else f"{file} {cores[0] if cores else ''}"


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log) -> OneBrowser:
    return OneBrowser(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if BROWSER.match(item.nodeid):
            item.add_marker(pytest.mark.browser)
        if REAL.match(item.nodeid):
            item.add_marker(pytest.mark.flaky(reruns=1))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What failed at its first try, so that it can be mended."""
    for report in terminalreporter.stats.get("rerun", ()):
        terminalreporter.section(f"first try of {report.nodeid}", "-")
        terminalreporter.line(report.longreprtext)


settings.register_profile("headlight", deadline=None, derandomize=True)
settings.register_profile("explore", deadline=None, max_examples=2000)  # pytest --hypothesis-profile=explore
settings.load_profile("headlight")
