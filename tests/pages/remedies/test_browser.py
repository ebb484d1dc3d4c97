"""What a person does on the Remedies page: drag each slider, choose a remedy, open the link elsewhere."""

import pytest
import torch
import torch.nn.functional as F
from playwright.sync_api import Page
from torch.testing import assert_close

from attention_core.models import FromScratch, load_embedded
from attention_core.remedies import REMEDIES
from attention_core.remedy_curves import COLUMNS
from attention_core.saturation import D_K_STOPS, INPUT_SCALES, untrained
from tests.harness import laboratory
from tests.harness.browser import wait_frames, wait_idle, wait_painted
from tests.harness.pixels import colours, painted, sent
from tests.harness.pixels import drag as drag_with_mouse
from tests.harness.training import number
from ui.controls import DEFAULT_SENTENCE
from ui.session import PROBED
from ui.text import words

pytestmark = pytest.mark.usefixtures("awake")
WORDS = words("remedies", "en")
KEYS = list(REMEDIES)
HOST = """() => [...document.querySelectorAll(".st-key-remedies *")].find((node) => node.__headlight)"""


def opened(open_page, url: str | None = None) -> Page:
    """The page with its pictures painted."""
    page = open_page("/remedies", url=url)
    page.locator(".st-key-remedies canvas").first.wait_for()
    page.wait_for_function(f"() => (({HOST})())?.__headlight.frames")
    return page


def layer():
    scratch = FromScratch(PROBED, load_embedded())
    return untrained(scratch.embed(scratch.tokenize(DEFAULT_SENTENCE)), 0)


def frame(page: Page, name: str) -> torch.Tensor:
    return laboratory.film(page, "remedies", name).float()


def slide(page: Page, name: str, stop: int, *, release: bool) -> None:
    laboratory.slide(page.get_by_role("slider", name=WORDS[name], exact=True), stop, release=release)


def fused(d_k: int, alpha: float, n: int, scale: float) -> torch.Tensor:
    """Weights of the first head by torch's own attention."""
    probe = layer()
    q, k = (alpha * side[:1, :n, :d_k].double() for side in (probe.q, probe.k))
    return F.scaled_dot_product_attention(q, k, torch.eye(n).double()[None], scale=scale)[0].float()


def shown(page: Page, key: str, n: int, film: str = "thumbs") -> torch.Tensor:
    weights = frame(page, film)
    weights = weights.view(len(KEYS), -1)[KEYS.index(key)] if film == "thumbs" else weights
    side = round(len(weights) ** 0.5)
    picture = weights.view(side, side)
    assert picture[n:].isnan().all() and picture[:, n:].isnan().all()
    return picture[:n, :n]


def reading(page: Page, column: str) -> float:
    line = page.locator(".st-key-remedies .reading").nth(COLUMNS.index(column))
    return number(line.locator("output").inner_text().split()[0])


def test_every_slider_shows_torchs_weights_while_it_moves(open_page) -> None:
    page = opened(open_page)
    n = round(len(frame(page, "chosen")) ** 0.5)
    assert_close(shown(page, "none", n, "chosen"), fused(64, 1.0, n, 1.0), rtol=1e-4, atol=1e-6)

    requests, before_all = [], sent(page)
    page.on("request", lambda request: requests.append(request.url))
    stop = D_K_STOPS.index(256)
    slide(page, "d_k", stop, release=False)
    expected = fused(256, 1.0, n, 1.0)
    assert_close(shown(page, "none", n, "chosen"), expected, rtol=1e-4, atol=1e-6)
    assert_close(shown(page, "inverse_sqrt", n), fused(256, 1.0, n, 256**-0.5), rtol=0, atol=1 / 254)
    assert_close(reading(page, "peak"), float(expected.amax(dim=-1).mean()), rtol=1e-3, atol=0)
    assert not requests and sent(page) == before_all  # no server while the finger is down
    slide(page, "d_k", stop, release=True)
    assert sent(page) > before_all
    assert "dk=256" in page.url

    before = shown(page, "qk_norm", n).clone()
    slide(page, "alpha", INPUT_SCALES.index(4.0), release=False)
    assert_close(shown(page, "qk_norm", n), before, rtol=0, atol=0)
    assert_close(shown(page, "inverse_sqrt", n), fused(256, 4.0, n, 256**-0.5), rtol=0, atol=1 / 254)
    slide(page, "alpha", INPUT_SCALES.index(1.0), release=True)

    slide(page, "n", 5 - 2, release=False)
    assert_close(shown(page, "inverse_sqrt", 5), fused(256, 1.0, 5, 256**-0.5), rtol=0, atol=1 / 254)
    ssmax = fused(256, 1.0, 5, 0.43 * torch.tensor(5.0).log().item() * 256**-0.5)
    assert_close(shown(page, "ssmax", 5), ssmax, rtol=0, atol=1 / 254)
    slide(page, "n", 5 - 2, release=True)
    assert "tokens=5" in page.url

    elsewhere = opened(open_page, page.url)
    assert_close(frame(elsewhere, "table"), frame(page, "table"))
    assert_close(frame(elsewhere, "thumbs"), frame(page, "thumbs"), equal_nan=True)


