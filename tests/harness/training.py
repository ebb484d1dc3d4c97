"""What tests of pages share: open one; and of those about training: wait until its run has ended, read what it says."""

import re
import time
from collections.abc import Sequence
from pathlib import Path

from streamlit.testing.v1 import AppTest
from streamlit.util import calc_hash

from tests.harness.work import settled
from ui.components.lab import Film, Plot
from ui.components.lab.component import _plot
from ui.components.lab.films import frames
from ui.navigation import PAGES

APP = Path(__file__).parents[2] / "app.py"
DIGITS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻−", "0123456789--")


def arrived(page: str, **link: str) -> AppTest:
    """The page of that name as it opens with this link, whatever it then says."""
    app = AppTest.from_file(str(APP), default_timeout=120)
    for name, value in link.items():
        app.query_params[name] = value
    address = {entry.name: entry.url_path for entry in PAGES[1:]}
    if page in address:  # Streamlit's `switch_page` would have the landing page run first
        app._page_hash = calc_hash(address[page])
    return app.run()


def opened(page: str, **link: str) -> AppTest:
    """The page of that name, with this link, once nothing is under way."""
    app = arrived(page, **link)
    well(app)
    return app


def fine(app: AppTest) -> AppTest:
    """The page: no exception, and nothing that failed in the reader's words."""
    assert not app.exception
    assert not app.error
    return app


def well(app: AppTest) -> None:
    """Fine, once nothing is under way."""
    fine(settled(app))


def trained(page: str, key: str, **link: str) -> AppTest:
    """The page with this link, once its button has trained what the link asks for."""
    app = opened(page, **link)
    assert f"{key}_run" not in app.session_state
    app.button(key=f"{key}_start").click().run()
    ended(app, key)
    return app


def ended(app: AppTest, key: str) -> None:
    """Wait until the run of this key has ended, and the page has drawn it."""
    end = time.monotonic() + 120
    while f"{key}_run" not in app.session_state or app.session_state[f"{key}_run"].state != "ended":
        assert time.monotonic() < end
        time.sleep(0.1)
        app.run()
    app.run()
    well(app)


def link_of(app: AppTest) -> dict[str, str]:
    """What stands in the link of the page."""
    return {name: value if isinstance(value, str) else value[-1] for name, value in app.query_params.items()}


def number(text: str) -> float:
    """A number as a page writes it: 1.2·10⁻³."""
    return float(re.sub(r"·10(-?\d+)", r"e\1", text.strip().translate(DIGITS)))


def captions(app: AppTest) -> str:
    """All captions of the page."""
    return "\n".join(element.value for element in app.caption)


def starts(plot: Plot, films: Sequence[Film]) -> list[int]:
    """Where in a frame of its film a picture finds its numbers, or each of its lines: what the browser is told."""
    sent = _plot(plot, frames(films, ()))
    return [line["start"] for line in sent.get("lines", ())] or [sent.get("start", 0)]
