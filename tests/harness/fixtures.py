"""The real app in a real browser.

    def test_something(open_page):
        page = open_page("/heads", theme="dark", width=390, language="zh")
        page.get_by_role("slider").press("ArrowRight")
        wait_idle(page)

A message on the browser's error console, an uncaught exception in JavaScript, or a request that leaves this machine
fails the test. A harness, i.e. a small Streamlit script of a test's own, opens with `open_page(script=HERE / "x.py")`.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import pytest
import torch
from playwright.sync_api import Browser, ConsoleMessage, Page

from attention_core.models.pretrained import embedded_folder
from tests.harness.browser import EXPOSING, WATCHING, launch, wait_idle
from tests.harness.serving import Server, serve

OpenPage = Callable[..., Page]
LOCALES = {"en": "en-GB", "zh": "zh-CN"}


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with launch() as browser:
        yield browser


@pytest.fixture(scope="session")
def server_of() -> Iterator[Callable[[Path | str], Server]]:
    """server_of(script) -> Server: one server per script for the whole session, started when first asked for."""
    with ExitStack() as stack:
        running: dict[str, Server] = {}

        def server_of(script: Path | str) -> Server:
            key = str(script)
            if key not in running:
                running[key] = stack.enter_context(serve(script))
            return running[key]

        yield server_of


@pytest.fixture(scope="session")
def server(server_of) -> Server:
    """The app itself."""
    return server_of("app.py")


@pytest.fixture(scope="session")
def awake(browser, server) -> None:
    """The model is loaded, and the server knows its pages, before a test looks at one of them."""
    with browser.new_page() as page:
        page.add_init_script(WATCHING)
        page.goto(server.url)
        page.get_by_role("heading", level=1).wait_for(timeout=120_000)
        wait_idle(page, timeout=120_000)


@pytest.fixture
def unrecorded(monkeypatch, tmp_path) -> None:
    """The recordings that pages begin with are not there."""
    monkeypatch.setattr("ui.training.recorded.FOLDER", tmp_path)


@pytest.fixture(scope="session")
def eager():
    """The embedded model with transformers' own attention: the oracle. Leave it as it is."""
    from transformers import AutoModel  # costs seconds, and most tests do without

    folder = embedded_folder()
    return AutoModel.from_pretrained(folder, attn_implementation="eager", dtype=torch.float32).eval()


@pytest.fixture(scope="session")
def known() -> set[str]:
    """Addresses of servers that have had a visitor."""
    return set()


@pytest.fixture
def open_page(browser, server_of, known) -> Iterator[OpenPage]:
    """open_page(path="/", *, script="app.py", theme="light", width=1440, height=900, language="en", query={}) -> Page

    `language` is the browser's locale. `context` takes further options of Playwright's `new_context`.
    """
    with ExitStack() as stack:
        complaints: list[str] = []

        def open_page(
            path: str = "/",
            *,
            script: Path | str = "app.py",
            theme: str = "light",
            width: int = 1440,
            height: int = 900,
            language: str = "en",
            query: dict[str, str] | None = None,
            url: str | None = None,
            **context,
        ) -> Page:
            address = url or f"{server_of(script).url}{path}" + (f"?{urlencode(query)}" if query else "")
            options = {"viewport": {"width": width, "height": height}, "color_scheme": theme} | context
            if script == "app.py" and server_of(script).url not in known:
                # The first visitor of a process to a page's own address is sent round once (ui/navigation.py).
                known.add(server_of(script).url)
                with browser.new_page() as first:
                    first.add_init_script(WATCHING)
                    first.goto(server_of(script).url)
                    wait_idle(first, timeout=180_000)
            session = browser.new_context(locale=LOCALES[language], **options)
            stack.callback(session.close)
            page = session.new_page()
            page.add_init_script(WATCHING + EXPOSING)
            page.on("console", lambda message: complaints.extend(_complaint(message)))
            page.on("pageerror", lambda error: complaints.append(str(error)))
            page.on("request", lambda request: complaints.extend(_leaving(request.url)))
            page.goto(address)
            wait_idle(page)
            return page

        yield open_page
    assert not complaints, complaints


def _complaint(message: ConsoleMessage) -> list[str]:
    address = urlsplit(message.location["url"]).path
    probing = "404" in message.text and re.fullmatch(
        r"/[\w-]+/_stcore/[\w-]+", address
    )  # Streamlit looks where it is mounted
    return [] if message.type != "error" or probing else [f"{message.text} ({address})"]


def _leaving(url: str) -> list[str]:
    parts = urlsplit(url)
    inside = parts.scheme in {"data", "blob"} or parts.hostname in {"localhost", "127.0.0.1"}
    return [] if inside else [f"a request left this machine: {url}"]
