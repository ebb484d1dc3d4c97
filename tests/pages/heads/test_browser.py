"""What a person does on the Heads page, against transformers' own eager attention and torch."""

import re

import pytest
import torch
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page
from torch.testing import assert_close

from attention_core.models.pretrained import load_embedded
from tests.harness.browser import wait_frames, wait_painted, wait_sent, wait_settled
from tests.harness.pixels import colours, sent
from ui.controls import DEFAULT_SENTENCE, TEMPERATURES
from ui.text import words

pytestmark = pytest.mark.usefixtures("awake")
WORDS = words("heads", "en")
OTHER = "The law didn't stop the king because it was too tired"
HOST = "[...document.querySelectorAll(`.st-key-${key} *`)].find((node) => node.__headlight)"


def hidden(eager, text: str = DEFAULT_SENTENCE):
    ids = torch.tensor([load_embedded().tokenize(text).ids])
    with torch.no_grad():
        return eager(input_ids=ids, output_attentions=True)


def painted(page: Page, key: str, panel: str) -> torch.Tensor:
    """The numbers a canvas holds. NaN travels as null."""
    page.wait_for_function(f"([key, panel]) => {HOST}?.__headlight.panels[panel]", arg=[key, panel])
    values = page.evaluate(
        f"""([key, panel]) => Array.from({HOST}.__headlight.panels[panel], (x) => (Number.isNaN(x) ? null : x))""",
        [key, panel],
    )
    return torch.tensor([float("nan") if value is None else float(value) for value in values])


def click_cell(page: Page, key: str, row: int, col: int) -> None:
    place = page.evaluate(
        f"""([key, row, col]) => {{
            const picture = {HOST}.shadowRoot.querySelector("canvas:not(.sheet)");
            picture.scrollIntoView({{ block: "center" }});
            const frame = picture.getBoundingClientRect();
            const {{ x, y, w, h, rows, cols }} = picture.__box;
            return [frame.left + x + ((col + 0.5) * w) / cols, frame.top + y + ((row + 0.5) * h) / rows];
        }}""",
        [key, row, col],
    )
    page.mouse.click(*place)
    wait_painted(page)


def test_a_thumbnail_opens_its_head_large(open_page, eager) -> None:
    page = open_page("/heads")
    page.get_by_role("button", name="Layer 6, head 11", exact=True).click()
    wait_painted(page)
    weights = hidden(eager).attentions[5][0, 10]
    assert_close(painted(page, "large_head", "weights"), weights.flatten(), rtol=0, atol=1e-6)
    codes = painted(page, "overview", "5.10")
    assert_close(codes, (254 * weights.sqrt()).round().flatten(), rtol=0, atol=1.0)
    chosen = page.get_by_role("button", name="Layer 6, head 11", exact=True)
    assert chosen.get_attribute("aria-pressed") == "true"
    page.wait_for_url("**layer=6**")
    assert "head=11" in page.url


def test_first_screen_holds_the_grid_the_head_and_the_slider(open_page) -> None:
    page = open_page("/heads")
    wait_painted(page)
    for key, inside in (("overview", ".stage"), ("large_head", "canvas"), ("large_head", "input[type=range]")):
        box = page.locator(f".st-key-{key} {inside}").first.bounding_box()
        assert box is not None
        assert box["y"] + box["height"] <= 912, f"{inside} of {key} ends below the first screen"


@pytest.mark.parametrize("show", ["head", "all"])
def test_the_temperature_slider_paints_torchs_softmax_before_and_after_release(open_page, eager, show) -> None:
    page = open_page("/heads", query={"show": show})
    wait_painted(page)
    model = load_embedded()
    scores = model.run(model.tokenize(DEFAULT_SENTENCE)).layers[3].attention.scaled_scores
    panel, heads = ("weights", [1]) if show == "head" else ("h{}", range(12))
    slider = page.locator(f".st-key-large_{show} input[type=range]")
    box = slider.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.3, box["y"] + box["height"] / 2, steps=7)
    wait_frames(page)
    temperature = TEMPERATURES[int(slider.input_value())]
    assert temperature < 1
    for head in heads:
        expected = (scores[head] / temperature).softmax(-1).flatten()
        assert_close(painted(page, f"large_{show}", panel.format(head)), expected, rtol=0, atol=1e-6)
    page.mouse.up()
    wait_painted(page)
    page.wait_for_url(f"**temperature={temperature}**")
    for head in heads:
        expected = (scores[head] / temperature).softmax(-1).flatten()
        assert_close(painted(page, f"large_{show}", panel.format(head)), expected, rtol=0, atol=1e-5)


