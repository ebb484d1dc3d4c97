"""What a person does on the Bench page: choose mechanisms, slide D, click a token, type a second sentence, share."""

import math

import pytest
import torch
import torch.nn.functional as F
from playwright.sync_api import Page
from torch.testing import assert_close

from attention_core.mechanisms.bench import WIDTHS
from attention_core.models import load_embedded
from tests.harness.browser import wait_frames, wait_idle, wait_painted
from ui.controls import DEFAULT_SENTENCE
from ui.text import words

WORDS = words("bench", "en")
LAYER, HEAD = 3, 1  # counted from 0: what the default sentence opens at
OTHER = "The dog slept"
pytestmark = pytest.mark.usefixtures("awake")
HOST = """(key) => [...document.querySelectorAll(`.st-key-${key} *`)].find((node) => node.__headlight)"""


def opened(open_page, keys: str = "scaled_dot,dot,window", url: str | None = None, **options) -> Page:
    """The page with its maps painted."""
    page = open_page("/bench", url=url, query=None if url else {"bench": keys}, **options)
    page.wait_for_function(f"() => (({HOST})('bench_maps'))?.__headlight.frames")
    return page


def unfold(page: Page) -> None:
    """Reference, mask, window and memory are folded at first."""
    page.locator("summary", has_text=WORDS["details"]).click()


def shown(page: Page, name: str, canvas: str = "bench_maps") -> torch.Tensor:
    """A panel as the browser holds it; NaN where it is hatched."""
    values = page.evaluate(
        f"([key, name]) => [...(({HOST})(key)).__headlight.panels[name]].map((x) => Number.isFinite(x) ? x : null)",
        [canvas, name],
    )
    return torch.tensor([math.nan if value is None else value for value in values])


def layer(text: str = DEFAULT_SENTENCE):
    model = load_embedded()
    return model.run(model.tokenize(text)).layers[LAYER].attention


def fused(scale=None, allowed=None, memory: str = DEFAULT_SENTENCE, values=None) -> torch.Tensor:
    """The weights (or the context) of the head in focus, by torch's own attention."""
    q, other = layer().q[HEAD], layer(memory)
    v = torch.eye(other.k.shape[-2]) if values is None else values
    return F.scaled_dot_product_attention(q[None], other.k[HEAD][None], v[None], attn_mask=allowed, scale=scale)[0]


def near(radius: int) -> torch.Tensor:
    n = layer().q.shape[-2]
    position = torch.arange(n)
    return (position[:, None] - position).abs() <= radius


def test_the_maps_are_torchs_and_follow_every_control(open_page) -> None:
    page = opened(open_page)
    scaled, dot = fused(), fused(scale=1.0)
    assert_close(shown(page, "weights_scaled_dot"), scaled.flatten(), rtol=1e-4, atol=1e-6)
    assert_close(shown(page, "difference_dot"), (dot - scaled).flatten(), rtol=1e-4, atol=1e-6)
    window = torch.where(near(2), fused(allowed=near(2)), math.nan)
    assert_close(shown(page, "weights_window"), window.flatten(), rtol=1e-4, atol=1e-6, equal_nan=True)
    context = fused(values=layer().v[HEAD], scale=1.0)
    assert_close(shown(page, "context_dot", "bench_contexts"), context.flatten(), rtol=1e-4, atol=1e-5)
    entropy = torch.distributions.Categorical(scaled).entropy()
    n = len(entropy)
    assert_close(shown(page, "token_entropy", "bench_tokens")[:n], entropy, rtol=1e-4, atol=1e-6)

    unfold(page)
    page.get_by_role("slider", name=WORDS["radius"]).press("ArrowRight")
    wait_idle(page)
    page.wait_for_url("**bench_D=3**")
    wider = torch.where(near(3), fused(allowed=near(3)), math.nan)
    assert_close(shown(page, "weights_window"), wider.flatten(), rtol=1e-4, atol=1e-6, equal_nan=True)

    page.get_by_role("radio", name="causal", exact=True).click()
    wait_idle(page)
    page.wait_for_url("**bench_mask=causal**")
    below = torch.ones(n, n, dtype=torch.bool).tril()
    causal = torch.where(below, fused(allowed=below), math.nan)
    assert_close(shown(page, "weights_scaled_dot"), causal.flatten(), rtol=1e-4, atol=1e-6, equal_nan=True)

    elsewhere = opened(open_page, url=page.url)
    for name in ("weights_scaled_dot", "weights_window", "difference_dot"):
        assert_close(shown(elsewhere, name), shown(page, name), equal_nan=True)


