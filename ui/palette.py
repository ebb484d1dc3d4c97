"""One palette for the canvas and for Plotly: Okabe–Ito hues, ramps for weights and signed values, light and dark."""

import json
from pathlib import Path
from typing import Literal

Mode = Literal["light", "dark"]
SOURCE = (Path(__file__).parents[1] / "assets" / "palette.json").read_text(encoding="utf-8")
RULE_HUES = {"none": "k", "inverse_sqrt": "q", "inverse": "v", "qk_norm": "ink"}  # of the scaling rules, on every page
_PALETTE: dict[str, dict[str, dict[Mode, str | list[str]]]] = json.loads(SOURCE)


def hue(name: str, mode: Mode) -> str:
    """A hue by what it means: q, k, v, focus, ink, quiet, line, paper."""
    return str(_PALETTE["hues"][name][mode])


def ramp(name: str, mode: Mode) -> list[tuple[float, str]]:
    """Evenly spaced stops from 0 to 1, as Plotly wants a colour scale. Signed ramps have the page in the middle."""
    colours = _PALETTE["ramps"][name][mode]
    return [(i / (len(colours) - 1), str(colour)) for i, colour in enumerate(colours)]


def properties() -> str:
    """Every hue as a custom property of CSS, light or dark as the page is: --hue-ink, --hue-paper, …"""
    hues = (f"--hue-{name}: light-dark({hue(name, 'light')}, {hue(name, 'dark')});" for name in _PALETTE["hues"])
    return f":root {{ {' '.join(hues)} }}"


RAMPS = tuple(_PALETTE["ramps"])
