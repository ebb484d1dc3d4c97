"""A laboratory in a browser: its picture to keep, and its maps and curves under the keyboard and under a finger."""

import xml.etree.ElementTree as ElementTree
from base64 import b64decode
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import Locator, Page

from tests.harness.browser import wait_frames, wait_idle, wait_painted
from tests.harness.saving import SVG, caption_of, figures, pdf_of, png_size, saved, spelled
from ui.components.frame import encode
from ui.palette import hue
from ui.text import words

HARNESS = Path(__file__).parent / "apps" / "lab_app.py"
LAB = ".st-key-laboratory"
HOST = f"[...document.querySelectorAll('{LAB} *')].find((node) => node.__headlight)"
DRAWN = """async ([source, width, height]) => {
    const picture = new Image();
    picture.src = URL.createObjectURL(new Blob([source], { type: "image/svg+xml" }));
    await picture.decode();
    const canvas = Object.assign(document.createElement("canvas"), { width, height });
    canvas.getContext("2d").drawImage(picture, 0, 0, width, height);
    return canvas.toDataURL();
}"""


def opened(open_page, **options) -> Page:
    page = open_page(script=HARNESS, **options)
    page.wait_for_function(f"() => {HOST}?.__headlight.boxes().histogram?.box")
    wait_painted(page)
    return page


def canvas(page: Page, name: str) -> Locator:
    locator = page.locator(f"{LAB} [data-name={name}] canvas")
    locator.scroll_into_view_if_needed()
    return locator


def point(page: Page, name: str, fx: float, fy: float) -> tuple[float, float]:
    """A place inside the frame of a plot, by shares of its width and height, on the screen."""
    place = canvas(page, name).bounding_box()
    box = page.evaluate(f"(name) => {HOST}.__headlight.boxes()[name].box", name)
    assert place
    return place["x"] + box["x"] + fx * box["w"], place["y"] + box["y"] + fy * box["h"]


def positions(page: Page) -> dict[str, int]:
    return page.evaluate(f"() => {HOST}.__headlight.at()")


def tip(page: Page) -> list[str]:
    return page.locator(f"{LAB} .tip div").all_inner_texts() if page.locator(f"{LAB} .tip").is_visible() else []


def laboratory(page: Page) -> Locator:
    return page.locator(LAB)


PICTURES = ["map", "log10", "log2", "grid", "bars", "pulled", "curves", "phase", "histogram"]
FOCUS = hue("focus", "light").lower()


@pytest.mark.parametrize(("theme", "width"), [("light", 1440), ("dark", 390)])
def test_every_picture_is_a_figure_of_its_own_without_controls_or_selection(open_page, theme, width) -> None:
    page = opened(open_page, theme=theme, width=width)
    assert figures(laboratory(page)) == PICTURES
    texts, cells = {}, {}
    for name in PICTURES:
        source = saved(laboratory(page), "SVG", name)
        assert b"<b>" not in source and b"NaN" not in source
        drawing = ElementTree.fromstring(source)
        texts[name] = set(spelled(source))
        cells[name] = [node.get("fill") for node in drawing.iter(f"{SVG}rect")]
        strokes = [str(node.get("stroke")).lower() for node in drawing.iter(f"{SVG}path")]
        assert (FOCUS in strokes) == (name == "histogram"), "there the line is a number, not a choice"
        paths = [node.get("d", "") for node in drawing.iter(f"{SVG}path") if node.get("aria-label") != " "]
        assert paths and all(path.startswith("M") or not path for path in paths)
    titles = {"Map", "Log10", "Log2", "Grid", "Bars", "Pulled", "Curves", "Phase", "Histogram"}
    assert all(title in texts[title.lower()] for title in titles)
    assert {"The", "<b>saw</b>", "king", "&", "山", "b␣>␣c", "مرحبا"} <= texts["map"]
    assert {"dashed & pale", "gain", "α < 1"} <= texts["curves"]
    assert cells["map"].count("none") == 1, "a masked cell has no colour"
    assert len(cells["map"]) == 1 + 5 * 7 + 128, "paper, cells and the shades of the bar"
    assert len(cells["grid"]) == 1 + 5 * 3 * 2 + 128 and len(cells["phase"]) > 11 * 7
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_caption_has_the_values_of_the_sliders_that_the_figure_follows(open_page) -> None:
    page = opened(open_page)
    told = {name: caption_of(saved(laboratory(page), "SVG", name)) for name in ("map", "curves", "phase", "grid")}
    assert told["map"].startswith("Map · d_k = 2 · ")
    assert told["curves"].startswith("Curves · α = 3 · ")
    assert "=" not in told["phase"] + told["grid"]


