"""The browser's side of the components. Scripts and style travel once a page, not with every change of data."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from streamlit.components.v2 import component as register

from ui.palette import SOURCE

FOLDER = Path(__file__).parents[2] / "assets" / "components"
SCRIPTS = (
    "frame",
    "bus",
    "paint",
    "mount",
    "layout",
    "draw",
    "save",
    "heads",
    "heatmap",
    "lines",
    "plots",
    "lab",
    "library",
)
DAMAGED = "The picture did not arrive whole. Reload the page. / 图未能完整送达，请刷新页面。"
MOUNT = """export default function mount(component) {
  const hub = (window.__headlight ??= { waiting: [] });
  if (hub.NAME) return hub.NAME(component);
  let stop;
  // Streamlit may have taken the place off the page meanwhile: what mounted there would listen for ever.
  hub.waiting.push(() => {
    if (component.parentElement.isConnected) stop = hub.NAME(component);
  });
  return () => stop?.();
}
"""


def component(name: str) -> Callable[..., Any]:
    """Register the component whose function `name` stands in the library. Once per name, when a module is imported."""
    return register(
        f"headlight_{name}",
        html=f'<div class="root" role="group" data-damaged="{DAMAGED}"></div>\n',
        js=MOUNT.replace("NAME", name),
    )


def library() -> None:
    """Send the scripts of all components. Once per run of a page; unchanged, it is not sent again."""
    _LIBRARY(key="library", height="content")


def _read_scripts() -> str:
    parts = [(FOLDER / f"{part}.js").read_text(encoding="utf-8") for part in SCRIPTS]
    style = json.dumps((FOLDER / "style.css").read_text(encoding="utf-8"))
    return "\n".join([f"const PALETTE = {' '.join(SOURCE.split())};", f"const STYLE = {style};", *parts])


_LIBRARY = register("headlight_library", html="<span></span>\n", js=_read_scripts())