def test_mean_over_heads(open_page, eager) -> None:
    page = open_page("/heads", query={"show": "mean"})
    expected = hidden(eager).attentions[3][0].mean(dim=0)
    assert_close(painted(page, "large_mean", "mean"), expected.flatten(), rtol=0, atol=1e-6)
    assert page.get_by_text("It is not a head").is_visible()


def test_lines_show_the_head_and_the_mean_and_light_up_together(open_page, eager) -> None:
    page = open_page("/heads", query={"tab": "lines"})
    weights = hidden(eager).attentions[3][0]
    assert_close(painted(page, "lines", "weights"), weights[1].flatten(), rtol=0, atol=1e-6)
    assert_close(painted(page, "lines_mean", "weights"), weights.mean(dim=0).flatten(), rtol=0, atol=1e-6)
    page.locator(".st-key-strip_canvas .query .chip").nth(10).hover()
    wait_frames(page)
    drawn = page.evaluate(f"key => {HOST}.__headlight.drawn", "lines")
    assert drawn == int((weights[1][10] >= 0.05).sum())


def test_the_table_sorts_and_a_row_jumps_to_its_head(open_page, eager) -> None:
    page = open_page("/heads", query={"tab": "measures"})
    wait_painted(page)
    entropy = torch.stack([torch.special.entr(w[0]).sum(-1).mean(-1) for w in hidden(eager).attentions])
    table = page.get_by_test_id("stDataFrame")
    table.scroll_into_view_if_needed()
    headers = table.locator("th, [role=columnheader]")  # the words of its canvas for screen readers
    headers.filter(has_text="Entropy (nats)").first.wait_for(state="attached")
    wait_settled(page)
    box = table.bounding_box()
    page.mouse.click(box["x"] + 190, box["y"] + 18)  # the third column, after the boxes, layer and head
    headers.filter(has_text="↑ Entropy (nats)").wait_for(state="attached")
    before = sent(page)
    page.mouse.click(box["x"] + 17, box["y"] + 35 + 17)  # the box of the first row
    wait_sent(page, before)
    layer, head = divmod(int(entropy.argmin()), 12)
    chosen = page.get_by_role("button", name=f"Layer {layer + 1}, head {head + 1}", exact=True)
    assert chosen.get_attribute("aria-pressed") == "true"
    page.get_by_role("button", name="Layer 2, head 5", exact=True).click()
    wait_painted(page)
    other = page.get_by_role("button", name="Layer 2, head 5", exact=True)
    assert other.get_attribute("aria-pressed") == "true", "the row that is still ticked called its head back"


def test_another_sentence_is_compared_cell_by_cell(open_page, eager) -> None:
    page = open_page("/heads", query={"tab": "compare", "b_head": "2"})
    box = page.get_by_label(WORDS["compare.sentence"])
    box.fill(OTHER)
    box.press("Enter")
    wait_painted(page)
    a, b = (hidden(eager, text).attentions[3][0, 1] for text in (DEFAULT_SENTENCE, OTHER))
    assert_close(painted(page, "compare_B", "B"), b.flatten(), rtol=0, atol=1e-6)
    assert_close(painted(page, "compare_D", "D"), (a - b).flatten(), rtol=0, atol=1e-6)
    middle = (a + b) / 2
    apart = ((a * (a / middle).log()).sum(-1) + (b * (b / middle).log()).sum(-1)).mean() / 2
    shown = page.get_by_test_id("stMetric").filter(has_text="Jensen").get_by_test_id("stMetricValue").inner_text()
    assert_close(float(shown), float(apart), rtol=2e-3, atol=0)
    assert page.get_by_text("B has another sentence.").is_visible()


