"""The canvas in a browser, against torch: what it paints, what it says, what it sends."""

import json
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
import torch
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page
from torch.testing import assert_close

from attention_core.models import FromScratch, Settings, Sizes, Tokens
from tests.harness.browser import component, wait_frames, wait_idle, wait_painted
from tests.harness.saving import figures, png_size, saved, spelled
from ui.components.assets import MOUNT
from ui.numbers import significant
from ui.palette import hue
from ui.text import words

HERE = Path(__file__).parent
HARNESS = HERE / "apps" / "canvas_app.py"
PIECES = [
    "The",
    "law",
    "<b>saw</b>",
    "the",
    "king",
    "&",
    "山",
    "مرحبا",
    "\U0001f468\u200d\U0001f469\u200d\U0001f467",
    ",",
]
PIECES += ["but", "its", "city", "should", "be", "just", "."]
STOPS = (0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 20.0)
COUNT = 11


def trace(seed: int = 0, count: int = COUNT):
    model = FromScratch(Sizes(n_head=12, d_model=29, d_k=7, d_v=5, seed=seed, source="digest"))
    return model.run(Tokens(strings=tuple((PIECES * 60)[:count]))).layers[0].attention


def future(count: int = COUNT) -> torch.Tensor:
    return torch.ones(count, count, dtype=torch.bool).triu(1)


def painted(page: Page, key: str, panel: str) -> torch.Tensor:
    """What the component really holds, by way of its host element. NaN travels as null."""
    values = page.evaluate(
        """([key, panel]) => {
            const hosts = [...document.querySelectorAll(`.st-key-${key} *`)].filter((node) => node.__headlight);
            return Array.from(hosts[0].__headlight.panels[panel], (x) => (Number.isNaN(x) ? null : x));
        }""",
        [key, panel],
    )
    return torch.tensor([float("nan") if value is None else value for value in values])


def slider(page: Page):
    return component(page, "live").locator("input[type=range]")


def set_stop(page: Page, stop: int, commit: bool = False) -> None:
    slider(page).evaluate(
        """(node, [stop, commit]) => {
            node.value = stop;
            node.dispatchEvent(new Event("input"));
            if (commit) node.dispatchEvent(new Event("change"));
        }""",
        [stop, commit],
    )
    wait_frames(page)


def cell(page: Page, key: str, row: int, col: int, panel: int = 0):
    """Where a cell is on the screen: from the picture's own geometry."""
    return page.evaluate(
        """([key, row, col, index]) => {
            const canvas = document.querySelectorAll(`.st-key-${key} *`);
            const host = [...canvas].find((node) => node.__headlight);
            const root = host.shadowRoot ?? host;
            const picture = root.querySelectorAll("canvas")[index];
            const box = picture.getBoundingClientRect();
            const { x, y, w, h, rows, cols } = picture.__box;
            return { x: box.left + x + ((col + 0.5) * w) / cols, y: box.top + y + ((row + 0.5) * h) / rows };
        }""",
        [key, row, col, panel],
    )


def tip(page: Page, key: str) -> list[str]:
    return component(page, key).locator(".tip div").all_inner_texts()


@pytest.fixture
def page(open_page) -> Page:
    page = open_page(script=HARNESS, height=3000)
    component(page, "lines").locator("canvas").wait_for()
    wait_painted(page)
    return page


@pytest.mark.parametrize("scale", [1.0, 5.0])  # scores up to 30; divided by the lowest temperature, up to 600
def test_softmax_in_the_browser_is_torchs(open_page, scale) -> None:
    page = open_page(script=HARNESS, height=3000, query={"scale": str(scale)})
    component(page, "live").locator("canvas").first.wait_for()
    wait_painted(page)
    sent = painted(page, "product", "scores")  # the same bits: at a low temperature the last one of a score counts
    scores = (trace().scaled_scores[0] * scale).masked_fill(future(), torch.nan).flatten()
    assert_close(sent, scores, equal_nan=True)
    for stop, temperature in enumerate(STOPS):
        set_stop(page, stop)
        logits = (sent * (1 / temperature)).nan_to_num(nan=-torch.inf).view(COUNT, COUNT)
        expected = logits.softmax(-1).masked_fill(future(), torch.nan).flatten()
        assert_close(painted(page, "live", "h0"), expected, rtol=0, atol=1e-6, equal_nan=True)


