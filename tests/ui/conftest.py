"""What tests of long work share."""

import pytest

from ui.compute.queue import Queue


@pytest.fixture
def unhurried(monkeypatch) -> None:
    """A machine may be so busy that a test does not look for seconds: work rests only where a test says how soon."""
    begin = Queue.__init__
    monkeypatch.setattr(Queue, "__init__", lambda *args, **options: begin(*args, **({"patience": 3600.0} | options)))
