"""What a reader hears who does not see: names and summaries of pictures, groups of buttons, what speaks by itself."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.harness.browser import wait_painted
from ui.navigation import PAGES

pytestmark = pytest.mark.usefixtures("awake")
ADDRESSES = ["/" if entry == PAGES[0] else f"/{entry.url_path}" for entry in PAGES]
AXE = Path(__file__).parents[2] / "node_modules" / "axe-core" / "axe.min.js"
MOST = 2  # live regions that speak at a step
# All nodes of the page, also those of our components.
NODES = """(selector) => {
    const within = (root) => [...root.querySelectorAll("*")].flatMap((node) =>
        [...(node.matches(selector) ? [node] : []), ...(node.shadowRoot ? within(node.shadowRoot) : [])]);
    return within(document);
}"""
PICTURES = f"""() => ({NODES})("canvas[aria-label], .thumb")
    .filter((node) => node.checkVisibility() && node.getBoundingClientRect().top < innerHeight)
    .map((node) => [node.ariaLabel, node.getAttribute("aria-description") ?? ""])"""
VIOLATIONS = """async () => {
    const { violations, passes } = await axe.run(document);
    const where = (nodes) => nodes.map(({ html }) => html.slice(0, 200)).join(" | ");
    const faults = violations.map(({ id, nodes }) => `${id}: ${where(nodes)}`);
    return [passes.length, faults];
}"""
# From here on: the live regions that change, in `window.__spoken`.
LISTENING = f"""() => {{
    window.__spoken = new Set();
    const speaks = (node) => {{
        for (let at = node; at; at = at.parentElement) {{
            const live = at.getAttribute?.("aria-live")
                ?? (at.matches?.("output, [role=status], [role=log]") ? "polite" : null);
            if (live) return live === "off" ? null : at;
        }}
        return null;
    }};
    const look = (changes) => changes.forEach(({{ target }}) => {{
        const region = speaks(target.nodeType === 3 ? target.parentElement : target);
        if (region) window.__spoken.add(region);
    }});
    const roots = ({NODES})("*").map((node) => node.shadowRoot).filter(Boolean);
    for (const root of [document, ...roots])
        new MutationObserver(look).observe(root, {{ subtree: true, childList: true, characterData: true }});
}}"""
ENTERED = """(group) => {
    let active = document.activeElement;
    while (active.shadowRoot?.activeElement) active = active.shadowRoot.activeElement;
    return group.contains(active) ? active.getAttribute("aria-checked") : "elsewhere";
}"""


def described(page: Page) -> list[tuple[str, str]]:
    """Name and description of every picture on the screen, once what was painted is summed up."""
    page.wait_for_function(f"() => ({PICTURES})().every(([name, description]) => description)")
    return page.evaluate(PICTURES)


@pytest.mark.parametrize("address", ADDRESSES)
@pytest.mark.parametrize(("theme", "language"), [("light", "en"), ("dark", "zh")])
def test_every_page_is_clean_to_axe_and_sums_up_its_pictures(open_page, address, theme, language) -> None:
    page = open_page(address, theme=theme, language=language)
    wait_painted(page)
    for name, description in described(page):
        assert re.search(r"\d|zeros|为零", description), name
    page.evaluate(AXE.read_text(encoding="utf-8"))
    passed, faults = page.evaluate(VIOLATIONS)
    assert passed and not faults, faults


@pytest.mark.parametrize("address", ADDRESSES)
def test_tab_enters_groups_of_radio_buttons_at_the_checked_one_and_two_regions_speak_at_most(
    open_page, address
) -> None:
    page = open_page(address)
    wait_painted(page)
    groups = page.get_by_role("radiogroup").all()
    assert groups
    for group in groups:
        checked = group.locator('[role="radio"][aria-checked="true"]')
        if not group.is_visible() or not checked.count():
            continue
        group.evaluate(
            """(group) => {
                const before = Object.assign(document.createElement("button"), { id: "before" });
                group.before(before);
                before.focus();
            }"""
        )
        page.keyboard.press("Tab")
        assert group.evaluate(ENTERED) == "true", group.get_attribute("aria-label")
        group.evaluate("(group) => group.previousElementSibling.remove()")
    for walked in ('input[type="range"]', 'canvas[role="application"]'):
        place = page.locator(walked).first
        if not place.count() or not place.is_visible():
            continue
        place.focus()
        page.evaluate(LISTENING)
        place.press("ArrowRight")
        wait_painted(page)
        assert page.evaluate("window.__spoken.size") <= MOST, walked


@pytest.mark.parametrize("address", ["/remedies", "/bench", "/two-sentences", "/its-law"])
def test_numbers_in_the_cells_of_tables_are_rounded_as_everywhere(open_page, address) -> None:
    page = open_page(address, height=4000)
    page.locator("[data-testid=stDataFrame] canvas td").first.wait_for(state="attached")
    cells = page.locator("[data-testid=stDataFrame] canvas td").all_text_contents()
    assert [cell for cell in cells if re.search(r"\d\.\d{3}", cell)]
    assert not [cell for cell in cells if re.search(r"[1-9]\d*\.\d{5}|0\.0*[1-9]\d{4}", cell)]
