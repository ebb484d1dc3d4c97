"""A long sentence, all heads: from committing it to the painted overview, and what it weighs on the wire."""

import statistics
import time
from typing import Any

from playwright.sync_api import Page

from benchmarks.report import report
from tests.harness.browser import EXPOSING, launch, wait_idle
from tests.harness.serving import serve

TOKENS = 512
TARGET_SECONDS, TARGET_OVERVIEW, TARGET_HEAD = 3.0, 1.1, 4.2
SUBJECTS = ("law", "king", "city", "river")

# The overview holds the new sentence when its panels have changed and have been painted since.
PAINTED = """before => {
    const host = [...document.querySelectorAll(".st-key-overview *")].find((node) => node.__headlight);
    const panel = host?.__headlight.panels["0.0"];
    return panel && host.__headlight.frames > before.frames && panel.some((code, i) => code !== before.codes[i]);
}"""
STATE = """() => {
    const host = [...document.querySelectorAll(".st-key-overview *")].find((node) => node.__headlight);
    return { frames: host.__headlight.frames, codes: Array.from(host.__headlight.panels["0.0"]) };
}"""
SIZES = """() => Object.fromEntries(["overview", "large_head"].map((key) => {
    const host = [...document.querySelectorAll(`.st-key-${key} *`)].find((node) => node.__headlight);
    const panels = Object.values(host.__headlight.panels);
    return [key, { panels: panels.length, values: panels.reduce((sum, panel) => sum + panel.length, 0) }];
}))"""


def commit(page: Page, text: str) -> float:
    """Seconds from Enter to the painted overview."""
    box = page.get_by_label("Your sentence")
    before = page.evaluate(STATE)
    box.evaluate("box => box.focus()")
    box.fill(text)
    begin = time.perf_counter()
    box.press("Enter")
    page.wait_for_function(PAINTED, arg=before, timeout=60_000, polling="raf")
    return time.perf_counter() - begin


def weights_on_the_wire(frames: list[bytes], sizes: dict[str, Any]) -> dict[str, float]:
    """Bytes per value of the last message that carried each picture: the message's size over its values."""
    bytes_per_value = {}
    for key, marker in (("overview", b'"0.0"'), ("large_head", b'"live":true')):
        carrying = [frame for frame in frames if marker in frame and b"HDLT" in frame]
        bytes_per_value[key] = len(carrying[-1]) / sizes[key]["values"]
    return bytes_per_value


def main() -> None:
    """Four different sentences, so that nothing is answered from the cache; the median counts."""
    frames: list[bytes] = []
    with serve("app.py") as server, launch() as browser:
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.add_init_script(EXPOSING)
        page.on("websocket", lambda socket: socket.on("framereceived", lambda data: frames.append(_bytes(data))))
        page.goto(f"{server.url}/heads")
        page.locator(".st-key-overview button.thumb").first.wait_for(timeout=60_000)
        wait_idle(page)
        seconds = []
        for subject in SUBJECTS:
            seconds.append(commit(page, f"{subject} saw the king but its city is just " * 70))
            wait_idle(page)
            page.wait_for_timeout(500)
        sizes = page.evaluate(SIZES)
        page.close()
    per_value = weights_on_the_wire(frames, sizes)
    rows = [
        {"what": "commit to painted, s", "measured": statistics.median(seconds), "target": TARGET_SECONDS},
        {"what": "overview, bytes a value", "measured": per_value["overview"], "target": TARGET_OVERVIEW},
        {"what": "selected head, bytes a value", "measured": per_value["large_head"], "target": TARGET_HEAD},
        {"what": "heads in the overview", "measured": sizes["overview"]["panels"], "target": 72},
    ]
    report(f"{TOKENS} tokens, all heads", rows, seconds=seconds, values=sizes)


def _bytes(data: bytes | str) -> bytes:
    return data.encode() if isinstance(data, str) else data


if __name__ == "__main__":
    main()