def test_the_preview_is_what_the_core_computes_on_release(page) -> None:
    model = FromScratch(Sizes(n_head=12, d_model=29, d_k=7, d_v=5, source="digest"))
    for stop, temperature in enumerate(STOPS):
        set_stop(page, stop)
        released = model.run(Tokens(strings=tuple(PIECES[:COUNT])), Settings(temperature=temperature, mask="causal"))
        expected = released.layers[0].attention.weights[1].masked_fill(future(), torch.nan).flatten()
        assert_close(painted(page, "live", "h1"), expected, rtol=0, atol=1e-6, equal_nan=True)


def test_the_nodes_survive_new_data_and_a_new_temperature(page) -> None:
    page.evaluate(
        """() => { for (const node of document.querySelectorAll('*')) if (node.__headlight) {
            node.__mark = 1; for (const c of (node.shadowRoot ?? node).querySelectorAll('canvas')) c.__mark = 1; } }"""
    )
    before = painted(page, "live", "h0")
    page.get_by_label("seed").fill("5")
    page.get_by_label("seed").press("Enter")
    wait_painted(page)
    assert_close(painted(page, "product", "q"), trace(5).q[0].flatten())
    assert not torch.equal(before.nan_to_num(), painted(page, "live", "h0").nan_to_num())
    set_stop(page, 6, commit=True)
    wait_idle(page)
    marks = page.evaluate(
        """() => [...document.querySelectorAll('*')].filter((node) => node.__headlight).flatMap((node) =>
            [node.__mark, ...[...(node.shadowRoot ?? node).querySelectorAll('canvas')].map((c) => c.__mark)])"""
    )
    assert len(marks) >= 15
    assert set(marks) == {1}


def test_hover_says_tokens_and_value_and_lights_the_other_pictures(page) -> None:
    place = cell(page, "product", 7, 2, panel=0)
    page.mouse.move(place["x"], place["y"])
    wait_frames(page)
    value = significant(float(trace().q[0][7, 2]))
    assert tip(page, "product") == [f"query 8: {PIECES[7]}", "dk 3", f"Q = {value}"]
    lit = component(page, "strip").locator(".query .chip.lit")
    assert lit.all_inner_texts() == [PIECES[7]]
    place = cell(page, "live", 9, 4)
    page.mouse.move(place["x"], place["y"])
    wait_frames(page)
    expected = trace().scaled_scores[0].masked_fill(future(), -torch.inf).softmax(-1)[9, 4]
    assert tip(page, "live")[-1] == f"1 = {significant(float(expected))}"
    assert component(page, "strip").locator(".key .chip.lit").all_inner_texts() == [PIECES[4]]
    place = cell(page, "live", 2, 9)
    page.mouse.move(place["x"], place["y"])
    wait_frames(page)
    assert tip(page, "live")[-1] == "masked"


def test_click_and_enter_pick_a_cell_and_arrows_move(page) -> None:
    place = cell(page, "product", 3, 1, panel=2)
    page.mouse.click(place["x"], place["y"])
    page.get_by_text("picks [('scores', 3, 1)]").wait_for()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowRight")
    live = component(page, "product").locator("[aria-live=polite]").inner_text()
    assert f"query 5: {PIECES[4]}" in live
    assert f"key 3: {PIECES[2]}" in live
    page.keyboard.press("Enter")
    page.get_by_text("picks [('scores', 3, 1), ('scores', 4, 2)]").wait_for()
    assert component(page, "strip").locator(".key .chip.focus").all_inner_texts() == [PIECES[2]]


def test_a_thumbnail_and_a_chip_can_be_picked_with_the_keyboard(page) -> None:
    component(page, "grid").locator("button.thumb").nth(15).focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    page.get_by_text("picks [('1.4', 0, 0)]").wait_for()
    component(page, "strip").locator(".key .chip").nth(6).focus()
    page.keyboard.press("Enter")
    page.get_by_text("('key', 6, 0)]").wait_for()


