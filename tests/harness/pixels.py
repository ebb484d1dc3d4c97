"""What a canvas really shows: the colours of its pixels, and those that numbers should have."""

import torch
from jaxtyping import Float
from playwright.sync_api import Page
from torch import Tensor

from tests.harness.browser import wait_frames
from tests.harness.laboratory import HOST
from ui.palette import ramp

CENTRES = f"""([key, name, rows, cols]) => {{
    const host = ({HOST})(key);
    const {{ box }} = host.__headlight.boxes()[name];
    const canvas = host.shadowRoot.querySelector(`[data-name=${{name}}] canvas`);
    const [context, ratio] = [canvas.getContext("2d"), canvas.width / canvas.clientWidth];
    const place = (start, length, i, count) => Math.floor(ratio * (start + (length * (i + 0.5)) / count));
    return Array.from({{ length: rows * cols }}, (_, i) => Array.from(context.getImageData(
        place(box.x, box.w, i % cols, cols), place(box.y, box.h, Math.floor(i / cols), rows), 1, 1).data.slice(0, 3)));
}}"""


def painted(page: Page, key: str, name: str, n: int) -> Float[Tensor, "n n 3"]:
    """The colours in the middle of the cells of a map, from 0 to 255."""
    return torch.tensor(page.evaluate(CENTRES, [key, name, n, n]), dtype=torch.float64).view(n, n, 3)


def colours(weights: Float[Tensor, "n n"]) -> Float[Tensor, "n n 3"]:
    """The colours of weights in the light theme: by their root, between the stops of the palette."""
    stops = torch.tensor([[int(stop[i : i + 2], 16) for i in (1, 3, 5)] for _, stop in ramp("weights", "light")])
    place = weights.double().sqrt() * (len(stops) - 1)
    left = place.long().clamp(max=len(stops) - 2)
    share = (place - left)[..., None]
    return stops[left] * (1 - share) + stops[left + 1] * share


def drag(page: Page, key: str, slider: str, start: int, stop: int) -> None:
    """The real slider, with the mouse, from one stop to another; the button stays down."""
    handle = page.locator(f".st-key-{key} [data-slider={slider}] input")
    handle.scroll_into_view_if_needed()
    box = handle.bounding_box()
    assert box
    step = (box["width"] - 16) / int(handle.get_attribute("max") or 1)
    y = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + 8 + step * start, y)
    page.mouse.down()
    page.mouse.move(box["x"] + 8 + step * stop, y, steps=9)
    wait_frames(page)


def sent(page: Page) -> int:
    """How many messages the page has sent to its server so far."""
    return page.evaluate("window.__sent")