def test_a_head_that_is_off_changes_the_output_as_if_its_columns_of_w_o_were_zero(open_page, eager) -> None:
    page = open_page("/heads", query={"tab": "off", "layer": "2", "head": "3"})
    page.get_by_role("button", name="Switch head 2.3 off").click()
    wait_painted(page)
    before = hidden(eager)
    dense = eager.encoder.layer[1].attention.output.dense
    kept = dense.weight.detach().clone()
    dense.weight.data[:, 2 * 32 : 3 * 32] = 0
    after = hidden(eager)
    dense.weight.data = kept
    change = (before.last_hidden_state - after.last_hidden_state)[0].norm(dim=-1) / before.last_hidden_state[0].norm(
        dim=-1
    )
    metrics = page.locator(".st-key-off_numbers").get_by_test_id("stMetricValue").all_inner_texts()
    assert_close(float(metrics[0]), float(change.mean()), rtol=2e-3, atol=0)
    assert_close(float(metrics[1]), float(change.max()), rtol=2e-3, atol=0)
    moved = painted(page, "off_others", "moved").reshape(6, 12)
    assert moved[1, 2].isnan()
    assert_close(moved[:2].nan_to_num(), torch.zeros(2, 12))
    a, b = before.attentions[4][0, 7], after.attentions[4][0, 7]
    middle = (a + b) / 2
    apart = ((a * (a / middle).log()).sum(-1) + (b * (b / middle).log()).sum(-1)).mean() / 2
    assert_close(float(moved[4, 7]), float(apart), rtol=1e-2, atol=1e-7)
    page.wait_for_url("**off=2.3**")
    click_cell(page, "off_others", 4, 7)
    chosen = page.get_by_role("button", name="Layer 5, head 8", exact=True)
    assert chosen.get_attribute("aria-pressed") == "true"


def test_rollout_of_the_token_in_focus(open_page, eager) -> None:
    page = open_page("/heads", query={"tab": "rollout", "focus": "4,2", "residual": "25"})
    shares = torch.eye(15)
    for weights in hidden(eager).attentions:
        shares = (0.75 * weights[0].mean(dim=0) + 0.25 * torch.eye(15)) @ shares
    assert_close(painted(page, "rollout_layer", "whole"), shares.flatten(), rtol=0, atol=1e-5)
    per_layer = painted(page, "rollout_layer_layers", "layers").reshape(6, 15)
    assert_close(per_layer[5], shares[4], rtol=0, atol=1e-5)


def test_the_link_opens_the_same_view_elsewhere(open_page) -> None:
    page = open_page("/heads")
    page.get_by_role("button", name="Layer 3, head 10", exact=True).click()
    wait_painted(page)
    page.get_by_role("radio", name=WORDS["tab.rollout"]).click()
    wait_painted(page)
    page.locator(".st-key-strip_canvas .query .chip").nth(4).click()
    wait_painted(page)
    page.locator(".st-key-strip_canvas .key .chip").nth(7).click()
    wait_painted(page)
    again = open_page(url=page.url)
    wait_painted(again)
    for key, panel in (("large_head", "weights"), ("rollout_layer", "whole")):
        assert_close(painted(again, key, panel), painted(page, key, panel))
    focus = again.locator(".st-key-strip_canvas .chip.focus").all_inner_texts()
    assert focus == page.locator(".st-key-strip_canvas .chip.focus").all_inner_texts()
    assert len(focus) == 2
    assert again.get_by_role("button", name="Layer 3, head 10", exact=True).get_attribute("aria-pressed") == "true"


