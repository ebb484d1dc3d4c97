"""What the Bench page shows: maps, differences and tables against torch; words with and without a translation."""

from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
from torch.testing import assert_close

from attention_core import masks
from attention_core.mechanisms import AXES, MECHANISMS, Options, moved
from attention_core.mechanisms.bench import WIDTHS, compute, direction, head_gradient, spread
from attention_core.models import Settings, Sizes
from attention_core.remedies import REMEDIES
from pages.mechanisms.bench import numbers as bench
from pages.mechanisms.bench import spread as spreading
from pages.mechanisms.bench import wording
from pages.mechanisms.bench.controls import MASKS
from pages.mechanisms.bench.maps import maps
from pages.mechanisms.bench.numbers import COLUMNS, MOST, PER_TOKEN, Comparison
from pages.mechanisms.bench.tables import remarks, table
from tests.harness.families import BART, GROUPED, OPT, SMALL, TOKENS, traced
from tests.harness.scripts import printed, printed_afresh
from ui.citing import cited
from ui.components.lab.component import _film, _plot
from ui.components.lab.films import frames
from ui.numbers import significant, whole
from ui.scripts import Code
from ui.session import SCRATCH, Study, run
from ui.text import words

HEAD = 1
STUDY = Study(text="The law will never be perfect", model=SCRATCH, sizes=Sizes(n_head=3, d_model=29, d_k=11, d_v=13))
PAGE = words("bench", "en")
KEYS = ["scaled_dot", "dot", "window", "local_p"]


def layer(text=STUDY.text):
    return run(replace(STUDY, text=text)).layers[0]


def results(vectors, keys, options, head=HEAD):
    """All heads under each mechanism, and the gradient of one of them."""
    under = {"options": options, "allowed": vectors.allowed}
    q, k, v = vectors.q, vectors.k, vectors.v
    return {
        key: (
            compute(MECHANISMS[key], q, k, v, **under),
            head_gradient(MECHANISMS[key], q, k, v, head=head, **under),
        )
        for key in keys
    }


def compared(keys=KEYS, reference="scaled_dot", mask="none", memory=None, radius=1):
    vectors = bench.vectors(layer(), layer(memory or STUDY.text), mask, radius)
    return vectors, bench.rows(results(vectors, keys, Options(radius=radius)), reference, HEAD)


def sdpa(vectors, scale=None, allowed=None):
    eye = torch.eye(len(vectors.keys)).expand(vectors.k.shape[0], -1, -1)
    return F.scaled_dot_product_attention(vectors.q, vectors.k, eye, attn_mask=allowed, scale=scale)[HEAD]


def test_without_the_scaling_most_gradients_vanish_and_a_few_explode():
    """What the guide's first step says, at the head the page opens with."""
    from ui.controls import DEFAULT_HEAD, DEFAULT_LAYER, DEFAULT_SENTENCE

    own = run(Study(text=DEFAULT_SENTENCE)).layers[DEFAULT_LAYER - 1]
    vectors = bench.vectors(own, own, "none", 2)
    scaled, dot = (
        torch.autograd.grad((context * direction(*shape)[DEFAULT_HEAD - 1]).sum(), q)[0]
        for context, shape, q in (_torchs(vectors, DEFAULT_HEAD - 1, scale) for scale in (None, 1.0))
    )
    assert dot.norm(dim=-1).median() < 0.5 * scaled.norm(dim=-1).median()
    assert dot.norm() > 2 * scaled.norm()
    rows = bench.rows(
        results(vectors, ("scaled_dot", "dot"), Options(), DEFAULT_HEAD - 1), "scaled_dot", DEFAULT_HEAD - 1
    )
    assert_close(rows[0].gradient.q, scaled)
    assert_close(rows[1].gradient.q, dot, rtol=1e-3, atol=1e-4)
    assert rows[1].number("entropy") < 0.5 * rows[0].number("entropy")


def _torchs(vectors, head, scale):
    """Context of one head by torch's own attention, the shape of all heads together, and its q."""
    q = vectors.q[head].clone().requires_grad_()
    context = F.scaled_dot_product_attention(q[None], vectors.k[head][None], vectors.v[head][None], scale=scale)[0]
    return context, (vectors.q.shape[0], vectors.q.shape[1], vectors.v.shape[-1]), q


