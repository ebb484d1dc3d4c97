"""Does the picture follow the finger? Frames a second while a slider is dragged with the mouse.

Where a slider has few stops (d_k has 41), the mouse changes it less often than the screen is drawn: `changes/s` says
how often there was something new to paint.

The mouse reports 125 times a second, as mice do, whether or not the browser has answered the last report.
"""

import asyncio
import statistics
import sys
import time
from dataclasses import dataclass
from functools import partial
from urllib.parse import urlencode

from playwright.async_api import Page, WebSocket, async_playwright

from attention_core.remedies import REMEDIES
from benchmarks.report import report
from tests.harness.browser import ARGUMENTS, EXPOSING, IDLE, find_chromium
from tests.harness.serving import serve

SECONDS = 2.0
RUNS = 3
REPORT = 0.008  # seconds between two reports of the mouse
TARGET = 55  # frames a second


@dataclass(frozen=True)
class Case:
    """One page to drag on: its address, the words of its sentence, the key of the canvas that has the slider."""

    name: str
    path: str
    words: int
    key: str
    query: tuple[tuple[str, str], ...] = ()
    slider: str = "input[type=range]"
    after: str = ""  # a text that stands on the page once there is something to drag
    press: str = ""  # the key of the button that brings it


MANY = len(REMEDIES)
# [CLS] and [SEP] make two more tokens than words.
CASES = (
    Case("12 heads x 64 tokens", "/heads", 62, "large_all", (("show", "all"),)),
    Case("12 heads x 32 tokens", "/heads", 30, "large_all", (("show", "all"),)),
    Case("1 head x 64 tokens, labels", "/heads", 62, "large_head"),
    Case("1 head x 64 tokens, Pipeline", "/", 62, "canvas_weights"),
    # [CLS] and [SEP] are left out by the untrained layer.
    Case("Vanishing, d_k, 12 heads x 32 tokens", "/vanishing", 32, "vanishing", (), "[data-slider=d_k] input"),
    Case(
        "Vanishing, input scale, 12 heads x 32 tokens", "/vanishing", 32, "vanishing", (), "[data-slider=alpha] input"
    ),
    *(
        Case(f"Softmax, {name}", "/softmax", 1, f"softmax_{key}", (), f"[data-slider={slider}] input")
        for name, key, slider in (
            ("a", "article", "a"),
            ("scale of the row", "row", "beta"),
            ("c", "row", "shift"),
            ("h", "check", "h"),
            ("gap", "precision", "gap"),
        )
    ),
    *(
        Case(f"Remedies, {name}, {MANY} x 32", "/remedies", 32, "remedies", (), f"[data-slider={slider}] input")
        for name, slider in (("input scale", "alpha"), ("d_k", "d_k"), ("tokens", "n"))
    ),
    Case(
        "Trained model, input scale, 72 heads x 34 tokens", "/vanishing", 32, "strained", (("where_from", "trained"),),
        "[data-slider=scale] input",
    ),
    Case(
        "Scaling race, 61 kept steps of two runs", "/scaling-race", 1, "sr_lab",
        (("sr_steps", "60"), ("lang", "en")), "[data-slider=step] input", "Done at step", "sr_start",
    ),
)  # fmt: skip

MARK = """key => {
    const host = [...document.querySelectorAll(`.st-key-${key} *`)].find((node) => node.__headlight);
    host.__mark = 7;
    for (const canvas of host.shadowRoot.querySelectorAll("canvas")) canvas.__mark = 7;
}"""
KEPT = """key => {
    const host = [...document.querySelectorAll(`.st-key-${key} *`)].find((node) => node.__headlight);
    return host?.__mark === 7 && [...host.shadowRoot.querySelectorAll("canvas")].every((canvas) => canvas.__mark === 7);
}"""
# Every repaint leaves its time; the screen's own frames are counted beside it.
WATCH = """key => {
    const host = [...document.querySelectorAll(`.st-key-${key} *`)].find((node) => node.__headlight);
    const seen = (window.__seen = { paints: [], ticks: 0, changes: 0, last: host.__headlight.frames });
    host.shadowRoot.addEventListener("input", () => (seen.changes += 1), true);
    const tick = () => {
        if (window.__seen !== seen) return;
        seen.ticks += 1;
        if (host.__headlight.frames !== seen.last) seen.paints.push(performance.now());
        seen.last = host.__headlight.frames;
        requestAnimationFrame(tick);
    };
    requestAnimationFrame(tick);
}"""
SEEN = "() => { const { last, ...seen } = window.__seen; window.__seen = null; return seen; }"


