"""The films of the Order page hold torch's numbers, and its scripts print them."""

import pytest
import torch
import torch.nn.functional as F
from torch.testing import assert_close

from attention_core.costs import LAYERS
from attention_core.hearing import MASK_KINDS
from attention_core.shuffling import SCHEMES
from pages.mechanisms.order.costs import numbers as costs
from pages.mechanisms.order.costs import pictures as cost_pictures
from pages.mechanisms.order.lengths import numbers as lengths
from pages.mechanisms.order.lengths import pictures as length_pictures
from pages.mechanisms.order.masks import numbers as masks
from pages.mechanisms.order.masks import pictures as mask_pictures
from pages.mechanisms.order.offsets import numbers as offsets
from pages.mechanisms.order.offsets import pictures as offset_pictures
from pages.mechanisms.order.reading import MAX_TOKENS, N_HEAD, apart, evenly, other_word, read
from pages.mechanisms.order.sharing import numbers as sharing
from pages.mechanisms.order.sharing import pictures as sharing_pictures
from pages.mechanisms.order.shuffle import numbers as shuffle
from pages.mechanisms.order.shuffle import pictures as shuffle_pictures
from tests.harness.scripts import printed, printed_afresh
from ui.components.lab.component import _film, _plot
from ui.components.lab.films import frames
from ui.text import words

TEXT, HEAD, SEED = "The law saw the king, but its city should be just", 2, 3
PAGE = words("order", "en")
PAIR = (1, 4)


@pytest.fixture(scope="module")
def reading():
    return read(TEXT, "embeddings", 7)


@pytest.fixture(scope="module")
def schemes(reading):
    return shuffle.under_schemes(reading, SEED)


@pytest.fixture(scope="module")
def shuffled(reading, schemes):
    return shuffle_pictures.films(shuffle.compared(schemes, HEAD), shuffle.orders(len(reading.tokens), SEED))


def film(films, name):
    return torch.from_numpy(next(film.values for film in films if film.name == name))


def fused(x, layer, head, allowed=None, bias=None):
    """Weights of one head by torch's own attention: its values are the identity."""
    q, k = x @ layer.W_Q[head], x @ layer.W_K[head]
    mask = allowed if bias is None else bias
    return F.scaled_dot_product_attention(q[None], k[None], torch.eye(len(x)).double()[None], attn_mask=mask)[0]


def pictures(part, reading, shuffled):
    """The films, sliders and plots of a section."""
    tokens, n = reading.tokens, len(reading.tokens)
    match part:
        case "shuffle":
            sliders = shuffle_pictures.sliders({"scheme": 2, "swaps": 3}, PAGE)
            return shuffled, sliders, shuffle_pictures.plots(tokens, PAIR[0], PAGE)
        case "offsets":
            scores = offsets.offset_scores(reading, HEAD, PAIR)
            sliders = offset_pictures.sliders({"place": 2, "offset": 5}, PAGE)
            return offset_pictures.films(scores), sliders, offset_pictures.plots(scores, tokens, PAIR, PAGE)
        case "masks":
            sliders = mask_pictures.sliders(n, {"mask": 1, "radius": 1, "layers": 1, "prefix": 2}, PAGE)
            return mask_pictures.films(masks.masked(reading, HEAD)), sliders, mask_pictures.plots(tokens, PAGE)
        case "lengths":
            compared = lengths.replaced(reading, other_word(reading), HEAD)
            sliders = length_pictures.sliders(tokens, 1, PAGE)
            return length_pictures.films(compared), sliders, length_pictures.plots(compared, tokens, PAGE)
        case "costs":
            sliders = cost_pictures.sliders({"d": 1, "kernel": 1, "length": 1}, PAGE)
            return cost_pictures.films(), sliders, cost_pictures.plots(PAGE)
        case "sharing":
            sliders = sharing_pictures.sliders(tokens, {"key_heads": 1, "step": 2, "published": 3}, PAGE)
            films = sharing_pictures.films(sharing.decoded(reading, HEAD))
            return films, sliders, sharing_pictures.plots(tokens, PAGE)


@pytest.mark.parametrize("part", ["shuffle", "offsets", "masks", "lengths", "costs", "sharing"])
def test_every_picture_finds_its_film_and_every_film_its_sliders(reading, shuffled, part):
    films, sliders, plots = pictures(part, reading, shuffled)
    stops = {slider.name: len(slider.readings) for slider in sliders}
    sent = {_film(film, stops, {})["name"] for film in films}
    laid = frames(films, ())
    drawn = [_plot(plot, laid) for plot in plots]
    assert {plot["film"] for plot in drawn if "film" in plot} | {plot.get("order") or "" for plot in drawn} <= sent | {
        ""
    }
    assert len({plot["name"] for plot in drawn}) == len(drawn)
    for plot in drawn:  # no picture looks behind the end of a frame
        for part in plot.get("items") or plot.get("lines") or ():
            assert part["start"] < laid[plot["film"]].size


