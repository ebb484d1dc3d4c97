"""The figure of the Pipeline page: its stages, its ledger, the split into heads, its trust line."""

from dataclasses import replace

import pytest
import torch
from torch.testing import assert_close

from attention_core.models import FromScratch, Settings, Sizes, load_embedded
from pages.explore.pipeline.ledger import ledger
from pages.explore.pipeline.split import split_into_heads
from pages.explore.pipeline.stages import AXES, arrays, panel_shapes, stages
from ui.trust import row_sum_residual, sdpa_residual
from ui.weights import live_panel

SIZES = Sizes(n_head=3, d_model=22, d_k=7, d_v=5, seed=3, source="digest", positions="alibi")
TEXT = "The law saw the king , but its city"
ORDER = ["x", "W", "qkv", "scores", "scaled", "masked", "exp", "weights", "context", "concat", "output"]


def run(settings: Settings | None = None, text: str = TEXT, sizes: Sizes = SIZES):
    model = FromScratch(sizes)
    return model.run(model.tokenize(text), settings or Settings())


def test_the_stages_come_in_the_order_in_which_they_are_computed() -> None:
    layer = run(Settings(mask="causal")).layers[0]
    drawn = stages(layer, 1)
    assert [stage.key for stage in drawn] == ORDER
    sizes = {"query": 9, "key": 9, "d_model": 22, "d_k": 7, "d_v": 5, "concat": 15, "sum": 1}
    for stage in drawn:
        assert not stage.missing
        for panel in (*stage.panels, *stage.below):
            assert panel.values.shape == (sizes[panel.rows], sizes[panel.cols]), panel.name


@pytest.mark.parametrize("text", [TEXT, "the law " * 40])
def test_the_shapes_of_panels_and_their_axes_are_known_without_drawing_them(text: str) -> None:
    for layer in (run(text=text).layers[0], load_embedded().run(load_embedded().tokenize(text)).layers[2]):
        panels = [panel for stage in stages(layer, 1) for panel in (*stage.panels, *stage.below)]
        assert panel_shapes(layer) == {panel.name: panel.values.shape for panel in panels}
        assert all((panel.rows, panel.cols) == AXES[panel.name] for panel in panels)


def test_scaling_is_drawn_on_one_scale_with_the_softmax_of_each_below() -> None:
    layer = run(sizes=replace(SIZES, positions="none")).layers[0]
    stage = next(stage for stage in stages(layer, 1) if stage.key == "scaled")
    trace = layer.head(1)
    assert {panel.limit for panel in stage.panels} == {float(trace.scores.abs().max())}
    for panel, scores in zip(stage.below, (trace.scores, trace.scaled_scores), strict=True):
        assert_close(torch.from_numpy(panel.values), scores.exp() / scores.exp().sum(-1, keepdim=True))
        assert panel.limit == 1.0


def test_a_mask_that_closes_nothing_and_a_layer_without_bias_leave_that_stage_idle() -> None:
    plain = replace(SIZES, positions="none")
    runs = {"open": run(sizes=plain), "causal": run(Settings(mask="causal"), sizes=plain), "biased": run()}
    idle_keys = {name: [stage.key for stage in stages(one.layers[0], 1) if stage.idle] for name, one in runs.items()}
    assert idle_keys == {"open": ["masked"], "causal": [], "biased": []}


def test_rows_of_x_and_of_concat_are_called_tokens() -> None:
    called = {panel.name: panel.called for stage in stages(run().layers[0], 1) for panel in stage.panels}
    assert {name for name, word in called.items() if word == "token"} == {"x", "concat", "output"}


def test_masked_cells_are_nan_and_all_others_are_not() -> None:
    layer = run(Settings(mask="causal")).layers[0]
    future = torch.ones(9, 9, dtype=torch.bool).triu(1)
    seen = 0
    for stage in stages(layer, 1):
        for panel in stage.panels:
            if panel.name in ("masked", "exp", "weights"):
                assert_close(torch.from_numpy(panel.values).isnan(), future)
                seen += 1
    assert seen == 4


@pytest.mark.parametrize("temperature", [0.3, 1.0, 5.0])
def test_the_live_panel_holds_scores_whose_softmax_is_the_weights(temperature: float) -> None:
    layer = run(Settings(mask="causal", temperature=temperature)).layers[0]
    panel = live_panel(layer, 1)
    assert panel.bias is not None
    scores = torch.from_numpy(panel.values).nan_to_num(nan=-torch.inf) / temperature + torch.from_numpy(panel.bias)
    assert_close(scores.softmax(-1), layer.head(1).weights, rtol=1e-5, atol=1e-6)