def test_lock_keeps_what_is_lit_until_escape(page) -> None:
    place = cell(page, "live", 9, 4)
    page.mouse.click(place["x"], place["y"])
    page.mouse.move(place["x"], place["y"] + 1)
    page.keyboard.press("l")
    other = cell(page, "live", 5, 1)
    page.mouse.move(other["x"], other["y"])
    wait_frames(page)
    assert component(page, "strip").locator(".query .chip.lit").all_inner_texts() == [PIECES[9]]
    assert component(page, "live").locator(".tool.lock").get_attribute("aria-pressed") == "true"
    page.mouse.move(5, 5)
    wait_frames(page)
    assert tip(page, "live")[:2] == [f"query 10: {PIECES[9]}", f"key 5: {PIECES[4]}"]
    page.keyboard.press("Escape")
    assert not component(page, "live").locator(".tip").is_visible()
    page.mouse.move(other["x"], other["y"] + 1)
    wait_frames(page)
    assert component(page, "strip").locator(".query .chip.lit").all_inner_texts() == [PIECES[5]]


def test_a_lock_holds_in_every_picture_of_the_group(page) -> None:
    place = cell(page, "live", 9, 4)
    page.mouse.click(place["x"], place["y"])
    page.mouse.move(place["x"], place["y"] + 1)
    page.keyboard.press("l")
    for key, row, col in (("product", 3, 1), ("live", 5, 1)):
        other = cell(page, key, row, col)
        page.mouse.move(other["x"], other["y"])
        wait_frames(page)
        assert component(page, "strip").locator(".query .chip.lit").all_inner_texts() == [PIECES[9]]
    lock = component(page, "product").locator(".tool.lock")
    assert lock.get_attribute("aria-pressed") == "true"
    lock.click()
    assert component(page, "live").locator(".tool.lock").get_attribute("aria-pressed") == "false"


def test_a_finger_reads_a_cell_until_it_touches_something_else(open_page) -> None:
    page = open_page(script=HARNESS, width=390, height=3000, has_touch=True)
    component(page, "lines").locator("canvas").wait_for()
    wait_painted(page)
    place = cell(page, "live", 9, 4)
    page.touchscreen.tap(place["x"], place["y"])
    page.get_by_text("picks [('h0', 9, 4)]").wait_for()
    assert component(page, "live").locator(".tip").is_visible()
    assert component(page, "strip").locator(".query .chip.lit").all_inner_texts() == [PIECES[9]]
    component(page, "strip").locator(".key .chip").nth(6).tap()
    wait_frames(page)
    assert not component(page, "live").locator(".tip").is_visible()


def test_zoom_shows_fewer_cells_and_escape_all_of_them(page) -> None:
    canvas = component(page, "live").locator("canvas").first
    canvas.focus()
    view = "c => [c.__box.view.w, c.__box.view.h]"
    assert canvas.evaluate(view) == [COUNT, COUNT]
    page.keyboard.press("+")
    page.keyboard.press("+")
    assert max(canvas.evaluate(view)) < COUNT
    page.keyboard.press("Escape")
    assert canvas.evaluate(view) == [COUNT, COUNT]
    place = cell(page, "live", 4, 4)
    page.mouse.click(5, 5)
    page.mouse.move(place["x"], place["y"])
    page.evaluate("addEventListener('wheel', () => (window.__turned = true), { capture: true, passive: true })")
    page.mouse.wheel(0, -300)
    page.wait_for_function("window.__turned")
    wait_frames(page)
    assert canvas.evaluate(view) == [COUNT, COUNT], "the wheel belongs to the page"
    page.keyboard.down("Control")
    page.mouse.wheel(0, -300)
    page.keyboard.up("Control")
    zoomed = "([c, n]) => Math.max(c.__box.view.w, c.__box.view.h) < n"
    page.wait_for_function(zoomed, arg=[canvas.element_handle(), COUNT])


def test_dragging_sends_nothing_and_releasing_sends_one_value(open_page) -> None:
    sent: list = []
    page = open_page(script=HARNESS, height=3000)
    component(page, "live").locator("canvas").first.wait_for()
    page.on("websocket", lambda socket: socket.on("framesent", lambda frame: sent.append(frame)))
    page.reload()
    wait_idle(page)
    component(page, "live").locator("canvas").first.wait_for()
    wait_painted(page)
    box = slider(page).bounding_box()
    y = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] * 0.57, y)
    page.mouse.down()
    sent.clear()
    for step in range(40):
        page.mouse.move(box["x"] + box["width"] * (0.57 + 0.4 * step / 40), y)
    assert not sent
    page.mouse.up()
    wait_idle(page)
    assert len(sent) == 1
    page.get_by_text("temperature 20.0").wait_for()


