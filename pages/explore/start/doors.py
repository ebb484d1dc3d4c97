"""Three ways on from the first page, each with a moving picture of the reader's own numbers."""

from base64 import b64encode
from collections.abc import Mapping, Sequence
from html import escape

import numpy as np
import streamlit as st

from ui.layout import mode
from ui.navigation import link_to
from ui.palette import RULE_HUES, hue
from ui.text import Words

W, H = 132, 60  # of a picture, in its own units
MOTION = """@media (prefers-reduced-motion: no-preference) {
rect { transform-box: fill-box; transform-origin: bottom; animation: grow 5s infinite backwards; }
polyline { stroke-dasharray: 1; animation: draw 5s infinite; }
}
@keyframes grow { 0% { transform: scaleY(0); } 20%, 94% { transform: none; } 100% { transform: scaleY(0); } }
@keyframes draw { 0% { stroke-dashoffset: 1; } 45%, 94% { stroke-dashoffset: 0; } 100% { stroke-dashoffset: 1; } }"""


def doors(
    page: Words, row: np.ndarray, unscaled: np.ndarray, scaled: np.ndarray, learned: Mapping[str, np.ndarray]
) -> None:
    """A number on its way (`row`: weights), the share of rows alive over d_k, and accuracies by rule over training."""
    pictures = {
        "pipeline": _bars(row),
        "why_sqrt": _curves((unscaled, "k"), (scaled, "q")),
        "induction": _curves(*((values, RULE_HUES[rule]) for rule, values in learned.items())),
    }
    for name, picture in pictures.items():
        with st.container(horizontal=True, key=f"door_{name}", gap="small", vertical_alignment="center"):
            st.html(f'<img src="{picture}" width="{W}" height="{H}" alt="{escape(page[f"door.{name}.alt"])}">', width=W)
            with st.container(gap=None):
                link_to(name, page[f"door.{name}.title"])
                st.caption(page[f"door.{name}.text"])


def _image(*shapes: str) -> str:
    """Shapes as the address of an image; motion only for who wants it."""
    frame = f'<path d="M0 {H - 0.5}H{W}" stroke="{hue("line", mode())}"/>'
    style = f"<style>polyline {{ fill: none; stroke-width: 2; }}\n{MOTION}</style>"
    svg = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {W} {H}">{style}{frame}{"".join(shapes)}</svg>'
    return "data:image/svg+xml;base64," + b64encode(svg.encode()).decode()


def _bars(row: np.ndarray) -> str:
    """One bar a weight, by its root as on every map; they grow one after the other."""
    width, ink = W / len(row), hue("q", mode())
    heights = (H * np.sqrt(np.nan_to_num(row))).tolist()
    return _image(
        *(
            f'<rect fill="{ink}" style="animation-delay:{1.5 * at / len(row):.2f}s" x="{(at + 0.1) * width:.2f}" '
            f'y="{H - height:.2f}" width="{0.8 * width:.2f}" height="{height:.2f}"/>'
            for at, height in enumerate(heights)
        )
    )


def _curves(*lines: tuple[np.ndarray, str]) -> str:
    """Shares over equal steps, drawn from left to right again and again."""
    return _image(
        *(
            f'<polyline pathLength="1" stroke="{hue(name, mode())}" points="{_points(values.tolist())}"/>'
            for values, name in lines
        )
    )


def _points(values: Sequence[float]) -> str:
    step = W / max(1, len(values) - 1)
    return " ".join(f"{at * step:.1f},{3 + (H - 6) * (1 - value):.1f}" for at, value in enumerate(values))