async def drag(page: Page, case: Case, traffic: list[int]) -> dict[str, float]:
    """Drag back and forth for SECONDS, release, and say what was painted meanwhile."""
    key = case.key
    slider = page.locator(f".st-key-{key} {case.slider}")
    await slider.evaluate("slider => slider.scrollIntoView({ block: 'center' })")
    await page.wait_for_timeout(300)
    box = await slider.bounding_box()
    assert box is not None
    x, y, width = box["x"], box["y"] + box["height"] / 2, box["width"]
    mouse = await page.context.new_cdp_session(page)
    await page.mouse.move(x + width / 2, y)
    await page.mouse.down()
    await page.wait_for_timeout(200)
    traffic.clear()
    await page.evaluate(WATCH, key)
    begin = time.perf_counter()
    reports = []
    while (now := time.perf_counter() - begin) < SECONDS:
        phase = now % 1.0 * 2  # there and back once a second
        place = {"x": x + width * (0.05 + 0.9 * min(phase, 2 - phase)), "y": y}
        event = {"type": "mouseMoved", "button": "left", "buttons": 1, **place}
        reports.append(asyncio.create_task(mouse.send("Input.dispatchMouseEvent", event)))
        await asyncio.sleep(REPORT)
    seen = await page.evaluate(SEEN)
    frames = len(traffic)
    await asyncio.gather(*reports)
    await page.mouse.up()
    await settle(page)
    span = (seen["paints"][-1] - seen["paints"][0]) / 1e3
    return {
        "fps": (len(seen["paints"]) - 1) / span,
        "changes": seen["changes"] / SECONDS,
        "screen": seen["ticks"] / SECONDS,
        "traffic": frames,
    }


async def settle(page: Page) -> None:
    """Wait until Python has answered."""
    await page.wait_for_timeout(300)
    await page.wait_for_function(IDLE, timeout=60_000)


def listen(traffic: list[int], socket: WebSocket) -> None:
    """Count every message of this connection, in both directions."""
    socket.on("framesent", lambda _: traffic.append(1))
    socket.on("framereceived", lambda _: traffic.append(1))


async def measure(page: Page, url: str, case: Case) -> dict[str, object]:
    """One case: RUNS drags, of which the median counts."""
    words = ("the law saw the king but its city should be just " * 60).split()[: case.words]
    traffic: list[int] = []
    page.on("websocket", partial(listen, traffic))
    await page.goto(f"{url}{case.path}?{urlencode({'text': ' '.join(words), **dict(case.query)})}")
    await page.locator(f".st-key-{case.key} {case.slider}").wait_for(timeout=60_000)
    if case.press:
        await page.locator(f".st-key-{case.press} button").click()
    if case.after:
        await page.get_by_text(case.after).wait_for(timeout=120_000)
    await settle(page)
    await page.evaluate(MARK, case.key)
    runs = [await drag(page, case, traffic) for _ in range(RUNS)]
    return {
        "case": case.name,
        "frames/s": statistics.median(run["fps"] for run in runs),
        "changes/s": statistics.median(run["changes"] for run in runs),
        "screen frames/s": statistics.median(run["screen"] for run in runs),
        "messages while dragging": max(run["traffic"] for run in runs),
        "nodes kept": bool(await page.evaluate(KEPT, case.key)),
    }


async def measured(url: str, part: str) -> list[dict[str, object]]:
    """Every case with `part` in its name, each on a fresh page."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=find_chromium(), args=list(ARGUMENTS))
        rows = []
        async with await browser.new_page() as page:  # wakes the server
            await page.goto(url)
            await page.wait_for_function(IDLE, timeout=60_000)
        for case in (case for case in CASES if part in case.name):
            page = await browser.new_page(viewport={"width": 1440, "height": 900})
            await page.add_init_script(EXPOSING)
            rows.append(await measure(page, url, case))
            await page.close()
        await browser.close()
    return rows


def main() -> None:
    """All cases on one server, or those whose name has the first argument in it."""
    with serve("app.py") as server:
        rows = asyncio.run(measured(server.url, " ".join(sys.argv[1:])))
    report("Frames a second under the finger", rows, target=TARGET, frames_per_second=rows[0]["frames/s"])


if __name__ == "__main__":
    main()
