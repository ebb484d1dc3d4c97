"""What tests of pages share: open one; and of those about training: wait until its run has ended, read what it says."""

import time
from collections.abc import Sequence
from pathlib import Path

from streamlit.testing.v1 import AppTest

from tests.harness.work import settled
from ui.components.lab import Film, Plot
from ui.components.lab.component import _plot
from ui.components.lab.films import frames

APP = Path(__file__).parents[2] / "app.py"


def opened(page: str, section: str = "training", **link: str) -> AppTest:
    """The page of that name, with this link."""
    app = AppTest.from_file(str(APP), default_timeout=120)
    for name, value in link.items():
        app.query_params[name] = value
    app.run()  # until then the address of the page, which is not the name of its file, is unknown
    app.switch_page(f"pages/{section}/{page}/page.py").run()
    well(app)
    return app


def well(app: AppTest) -> None:
    """Once nothing is under way: no exception, and nothing that failed in the reader's words."""
    settled(app)
    assert not app.exception
    assert not app.error


def ended(app: AppTest, key: str) -> None:
    """Wait until the run of this key has ended, and the page has drawn it."""
    end = time.monotonic() + 120
    while f"{key}_run" not in app.session_state or app.session_state[f"{key}_run"].state != "ended":
        assert time.monotonic() < end
        time.sleep(0.1)
        app.run()
    app.run()
    well(app)


def captions(app: AppTest) -> str:
    """All captions of the page."""
    return "\n".join(element.value for element in app.caption)


def starts(plot: Plot, films: Sequence[Film]) -> list[int]:
    """Where in a frame of its film a picture finds its numbers, or each of its lines: what the browser is told."""
    sent = _plot(plot, frames(films, ()))
    return [line["start"] for line in sent.get("lines", ())] or [sent.get("start", 0)]
