"""The browser's side of a component: its script with what scripts share in front of it, registered once."""

from pathlib import Path

from streamlit.components.v2 import component as register
from streamlit.components.v2.types import ComponentRenderer

from ui.palette import SOURCE

FOLDER = Path(__file__).parents[2] / "assets" / "components"
DAMAGED = "The picture did not arrive whole. Reload the page. / 图未能完整送达，请刷新页面。"


def component(name: str) -> ComponentRenderer:
    """Register `assets/components/<name>.js`. Call it once per name, when a module is imported."""
    shared = [(FOLDER / f"{part}.js").read_text(encoding="utf-8") for part in ("frame", "bus", "paint")]
    script = (FOLDER / f"{name}.js").read_text(encoding="utf-8")
    return register(
        f"headlight_{name}",
        html=f'<div class="root" role="group" data-damaged="{DAMAGED}"></div>\n',
        css=(FOLDER / "style.css").read_text(encoding="utf-8"),
        js=_lean("\n".join([f"const PALETTE = {' '.join(SOURCE.split())};", *shared, script])),
    )


def _lean(script: str) -> str:
    """Without indentation and comment lines: the script travels with every change of data."""
    lines = (line.strip() for line in script.splitlines())
    return "\n".join(line for line in lines if line and not line.startswith("//"))