def test_labels_of_one_row_stand_on_one_line(open_page) -> None:
    page = open_page("/heads", query={"tab": "compare", "b_settings": "own"})
    widgets = page.locator(".st-key-b_settings_bar > .stElementContainer")
    widgets.nth(2).wait_for()
    wait_settled(page)
    labels = [widget.get_by_test_id("stWidgetLabel").first for widget in widgets.all()]
    tops = [label.bounding_box()["y"] for label in labels]  # of a list, of pills, of a slider
    assert len(tops) == 3 and max(tops) - min(tops) < 1


@pytest.mark.parametrize("width", [1024, 390])
@pytest.mark.parametrize("tab", ["lines", "measures", "compare", "rollout", "off"])
def test_no_tab_scrolls_sideways(open_page, tab, width) -> None:
    page = open_page("/heads", width=width, query={"tab": tab, "off": "1.1", "show": "all", "b_settings": "own"})
    wait_settled(page)  # a scroll bar that comes narrows the page, and the canvases follow in the next frame
    main = page.get_by_test_id("stMain")
    assert main.evaluate("main => main.scrollWidth - main.clientWidth") <= 0
    widest = page.evaluate(
        """() => Math.max(...[...document.querySelectorAll("*")].filter((node) => node.__headlight)
            .flatMap((node) => [...node.shadowRoot.querySelectorAll("canvas, button")])
            .map((part) => part.getBoundingClientRect().right))"""
    )
    assert widest <= width


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("tab", ["lines", "measures", "compare", "rollout", "off"])
def test_no_tab_has_an_accessibility_violation(open_page, tab, theme) -> None:
    page = open_page("/heads", theme=theme, query={"tab": tab, "off": "1.1", "b_settings": "own"})
    wait_painted(page)
    violations = Axe().run(page).response["violations"]
    assert not [(violation["id"], [node["html"][:200] for node in violation["nodes"]]) for violation in violations]


# What a page says to Python waits until it is let go, or is lost: a slow or broken connection.
HOLD = """() => {
    const send = WebSocket.prototype.send;
    const held = [];
    WebSocket.prototype.send = function (message) { held.push([this, message]); };
    window.__release = (lost = false) => {
        WebSocket.prototype.send = send;
        if (!lost) held.forEach(([socket, message]) => send.call(socket, message));
    };
}"""
LARGE = """[...document.querySelectorAll(".st-key-large_head *")].find((node) => node.__headlight)"""
CENTRES = f"""() => {{
    const canvas = {LARGE}.shadowRoot.querySelector("canvas:not(.sheet)");
    const {{ x, y, w, h, rows, cols }} = canvas.__box;
    const ratio = canvas.width / parseFloat(canvas.style.width);
    const context = canvas.getContext("2d");
    const place = (start, length, i, n) => Math.floor(ratio * (start + (length * (i + 0.5)) / n));
    return Array.from({{ length: rows * cols }}, (_, i) => Array.from(context.getImageData(
        place(x, w, i % cols, cols), place(y, h, Math.floor(i / cols), rows), 1, 1).data));
}}"""
SHOWS = f"([head, exact]) => {{ const now = {LARGE}?.__headlight; return now?.head === head && now.exact === exact; }}"


def shows(page: Page, head: str, exact: bool) -> None:
    """Wait until the large canvas paints this head, from float32 or from bytes."""
    page.wait_for_function(SHOWS, arg=[head, exact], timeout=60_000)
    wait_frames(page)  # what is chosen is painted in the next frame


def cells(page: Page) -> torch.Tensor:
    """Red, green, blue and opacity in the middle of each cell of the large canvas."""
    return torch.tensor(page.evaluate(CENTRES), dtype=torch.float64)


def coded(weights: torch.Tensor) -> torch.Tensor:
    """The colours of weights that went through a byte each."""
    return colours(((254 * weights.sqrt()).round() / 254) ** 2).flatten(0, 1)


def named(page: Page) -> str:
    """What a screen reader hears of the large canvas."""
    return page.locator(".st-key-large_head .root").get_attribute("aria-label") or ""