def test_the_maps_are_torchs_weights_in_either_order(reading, shuffled):
    plain = fused(reading.x, reading.layer, HEAD)
    assert_close(film(shuffled, "own")[0], plain, rtol=0, atol=1e-14)
    orders = film(shuffled, "order")
    for stop, order in enumerate(orders):
        assert_close(film(shuffled, "moved")[0, stop], fused(reading.x[order], reading.layer, HEAD), rtol=0, atol=1e-14)
        assert_close(film(shuffled, "back")[0, stop], plain, rtol=0, atol=1e-14)
        assert sorted(order.tolist()) == list(range(len(reading.tokens)))
    assert orders[-1].tolist() == list(range(len(reading.tokens)))[::-1]
    assert_close(film(shuffled, "change"), film(shuffled, "back") - film(shuffled, "own")[:, None])


def test_the_residual_is_rounding_without_positions_and_large_with_them(shuffled):
    numbers = film(shuffled, "numbers")
    assert float(numbers[0, :, :2].max()) < -14.5  # 3·10⁻¹⁵
    assert bool((numbers[0, :, 2] == 0).all())
    for scheme in (1, 2):
        assert float(numbers[scheme, 1:, 0].min()) > -1.5
        assert float(numbers[scheme, 1:, 2].min()) > 0
    alibi = SCHEMES.index("alibi")
    assert float(numbers[alibi, 1:-1, 0].min()) > -1.5 and float(numbers[alibi, -1, 0]) < -14.5
    assert not bool((numbers[:, :, 3] > 1).any())


def test_only_added_positions_move_with_the_place(reading):
    shown = offsets.offset_scores(reading, HEAD, PAIR)
    still, added = shown[..., :2], shown[..., 2]
    assert_close(still, still[:1].expand_as(still), rtol=0, atol=1e-6)
    assert float((added - added[:1]).abs().max()) > 0.1
    assert_close(shown[0, 0, 1], fused_score(reading), rtol=0, atol=1e-12)
    slope = 2.0 ** -(HEAD + 1)  # eight heads: ½, ¼, …, 1/256
    assert_close(shown[3, :, 3], -slope * torch.arange(64).double())
    assert float(shown[0, 0, 5]) < -12 < -7 < float(shown[0, 0, 4]) < -5.5


def fused_score(reading):
    """Where both words stand at one place, RoPE turns nothing apart."""
    q, k = reading.x[PAIR[0]] @ reading.layer.W_Q[HEAD], reading.x[PAIR[1]] @ reading.layer.W_K[HEAD]
    return (q @ k) / 8**0.5


def test_masked_maps_are_torchs_and_masked_cells_are_no_numbers(reading):
    films, n = mask_pictures.films(masks.masked(reading, HEAD)), len(reading.tokens)
    lag = torch.arange(n)[:, None] - torch.arange(n)
    for row, kind in enumerate(MASK_KINDS):
        for col, radius in enumerate(masks.radii(n)):
            allowed = torch.ones(n, n, dtype=torch.bool)
            if "causal" in kind:
                allowed &= lag >= 0
            if "window" in kind:
                allowed &= lag.abs() <= radius
            shown = film(films, "weights")[row, col]
            assert_close(shown.isnan(), ~allowed)
            assert_close(shown.nan_to_num(), fused(reading.x, reading.layer, HEAD, allowed), rtol=0, atol=1e-14)
            counts = film(films, "counts")[row, col]
            assert counts[0] == counts[1] == allowed.sum()
            assert_close(film(films, "reached")[row, col, 1].bool(), (allowed.double() @ allowed.double()) > 0)


def test_behind_a_causal_mask_new_words_change_exactly_nothing(reading):
    worst = film(mask_pictures.films(masks.masked(reading, HEAD)), "worst")
    for kind in ("causal", "causal_window"):
        row = worst[MASK_KINDS.index(kind)]
        assert bool(row[..., 1].isneginf().all())  # the logarithm of 0
        assert float(row[..., 0].max()) < -14
    for kind in ("none", "window"):
        row = worst[MASK_KINDS.index(kind)]
        assert float(row[-1].min()) > -2


def test_attention_moves_with_a_word_and_the_matrix_does_not(reading):
    other = other_word(reading)
    films = length_pictures.films(lengths.replaced(reading, other, HEAD))
    changed = reading.x.clone()
    changed[4] = other
    expected = fused(changed, reading.layer, HEAD) - fused(reading.x, reading.layer, HEAD)
    assert_close(film(films, "word_change")[4], expected, rtol=0, atol=1e-14)
    assert_close(film(films, "gaps")[4, 0], expected.abs().sum())
    assert bool((film(films, "gaps")[:, 0] > 0.1).all()) and bool((film(films, "gaps")[:, 1] == 0).all())


def test_the_fully_connected_layer_takes_its_own_length_only(reading):
    built = lengths.built_for(len(reading.tokens))
    assert lengths.applied_to(reading, built) == ((1, built * 64), "", (built, 64))
    shape, error, attention = lengths.applied_to(reading, built + 1)
    assert shape == () and attention == (built + 1, 64)
    assert error == f"mat1 and mat2 shapes cannot be multiplied (1x{(built + 1) * 64} and {built * 64}x{built * 64})"


