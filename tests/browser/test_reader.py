"""What a reader's browser does with a page: translates it, prints it, copies from it, pastes into it, follows links."""

import re
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest
from playwright.sync_api import Page, expect

from tests.harness.browser import wait_idle, wait_settled
from ui.controls import MAX_CHARS
from ui.navigation import PAGES
from ui.packing import MARK
from ui.text import words

pytestmark = pytest.mark.usefixtures("awake")
PATIENCE = 60_000  # milliseconds for a page's answer, also on a busy machine
CHINESE = ["".join(chr(0x4E00 + step * n % 20_000) for n in range(MAX_CHARS)) for step in (7, 11)]
ADDRESSES = ["/" if entry == PAGES[0] else f"/{entry.url_path}" for entry in PAGES]
# What translators do, once and with all that comes after: they wrap a text, or put another in its place.
TRANSLATOR = """(replaces) => {
    const translate = (text) => {
        const { parentNode } = text;
        const kept = parentNode?.closest('[translate=no], [contenteditable], script, style, textarea');
        if (!text.data.trim() || !parentNode || kept || parentNode.nodeName === 'FONT') return;
        const [outer, inner] = [document.createElement('font'), document.createElement('font')];
        outer.append(inner);
        text.replaceWith(outer);
        inner.append(replaces ? `» ${text.data}` : text);
    };
    const texts = (root) => {
        const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
        const inside = [];
        while (walker.nextNode()) inside.push(walker.currentNode);
        return inside;
    };
    texts(document.body).forEach(translate);
    new MutationObserver((changes) => {
        for (const { addedNodes } of changes)
            for (const node of addedNodes)
                if (node.nodeType === 3) translate(node);
                else if (node.nodeName !== 'FONT') texts(node).forEach(translate);
    }).observe(document.body, { subtree: true, childList: true });
}"""


UNMARKED = """(selector) => [...document.querySelectorAll(selector)]
    .filter((node) => !node.closest('[translate=no]')).length"""
ROOTS = """(attribute) => [...document.querySelectorAll('.stBidiComponent *')]
    .map((node) => node.shadowRoot?.querySelector('.root')?.getAttribute(attribute))
    .filter((value) => value !== undefined && value !== null)"""


def ready(page: Page) -> None:
    """Our scripts have arrived: what a page does by itself begins with them."""
    page.wait_for_function("() => window.__headlight?.reader")


def failed(page: Page) -> int:
    return page.locator('[data-testid="stException"], [data-testid="stErrorElementContainer"], .stException').count()


# --- the language of the page, and translators ---


@pytest.mark.parametrize(
    ("language", "query", "expected"), [("en", {}, "en"), ("zh", {}, "zh"), ("en", {"lang": "zh"}, "zh")]
)
def test_the_page_says_its_language_to_the_browser(open_page, language, query, expected) -> None:
    page = open_page("/heads", language=language, query=query)
    expect(page.locator("html")).to_have_attribute("lang", expected, timeout=PATIENCE)


def test_the_language_the_browser_is_told_follows_the_switch_and_back(open_page) -> None:
    page = open_page("/its-law")
    page.get_by_text("中文", exact=True).click()
    expect(page.locator("html")).to_have_attribute("lang", "zh", timeout=PATIENCE)
    wait_idle(page)
    page.go_back(wait_until="commit")
    expect(page.locator("html")).to_have_attribute("lang", "en", timeout=PATIENCE)


@pytest.mark.parametrize("replaces", [False, True], ids=["wraps", "replaces"])
def test_a_translated_page_goes_on_when_a_sentence_cannot_be_read(open_page, replaces) -> None:
    page = open_page("/its-law")
    ready(page)
    page.evaluate(TRANSLATOR, replaces)
    field = page.get_by_role("textbox").first
    for text in ("zzz qqq", "the law saw the king", "zzz", ""):
        field.fill(text)
        field.press("Enter")
        wait_idle(page)
        assert not failed(page), text
    field.fill("zzz qqq")
    field.press("Enter")
    expect(page.locator(".stAlert").first).to_contain_text("zzz")