def test_a_chosen_head_is_painted_from_its_bytes_until_torchs_float32_is_there(open_page, eager) -> None:
    page = open_page("/heads")
    shows(page, "3,1", True)
    attentions = hidden(eager).attentions
    page.evaluate(HOLD)
    thumbnail = page.get_by_role("button", name="Layer 6, head 11", exact=True)
    thumbnail.click()
    shows(page, "5,10", False)
    weights = attentions[5][0, 10]
    assert_close(cells(page)[:, :3], coded(weights), rtol=0, atol=2.0)
    assert thumbnail.get_attribute("aria-pressed") == "true"
    assert page.locator(".st-key-overview [aria-pressed=true]").count() == 1
    assert named(page) == "Layer 6, head 11, ≈ preview, one byte a weight"
    box = page.locator(".st-key-large_head canvas").bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    tip = page.locator(".st-key-large_head .tip div").last
    assert re.fullmatch(r"≈ \S{1,8} \(preview, one byte a weight\)", tip.inner_text())
    page.evaluate("window.__release()")
    shows(page, "5,10", True)
    assert_close(painted(page, "large_head", "weights"), weights.flatten(), rtol=0, atol=1e-6)
    assert_close(cells(page)[:, :3], colours(weights).flatten(0, 1), rtol=0, atol=2.0)
    assert "preview" not in named(page)
    assert re.fullmatch(r"α = \S+", tip.inner_text())


def test_a_head_chosen_by_its_thumbnail_stays_when_something_else_changes(open_page) -> None:
    page = open_page("/heads")
    page.get_by_role("button", name="Layer 1, head 7", exact=True).click()
    wait_painted(page)
    for other in (WORDS["shows.mean"], WORDS["shows.head"]):
        page.get_by_text(other, exact=True).first.click()
        wait_painted(page)
        assert "layer=1" in page.url and "head=7" in page.url
    assert page.get_by_role("button", name="Layer 1, head 7", exact=True).get_attribute("aria-pressed") == "true"


def test_an_answer_to_an_earlier_choice_does_not_displace_the_last_one(open_page, eager) -> None:
    page = open_page("/heads")
    shows(page, "3,1", True)
    attentions = hidden(eager).attentions
    page.locator(".st-key-overview .root").evaluate(
        f"""async (root) => {{
            root.querySelector("[aria-label='Layer 6, head 11']").click();
            await new Promise((go) => setTimeout(go)); // it is on its way to Python
            ({HOLD})();
            root.querySelector("[aria-label='Layer 2, head 5']").click();
        }}"""
    )
    page.wait_for_url("**head=11**")
    wait_painted(page)  # the first choice was answered
    assert_close(painted(page, "large_head", "weights"), attentions[5][0, 10].flatten(), rtol=0, atol=1e-6)
    shows(page, "1,4", False)
    assert_close(cells(page)[:, :3], coded(attentions[1][0, 4]), rtol=0, atol=2.0)
    chosen = page.locator(".st-key-overview [aria-pressed=true]")
    assert chosen.get_attribute("aria-label") == "Layer 2, head 5"
    page.evaluate("window.__release()")
    shows(page, "1,4", True)
    assert_close(painted(page, "large_head", "weights"), attentions[1][0, 4].flatten(), rtol=0, atol=1e-6)


def test_a_choice_that_python_does_not_follow_is_taken_back(open_page, eager) -> None:
    page = open_page("/heads")
    shows(page, "3,1", True)
    page.evaluate(HOLD)
    page.get_by_role("button", name="Layer 6, head 11", exact=True).click()
    shows(page, "5,10", False)
    page.evaluate("window.__release(true)")
    page.locator(".st-key-strip_canvas .query .chip").nth(4).click()  # any answer, about the head that Python knows
    shows(page, "3,1", True)
    assert_close(cells(page)[:, :3], colours(hidden(eager).attentions[3][0, 1]).flatten(0, 1), rtol=0, atol=2.0)
    chosen = page.locator(".st-key-overview [aria-pressed=true]")
    assert chosen.get_attribute("aria-label") == "Layer 4, head 2"


