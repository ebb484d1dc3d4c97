"""Pages of a few kilobytes without Streamlit: for those who wait, and for addresses where there is no page."""

import html
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from string import Template

from ui.text import words

FOLDER = Path(__file__).parents[2] / "assets"


@cache
def page(name: str) -> str:
    """The page with its words still missing; its script, if it has one, is the same for everybody."""
    shell, rest = ((FOLDER / f"{file}.html").read_text(encoding="utf-8") for file in ("plain", name))
    return Template(shell).safe_substitute(rest=rest)


def filled(name: str, language: str, values: Mapping[str, str]) -> str:
    """The page in one language."""
    values = {"language": language, "product": words("server", language)["product"], **values}
    return Template(page(name)).substitute({key: html.escape(value) for key, value in values.items()})