@pytest.mark.parametrize("address", ADDRESSES)
def test_every_page_can_be_translated_but_for_its_tokens_and_used(open_page, address) -> None:
    page = open_page(address)
    ready(page)
    page.wait_for_function(f"({UNMARKED})('code, canvas, .katex') === 0")
    assert set(page.evaluate(ROOTS, "translate")) == {"no"}
    page.evaluate(TRANSLATOR, ADDRESSES.index(address) % 2 == 0)
    for language in ("zh", "en", "zh"):
        page.locator(".st-key-language").get_by_role("radio").nth(int(language == "zh")).click()
        expect(page.locator("html")).to_have_attribute("lang", language, timeout=PATIENCE)
        wait_idle(page)
        assert not failed(page), language
    title = words("common", "zh")[f"page.{PAGES[ADDRESSES.index(address)].name}.title"]
    expect(page.get_by_role("heading", level=1)).to_have_text(re.compile(f"(» )?{re.escape(title)}"), timeout=PATIENCE)


# --- long links ---


def length(page: Page) -> int:
    return len(page.url.encode())


def test_two_long_chinese_sentences_fit_a_link_that_opens(open_page) -> None:
    page = open_page("/two-sentences")
    for text, box in zip(CHINESE, page.get_by_role("textbox").all(), strict=False):
        box.fill(text)
        box.press("Enter")
        wait_idle(page)
    expect(page).to_have_url(re.compile(f"first={MARK}.*second={MARK}"), timeout=60_000)
    assert length(page) < 2**15
    assert page.reload().status == 200
    wait_idle(page)
    for text, box in zip(CHINESE, page.get_by_role("textbox").all(), strict=False):
        expect(box).to_have_value(text)