def test_the_controls_of_layer_and_head_are_previewed_with_mouse_and_keyboard(open_page, eager) -> None:
    page = open_page("/heads")
    shows(page, "3,1", True)
    page.evaluate(HOLD)
    page.locator(".st-key-head").get_by_role("radio", name="5", exact=True).click()
    shows(page, "3,4", False)
    layers = page.locator(".st-key-layer").get_by_role("radio")
    layers.nth(3).focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    shows(page, "4,4", False)
    assert_close(cells(page)[:, :3], coded(hidden(eager).attentions[4][0, 4]), rtol=0, atol=2.0)
    layers.nth(4).click()  # already chosen
    page.evaluate("window.__release()")
    shows(page, "4,4", True)


def test_masked_cells_of_a_preview_are_hatched_and_no_numbers(open_page) -> None:
    page = open_page("/heads", query={"mask": "causal", "where": "all"})
    shows(page, "3,1", True)
    n = 15
    page.evaluate(HOLD)
    page.get_by_role("button", name="Layer 4, head 7", exact=True).click()
    shows(page, "3,6", False)
    opacity = cells(page)[:, 3].view(n, n)
    future = torch.ones(n, n, dtype=torch.bool).triu(1)
    assert (opacity[~future] == 255).all()
    assert (opacity[future] < 255).all(), "a masked cell is covered"
    box = page.evaluate(f"{LARGE}.shadowRoot.querySelector('canvas:not(.sheet)').__box")
    frame = page.locator(".st-key-large_head canvas").bounding_box()
    page.mouse.move(frame["x"] + box["x"] + box["w"] - 5, frame["y"] + box["y"] + 5)  # first query, last key
    assert page.locator(".st-key-large_head .tip div").last.inner_text() == "masked"


def test_only_thumbnails_that_show_what_python_would_are_painted(open_page) -> None:
    page = open_page("/heads", query={"temperature": "0.5"})  # in the chosen layer only
    shows(page, "3,1", True)
    page.evaluate(HOLD)
    page.get_by_role("button", name="Layer 6, head 11", exact=True).click()
    chosen = page.locator(".st-key-overview [aria-pressed=true]")
    assert chosen.get_attribute("aria-label") == "Layer 6, head 11"
    wait_frames(page)
    shows(page, "3,1", True)  # in layer 6 the temperature would be another
    page.get_by_role("button", name="Layer 4, head 7", exact=True).click()
    shows(page, "3,6", False)
    page.evaluate("window.__release()")
    shows(page, "3,6", True)


def test_a_preview_of_a_long_text_says_that_it_is_pooled(open_page) -> None:
    page = open_page("/heads", query={"text": "the law saw the king " * 30})
    shows(page, "3,1", True)
    page.evaluate(HOLD)
    page.get_by_role("button", name="Layer 6, head 11", exact=True).click()
    shows(page, "5,10", False)
    assert named(page) == "Layer 6, head 11, ≈ preview, the largest weight of each block"
    page.evaluate("window.__release()")
    shows(page, "5,10", True)


@pytest.mark.parametrize("show", ["all", "mean", "norm"])
def test_what_is_no_head_is_not_previewed(open_page, show) -> None:
    page = open_page("/heads", query={"show": show})
    before = painted(page, f"large_{show}", {"all": "h1", "mean": "mean", "norm": "norm"}[show])
    page.evaluate(HOLD)
    page.locator(".st-key-overview").get_by_role("button", name="Layer 4, head 7", exact=True).click()
    wait_frames(page)
    after = painted(page, f"large_{show}", {"all": "h1", "mean": "mean", "norm": "norm"}[show])
    assert_close(after, before, equal_nan=True)
    assert page.evaluate(f"key => {HOST}.__headlight.exact", f"large_{show}")
    framed = page.locator(f".st-key-large_{show} [aria-pressed=true]")
    assert framed.count() == (show == "all")
    if show == "all":
        assert framed.get_attribute("aria-label") == "Layer 4, head 7"