@pytest.mark.parametrize("key", ["scaled_dot", "graves", "local_p"])
def test_the_sums_of_rows_are_said_where_they_are_not_1(key):
    _, rows = compared(keys=["scaled_dot", key])
    sums = rows[-1].result.trace.weights[HEAD].sum(dim=-1)
    assert_close(rows[-1].sums, (float(sums.min()), float(sums.max())))
    sentences = remarks(rows, PAGE)
    assert bool(sentences) == (float((sums - 1).abs().max()) > 1e-4)
    column = table(rows, MECHANISMS["scaled_dot"], PAGE)[PAGE["column.row_sum"]]
    assert column[0] == "1" and ("–" in column[-1]) == bool(sentences)


def test_a_query_that_may_attend_to_nothing_is_counted():
    vectors = bench.vectors(layer(), layer("You"), "window", 0)
    rows = bench.rows(results(vectors, ["scaled_dot"], Options(), 0), "scaled_dot", 0)
    deaf = int((~vectors.allowed.any(dim=-1)).sum())
    assert deaf > 0
    name = PAGE["mechanism.scaled_dot.title"]
    assert remarks(rows, PAGE) == [PAGE.data("deaf", name=name, count=deaf, all=len(vectors.queries))]


def test_sources_and_formulas_speak_the_readers_language():
    chinese, common = words("bench", "zh"), words("common", "zh")
    assert "equation" in cited(MECHANISMS["graves"].reference, words("common", "en"))
    sources = [cited(one.reference, common) + wording.formula(one, chinese) for one in MECHANISMS.values()]
    sources += [cited(one.reference, common) for one in REMEDIES.values()]
    assert not any(word in text for text in sources for word in ("equation", "section", "et al", "unless", "where"))
    assert "式 (46)–(51)" in "".join(sources) and "第 3.2.1 节" in "".join(sources)
    assert wording.subscripts("1/√d_k → p_t = t") == "1/√$d_k$ → $p_t$ = t"


@pytest.mark.parametrize("memory", [None, "You and me are students"])
def test_maps_and_differences_are_torchs(memory):
    vectors, rows = compared(memory=memory)
    scaled, dot = sdpa(vectors), sdpa(vectors, scale=1.0)
    assert_close(rows[0].weights, scaled)
    assert_close(rows[1].difference, dot - scaled)
    values = vectors.v[HEAD]
    assert_close(rows[1].apart, (dot @ values - scaled @ values).norm(dim=-1))
    assert_close(rows[0].apart, torch.zeros(len(vectors.queries)))
    assert_close(rows[0].per_token("support"), torch.distributions.Categorical(scaled).entropy().exp())
    assert bench.sdpa_residual(vectors) < 1e-5


def test_what_a_mask_forbids_is_hatched_and_a_difference_only_where_both_do():
    vectors, rows = compared(mask="causal")
    allowed = masks.causal(len(vectors.queries), len(vectors.keys))
    assert_close(rows[0].weights.isnan(), ~allowed)
    assert_close(rows[0].weights.nan_to_num(), sdpa(vectors, allowed=allowed))
    window = rows[2]
    near = masks.window(len(vectors.queries), len(vectors.keys), 1)
    assert_close(window.weights.isnan(), ~(allowed & near))
    assert_close(window.difference.isnan(), ~allowed)
    assert bench.sdpa_residual(vectors) < 1e-5


@pytest.mark.parametrize("memory", ["You", "One law in two places may be a law that nobody has ever read to its end"])
def test_with_another_sentence_a_query_stands_at_the_key_of_its_number(memory):
    """The mask of the reader is that of the mechanism with a window, which nothing has masked."""
    vectors, rows = compared(["scaled_dot", "window"], mask="window", memory=memory, radius=2)
    places = [(i, j) for i in range(len(vectors.queries)) for j in range(len(vectors.keys)) if abs(i - j) <= 2]
    assert vectors.allowed.nonzero().tolist() == [list(place) for place in places]
    assert_close(rows[0].weights.isnan(), rows[1].weights.isnan())


MODELS = {
    "causal": ("llama", GROUPED, 1),
    "window": ("mistral", GROUPED | {"sliding_window": 3}, 0),
    "scaled before": ("opt", OPT, 1),
    "cross": ("bart", BART, 3),
    "both ways": ("bert", SMALL, 0),
}