def test_the_real_slider_under_the_mouse_paints_torchs_weights(open_page) -> None:
    page = opened(open_page)
    n, before = round(len(frame(page, "chosen")) ** 0.5), sent(page)
    drag_with_mouse(page, "remedies", "alpha", INPUT_SCALES.index(1.0), INPUT_SCALES.index(0.5))
    alpha = INPUT_SCALES[page.evaluate(f"() => (({HOST})()).__headlight.at().alpha")]
    assert 0.4 < alpha < 0.6
    expected = fused(64, alpha, n, 1.0)
    assert_close(painted(page, "remedies", "chosen", n), colours(expected), rtol=0, atol=1.5)
    assert sent(page) == before
    page.mouse.up()
    page.wait_for_url(f"**scale={alpha:g}**")
    assert sent(page) > before


def test_the_line_that_is_pointed_at_is_named(open_page) -> None:
    page = opened(open_page)
    canvas = page.locator(".st-key-remedies [data-name=peak_alpha] canvas")
    canvas.scroll_into_view_if_needed()
    wait_painted(page)
    box = page.evaluate(f"() => (({HOST})()).__headlight.boxes().peak_alpha.box")
    place = canvas.bounding_box()
    page.mouse.move(place["x"] + box["x"] + box["w"] / 2, place["y"] + box["y"] + 2)
    wait_frames(page)
    lines = page.locator(".st-key-remedies .tip div").all_inner_texts()
    assert len(lines) == 2
    assert lines[0].startswith(WORDS["alpha"])


def test_another_slider_before_python_has_answered_shows_nothing_false(open_page) -> None:
    page = opened(open_page)
    n = round(len(frame(page, "chosen")) ** 0.5)
    page.evaluate(
        """([d_k, alpha]) => {
            const host = [...document.querySelectorAll(".st-key-remedies *")].find((node) => node.__headlight);
            const [first, second] = (host.shadowRoot ?? host).querySelectorAll("input[type=range]");
            first.value = d_k;
            first.dispatchEvent(new Event("input"));
            first.dispatchEvent(new Event("change"));
            second.value = alpha;
            second.dispatchEvent(new Event("input"));
        }""",
        [D_K_STOPS.index(16), INPUT_SCALES.index(2.0)],
    )
    wait_painted(page)
    assert_close(shown(page, "inverse_sqrt", n), fused(16, 2.0, n, 0.25), rtol=0, atol=1 / 254)


def test_a_click_on_a_thumbnail_chooses_a_remedy(open_page) -> None:
    page = opened(open_page)
    canvas = page.locator(".st-key-remedies figure.grid canvas")
    wait_painted(page)
    place = page.evaluate(f"(index) => (({HOST})()).__headlight.boxes().thumbs.cells[index]", KEYS.index("sparsemax"))
    canvas.click(position={"x": place["x"] + place["w"] / 2, "y": place["y"] + place["h"] / 2})
    wait_idle(page)
    page.get_by_text(WORDS["remedy.sparsemax.helps"][:20]).wait_for()
    assert "remedy=sparsemax" in page.url
    wait_painted(page)
    n = round(len(frame(page, "chosen")) ** 0.5)
    weights = shown(page, "sparsemax", n, "chosen")
    assert_close(weights.sum(dim=-1), torch.ones(n))
    assert (weights == 0).any()


def test_sliders_and_pictures_share_the_first_screen(open_page) -> None:
    page = opened(open_page)
    for name in ("controls", "thumbs", "chosen"):
        box = page.locator(f".st-key-remedies figure[data-name={name}]").bounding_box()
        assert box["y"] + box["height"] <= 900
