"""The Chromium that tests and benchmarks drive. `python -m tests.harness.browser` prints where it is."""

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count

from playwright.sync_api import Browser, Locator, Page, sync_playwright

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
# Before a page opens its connection: how many messages it has sent, in `window.__sent`, and whether a run is asked for
# or under way, in `window.__owed`. The fields of Streamlit's messages are read as protobuf writes them: RERUN is
# BackMsg.rerun_script, BEGUN and FINISHED are ForwardMsg.new_session and .script_finished. A run that ends EARLY is
# followed by another.
WATCHING = """(() => {
    const [RERUN, BEGUN, FINISHED, EARLY] = [11, 4, 6, 2];
    function* fields(bytes) {
        let at = 0;
        const number = () => {
            for (let value = 0, unit = 1; ; unit *= 128) {
                value += (bytes[at] & 127) * unit;
                if (bytes[at++] < 128) return value;
            }
        };
        while (at < bytes.length) {
            const tag = number();
            const value = { 0: number, 1: () => 8, 2: number, 5: () => 4 }[tag & 7]();
            yield [tag >>> 3, value];
            if (tag & 7) at += value;
        }
    }
    let [asked, running] = [true, false]; // a page asks for its first run as soon as it is connected
    const noted = (change) => {
        ({ asked, running } = { asked, running, ...change });
        window.__owed = asked || running;
    };
    let connected = 0;
    window.__sent = 0;
    noted({});
    window.WebSocket = class extends WebSocket {
        constructor(...address) {
            super(...address);
            if (connected++) noted({ asked: false, running: false });
            this.addEventListener("message", ({ data }) => {
                for (const [field, value] of fields(new Uint8Array(data))) {
                    if (field === BEGUN) noted({ asked: false, running: true });
                    if (field === FINISHED) noted({ running: value === EARLY });
                }
            });
        }
        send(message) {
            window.__sent += 1;
            for (const [field] of fields(new Uint8Array(message))) if (field === RERUN) noted({ asked: true });
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
# A frame of the browser, and then whatever its page still had to do: on a slow machine both come later. While a finger
# is down a browser is never idle, and a page that is hidden has no frames: neither is waited for without end.
FRAMES = """async (count) => {
    const late = new Promise((go) => setTimeout(go, 20_000));
    const frame = () => new Promise((go) => requestAnimationFrame(() => requestIdleCallback(go, { timeout: 100 })));
    while (count-- > 0) await Promise.race([frame(), late]);
}"""
# Asked in every frame: whether in so many of them nothing has run, and with `pictures` nothing was painted either.
# Where nobody counts what a page asks for, a run that it has asked for needs a moment to begin.
RESTS = f"""([turn, frames, pictures]) => {{
    const painted = pictures && [...document.querySelectorAll("*")].reduce(
        (sum, node) => sum + (node.__headlight?.frames ?? 0), document.fonts.status);
    const busy = !({IDLE})();
    let rest = window.__rest;
    if (busy || rest?.turn !== turn || rest.painted !== painted)
        rest = window.__rest = {{ turn, painted, left: ("__owed" in window) ? frames : 9 }};
    else if (rest.done) rest.left -= 1;
    rest.done = false;
    requestIdleCallback(() => (rest.done = true), {{ timeout: 1000 }});
    return !busy && rest.left <= 0;
}}"""
_turns = count()


def find_chromium() -> str | None:
    """$CHROMIUM, else the first Chromium or Chrome on the PATH."""
    candidates = (os.environ.get("CHROMIUM"), *NAMES)
    return next((path for name in candidates if name and (path := shutil.which(name))), None)


# Formulas, icons and canvases come after Python is done: fonts and parts of Streamlit are fetched when first needed.
SETTLED = """async (quiet) => {
    await document.fonts.ready;
    const begun = performance.now(); // a page that never rests is looked at as it is
    let changed = begun;
    const watch = new MutationObserver(() => { changed = performance.now(); });
    watch.observe(document.body, { subtree: true, childList: true, attributes: true, characterData: true });
    while (performance.now() - begun < 30_000
           && (performance.now() - changed < quiet || document.fonts.status !== 'loaded'))
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


def component(page: Page, key: str) -> Locator:
    """What stands on the page under this key."""
    return page.locator(f".st-key-{key}")


def wait_idle(page: Page, timeout: float = 90_000) -> None:
    """Wait until Python has nothing left to do for this page. Whether a canvas has painted is another question."""
    page.wait_for_function(RESTS, arg=[next(_turns), 2, False], timeout=timeout)


def wait_painted(page: Page) -> None:
    """Wait until the page is idle and its fonts and pictures are there: for six frames nothing is painted."""
    page.wait_for_function(RESTS, arg=[next(_turns), 6, True], timeout=90_000)


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