@pytest.mark.parametrize("name", MODELS)
def test_scaled_dot_under_the_heads_own_mask_is_the_head_itself(name):
    family, config, at = MODELS[name]
    own = traced(family, config).run(TOKENS).layers[at]
    vectors = bench.vectors(own, own, bench.OWN, 2)
    [row] = bench.rows(results(vectors, ["scaled_dot"], Options()), "scaled_dot", HEAD)
    assert_close(row.weights.nan_to_num(), own.attention.weights[HEAD], rtol=1e-4, atol=1e-6)
    assert_close(row.weights.isnan(), own.attention.weights[HEAD] == 0)
    assert_close(row.context, own.attention.context[HEAD], rtol=1e-4, atol=1e-6)
    assert (vectors.allowed is None) == (name in ("cross", "both ways"))


def test_the_own_mask_is_the_default_and_holds_between_its_own_tokens_only():
    assert MASKS[0] == Comparison(study=STUDY, layer=0).mask == bench.OWN
    model = traced("llama", GROUPED)
    own, other = (
        model.run(TOKENS).layers[0],
        model.run(replace(TOKENS, ids=TOKENS.ids[:4], strings=("a",) * 4)).layers[0],
    )
    assert bench.vectors(own, own, bench.OWN, 2).allowed is not None
    assert bench.vectors(own, other, bench.OWN, 2).allowed is None
    assert bench.vectors(own, own, "none", 2).allowed is None


def test_heads_with_masks_of_their_own_keep_them():
    own = traced("llama", GROUPED).run(TOKENS).layers[0]
    masked = own.attention.masked_scores.clone()
    masked[HEAD, 5, 2] = -torch.inf
    own = replace(own, attention=replace(own.attention, masked_scores=masked))
    vectors = bench.vectors(own, own, bench.OWN, 2)
    assert vectors.allowed.shape == masked.shape
    rows = bench.rows(results(vectors, KEYS, Options()), "scaled_dot", HEAD)
    expected = F.scaled_dot_product_attention(
        vectors.q, vectors.k, torch.eye(7).expand(6, -1, -1), attn_mask=vectors.allowed
    )
    assert_close(rows[0].weights.nan_to_num(), expected[HEAD])
    q = vectors.q.clone().requires_grad_()
    context = F.scaled_dot_product_attention(q, vectors.k, vectors.v, attn_mask=vectors.allowed)
    (slope,) = torch.autograd.grad((context * direction(*context.shape))[HEAD].sum(), q)
    assert_close(rows[0].gradient.q, slope[HEAD], rtol=1e-4, atol=1e-6)


def test_window_is_scaled_dot_where_it_reaches_over_the_sentence():
    _, rows = compared(radius=64)
    assert_close(rows[2].difference, torch.zeros_like(rows[2].difference))


def test_numbers_of_the_head_are_those_of_torch():
    vectors, rows = compared()
    q, k = (side.clone().requires_grad_() for side in (vectors.q, vectors.k))
    context = F.scaled_dot_product_attention(q, k, vectors.v)
    G = direction(*context.shape)
    slopes = torch.autograd.grad((context * G)[HEAD].sum(), (q, k))
    columns = table(rows, MECHANISMS["scaled_dot"], PAGE)
    assert_close(columns[PAGE["column.d_q"]][0], float(slopes[0].norm()), rtol=1e-5, atol=0)
    assert_close(columns[PAGE["column.d_k"]][0], float(slopes[1].norm()), rtol=1e-5, atol=0)
    expected = torch.distributions.Categorical(sdpa(vectors)).entropy()
    assert_close(columns[PAGE["column.entropy"]][0], float(expected.mean()), rtol=1e-5, atol=0)
    assert columns[PAGE["column.learned"]] == ["0", "0", "0", str(3 * (11 * 11 + 11))]
    assert columns[PAGE["moved_label"]] == ["nothing", "scaling", "mask", "normaliser, mask"]


def test_a_reference_changed_changes_what_moved():
    assert wording.differences(MECHANISMS["scaled_dot"], MECHANISMS["dot"], PAGE) == "scaling: none → 1/√d_k"
    chinese = words("bench", "zh")
    assert wording.differences(MECHANISMS["dot"], MECHANISMS["scaled_dot"], chinese) == "缩放：1/√d_k → 无"


def test_the_bench_opens_with_one_mechanism_per_axis():
    keys = bench.one_per_axis(MECHANISMS)
    assert len(keys) == len(set(keys)) == MOST
    axes = {axis for key in keys for axis in moved(MECHANISMS[keys[0]], MECHANISMS[key])}
    assert axes == set(AXES)


