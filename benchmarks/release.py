"""A slider is let go: how long until every text on the page is the number torch has for that place?

From the event of the release to the last change of what is written, and to the last change of all, Plotly's pictures
included, in a browser on the same machine as the server.
"""

import asyncio
import statistics
import sys
from dataclasses import dataclass
from urllib.parse import urlencode

from playwright.async_api import Page, async_playwright

from benchmarks.report import report
from tests.harness.browser import ARGUMENTS, EXPOSING, IDLE, find_chromium
from tests.harness.serving import serve

RELEASES = 7
TARGET_MS = 150.0
TOKENS, TOKENS_REDRAWN = 32, 64


@dataclass(frozen=True)
class Case:
    """A page, the key of its laboratory, and the name of the slider."""

    path: str
    key: str
    slider: str
    tokens: int = TOKENS


CASES = (
    Case("/vanishing", "vanishing", "d_k"),
    Case("/vanishing", "vanishing", "alpha"),
    Case("/softmax", "softmax_article", "a"),
    Case("/softmax", "softmax_row", "beta"),
    Case("/remedies", "remedies", "alpha"),
    Case("/remedies", "remedies", "d_k"),
    Case("/hard-soft", "hard_samples", "temperature", 64),
    Case("/local", "local", "center", 64),
    Case("/local", "local", "radius", 64),
)

# What only Python can draw again: the page, the key of Streamlit's own slider, and that of the canvas.
REDRAWN = (("/bench", "bench_D", "bench_maps"),)
SIX = ("scaled_dot", "general", "additive", "cosine", "window", "local_p")

# Resolves with the milliseconds from the release to the last change of what is written, and of anything, in the page.
RELEASE = """async ([key, name, stop]) => {
    const host = [...document.querySelectorAll(`.st-key-${key} *`)].find((node) => node.__headlight?.frame);
    const slider = host.shadowRoot.querySelector(`[data-slider=${name}] input`);
    slider.value = stop;
    slider.dispatchEvent(new Event("input"));
    await new Promise((go) => setTimeout(go, 300));
    const app = document.querySelector("[data-testid=stApp]");
    const begin = performance.now();
    let [text, all] = [begin, begin];
    const chart = "[data-testid=stPlotlyChart]";
    const drawn = (node) => (node.nodeType === 1 ? node : node.parentElement)?.closest(chart);
    const holds = (nodes) =>
        [...nodes].some((node) => node.nodeType === 1 && (drawn(node) || node.querySelector(chart)));
    // A table is read once it is painted; its copy for screen readers follows when the browser is idle.
    const copied = (node) => node.parentElement?.closest("[role=gridcell]");
    const written = ({ target, addedNodes, removedNodes }) =>
        target.isConnected && !drawn(target) && !copied(target) && !holds(addedNodes) && !holds(removedNodes);
    const paint = CanvasRenderingContext2D.prototype.fillText;
    CanvasRenderingContext2D.prototype.fillText = function (...drawing) {
        if (this.canvas.closest?.("[data-testid=stDataFrame]")) text = all = performance.now();
        return paint.apply(this, drawing);
    };
    const watch = new MutationObserver((mutations) => {
        all = performance.now();
        if (mutations.some(written)) text = all;
    });
    const changes = { subtree: true, childList: true, characterData: true };
    watch.observe(document.querySelector("[data-testid=stMain]"), changes);
    slider.dispatchEvent(new Event("change"));
    await new Promise((go) => setTimeout(go, 60));
    while (app.dataset.testScriptState !== "notRunning") await new Promise((go) => setTimeout(go, 5));
    await new Promise((go) => setTimeout(go, 120));
    watch.disconnect();
    CanvasRenderingContext2D.prototype.fillText = paint;
    return [text - begin, all - begin];
}"""
# Streamlit's own slider, moved one stop: milliseconds from the key to the last stroke on the canvas of this key.
STROKES = """(drawn) => {
    window.__stroke = window.__key = 0;
    const within = (canvas) =>
        [canvas, canvas.getRootNode?.().host].some((node) => node?.closest?.(`.st-key-${drawn}`));
    for (const name of ["fillRect", "drawImage", "putImageData", "fillText"]) {
        const stroke = CanvasRenderingContext2D.prototype[name];
        CanvasRenderingContext2D.prototype[name] = function (...drawing) {
            if (within(this.canvas)) window.__stroke = performance.now();
            return stroke.apply(this, told);
        };
    }
    window.addEventListener("keydown", () => (window.__key = performance.now()), { capture: true });
}"""
STOPS = """([key, name]) => [...document.querySelectorAll(`.st-key-${key} *`)].find((node) => node.__headlight?.frame)
    .shadowRoot.querySelector(`[data-slider=${name}] input`).max"""


