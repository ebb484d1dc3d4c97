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
# Before a page opens its connection: how many messages it has sent, in `window.__sent`, and how many runs it has asked
# for since the last one began, in `window.__owed`. RERUN and BEGUN are fields of Streamlit's messages, read as protobuf
# writes them: BackMsg.rerun_script and ForwardMsg.new_session.
WATCHING = """(() => {
    const [RERUN, BEGUN] = [11, 4];
    const has = (bytes, field) => {
        let at = 0;
        const number = () => {
            for (let value = 0, unit = 1; ; unit *= 128) {
                value += (bytes[at] & 127) * unit;
                if (bytes[at++] < 128) return value;
            }
        };
        while (at < bytes.length) {
            const tag = number();
            if (tag >>> 3 === field) return true;
            const length = { 0: number, 1: () => 8, 2: number, 5: () => 4 }[tag & 7]();
            if (tag & 7) at += length;
        }
        return false;
    };
    window.__sent = window.__owed = 0;
    window.WebSocket = class extends WebSocket {
        constructor(...address) {
            super(...address);
            window.__owed = 0;
            this.addEventListener("message", ({ data }) => {
                if (has(new Uint8Array(data), BEGUN)) window.__owed = 0;
            });
        }
        send(message) {
            window.__sent += 1;
            window.__owed += has(new Uint8Array(message), RERUN);
            super.send(message);
        }
    };
})();
"""
IDLE = """() => {
    const app = document.querySelector('[data-testid=stApp]');
    return app && app.dataset.testConnectionState === 'CONNECTED' && app.dataset.testScriptState === 'notRunning'
        && !window.__owed;
}"""
# For so many frames of the browser, which on a slow machine come later, no run; with `pictures` nothing painted either.
# Where nobody counts what a page asks for, that needs a moment to begin.
RESTING = f"""async ([frames, pictures]) => {{
    const painted = () => pictures && [...document.querySelectorAll("*")].reduce(
        (sum, node) => sum + (node.__headlight?.frames ?? 0), document.fonts.status);
    const before = painted();
    for (let left = ("__owed" in window) ? frames : 9; ; left--) {{
        if (!({IDLE})() || painted() !== before) return false;
        if (left === 0) return true;
        await new Promise(requestAnimationFrame);
    }}
}}"""
FRAMES = "async (count) => { while (count-- > 0) await new Promise(requestAnimationFrame); }"


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
        await new Promise(requestAnimationFrame);
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
    page.wait_for_function(RESTING, arg=[2, False], timeout=timeout)


def wait_painted(page: Page) -> None:
    """Wait until the page is idle and its fonts and pictures are there: for six frames nothing is painted."""
    page.wait_for_function(RESTING, arg=[6, True], timeout=90_000)


def wait_frames(page: Page, count: int = 2) -> None:
    """Wait for so many frames of the browser: what an event has asked for is painted in the next one."""
    page.evaluate(FRAMES, count)


def wait_sent(page: Page, before: int) -> None:
    """Wait until the page has sent more messages to its server than `before`, and the answer is there."""
    page.wait_for_function("(before) => window.__sent > before", arg=before)
    wait_painted(page)


def wait_settled(page: Page, quiet: int = 600) -> None:
    """Wait until the page is idle, its fonts are there, and nothing in it has changed for `quiet` milliseconds."""
    wait_idle(page)
    page.evaluate(SETTLED, quiet)


if __name__ == "__main__":
    print(find_chromium() or ADVICE)
    sys.exit(find_chromium() is None)
