"""What a person does on the Order page: swap words, choose positions, mask, count, share keys."""

import pytest
import torch
import torch.nn.functional as F
from playwright.sync_api import Page
from torch.testing import assert_close

from attention_core.hearing import MASK_KINDS
from attention_core.models import FromScratch, Sizes, load_embedded
from attention_core.shuffling import SCHEMES
from pages.mechanisms.order.masks.numbers import radii
from pages.mechanisms.order.shuffle.numbers import STOPS, orders
from tests.harness import laboratory
from tests.harness.browser import wait_idle, wait_painted
from tests.harness.training import number
from ui.text import words

WORDS = words("order", "en")
TEXT = "The law saw the king, but its city should be just"
SEED, HEAD, SWAPS_SEED = 7, 3, 5
QUERY = {"text": TEXT, "seed": str(SEED), "order_head": str(HEAD), "order_shuffle": str(SWAPS_SEED)}


@pytest.fixture
def page(open_page) -> Page:
    return painted(open_page("/order", query=QUERY))


def painted(page: Page) -> Page:
    for key in ("order_shuffled", "order_masks", "order_costs", "order_sharing"):
        page.wait_for_function(f"() => ({laboratory.HOST})('{key}')?.__headlight.frames")
    wait_idle(page)
    return page


def frame(page: Page, key: str, name: str) -> torch.Tensor:
    return laboratory.film(page, key, name).float()


def slide(page: Page, name: str, stop: int, *, release: bool = False) -> None:
    laboratory.slide(page.locator(f"[data-slider={name}] input"), stop, release=release)


def press(page: Page, name: str, index: int) -> None:
    page.locator(f"[data-slider={name}] button").nth(index).click()
    wait_painted(page)


def reading(page: Page, figure: str, index: int) -> float:
    output = page.locator(f"figure[data-name={figure}] .reading").nth(index).locator("output").inner_text()
    return number(output.split()[0].rstrip(","))


def layer():
    model = FromScratch(Sizes(n_head=8, d_k=8, d_v=8, seed=SEED, positions="none"), load_embedded())
    tokens = model.tokenize(TEXT)
    drawn = model.run(tokens).layers[0]
    return tokens.strings, drawn.x.double(), drawn.projections


def fused(x, matrices, allowed=None, turn=False):
    """Weights of the head by torch's own attention: its values are the identity. `turn`: RoPE by complex numbers."""
    q, k = (x @ W[HEAD - 1].double() for W in (matrices.W_Q, matrices.W_K))
    if turn:
        theta = 10000.0 ** (-torch.arange(0, 8, 2, dtype=torch.float64) / 8)
        angle = torch.outer(torch.arange(len(x), dtype=torch.float64), theta)
        spin = torch.polar(torch.ones_like(angle), angle)
        q, k = (
            torch.view_as_real(torch.view_as_complex(vectors.unflatten(-1, (4, 2)).contiguous()) * spin).flatten(-2)
            for vectors in (q, k)
        )
    return F.scaled_dot_product_attention(q[None], k[None], torch.eye(len(x)).double()[None], attn_mask=allowed)[0]


def test_the_maps_follow_the_swaps_under_the_finger_and_positions_make_them_differ(page, open_page) -> None:
    tokens, x, matrices = layer()
    n = len(tokens)
    requests = []
    page.on("request", lambda request: requests.append(request.url))
    own = fused(x, matrices).float()
    for stop in (0, 1, 4, len(STOPS) - 1):
        slide(page, "swaps", stop)
        order = orders(n, SWAPS_SEED)[stop]
        assert frame(page, "order_shuffled", "order").int().tolist() == order.tolist()
        shown = {name: frame(page, "order_shuffled", name).view(n, n) for name in ("own", "moved", "back")}
        assert_close(shown["own"], own, rtol=0, atol=1e-6)
        assert_close(shown["moved"], fused(x[order], matrices).float(), rtol=0, atol=1e-6)
        assert_close(shown["back"], own, rtol=0, atol=1e-6)
        assert 0 <= reading(page, "readouts", 0) < 3e-15 and reading(page, "readouts", 2) == 0
    assert not requests  # no server while the finger is down
    slide(page, "swaps", 4, release=True)
    press(page, "scheme", SCHEMES.index("rope"))
    order = orders(n, SWAPS_SEED)[4]
    moved = fused(x[order], matrices, turn=True)
    home = order.argsort()
    change = (moved[home][:, home] - fused(x, matrices, turn=True)).float()
    assert_close(frame(page, "order_shuffled", "change").view(n, n), change, rtol=0, atol=1e-6)
    assert reading(page, "readouts", 0) > 0.1
    assert reading(page, "readouts", 2) == int((change.abs() > 0.01).sum())
    assert "order_positions=rope" in page.url and "order_swaps=4" in page.url
    elsewhere = painted(open_page(url=page.url))
    for name in ("own", "moved", "back", "numbers"):
        assert_close(frame(elsewhere, "order_shuffled", name), frame(page, "order_shuffled", name))


def test_the_names_beside_the_shuffled_map_are_those_of_the_shuffled_words(page) -> None:
    tokens, _, _ = layer()
    stop = len(STOPS) - 1
    slide(page, "swaps", stop)
    canvas = page.locator("figure[data-name=moved] canvas")
    box = page.evaluate(f"() => ({laboratory.HOST})('order_shuffled').__headlight.boxes().moved.box")
    side = box["w"] / len(tokens)
    canvas.hover(position={"x": box["x"] + 2.5 * side, "y": box["y"] + 0.5 * side})
    tip = page.locator(".st-key-order_shuffled .tip div").all_inner_texts()
    assert tip[0] == f"1: {tokens[-1]}" and tip[1] == f"3: {tokens[-3]}"
    value = frame(page, "order_shuffled", "moved")[2]
    assert abs(float(tip[2]) - float(value)) < 1e-4


