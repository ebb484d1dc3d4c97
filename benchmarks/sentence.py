"""A new sentence on the page Vanishing: how long until its curves through the sliders' position are in sight?

From the Enter key to the first frame of the screen with them, in a browser on the same machine as the server.
"""

import random
from statistics import median

from playwright.sync_api import Page

from benchmarks.report import report
from tests.harness.browser import EXPOSING, launch, wait_settled
from tests.harness.serving import serve

TURNS = 11
TOKENS = 32
TARGET_MS = 300.0
VOCABULARY = "the a cat dog bird sings runs under mat tree house river king city sea and but it was warm old red"
QUIET = 2000  # milliseconds without a change: the bands of the sentence before are there
CURVES = """() => [...document.querySelectorAll(".st-key-vanishing *")].find((node) => node.__headlight?.frame)
    ?.__headlight.frame("curves")[18]"""
# Resolves with the milliseconds from the Enter key to the frame that shows other curves than before.
WATCH = f"""() => {{
    const curves = {CURVES};
    window.__shown = new Promise((resolve) =>
        window.addEventListener("keydown", () => {{
            const [begin, before] = [performance.now(), curves()];
            const look = () => {{
                const now = curves();
                if (now === undefined || now === before) requestAnimationFrame(look);
                else requestAnimationFrame(() => resolve(performance.now() - begin));
            }};
            look();
        }}, {{ once: true, capture: true }}));
}}"""


def enter(page: Page, sentence: str) -> float:
    """Milliseconds from Enter to the curves of this sentence."""
    wait_settled(page, QUIET)
    page.evaluate(WATCH)
    box = page.get_by_role("textbox", name="Your sentence")
    box.fill(sentence)
    box.press("Enter")
    return float(page.evaluate("() => window.__shown"))


def main() -> None:
    """Measure and print; the first turn, which loads what is lazy, does not count."""
    draw = random.Random(0)
    with serve("app.py") as server, launch() as browser:
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.add_init_script(EXPOSING)
        page.goto(server.url)
        wait_settled(page)
        page.goto(f"{server.url}/vanishing")
        page.locator(".st-key-vanishing").wait_for(timeout=60_000)
        times = [enter(page, " ".join(draw.choices(VOCABULARY.split(), k=TOKENS))) for _ in range(TURNS + 1)][1:]
    row = {"tokens": TOKENS, "median ms": median(times), "fastest ms": min(times), "slowest ms": max(times)}
    report("From Enter to the curves of a new sentence", [row], target_ms=TARGET_MS)


if __name__ == "__main__":
    main()