def test_hard_weights_are_shown_as_they_are() -> None:
    layer = run(Settings(normalizer="hard")).layers[0]
    panel = live_panel(layer, 0)
    assert not panel.live
    assert_close(torch.from_numpy(panel.values), layer.head(0).weights)


def test_the_ledger_lists_every_tensor_with_its_own_shape_and_bytes() -> None:
    whole = run()
    rows = {row.symbol: (row.shape, row.dtype, row.bytes) for row in ledger(whole, whole.layers[0])}
    assert rows["X"] == ((9, 22), "float32", 9 * 22 * 4)
    assert rows["W_Q"] == ((3, 22, 7), "float32", 3 * 22 * 7 * 4)
    assert rows["α"] == ((3, 9, 9), "float32", 3 * 81 * 4)
    assert rows["Concat"][0] == (9, 15)
    assert "b_Q" not in rows


def test_arrays_to_take_away_hold_every_stage() -> None:
    layer = run(Settings(mask="causal")).layers[0]
    taken = arrays(layer, 1)
    assert {"x", "W_Q", "q", "k", "v", "scores", "scaled", "masked", "exp", "weights", "context", "output"} <= set(
        taken
    )
    assert_close(torch.from_numpy(taken["weights"]), layer.head(1).weights)


def test_a_text_as_long_as_the_model_reads_stays_below_twelve_megabytes() -> None:
    model = load_embedded()
    layer = model.run(model.tokenize("cat " * 600)).layers[0]
    assert sum(panel.values.nbytes for stage in stages(layer, 0) for panel in stage.panels) < 12 * 2**20


def test_what_a_model_does_not_expose_is_named_and_not_drawn() -> None:
    layer = run().layers[0]
    hidden = replace(layer, x=None, projections=replace(layer.projections, W_Q=None, W_O=None))
    by_key = {stage.key: stage for stage in stages(hidden, 0)}
    assert by_key["x"].missing == ("X",)
    assert by_key["W"].missing == ("W_Q",)
    assert by_key["output"].missing == ("W_O",)
    assert not by_key["output"].panels


def test_view_after_transpose_fails_with_torchs_own_words_and_contiguous_cures_it() -> None:
    steps = split_into_heads(run().layers[0])
    failed = [step for step in steps if step.error]
    assert len(failed) == 1
    assert "view size is not compatible with input tensor's size and stride" in failed[0].error
    assert [step.shape for step in steps if not step.error] == [(9, 21), (9, 3, 7), (3, 9, 7), (3, 63), (9, 21)]
    assert [step.contiguous for step in steps if not step.error] == [True, True, False, True, True]


def test_one_head_or_one_token_can_be_viewed_either_way() -> None:
    assert not any(step.error for step in split_into_heads(run(text="law").layers[0]))
    one = Sizes(n_head=1, d_model=22, d_k=7, d_v=5, source="digest")
    assert not any(step.error for step in split_into_heads(run(sizes=one).layers[0]))


@pytest.mark.parametrize(
    "settings",
    [
        Settings(),
        Settings(mask="causal"),
        Settings(mask="window", radius=1, temperature=0.5),
        Settings(ablated=frozenset({(0, 1)})),
    ],
)
def test_real_runs_are_within_rounding_of_torchs_own_attention(settings: Settings) -> None:
    layer = run(settings).layers[0]
    assert row_sum_residual(layer) < 1e-6
    assert sdpa_residual(layer) is not None
    assert float(sdpa_residual(layer) or 0) < 1e-5


def test_the_trust_line_sees_wrong_numbers() -> None:
    layer = run().layers[0]
    wrong = replace(layer, attention=replace(layer.attention, weights=layer.attention.weights * 1.01))
    assert row_sum_residual(wrong) > 5e-3
    wrong = replace(layer, attention=replace(layer.attention, context=layer.attention.context + 0.1))
    assert float(sdpa_residual(wrong) or 0) > 0.05


def test_there_is_no_residual_where_torch_has_no_such_attention() -> None:
    assert sdpa_residual(run(Settings(normalizer="hard")).layers[0]) is None