def test_a_click_does_not_send_the_pictures_again(open_page) -> None:
    received: list[int] = []
    page = open_page(script=HARNESS, height=3000, query={"n": "64"})
    page.on("websocket", lambda socket: socket.on("framereceived", lambda frame: received.append(len(frame))))
    page.reload()
    wait_idle(page)
    component(page, "grid").locator("button.thumb").first.wait_for()
    wait_painted(page)
    whole = sum(received)
    received.clear()
    component(page, "strip").locator(".key .chip").nth(6).click()
    page.get_by_text("('key', 6, 0)]").wait_for()
    wait_idle(page)
    assert whole > 300_000
    assert sum(received) < whole / 10


def test_bytes_that_do_not_fit_are_a_sentence_and_the_next_good_ones_a_picture(page) -> None:
    broken = component(page, "broken")
    for damage in range(1, 13):
        for value, sentence in ((damage, True), (0, False)):
            page.get_by_label("damage").fill(str(value))
            page.get_by_label("damage").press("Enter")
            broken.locator(".error").wait_for(state="visible" if sentence else "hidden")
            assert broken.locator("canvas").first.is_visible() == (not sentence), damage
        assert_close(painted(page, "broken", "only"), torch.full((6,), 0.5))


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_masked_cells_are_hatched_not_the_colour_of_zero(open_page, theme) -> None:
    page = open_page(script=HARNESS, height=3000, theme=theme)
    component(page, "live").locator("canvas").first.wait_for()
    wait_painted(page)
    colours = (
        component(page, "live")
        .locator("canvas")
        .first.evaluate(
            """canvas => {
            const { x, y, w, h, rows, cols } = canvas.__box;
            const ratio = canvas.width / parseFloat(canvas.style.width);
            const count = (row, col) => {
                const [cw, ch] = [w / cols, h / rows];
                const place = [x + col * cw + 2, y + row * ch + 2, cw - 4, ch - 4].map((v) => v * ratio);
                const { data } = canvas.getContext("2d").getImageData(...place);
                const pixels = Array.from({ length: data.length / 4 }, (_, i) => data.slice(4 * i, 4 * i + 4).join());
                return new Set(pixels).size;
            };
            return [count(5, 9), count(9, 3)];
        }"""
        )
    )
    assert colours[0] > 1, "a masked cell is not hatched"
    assert colours[1] == 1, "an allowed cell is not one colour"


def test_the_picture_is_crisp_on_a_dense_screen(open_page) -> None:
    page = open_page(script=HARNESS, height=3000, device_scale_factor=2)
    canvas = component(page, "live").locator("canvas").first
    canvas.wait_for()
    wait_painted(page)
    assert canvas.evaluate("c => Math.abs(c.width - 2 * parseFloat(c.style.width)) <= 1")


def test_the_picture_stays_crisp_when_the_screen_changes(page) -> None:
    canvas = component(page, "live").locator("canvas").first
    devtools = page.context.new_cdp_session(page)
    screen = {"width": 1440, "height": 3100, "mobile": False}  # a change of the ratio alone is not announced here
    devtools.send("Emulation.setDeviceMetricsOverride", {**screen, "deviceScaleFactor": 3})
    wait_painted(page)
    assert canvas.evaluate("c => Math.abs(c.width - 3 * parseFloat(c.style.width)) <= 1")


def test_a_long_sentence_stays_on_one_screen_and_says_how_to_zoom(open_page) -> None:
    for count, crowded in ((512, True), (COUNT, False)):
        page = open_page(script=HARNESS, height=3000, query={"n": str(count)})
        component(page, "lines").locator("canvas").wait_for()
        wait_painted(page)
        for canvas in component(page, "product").locator("canvas").all():
            assert canvas.bounding_box()["height"] < 700
        assert component(page, "product").locator(".hint").is_visible() == crowded


