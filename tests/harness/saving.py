"""Saved figures, as a reader gets them: from the menu of a component, and what stands in the files."""

import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pypdfium2
from PIL import Image
from playwright.sync_api import Locator

SVG = "{http://www.w3.org/2000/svg}"


def saved(component: Locator, kind: str, figure: str = "") -> bytes:
    """The file of one figure of a component, by the keyboard. `kind`: the face of its button."""
    component.locator(".tool.save").press("Enter")
    menu = component.locator(".saving")
    menu.wait_for()
    if figure:
        menu.locator("select").select_option(figure)
    with component.page.expect_download() as download:
        menu.get_by_role("button", name=kind, exact=True).press("Enter")
    suffix = kind.split()[0].lower()
    assert download.value.suggested_filename.startswith("headlight_")
    assert download.value.suggested_filename.endswith(f".{suffix}")
    menu.wait_for(state="hidden")
    return Path(download.value.path()).read_bytes()


def figures(component: Locator) -> list[str]:
    """The names of all figures that the menu offers."""
    component.locator(".tool.save").click()
    names = component.locator(".saving option").evaluate_all("(all) => all.map(({ value }) => value)")
    component.page.keyboard.press("Escape")
    return names


def spelled(source: bytes) -> list[str]:
    """The texts of an SVG, whose letters are outlines."""
    drawing = ElementTree.fromstring(source)
    assert drawing.find(f".//{SVG}text") is None
    return [label for node in drawing.iter(f"{SVG}path") if (label := node.get("aria-label")) is not None]


def caption_of(source: bytes) -> str:
    """What stands below the figure of an SVG."""
    return ElementTree.fromstring(source).findtext(f"{SVG}desc") or ""


def pdf_of(source: bytes) -> tuple[str, Image.Image]:
    """The text of a PDF of one page, and what it looks like, two pixels a point."""
    document = pypdfium2.PdfDocument(source)
    assert len(document) == 1
    return document[0].get_textpage().get_text_bounded(), document[0].render(scale=2).to_pil().convert("RGB")


def png_size(source: bytes) -> tuple[int, int]:
    """Width and height of a PNG."""
    assert source.startswith(b"\x89PNG\r\n\x1a\n")
    return int.from_bytes(source[16:20], "big"), int.from_bytes(source[20:24], "big")