def test_another_sentence_becomes_the_memory(open_page) -> None:
    page = opened(open_page)
    unfold(page)
    page.get_by_role("radio", name=WORDS["memories.other"], exact=True).click()
    wait_idle(page)
    page.get_by_text(WORDS["empty_memory"]).wait_for()
    assert_close(shown(page, "weights_scaled_dot"), fused().flatten(), rtol=1e-4, atol=1e-6)
    box = page.get_by_label(WORDS["memory_text"])
    box.fill(OTHER)
    box.press("Enter")
    wait_idle(page)
    expected = fused(memory=OTHER)
    assert expected.shape[0] != expected.shape[1]
    assert_close(shown(page, "weights_scaled_dot"), expected.flatten(), rtol=1e-4, atol=1e-6)
    page.wait_for_url("**bench_text=**")


def test_a_mechanism_is_chosen_with_the_keyboard_and_a_token_with_a_click(open_page) -> None:
    page = opened(open_page)
    box = page.get_by_role("combobox", name=WORDS.format("choose", least=2, most=6))
    box.click()
    box.fill("Cosine")
    box.press("Enter")
    wait_idle(page)
    page.wait_for_url("**cosine**")
    q, k = layer().q[HEAD], layer().k[HEAD]
    expected = F.cosine_similarity(q[:, None], k[None], dim=-1).softmax(dim=-1)
    assert_close(shown(page, "weights_cosine"), expected.flatten(), rtol=1e-4, atol=1e-6)
    box.press("Escape")
    chip = page.locator(".st-key-bench_maps .chips.query .chip").nth(2)
    chip.click()
    wait_idle(page)
    page.wait_for_url("**focus=2**")
    page.get_by_text(WORDS.data("focused", number=3, token="animal")).wait_for()


def test_maps_and_controls_share_the_first_screen(open_page) -> None:
    page = opened(open_page, ",".join(("scaled_dot", "general", "dot", "local_p", "window", "graves")))
    wait_painted(page)
    bottoms = page.locator(".st-key-bench_maps canvas[role=application]").evaluate_all(
        "(all) => all.map((one) => one.getBoundingClientRect().bottom)"
    )
    assert len(bottoms) == 12 and max(bottoms) <= 900
    unfold(page)
    assert page.get_by_role("slider", name=WORDS["radius"]).bounding_box()["y"] > 0


@pytest.mark.parametrize("width", [1024, 390])
def test_maps_that_one_line_cannot_hold_stand_side_by_side_in_several(open_page, width) -> None:
    page = opened(open_page, ",".join(("scaled_dot", "general", "dot", "local_p", "window", "graves")), width=width)
    wait_painted(page)
    lines = page.locator(".st-key-bench_maps .row").evaluate_all(
        """(rows) => rows.map((row) => [...row.querySelectorAll("canvas")].map((one) => {
            const { left, top, right } = one.getBoundingClientRect();
            return [left, top, right];
        }))"""
    )
    for row in lines:
        tops = sorted({round(top) for _, top, _ in row})
        beside = len(row) // len(tops)
        assert len(tops) > 1 and beside > 1
        assert [round(top) for _, top, _ in row] == [top for top in tops for _ in range(beside)]
        assert len({round(left) for left, _, _ in row}) == beside  # columns
        assert max(right for _, _, right in row) <= width


def test_d_k_moves_the_spread_under_the_finger(open_page) -> None:
    page = opened(open_page)
    slider = page.get_by_role("slider", name="d_k", exact=True)
    slider.scroll_into_view_if_needed()
    stop = WIDTHS.index(256)
    slider.evaluate("(node, at) => { node.value = at; node.dispatchEvent(new Event('input')); }", stop)
    wait_frames(page)
    logs = page.evaluate(f"(key) => [...(({HOST})(key)).__headlight.frame('std')]", "bench_widths")
    assert_close(10 ** torch.tensor(logs), torch.tensor([16.0, 1.0, math.sqrt(0.52), 16.0]), rtol=0.1, atol=0)
    slider.evaluate("(node) => node.dispatchEvent(new Event('change'))")
    page.wait_for_url("**bench_width=256**")