def test_a_legend_keeps_its_strokes(open_page) -> None:
    drawing = ElementTree.fromstring(saved(laboratory(opened(open_page)), "SVG", "curves"))
    nodes = list(drawing.iter(f"{SVG}path"))
    labels = [node.get("aria-label") for node in nodes]
    for name, colour, dash in (("gain", "q", None), ("α < 1", "k", "5 4")):
        stroke = nodes[labels.index(name) - 1]
        assert stroke.get("stroke") == hue(colour, "light") and stroke.get("stroke-dasharray") == dash


def test_a_saved_drawing_looks_like_the_saved_picture(open_page) -> None:
    page = opened(open_page)
    for name in ("map", "curves", "phase"):
        sheet = Image.open(BytesIO(saved(laboratory(page), "PNG 2×", name))).convert("RGB")
        svg, pdf = saved(laboratory(page), "SVG", name), saved(laboratory(page), "PDF", name)
        drawn = page.evaluate(DRAWN, [svg.decode(), *sheet.size])
        shown = Image.open(BytesIO(b64decode(drawn.partition(",")[2]))).convert("RGB")
        for other in (shown, pdf_of(pdf)[1].resize(sheet.size)):
            far = np.abs(np.asarray(sheet, float) - np.asarray(other, float)) > 60
            assert far.mean() < 0.01, name


@pytest.mark.parametrize(("theme", "width"), [("dark", 1440), ("light", 390)])
def test_a_png_is_light_and_twice_or_three_times_the_drawing(open_page, theme, width) -> None:
    page = opened(open_page, theme=theme, width=width)
    drawing = ElementTree.fromstring(saved(laboratory(page), "SVG", "map"))
    size = int(drawing.get("width", 0)), int(drawing.get("height", 0))
    for scale in (2, 3):
        sheet = saved(laboratory(page), f"PNG {scale}×", "map")
        assert png_size(sheet) == (scale * size[0], scale * size[1])
        assert Image.open(BytesIO(sheet)).convert("RGBA").getpixel((1, 1)) == (255, 255, 255, 255)


def test_a_figure_may_be_transparent(open_page) -> None:
    page = opened(open_page)
    laboratory(page).locator(".tool.save").click()
    laboratory(page).locator(".saving input").check()
    page.keyboard.press("Escape")
    sheet = Image.open(BytesIO(saved(laboratory(page), "PNG 2×", "map"))).convert("RGBA")
    assert sheet.getpixel((1, 1)) == (0, 0, 0, 0)
    assert b"#ffffff" not in saved(laboratory(page), "SVG", "curves")


def test_a_pdf_can_be_searched(open_page) -> None:
    page = opened(open_page)
    text, _ = pdf_of(saved(laboratory(page), "PDF", "map"))
    assert all(word in text for word in ("<b>saw</b>", "king", "Map", "山"))


def test_arrow_keys_walk_through_a_map_and_enter_picks(open_page) -> None:
    page = opened(open_page)
    picture = canvas(page, "map")
    picture.press("ArrowDown")  # from the marked row
    for _ in range(9):
        picture.press("ArrowRight")  # stops at the edge
    assert tip(page)[:2] == ["3: king", "7: g"]
    assert page.locator(f"{LAB} .sr").inner_text().startswith("3: king, 7: g, ")
    picture.press("Enter")
    page.get_by_text("picks [('map', 2, 6)]").wait_for()
    wait_painted(page)
    picture.press("ArrowUp")  # goes on from where it was, although the page has run again
    assert tip(page)[:2] == ["2: <b>saw</b>", "7: g"]
    picture.press("Escape")
    assert not tip(page)