@pytest.mark.parametrize("letters", [4001, 70_000])
def test_the_second_sentence_of_a_comparison_is_cut_like_the_first(open_page, letters) -> None:
    page = open_page("/heads", query={"tab": "compare"})
    box = page.locator(".st-key-b_text").get_by_role("textbox")
    box.fill("law " * (letters // 4) + "x" * (letters % 4))
    box.press("Enter")
    rest = "cut_rest" if letters > 25_000 else "cut_characters"
    sentence = words("controls", "en")[rest].split("{")[0].strip()
    page.get_by_text(re.compile(f"B: .*{sentence}")).wait_for(timeout=20_000)
    wait_idle(page)
    assert length(page) < 2**13
    assert page.reload().status == 200


# --- a text of megabytes ---

REST = words("controls", "en").format("cut_rest", limit=MAX_CHARS)
BOXES = {
    "/": (".st-key-text", REST),
    "/heads?tab=compare": (".st-key-b_text", REST),
    "/two-sentences": (".st-key-first", words("two_sentences", "en").format("cut_characters", limit=MAX_CHARS)),
    "/its-law": (".st-key-pr_text", REST),
    "/bench?bench_memory=other": (".st-key-bench_text", REST),
}


@pytest.mark.parametrize(("address", "box", "sentence"), [(address, *box) for address, box in BOXES.items()])
def test_three_megabytes_are_a_sentence_in_every_box_and_the_page_goes_on(open_page, address, box, sentence) -> None:
    page = open_page(address)
    closed = []
    page.on("websocket", lambda socket: closed.append(socket))  # another one: the first was lost
    ready(page)
    field = page.locator(box).get_by_role("textbox")
    field.evaluate(
        """(field, text) => {
            field.focus();
            const { set } = Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value');
            set.call(field, text);
            field.dispatchEvent(new Event('input', { bubbles: true }));
        }""",
        "the law " * 400_000,
    )
    field.press("Enter")
    wait_idle(page)
    page.get_by_text(sentence).first.wait_for(timeout=30_000)
    wait_idle(page)
    assert not closed and not failed(page)


# --- copying ---

BROKEN_CLIPBOARDS = {
    "plain http": "Object.defineProperty(Navigator.prototype, 'clipboard', { get: () => undefined });",
    "refused": "Clipboard.prototype.writeText = () => Promise.reject(new DOMException('no', 'NotAllowedError'));",
}
UNCOVERED = """(node) => {
    const { x, y, width, height } = node.getBoundingClientRect();
    const inside = x >= 0 && y >= 0 && x + width <= innerWidth && y + height <= innerHeight;
    const top = (part) => document.elementFromPoint(x + width / 2, y + height * part) === node;
    return inside && [0.1, 0.5, 0.9].every(top);
}"""


@pytest.mark.parametrize("script", BROKEN_CLIPBOARDS.values(), ids=BROKEN_CLIPBOARDS)
@pytest.mark.parametrize("helps", [True, False])
def test_copying_works_without_a_clipboard_or_says_that_it_cannot(browser, server, script, helps) -> None:
    with browser.new_page(viewport={"width": 390, "height": 844}) as page:  # where the menu leaves no room beside it
        page.add_init_script(script)
        if not helps:
            page.add_init_script("Document.prototype.execCommand = () => false;")
        page.goto(f"{server.url}/softmax")
        wait_idle(page)
        ready(page)
        page.locator(".st-key-take_softmax").get_by_role("button").first.click()
        code = page.locator("[data-testid=stCode]").last
        code.wait_for()
        text = code.locator("code").inner_text()
        code.hover()
        code.get_by_role("button").click()
        if helps:
            page.keyboard.press("Escape")
            page.evaluate("document.body.append(Object.assign(document.createElement('textarea'), { id: 'pasted' }))")
            page.locator("#pasted").focus()
            page.keyboard.press("ControlOrMeta+v")
            assert page.locator("#pasted").input_value().split() == text.split()
        else:
            sentence = page.get_by_text(words("common", "en")["copying"])
            sentence.wait_for()
            assert sentence.evaluate(UNCOVERED)
            assert page.evaluate("getSelection().toString()").split() == text.split()


# --- paper ---


@pytest.mark.parametrize(("address", "theme"), [("/", "light"), *((address, "dark") for address in ADDRESSES)])
def test_on_paper_a_page_is_black_on_white_and_nothing_covers_it(open_page, address, theme) -> None:
    page = open_page(address, theme=theme)
    ready(page)
    wait_settled(page)
    page.emulate_media(media="print", color_scheme=theme)
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert set(page.evaluate(ROOTS, "data-mode")) <= {"light"}
    assert page.locator("[data-testid=stHeader]").evaluate("(node) => getComputedStyle(node).display") == "none"
    dark = """() => [...document.querySelectorAll('.stApp, .stApp *')].filter((node) => {
        const { backgroundColor, color, position, display, visibility } = getComputedStyle(node);
        const bright = (value) => {
            const [r, g, b, a = 1] = value.match(/[\\d.]+/g).map(Number);
            return a ? (r + g + b) / 3 : 255;
        };
        if (!node.getClientRects().length || visibility === 'hidden') return false;
        return bright(backgroundColor) < 200 || bright(color) > 140 || ['fixed', 'sticky'].includes(position);
    }).map((node) => node.outerHTML.slice(0, 200))"""
    assert not page.evaluate(dark)
    page.emulate_media(media="screen", color_scheme=theme)
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert set(page.evaluate(ROOTS, "data-mode")) <= {theme}


# --- a frame of another site ---


@pytest.fixture
def stranger(server) -> Iterator[str]:
    """The address of another site, which shows ours in a frame: to a browser 127.0.0.1 is no place of localhost."""
    page = f"<iframe src='{server.url}/time-series?ts_source=own' width=1200 height=900></iframe>".encode()

    class Stranger(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("content-type", "text/html")
            self.end_headers()
            self.wfile.write(page)

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Stranger) as site:
        Thread(target=site.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{site.server_address[1]}"
        site.shutdown()


def test_in_a_frame_of_another_site_a_sentence_says_where_files_can_be_sent(browser, server, stranger) -> None:
    with browser.new_page() as page:
        page.goto(stranger)
        frame = page.frame_locator("iframe")
        notice = frame.locator(".stAlert", has_text=f"{server.url}/time-series")
        notice.wait_for(timeout=120_000)
        assert frame.locator("[data-testid=stFileUploader]:visible").count() == 0
        with page.expect_popup() as popup:
            frame.get_by_role("link", name=words("common", "en")["upload.open"]).click()
        popup.value.locator("[data-testid=stFileUploader]").first.wait_for(timeout=120_000)
        assert "ts_source=own" in popup.value.url


# --- addresses of nothing ---


def test_a_page_is_found_under_its_name(open_page) -> None:
    page = open_page("/explore/pipeline", language="zh")
    page.get_by_role("heading", level=1, name=words("common", "zh")["page.pipeline.title"]).wait_for()


@pytest.mark.parametrize("address", ["/heads/x", "/nothing", "/nothing.html"])
def test_an_address_of_nothing_is_a_sentence_with_the_way_home(browser, server, address) -> None:
    with browser.new_page(locale="zh-CN") as page:
        page.goto(server.url + address)
        page.get_by_role("heading", level=1, name=words("server", "zh")["missing.title"]).wait_for()
        page.get_by_role("link", name=words("server", "zh")["missing.way"]).click()
        page.get_by_role("heading", level=1, name=words("common", "zh")["page.start.title"]).wait_for()