def test_a_click_on_a_cell_chooses_the_pair_whose_score_is_followed(page) -> None:
    tokens, x, matrices = layer()
    box = page.evaluate(f"() => ({laboratory.HOST})('order_shuffled').__headlight.boxes().own.box")
    side = box["w"] / len(tokens)
    page.locator("figure[data-name=own] canvas").click(
        position={"x": box["x"] + 4.5 * side, "y": box["y"] + 1.5 * side}
    )
    wait_painted(page)
    assert "focus=1%2C4" in page.url or "focus=1,4" in page.url
    slide(page, "offset", 0)
    score = (x[1] @ matrices.W_Q[HEAD - 1].double()) @ (x[4] @ matrices.W_K[HEAD - 1].double()) / 8**0.5
    for stop in (0, 5, 13):  # RoPE: wherever the pair stands
        slide(page, "place", stop)
        assert_close(float(frame(page, "order_offsets", "offsets")[1]), float(score), rtol=1e-5, atol=1e-5)


def test_masks_forbid_and_later_words_change_nothing(page) -> None:
    tokens, x, matrices = layer()
    n = len(tokens)
    lag = torch.arange(n)[:, None] - torch.arange(n)
    press(page, "mask", MASK_KINDS.index("causal_window"))
    slide(page, "radius", radii(n).index(3))
    allowed = (lag >= 0) & (lag <= 3)
    shown = frame(page, "order_masks", "weights").view(n, n)
    assert_close(shown.isnan(), ~allowed)
    assert_close(shown.nan_to_num(), fused(x, matrices, allowed).float(), rtol=0, atol=1e-6)
    assert reading(page, "mask_readouts", 0) == reading(page, "mask_readouts", 1) == int(allowed.sum())
    assert reading(page, "prefix_readouts", 0) < 3e-15 and reading(page, "prefix_readouts", 1) == 0
    slide(page, "layers", 2, release=True)  # three layers
    assert_close(frame(page, "order_masks", "reached").view(n, n).bool(), (lag >= 0) & (lag <= 9))
    assert "order_radius=3" in page.url and "order_layers=3" in page.url
    press(page, "mask", MASK_KINDS.index("none"))
    assert reading(page, "prefix_readouts", 0) > 0.01 < reading(page, "prefix_readouts", 1)


def test_a_longer_sentence_does_not_fit_the_fully_connected_layer(page) -> None:
    n = len(layer()[0])
    page.get_by_text(f"mat1 and mat2 shapes cannot be multiplied (1x{n * 64} and 640x640)").wait_for()
    page.get_by_text(f"torch.Size([{n}, 64])").wait_for()
    slide(page, "word", 3)
    assert reading(page, "word_readouts", 0) > 0.1 and reading(page, "word_readouts", 1) == 0


def test_parameters_are_those_of_torchs_modules(page) -> None:
    published = [16640, 8320, 24960, 33280, 66560, 12352, 410240]  # counted from torch's own modules
    assert [reading(page, "cost_readouts", index) for index in range(7)] == published
    slide(page, "d", 4)
    slide(page, "kernel", 2)
    slide(page, "length", 3)
    d, k, n = 128, 5, 20
    modules = [
        torch.nn.MultiheadAttention(d, 4),
        torch.nn.RNN(d, d),
        torch.nn.GRU(d, d),
        torch.nn.LSTM(d, d),
        torch.nn.LSTM(d, d, bidirectional=True),
        torch.nn.Conv1d(d, d, k),
        torch.nn.Linear(n * d, n * d),
    ]
    expected = [float(sum(p.numel() for p in module.parameters())) for module in modules]
    shown = [reading(page, "cost_readouts", index) for index in range(7)]
    assert_close(shown, expected, rtol=1e-6, atol=0)


def test_shared_keys_shrink_the_cache_and_decoding_is_the_full_pass(page) -> None:
    tokens, x, matrices = layer()
    n = len(tokens)
    causal = torch.ones(n, n, dtype=torch.bool).tril()
    for stop, key_heads in enumerate((1, 2, 4, 8)):
        slide(page, "key_heads", stop)
        slide(page, "step", 6)
        assert reading(page, "cache_readouts", 0) == 2 * key_heads * 8
        assert reading(page, "cache_readouts", 1) == 2 * key_heads * 8 * 7
        assert reading(page, "cache_readouts", 2) <= 1e-15
    row = frame(page, "order_sharing", "rows")  # as many key heads as heads: multi-head attention
    assert_close(row.nan_to_num(), fused(x, matrices, causal)[6].float(), rtol=0, atol=1e-6)
    assert row[7:].isnan().all()
    assert frame(page, "order_sharing", "elements").tolist() == [32768, 2048, 256, 576]


def test_the_picture_and_its_sliders_share_the_first_screen(page) -> None:
    for name in ("controls", "own", "moved", "back"):
        box = page.locator(f"figure[data-name={name}]").bounding_box()
        assert box["y"] + box["height"] <= 900


def test_sliders_move_with_the_keyboard(page) -> None:
    slider = page.get_by_role("slider", name=WORDS["swaps"], exact=True)
    slider.focus()
    before = frame(page, "order_shuffled", "order")
    slider.press("ArrowRight")
    wait_painted(page)
    assert not torch.equal(frame(page, "order_shuffled", "order"), before)
    assert "order_swaps=4" in page.url