def test_an_operator_stands_before_its_matrix_on_a_narrow_screen(open_page) -> None:
    page = open_page(script=HARNESS, width=390, height=3000)
    component(page, "lines").locator("canvas").wait_for()
    wait_painted(page)
    canvases = component(page, "product").locator("canvas")
    for index, sign in enumerate(component(page, "product").locator(".operator").all(), start=1):
        before, matrix = sign.bounding_box(), canvases.nth(index).bounding_box()
        left = (
            before["x"] + before["width"] <= matrix["x"]
            and matrix["y"] <= before["y"] <= matrix["y"] + matrix["height"]
        )
        above = 0 <= matrix["y"] - before["y"] - before["height"] <= 20
        assert left or above


def test_every_label_keeps_its_own_direction(open_page) -> None:
    page = open_page(script=HARNESS, height=3000)
    page.add_init_script(
        """window.written = [];
        const fillText = CanvasRenderingContext2D.prototype.fillText;
        CanvasRenderingContext2D.prototype.fillText = function (text, ...place) {
            window.written.push(text);
            fillText.call(this, text, ...place);
        };"""
    )
    page.reload()
    component(page, "lines").locator("canvas").wait_for()
    wait_painted(page)
    written = page.evaluate("() => window.written.filter((text) => /مرحبا/.test(text))")
    assert len(written) > 4
    assert set(written) == {"\u2068مرحبا\u2069"}


@pytest.mark.parametrize("width", [1024, 390])
def test_nothing_is_wider_than_the_screen(open_page, width) -> None:
    page = open_page(script=HARNESS, height=3000, width=width, query={"n": "23"})
    component(page, "lines").locator("canvas").wait_for()
    wait_painted(page)
    widest = page.evaluate(
        """() => {
            const hosts = [...document.querySelectorAll('*')].filter((node) => node.__headlight);
            const parts = hosts.flatMap((node) => [...node.shadowRoot.querySelectorAll('canvas, .chip, .bar')]);
            return Math.max(...parts.map((part) => part.getBoundingClientRect().right));
        }"""
    )
    assert widest <= width
    main = page.get_by_test_id("stMain")
    assert main.evaluate("main => main.scrollWidth - main.clientWidth") <= 0


def test_typed_markup_is_text(page) -> None:
    assert component(page, "strip").locator(".query .chip").nth(2).inner_text() == "<b>saw</b>"
    assert component(page, "strip").locator("b").count() == 0


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_components_have_no_accessibility_violation(open_page, theme) -> None:
    page = open_page(script=HARNESS, height=3000, theme=theme)
    component(page, "lines").locator("canvas").wait_for()
    report = Axe().run(
        page,
        {"include": [[".st-key-strip"], [".st-key-product"], [".st-key-live"], [".st-key-grid"], [".st-key-lines"]]},
    )
    assert not [(v["id"], [n["html"][:160] for n in v["nodes"]]) for v in report.response["violations"]]


