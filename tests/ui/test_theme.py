"""Streamlit's theme and the palette of the figures are one look, with enough contrast to read."""

import json
import tomllib
from pathlib import Path

import pytest

from ui.palette import properties

ROOT = Path(__file__).parents[2]
THEME = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text(encoding="utf-8"))["theme"]
PALETTE = json.loads((ROOT / "assets" / "palette.json").read_text(encoding="utf-8"))


def contrast(one, other):
    """WCAG 2.2 contrast ratio of two sRGB colours."""

    def luminance(colour):
        channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_paper_ink_and_accent_are_the_palettes(mode):
    for name, hue in {"backgroundColor": "paper", "textColor": "ink", "borderColor": "line"}.items():
        assert THEME[mode][name].lower() == PALETTE["hues"][hue][mode].lower()
    assert THEME[mode]["primaryColor"] in PALETTE["ramps"]["weights"][mode]


@pytest.mark.parametrize("mode", ["light", "dark"])
@pytest.mark.parametrize("ink", ["primaryColor", "textColor", "linkColor", "grayTextColor"])
@pytest.mark.parametrize("paper", ["backgroundColor", "secondaryBackgroundColor"])
def test_text_is_readable(mode, ink, paper):
    assert contrast(THEME[mode][ink], THEME[mode][paper]) >= 4.5


def test_the_contrast_of_black_on_white_is_21():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)


def test_style_sheets_have_every_hue_by_its_name():
    hues = {f"--hue-{name}: light-dark({of['light']}, {of['dark']});" for name, of in PALETTE["hues"].items()}
    assert all(hue in properties() for hue in hues)
