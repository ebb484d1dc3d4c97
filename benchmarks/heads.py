"""Another head is chosen: how long until it is painted from the bytes in the browser, and until torch's float32 is?

From the event of the click to the end of the frame that shows the head, in a real browser on the machine of the server.
"""

import argparse
import statistics
from urllib.parse import urlencode

import psutil
from playwright.sync_api import Page

from benchmarks.report import report
from tests.harness.browser import EXPOSING, launch, wait_idle
from tests.harness.serving import Server, serve

TOKENS = (16, 64, 256, 512)
CLICKS = 9
TARGET_FIRST_MS, TARGET_FIRST_TOKENS = 50.0, 64
WAYS = ("thumbnail", "head control", "layer control")
LAYERS, HEADS = 6, 12

# Every frame: which head the large canvas shows, and whether in float32. Times count from the click, as the event says.
WATCH = """() => {
    const host = (key) => [...document.querySelectorAll(`.st-key-${key} *`)].find((node) => node.__headlight);
    window.__watch = { clicked: 0, first: 0, exact: 0, head: "" };
    document.addEventListener("click", ({ timeStamp }) => (window.__watch.clicked = timeStamp), true);
    // A message that is posted in a frame arrives when the frame is painted.
    const channel = new MessageChannel();
    channel.port1.onmessage = () => {
        const seen = window.__watch;
        const { head, exact } = host("large_head").__headlight;
        if (!seen.clicked || head !== seen.head) return;
        seen.first ||= performance.now() - seen.clicked;
        if (exact) seen.exact ||= performance.now() - seen.clicked;
    };
    const look = () => {
        channel.port2.postMessage(null);
        requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
}"""
EXPECT = "(head) => Object.assign(window.__watch, { clicked: 0, first: 0, exact: 0, head })"
EXACT = "() => window.__watch.exact > 0"
NOW = """() => [...document.querySelectorAll(".st-key-large_head *")].find((node) => node.__headlight).__headlight.head
    .split(",").map(Number)"""


def choose(page: Page, way: str, layer: int, head: int) -> None:
    """Click the thumbnail, or the radio button of Streamlit's control."""
    place = {
        "thumbnail": (".st-key-overview button.thumb", layer * HEADS + head),
        "head control": (".st-key-head [role=radio]", head),
        "layer control": (".st-key-layer [role=radio]", layer),
    }[way]
    page.locator(place[0]).nth(place[1]).click()


def measure(page: Page, way: str) -> tuple[list[float], list[float]]:
    """Milliseconds to the first and to the final paint of CLICKS choices; one before them does not count."""
    first, exact = [], []
    layer, head = page.evaluate(NOW)
    for turn in range(CLICKS + 1):
        layer = (layer + 1) % LAYERS if way != "head control" else layer
        head = (head + 5) % HEADS if way != "layer control" else head
        page.evaluate(EXPECT, f"{layer},{head}")
        choose(page, way, layer, head)
        page.wait_for_function(EXACT, timeout=30_000, polling="raf")
        seen = page.evaluate("window.__watch")
        if turn:
            first.append(seen["first"])
            exact.append(seen["exact"])
        wait_idle(page)
    return first, exact


def rows_of(page: Page, server: Server, tokens: int, received: list[int]) -> list[dict[str, object]]:
    """One row for each way to choose, on a text of so many tokens, [CLS] and [SEP] included."""
    words = ("the law saw the king but its city should be just " * 60).split()[: tokens - 2]
    page.goto(f"{server.url}/heads?{urlencode({'text': ' '.join(words), 'layer': 4, 'head': 2})}")
    page.locator(".st-key-overview button.thumb").first.wait_for(timeout=60_000)
    wait_idle(page)
    page.wait_for_timeout(1500)
    page.evaluate(WATCH)
    process = psutil.Process(server.process.pid)
    rows = []
    for way in WAYS:
        before, spent = sum(received), sum(process.cpu_times()[:2])
        first, exact = measure(page, way)
        rows.append(
            {
                "tokens": tokens,
                "way": way,
                "first: median ms": statistics.median(first),
                "first: slowest ms": max(first),
                "float32: median ms": statistics.median(exact),
                "float32: slowest ms": max(exact),
                "KB a choice": (sum(received) - before) / 1024 / (CLICKS + 1),
                "server CPU ms a choice": 1000 * (sum(process.cpu_times()[:2]) - spent) / (CLICKS + 1),
            }
        )
    return rows


def main() -> None:
    """All sizes, or those that are named."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tokens", nargs="*", type=int, default=TOKENS)
    received: list[int] = []
    with serve("app.py") as server, launch() as browser:
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.add_init_script(EXPOSING)
        page.on("websocket", lambda socket: socket.on("framereceived", lambda data: received.append(len(data))))
        page.goto(server.url)
        wait_idle(page)
        rows = [row for tokens in parser.parse_args().tokens for row in rows_of(page, server, tokens, received)]
    target = {"first paint, median ms": TARGET_FIRST_MS, "tokens": TARGET_FIRST_TOKENS}
    report("From the choice of a head to its first and its final picture", rows, target=target)


if __name__ == "__main__":
    main()