@pytest.mark.parametrize("count", [2, 3, 4, 6])
def test_every_map_has_a_panel_and_one_range_holds_all_differences(count):
    keys = list(MECHANISMS)[:count]
    _, rows = compared(keys)
    panels = maps(rows, keys[0], PAGE)
    names = {panel.name for line in panels for panel in line}
    assert {f"weights_{key}" for key in keys} <= names
    assert {f"difference_{key}" for key in keys[1:]} <= names
    assert len({panel.limit for line in panels for panel in line if panel.name.startswith("difference")}) == 1
    assert len(panels) == (1 if count <= 3 else 2)
    assert len({len(line) for line in panels}) == 1


def test_english_words_are_those_of_the_rows_and_chinese_ones_are_complete():
    chinese = words("bench", "zh")
    for key, mechanism in MECHANISMS.items():
        assert wording.title(key, mechanism, PAGE) == mechanism.title
        assert wording.gradient(key, mechanism, PAGE) == mechanism.gradient
        assert f"mechanism.{key}.title" in chinese and f"mechanism.{key}.gradient" in chinese
        assert {f"value.{getattr(mechanism, axis)}" for axis in AXES} <= set(chinese)


def test_a_mechanism_without_words_keeps_those_of_its_row():
    own = replace(MECHANISMS["dot"], title="Brand new", gradient="All of it.", score="brand new")
    chinese = words("bench", "zh")
    assert wording.title("brand_new", own, chinese) == "Brand new"
    assert wording.gradient("brand_new", own, chinese) == "All of it."
    assert wording.differences(own, MECHANISMS["dot"], chinese) == "打分：点积 → brand new"


def test_the_cut_is_made_where_it_says():
    text = "cat " * 100
    vectors = bench.vectors(layer(text), layer(text), "window", 3)
    assert vectors.q.shape[1] == vectors.k.shape[1] == len(vectors.keys) == bench.MAX_TOKENS
    assert_close(vectors.q, layer(text).attention.q[:, : bench.MAX_TOKENS])


def test_the_download_holds_what_is_shown():
    _, rows = compared()
    arrays = bench.arrays(rows)
    assert_close(arrays["weights_dot"], rows[1].weights.numpy())
    assert arrays["table"].shape == (len(KEYS), len(COLUMNS))
    assert all(arrays[name].shape == (len(KEYS), 6) for name in PER_TOKEN)
    assert arrays["d_k"].shape[0] == len(KEYS)


def test_the_films_of_d_k_have_a_frame_for_every_stop():
    slider = spreading.sliders(0, PAGE)[0]
    films = spreading.films(spread(0))
    for film in films:
        _film(film, {slider.name: len(slider.readings)}, {})
    std = films[0].values
    assert_close(10 ** std[:, -1], torch.tensor(WIDTHS).sqrt().numpy(), rtol=1e-5, atol=0)
    assert len(slider.readings) == len(WIDTHS)
    for plot in spreading.plots(PAGE):
        _plot(plot, frames(films, ()))  # finds its columns


@pytest.mark.slow
@pytest.mark.parametrize(
    ("memory", "mask", "run_script"),
    [(None, "causal", printed), ("You and me are students", "window", printed_afresh), (None, "own", printed)],
)
def test_the_script_prints_the_table(memory, mask, run_script):
    options = Options(radius=2, seed=5)
    comparison = Comparison(study=STUDY, layer=0, memory=memory, options=options, mask=mask)
    output = run_script(bench.script(comparison, KEYS, "dot", Code("0"), HEAD))
    vectors = bench.vectors(layer(), layer(memory or STUDY.text), mask, 2)
    rows = bench.rows(results(vectors, KEYS, options), "dot", HEAD)
    for row, line in zip(rows, output.splitlines()[1:], strict=True):
        name, _, numbers = line.partition(": ")
        assert name == row.key
        expected = [significant(row.number(measure)) for measure in ("entropy", "apart", "d_q", "d_k")]
        assert numbers.split(", ") == expected + [whole(row.number(count)) for count in ("learned", "products")]


def test_settings_are_values():
    one, same, other = (
        Comparison(study=Study(text="a b", settings=Settings()), layer=0, options=Options(seed=seed))
        for seed in (1, 1, 2)
    )
    assert one == same and hash(one) == hash(same) and one != other