def test_the_table_of_costs_is_exact_and_the_claim_names_who_has_fewer():
    shown = cost_pictures.table(64, 3, 10, PAGE).replace("\u202f", "")
    for count in (16640, 8320, 24960, 33280, 66560, 12352, 410240):
        assert f" {count} " in shown
    claim = cost_pictures.claim(64, 3, 10, PAGE).replace("\u202f", "")
    assert claim.endswith("Fewer have: RNN (8320), convolution (12352).")
    assert costs.torch_residual(64, 3, 10) == costs.torch_residual(1024, 31, 1000) == 0
    at = costs.WIDTHS.index(64), costs.KERNELS.index(3), costs.LENGTHS.index(10)
    films = cost_pictures.films()
    counts = film(films, "parameters")[at]
    assert counts.tolist() == [16640, 8320, 24960, 33280, 66560, 12352, 410240]
    assert [round(float(10**v)) for v in film(films, "log_parameters")[at]] == counts.int().tolist()


def test_what_is_read_from_the_cache_is_the_full_pass(reading):
    films, n = sharing_pictures.films(sharing.decoded(reading, HEAD)), len(reading.tokens)
    causal = torch.ones(n, n, dtype=torch.bool).tril()
    mha = sharing.KEY_HEADS.index(N_HEAD)
    expected = fused(reading.x, reading.layer, HEAD, causal)
    rows = film(films, "rows")[mha]
    assert_close(rows.nan_to_num(), expected, rtol=0, atol=1e-14)
    assert_close(rows.isnan(), ~causal)
    assert_close(film(films, "whole"), film(films, "rows"), rtol=0, atol=1e-14, equal_nan=True)
    cache = film(films, "cache")
    assert cache[:, 0, 0].tolist() == [16, 32, 64, 128]
    assert cache[mha, -1, 1] == 128 * n
    assert float(cache[..., 2].max()) <= -15 + 0.01 and cache[0, 4, 4] == 15
    assert sharing.sdpa_residual(reading) < 1e-14
    sharing_map = film(films, "sharing")
    assert sharing_map[1, :, 0].tolist() == [1, 1, 1, 1, 0, 0, 0, 0]
    assert_close(sharing_map.nansum(dim=-1), torch.ones(4, 8).double())
    assert film(films, "elements")[sharing.PUBLISHED_HEADS.index(8)].tolist() == [32768, 2048, 256, 576]


def test_residuals_of_the_trust_lines_are_small(reading, schemes):
    assert shuffle.sdpa_residual(reading) < 1e-14
    assert shuffle.row_sums(schemes) < 1e-14
    assert max(masks.sdpa_residual(reading, kind, 2) for kind in MASK_KINDS) < 1e-14
    assert apart(torch.zeros(0), torch.zeros(0)) == 0 and apart(torch.tensor([1.0]), torch.tensor([-2.0])) == 3


def test_long_texts_are_cut_and_short_ones_have_stops():
    long = read(" ".join(["law"] * 70), "embeddings", 0)
    assert len(long.tokens) == MAX_TOKENS and long.count == 70
    assert masks.radii(2) == (0, 1) and masks.prefixes(2) == (1,)
    assert evenly(13, 5) == (0, 3, 6, 9, 12)
    assert lengths.built_for(2) == 1 and lengths.built_for(64) == 10


@pytest.mark.slow
@pytest.mark.parametrize(("source", "run"), [("embeddings", printed_afresh), ("digest", printed)])
def test_the_script_of_the_shuffle_prints_the_residuals(source, run):
    reading = read('The "law" isn\'t {x} \\ 山', source, 7)
    schemes = shuffle.under_schemes(reading, SEED)
    lines = [line.split() for line in run(shuffle.script(reading, SEED)).splitlines()[1:]]
    assert [line[0] for line in lines] == list(SCHEMES)
    for name, *values in lines:
        residuals = torch.tensor([float(value) for value in values], dtype=torch.float64)
        assert_close(residuals, schemes[name].residual, rtol=1e-3, atol=2e-15)


@pytest.mark.slow
def test_the_other_scripts_print_what_the_page_shows(reading):
    lines = printed(masks.script(reading, "causal_window", 2, 5)).splitlines()
    numbers = dict(line.split(" ", 1) for line in lines)
    n = len(reading.tokens)
    assert numbers["allowed"] == f"{3 * n - 3} formula {3 * n - 3}"
    assert float(numbers["suffix"].split()[-1]) < 1e-14
    lines = printed(lengths.script(reading, 12)).splitlines()
    assert lines[0] == "parameters 410240" and "1x768 and 640x640" in lines[1] and lines[2] == "attention (12, 64)"
    counts = dict(line.split() for line in printed(costs.script(64, 3, 10)).splitlines())
    assert {name: int(count) for name, count in counts.items()} == {
        name: layer.parameters(64, 3, 10) for name, layer in LAYERS.items()
    }
    lines = printed(sharing.script(reading, 2)).splitlines()
    assert lines[0] == f"elements {32 * n} of {n} tokens" and float(lines[1].split()[-1]) <= 1e-15