@pytest.mark.parametrize(
    ("name", "numbers"),
    [("log10", ["5.623·10⁻⁶¹ (0 in float32)", "215.4", "nothing there"]), ("log2", ["7.294·10⁻¹⁹", "5.04", "masked"])],
)
def test_a_map_tells_the_number_that_travelled_as_a_logarithm(open_page, name, numbers) -> None:
    page = opened(open_page)
    picture = canvas(page, name)
    picture.press("ArrowUp")
    for column, expected in enumerate(numbers, start=1):
        assert tip(page) == [f"1, {column}", expected]
        picture.press("ArrowRight")


def test_arrow_keys_walk_through_thumbnails_row_by_row(open_page) -> None:
    page = opened(open_page)
    picture = canvas(page, "grid")
    cells = page.evaluate(f"() => {HOST}.__headlight.boxes().grid.cells")
    across = sum(cell["y"] == cells[0]["y"] for cell in cells)
    picture.press("ArrowLeft")
    assert tip(page) == ["w"]
    if 1 + across < len(cells):
        picture.press("ArrowDown")
        assert tip(page) == ["vwxyz"[1 + across]]
        picture.press("ArrowUp")
    picture.press("Enter")
    page.get_by_text("picks [('grid', 1, 0)]").wait_for()


def test_a_finger_picks_a_cell_and_reads_it_until_it_touches_something_else(open_page) -> None:
    page = opened(open_page, width=390, height=3000, has_touch=True)
    page.touchscreen.tap(*point(page, "map", 3.5 / 7, 2.5 / 5))
    page.get_by_text("picks [('map', 2, 3)]").wait_for()
    assert tip(page)[:2] == ["3: king", "4: d"]
    page.locator(f"{LAB} .plot-title").tap()
    wait_frames(page)
    assert not tip(page)


@pytest.mark.parametrize("name", ["curves", "phase"])
def test_a_tap_moves_the_slider_of_a_curve(open_page, name) -> None:
    page = opened(open_page, width=390, height=3000, has_touch=True)
    page.touchscreen.tap(*point(page, name, 0.86, 0.05))
    page.get_by_text(f"moves [(9, {6 if name == 'phase' else 3})]").wait_for()
    assert positions(page)["d_k"] == 9


@pytest.mark.parametrize("name", ["curves", "phase"])
def test_a_finger_that_goes_sideways_drags_the_slider_and_one_that_goes_down_scrolls(open_page, name) -> None:
    page = opened(open_page, width=390, height=700, has_touch=True)
    session = page.context.new_cdp_session(page)

    def swipe(start: tuple[float, float], end: tuple[float, float]) -> None:
        def touch(kind: str, *points: tuple[float, float]) -> None:
            session.send(
                "Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y} for x, y in points]}
            )

        touch("touchStart", start)
        for step in range(1, 13):
            touch("touchMove", tuple(a + (b - a) * step / 12 for a, b in zip(start, end, strict=True)))
            wait_frames(page, 1)
        touch("touchEnd")
        wait_painted(page)

    before = positions(page)
    swipe(point(page, name, 0.5, 0.8), point(page, name, 0.5, -0.4))
    assert positions(page) == before
    swipe(point(page, name, 0.1, 0.5), point(page, name, 0.96, 0.5))
    assert positions(page)["d_k"] == 10
    page.get_by_text(f"moves [(10, {positions(page)['alpha']})]").wait_for()


