"""What tests ask of a laboratory (ui/components/lab.py): its films as the browser holds them, and its sliders."""

import torch
from playwright.sync_api import Locator, Page
from torch import Tensor

from tests.harness.browser import wait_frames, wait_painted
from tests.harness.training import number

HOST = "(key) => [...document.querySelectorAll(`.st-key-${key} *`)].find((node) => node.__headlight?.frame)"
FILM = f"([key, name]) => ({HOST})(key).__headlight.frame(name).map((x) => Number.isFinite(x) ? x : null)"

# From here on: how often the page has changed between running and resting, in `window.__reruns`.
RERUNS = """() => {
    window.__reruns = 0;
    const app = document.querySelector('[data-testid=stApp]');
    new MutationObserver(() => { window.__reruns += 1; }).observe(app, { attributeFilter: ['data-test-script-state'] });
}"""


def film(page: Page, key: str, name: str) -> Tensor:
    """A film where the sliders stand, float64. NaN travels as null."""
    values = page.evaluate(FILM, [key, name])
    return torch.tensor([float("nan") if value is None else value for value in values], dtype=torch.float64)


def slide(handle: Locator, stop: int, *, release: bool = False) -> None:
    """Put a slider at a stop, as the keyboard or a finger does, and let go of it or not."""
    handle.evaluate(
        """(node, [stop, release]) => {
            node.value = stop;
            node.dispatchEvent(new Event("input"));
            if (release) node.dispatchEvent(new Event("change"));
        }""",
        [stop, release],
    )
    wait_frames(handle.page)
    if release:
        wait_painted(handle.page)


def read_out(page: Page, key: str, label: str) -> float:
    """A read-out, by its label; subscripts are read as the letters they are."""
    plain = label.replace("_", "")
    lines = page.locator(f".st-key-{key} .reading").all()
    shown = next(line for line in lines if line.locator("span").inner_text() == plain)
    return number(shown.locator("output").inner_text())


def heat_map(page: Page, key: str, panel: str) -> torch.Tensor:
    """The numbers of a panel of the canvas with this key, once it is painted."""
    page.wait_for_function(
        """([key, panel]) => [...document.querySelectorAll(`.st-key-${key} *`)].some(
            (node) => node.__headlight?.panels[panel] && node.__headlight.frames)""",
        arg=[key, panel],
    )
    return torch.tensor(
        page.evaluate(
            """([key, panel]) => Array.from([...document.querySelectorAll(`.st-key-${key} *`)].find(
                (node) => node.__headlight).__headlight.panels[panel])""",
            [key, panel],
        )
    )