async def measure(page: Page, url: str, case: Case) -> dict[str, object]:
    """Let go at RELEASES places; the first, which loads what is lazy, does not count."""
    words = ("the law saw the king but its city should be just " * 60).split()[: case.tokens]
    await page.goto(f"{url}{case.path}?{urlencode({'text': ' '.join(words)})}")
    await page.locator(f".st-key-{case.key} [data-slider={case.slider}] input").wait_for(timeout=60_000)
    await page.wait_for_function(IDLE, timeout=60_000)
    await page.wait_for_timeout(6000)  # bands that follow
    most = int(await page.evaluate(STOPS, [case.key, case.slider]))
    timings = []
    for turn in range(RELEASES + 1):
        stop = (turn * 5 + 3) % (most + 1)
        timings.append(await page.evaluate(RELEASE, [case.key, case.slider, stop]))
        await page.wait_for_timeout(400)
    text, everything = zip(*timings[1:], strict=True)
    return {
        "page": case.path,
        "slider": case.slider,
        "tokens": case.tokens,
        "text: median ms": statistics.median(text),
        "text: slowest ms": max(text),
        "with pictures: median ms": statistics.median(everything),
    }


async def redrawn(page: Page, url: str, path: str, key: str, drawn: str) -> dict[str, object]:
    """One stop to the right and one to the left, in turn."""
    words = ("the law saw the king but its city should be just " * 60).split()[:TOKENS_REDRAWN]
    await page.goto(f"{url}{path}?{urlencode({'text': ' '.join(words), 'bench': ','.join(SIX)})}")
    thumb = page.locator(f".st-key-{key} input[type=range]")
    await thumb.wait_for(state="attached", timeout=60_000)
    await page.wait_for_function(IDLE, timeout=60_000)
    await page.wait_for_timeout(3000)
    await page.evaluate(STROKES, drawn)
    milliseconds = []
    for turn in range(RELEASES + 1):
        await thumb.press("ArrowLeft" if turn % 2 else "ArrowRight")
        await page.wait_for_timeout(1200)
        milliseconds.append(float(await page.evaluate("() => window.__stroke - window.__key")))
    return {
        "page": path,
        "slider": key,
        "tokens": TOKENS_REDRAWN,
        "text: median ms": "",
        "text: slowest ms": "",
        "with pictures: median ms": statistics.median(milliseconds[1:]),
    }


async def measured(url: str, part: str) -> list[dict[str, object]]:
    """Every case with `part` in its path, each on a fresh page."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=find_chromium(), args=list(ARGUMENTS))
        rows = []
        page = await browser.new_page(viewport={"width": 1440, "height": 900})
        await page.add_init_script(EXPOSING)
        await page.goto(url)
        await page.wait_for_function(IDLE, timeout=60_000)
        for case in (case for case in CASES if part in case.path):
            rows.append(await measure(page, url, case))
        for place in (place for place in REDRAWN if part in place[0]):
            rows.append(await redrawn(page, url, *place))
        await browser.close()
    return rows


def main() -> None:
    """All cases on one server, or those whose path has the first argument in it."""
    with serve("app.py") as server:
        rows = asyncio.run(measured(server.url, " ".join(sys.argv[1:])))
    report("From the release of a slider to the last text", rows, target_ms=TARGET_MS)


if __name__ == "__main__":
    main()
