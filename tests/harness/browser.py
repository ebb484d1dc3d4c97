"""The Chromium that tests and benchmarks drive. `python -m tests.harness.browser` prints where it is."""

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, Page, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
ADVICE = "No Chromium found. Install one (Debian, Ubuntu: apt-get install chromium) or set CHROMIUM to its path."

# The components say what they have painted where a page asks for it before it loads (assets/components/exposed.js).
EXPOSING = "window.__headlightTests = true;"
IDLE = """() => {
    const app = document.querySelector('[data-testid=stApp]');
    return app && app.dataset.testConnectionState === 'CONNECTED' && app.dataset.testScriptState === 'notRunning';
}"""


def find_chromium() -> str | None:
    """$CHROMIUM, else the first Chromium or Chrome on the PATH."""
    candidates = (os.environ.get("CHROMIUM"), *NAMES)
    return next((path for name in candidates if name and (path := shutil.which(name))), None)


# Formulas, icons and canvases come after Python is done: fonts and parts of Streamlit are fetched when first needed.
SETTLED = """async (quiet) => {
    await document.fonts.ready;
    let changed = performance.now();
    const watch = new MutationObserver(() => { changed = performance.now(); });
    watch.observe(document.body, { subtree: true, childList: true, attributes: true, characterData: true });
    while (performance.now() - changed < quiet || document.fonts.status !== 'loaded')
        await new Promise((resolve) => setTimeout(resolve, 50));
    watch.disconnect();
}"""


@contextmanager
def launch() -> Iterator[Browser]:
    """A headless Chromium, closed when the block ends."""
    path = find_chromium()
    if path is None:
        raise RuntimeError(ADVICE)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(ARGUMENTS))
        try:
            yield browser
        finally:
            browser.close()


def wait_idle(page: Page, timeout: float = 90_000) -> None:
    """Wait until Python has nothing left to do for this page. Whether a canvas has painted is another question."""
    page.wait_for_timeout(150)  # a rerun that was only just asked for needs a moment to begin
    page.wait_for_function(IDLE, timeout=timeout)


def wait_settled(page: Page, quiet: int = 600) -> None:
    """Wait until the page is idle, its fonts are there, and nothing in it has changed for `quiet` milliseconds."""
    wait_idle(page)
    page.evaluate(SETTLED, quiet)


if __name__ == "__main__":
    print(find_chromium() or ADVICE)
    sys.exit(find_chromium() is None)