def test_a_mouse_drags_the_slider_of_a_curve(open_page) -> None:
    page = opened(open_page)
    page.mouse.move(*point(page, "curves", 0.1, 0.5))
    page.mouse.down()
    page.mouse.move(*point(page, "curves", 0.7, 0.5), steps=6)
    assert positions(page)["d_k"] == 7
    page.mouse.up()
    page.get_by_text("moves [(7, 3)]").wait_for()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_laboratory_has_no_accessibility_violation(open_page, theme) -> None:
    page = opened(open_page, theme=theme)
    report = Axe().run(page, context=LAB)
    assert not [(v["id"], [n["html"][:160] for n in v["nodes"]]) for v in report.response["violations"]]


def test_a_frame_of_a_kind_nobody_knows_gives_the_sentence(open_page) -> None:
    page = opened(open_page)
    plot = {"name": "x", "kind": "nonsense", "stack": "", "title": "", "note": "", "span": 4, "narrow": 4, "height": 90}
    meta = {"sliders": [], "films": [], "computed": [], "panels": [plot], "summary": "", "puts": 1, "underflow": -45}
    sentence = words("canvas", "en")["damaged"]
    page.evaluate(
        f"""(bytes) => window.__headlight.lab({{
            data: new Uint8Array(bytes), parentElement: {HOST}.shadowRoot, setStateValue() {{}}, setTriggerValue() {{}},
        }})""",
        list(encode(meta | {"words": {"damaged": sentence}}, {})),
    )
    assert page.locator(f"{LAB} [role=alert]").inner_text() == sentence
    assert not page.locator(f"{LAB} canvas").first.is_visible()


MOUNTED_TWICE = """() => {
    const [place, page] = [document.createElement("div"), { setStateValue() {}, setTriggerValue() {} }];
    const parentElement = place.attachShadow({ mode: "open" });
    parentElement.innerHTML = '<div class="root" data-damaged=""></div>';
    document.body.append(place);
    window.__headlight.lab({ data: null, parentElement, ...page })();
    const stop = window.__headlight.lab({ data: null, parentElement, ...page });
    const stages = parentElement.querySelectorAll(".lab").length;
    stop();
    place.remove();
    return stages;
}"""


def stays(page: Page) -> None:
    """As long as a picture must be in sight, by the browser's own timers, and until Python has heard of it."""
    wait_frames(page)
    page.evaluate("() => new Promise((go) => setTimeout(go, 350))")
    wait_idle(page)


def test_a_picture_in_sight_is_told_of_once_for_every_question(open_page) -> None:
    """Not before the reader has scrolled to it, not where it only flies past, not again when the reader comes back."""
    page = opened(open_page, height=300)
    sights = page.get_by_text("sights")
    stays(page)
    assert sights.inner_text() == "sights []"
    picture, first = (page.locator(f"{LAB} [data-name={name}]") for name in ("histogram", "controls"))
    picture.scroll_into_view_if_needed()
    first.scroll_into_view_if_needed()
    stays(page)
    assert sights.inner_text() == "sights []"
    picture.scroll_into_view_if_needed()
    page.get_by_text("sights [0]", exact=True).wait_for()
    canvas(page, "map").press("Enter")  # the page runs again, and other numbers come
    page.get_by_text("picks [('map', 1, 0)]").wait_for()
    picture.scroll_into_view_if_needed()
    stays(page)
    first.scroll_into_view_if_needed()
    first.locator(".choice").last.press("Enter")  # another question, the picture out of sight
    stays(page)
    assert sights.inner_text() == "sights [0]"
    picture.scroll_into_view_if_needed()
    page.get_by_text("sights [0, 1]", exact=True).wait_for()
    stays(page)
    assert sights.inner_text() == "sights [0, 1]"


def test_a_component_mounted_again_in_its_place_leaves_nothing_of_the_one_before(open_page) -> None:
    """Streamlit does so when a training run ends; two laboratories stood there then, the first one dead."""
    page = open_page("/softmax")
    page.wait_for_function("() => window.__headlight?.lab", timeout=60_000)
    assert page.evaluate(MOUNTED_TWICE) == 1