def test_a_saved_svg_is_whole_and_escaped(page) -> None:
    product = component(page, "product")
    assert figures(product) == ["q", "kt", "scores"]
    for name, cells in (("q", COUNT * 7), ("kt", COUNT * 7), ("scores", COUNT * COUNT)):
        source = saved(product, "SVG", name)
        drawing = ElementTree.fromstring(source)
        rects = [node.get("fill") for node in drawing if node.tag.endswith("rect")]
        assert len(rects) == 1 + cells + 128, "paper, cells and the shades of the bar"
        assert rects.count("none") == (COUNT * (COUNT - 1) // 2 if name == "scores" else 0)
        lines = [node.get("d", "") for node in drawing if node.tag.endswith("path") and not node.get("aria-label")]
        assert sum(path.count("M") > COUNT for path in lines) == (name == "scores"), (
            "where cells are masked, it hatches"
        )
        assert ("<b>saw</b>" in spelled(source)) == (name != "scores")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_figure_is_light_and_nothing_in_it_is_chosen(open_page, theme) -> None:
    page = open_page(script=HARNESS, theme=theme, height=3000)
    component(page, "strip").locator(".query .chip").nth(4).click()
    component(page, "product").locator("canvas").first.press("ArrowDown")
    wait_painted(page)
    sources = [saved(component(page, "product"), "SVG", name) for name in ("q", "scores")]
    for source in sources:
        strokes = {node.get("stroke") for node in ElementTree.fromstring(source)}
        assert strokes <= {None, hue("line", "light"), hue("quiet", "light")}


def test_the_bar_of_colours_has_the_ends_of_the_range(page) -> None:
    texts = spelled(saved(component(page, "live"), "SVG", "h1"))
    assert {"0", "0.05", "0.2", "0.5", "1", words("canvas", "en")["rooted"]} <= set(texts)
    limit = significant(float(trace().q[0].abs().max()), 3)
    assert {f"−{limit}", "0", limit} <= set(spelled(saved(component(page, "product"), "SVG", "q")))


def test_a_grid_is_one_figure_with_its_axes_named(page) -> None:
    source = saved(component(page, "grid"), "SVG")
    assert {"layer ↓   head →", "Layer 1", "Layer 6", "1", "12"} <= set(spelled(source))
    assert len(list(ElementTree.fromstring(source))) > 6 * 12 * COUNT**2


REFUSING = """(refused) => {
    const { toBlob } = HTMLCanvasElement.prototype;
    HTMLCanvasElement.prototype.toBlob = function (done, ...rest) {
        return refused-- > 0 ? setTimeout(() => done(null)) : toBlob.call(this, done, ...rest);
    };
}"""


@pytest.mark.parametrize(("refused", "scale"), [(1, 2), (2, 1), (3, 0.5)])
def test_a_figure_too_large_for_a_png_is_a_smaller_one(page, refused, scale) -> None:
    """A browser that has less room for pixels than were asked for."""
    product = component(page, "product")
    drawing = ElementTree.fromstring(saved(product, "SVG", "q"))
    page.evaluate(REFUSING, refused)
    width, height = png_size(saved(product, "PNG 3×", "q"))
    assert width == int(scale * float(drawing.get("width", 0)))
    assert height == int(scale * float(drawing.get("height", 0)))


@pytest.mark.parametrize("fails", ["returns null", "throws"])
def test_a_browser_that_makes_no_picture_at_all_is_a_sentence(page, fails) -> None:
    body = "done(null)" if fails == "returns null" else "throw new DOMException('no')"
    page.evaluate(f"() => {{ HTMLCanvasElement.prototype.toBlob = function (done) {{ {body}; }}; }}")
    product = component(page, "product")
    product.locator(".tool.save").click()
    product.locator(".kinds button").first.click()
    sentence = words("canvas", "en")["too_large"]
    product.locator(".tip", has_text=sentence).wait_for()
    assert product.locator("[aria-live=polite]").inner_text() == sentence


def test_a_component_that_has_gone_before_the_library_arrives_is_not_mounted(browser) -> None:
    with browser.new_page() as page:
        page.set_content("<div id='stays'></div><div id='goes'></div>")
        mounted = page.evaluate(
            """async (source) => {
                const { default: mount } = await import(`data:text/javascript,${encodeURIComponent(source)}`);
                const [mounted, stopped] = [[], []];
                const unmount = {};
                for (const id of ["stays", "goes"]) unmount[id] = mount({ parentElement: document.getElementById(id) });
                document.getElementById("goes").remove();
                unmount.goes();
                window.__headlight.lab = ({ parentElement: { id } }) => {
                    mounted.push(id);
                    return () => stopped.push(id);
                };
                window.__headlight.waiting.forEach((arrived) => arrived());
                unmount.stays();
                return [mounted, stopped];
            }""",
            MOUNT.replace("NAME", "lab"),
        )
    assert mounted == [["stays"], ["stays"]]


def test_lines_follow_the_token_under_the_pointer(page) -> None:
    canvas = component(page, "lines").locator("canvas")
    drawn = """() => [...document.querySelectorAll('.st-key-lines *')].find((n) => n.__headlight).__headlight.drawn"""
    wait_painted(page)
    weights = trace().weights[0]
    assert page.evaluate(drawn) == int((weights >= 0.05).sum())
    canvas.focus()
    page.keyboard.press("ArrowDown")
    wait_frames(page)
    row = json.loads(page.evaluate("() => JSON.stringify(window.__headlightBus.state.main.hover)"))["query"]
    assert page.evaluate(drawn) == int((weights[row] >= 0.05).sum())
    page.keyboard.press("ArrowRight")
    wait_frames(page)
    col = json.loads(page.evaluate("() => JSON.stringify(window.__headlightBus.state.main.hover)"))["key"]
    assert page.evaluate(drawn) == int((weights[:, col] >= 0.05).sum())
