"""Every cell explains itself: the value, the terms and the code agree with an independent recomputation."""

import math
import re
from collections.abc import Callable
from dataclasses import replace
from functools import cache

import pytest
import torch
from torch import Tensor
from torch.testing import assert_close
from transformers import AutoConfig, AutoModel
from transformers.models.gemma2.modeling_gemma2 import apply_rotary_pos_emb

from attention_core import attention, scalings
from attention_core.models import FromScratch, LayerTrace, Pretrained, Settings, Sizes, load_embedded
from attention_core.models.pretrained import embedded_folder, register
from pages.explore.pipeline.explanation import EXPLAIN, LARGEST, Explanation, explain, tex
from pages.explore.pipeline.stages import stages
from tests.harness import references
from ui.weights import live_panel

TEXT = "The law saw the king , but its city"
HEAD = 2
PLAIN = Sizes(n_head=3, d_model=22, d_k=7, d_v=5, seed=3, source="digest")
ALIBI_SLOPES = (2**-4, 2**-8, 2**-2)  # 3 heads: the two of H = 2, then the first of H = 4 (arXiv:2108.12409)
SUMS = ("q", "k", "v", "k_t", "scores", "context", "output")
PLACES = {
    "plain": (PLAIN, Settings()),
    "causal": (PLAIN, Settings(mask="causal", temperature=0.7)),
    "window": (PLAIN, Settings(mask="window", radius=1)),
    "loud": (PLAIN, Settings(input_scale=2.0, scaling="none")),
    "loud and causal": (PLAIN, Settings(input_scale=2.0, mask="causal")),
    "hard": (PLAIN, Settings(normalizer="hard")),
    "hard and causal": (PLAIN, Settings(normalizer="hard", mask="causal")),
    "ablated": (PLAIN, Settings(ablated=frozenset({(0, HEAD)}))),
    "alibi": (replace(PLAIN, positions="alibi"), Settings()),
    "alibi and causal": (replace(PLAIN, positions="alibi"), Settings(mask="causal", temperature=3.0)),
    "rope": (replace(PLAIN, d_k=6, positions="rope"), Settings()),
    "rope and causal": (replace(PLAIN, d_k=6, positions="rope"), Settings(mask="causal", input_scale=2.0)),
}


def scratch(name: str = "plain") -> LayerTrace:
    sizes, settings = PLACES[name]
    model = FromScratch(sizes)
    return model.run(model.tokenize(TEXT), settings).layers[0]


@cache
def minilm(settings: Settings | None = None) -> LayerTrace:
    model = load_embedded()
    return model.run(model.tokenize(TEXT), settings or Settings()).layers[1]


def empty_rows(normalizer: str = "softmax") -> LayerTrace:
    """11 words read 5 with a causal mask: the first 6 come before everything they could attend to."""
    model = FromScratch(PLAIN)
    longer = model.tokenize("a b c d e f g h i j k")
    return model.run(model.tokenize("l m n o p"), Settings(mask="causal", normalizer=normalizer), longer).layers[0]


def capped() -> LayerTrace:
    layer = scratch("causal")
    trace = layer.attention
    allowed = torch.ones(9, 9, dtype=torch.bool).tril()
    attended = attention.attend(
        trace.q, trace.k, trace.v, scaling=scalings.by(layer.factor), allowed=allowed, softcap=0.3
    )
    return replace(layer, attention=attended, softcap=0.3)


LAYERS: dict[str, Callable[[], LayerTrace]] = {name: (lambda name=name: scratch(name)) for name in PLACES} | {
    "minilm": minilm,
    "minilm, causal and loud": lambda: minilm(Settings(mask="causal", input_scale=1.5)),
    "minilm, ablated": lambda: minilm(Settings(ablated=frozenset({(1, HEAD), (1, 5)}))),
    "capped": capped,
}


def turned(x: Tensor) -> Tensor:
    """Rotary positions with complex numbers: components (2i, 2i + 1) of position p times e^(i p 10000^(−2i/d))."""
    n, d = x.shape[-2:]
    angle = torch.arange(n).double()[:, None] * 10000.0 ** (-torch.arange(0, d, 2).double() / d)
    pairs = torch.complex(x[..., ::2].contiguous(), x[..., 1::2].contiguous()) * torch.exp(1j * angle)
    return torch.stack((pairs.real, pairs.imag), dim=-1).flatten(-2)


def recomputed(layer: LayerTrace, positions: str) -> dict[str, Tensor]:
    """Each stage again, in float64, from x and the matrices alone."""
    p, settings = layer.projections, layer.settings
    sources = {"Q": layer.x.double(), "K": layer.memory.double(), "V": layer.memory.double()}

    def project(name: str, scale: float) -> Tensor:
        W, b = getattr(p, f"W_{name}").double(), getattr(p, f"b_{name}")
        products = [sources[name] @ W[h] + (0 if b is None else b[h].double()) for h in range(W.shape[0])]
        return scale * torch.stack(products)

    q, k, v = project("Q", settings.input_scale), project("K", settings.input_scale), project("V", 1.0)
    if positions == "rope":
        q, k = turned(q), turned(k)
    n_head, n, d_k = q.shape
    factor = (1.0 if settings.scaling == "none" else 1 / math.sqrt(d_k)) / settings.temperature
    lag = torch.arange(n)[:, None] - torch.arange(n)
    allowed = {"none": None, "causal": lag >= 0, "window": lag.abs() <= settings.radius}[settings.mask]
    heads = []
    for h in range(n_head):
        bias = -ALIBI_SLOPES[h] * lag.abs() if positions == "alibi" else None
        head = references.attention(
            q[h], k[h], v[h], scale=factor, allowed=allowed, bias=bias, softcap=layer.softcap
        )  # fmt: skip
        if settings.normalizer == "hard":
            head["weights"] = torch.zeros(n, n, dtype=torch.float64)
            for i in range(n):
                head["weights"][i, max(range(n), key=lambda j: float(head["masked_scores"][i, j]))] = 1.0
            head["context"] = head["weights"] @ v[h]
        if (layer.index, h) in settings.ablated:
            head["context"] = torch.zeros_like(head["context"])
        heads.append(head)
    shown = heads[HEAD]
    stretched = torch.zeros(n, n, dtype=torch.float64)
    for i in range(n):
        for j in range(n):
            stretched[i, j] = math.exp(float(shown["masked_scores"][i, j]) - float(shown["masked_scores"][i].max()))
    concat = torch.cat([head["context"] for head in heads], dim=-1)
    W_O = p.W_O.double().reshape(-1, p.W_O.shape[-1])
    matrices = {
        "x": layer.x.double(),
        **{f"W_{name}": getattr(p, f"W_{name}")[HEAD].double() for name in "QKV"},
        "q": q[HEAD],
        "k": k[HEAD],
        "v": v[HEAD],
        "k_t": k[HEAD].T,
        "scores": shown["scores"],
        "scaled": shown["scaled_scores"],
        "soft_scores": shown["scores"].softmax(-1),
        "soft_scaled": shown["scaled_scores"].softmax(-1),
        "capped": shown["capped_scores"],
        "masked": shown["masked_scores"],
        "exp": stretched,
        "sum": stretched.sum(-1, keepdim=True),
        "weights": shown["weights"],
        "context": shown["context"],
        "concat": concat,
        "W_O": W_O,
        "output": concat @ W_O + (0 if p.b_O is None else p.b_O.double()),
    }
    return matrices if layer.softcap is not None else {key: stage for key, stage in matrices.items() if key != "capped"}


def executed(code: str, layer: LayerTrace, head: int = HEAD) -> float:
    """What the last line of the code is worth after the lines before it have run."""
    scope = {"torch": torch, "layer": layer, "trace": layer.head(head)}
    *lines, last = code.split("\n")
    exec("\n".join(lines), scope)
    return float(eval(last, scope))


def balanced(formula: str) -> bool:
    depth = 0
    for brace in re.findall(r"[{}]", re.sub(r"\\[{}]", "", formula)):
        depth += 1 if brace == "{" else -1
        if depth < 0:
            return False
    return depth == 0 and formula.count("(") == formula.count(")") and formula.count(r"\big") % 2 == 0


def every_place(shape: torch.Size, count: int = 7) -> list[tuple[int, int]]:
    """The four corners and some places between them, all different rows where there are as many."""
    rows, cols = shape
    corners = {(0, 0), (0, cols - 1), (rows - 1, 0), (rows - 1, cols - 1)}
    return sorted(corners | {(3 * i % rows, 5 * i % cols) for i in range(count)})


@pytest.mark.parametrize("name", LAYERS)
def test_value_terms_and_code_agree_with_a_recomputation(name: str) -> None:
    layer = LAYERS[name]()
    for panel, expected in recomputed(layer, PLACES[name][0].positions if name in PLACES else "none").items():
        for row, col in every_place(expected.shape):
            cell = explain(layer, HEAD, panel, row, col)
            truth, where = float(expected[row, col]), f"{panel} {row} {col}: {cell}"
            assert_close(cell.value, truth, rtol=1e-4, atol=1e-5, msg=where)
            assert_close(executed(cell.code, layer), truth, rtol=1e-4, atol=1e-5, msg=where)
            if cell.again is not None:
                assert_close(cell.again, truth, rtol=1e-4, atol=1e-5, msg=where)
            if panel in SUMS:
                check_terms(cell, layer.settings.input_scale if panel in ("q", "k", "k_t") else 1.0)
            assert balanced(cell.symbols), cell.symbols
            assert balanced(cell.numbers), cell.numbers


def check_terms(cell: Explanation, scale: float) -> None:
    assert cell.terms
    for term in cell.terms:
        assert_close(term.left * term.right, term.product, rtol=1e-12, atol=1e-15)
    if cell.again is not None:
        assert_close(scale * math.fsum(term.product for term in cell.terms), cell.again, rtol=1e-9, atol=1e-9)
        assert_close(cell.again, cell.value, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", ["scores", "weights", "output"])
def test_every_sum_says_again_what_it_comes_to_unless_a_note_says_why_not(name: str) -> None:
    for layer in (scratch(), scratch("causal"), minilm()):
        assert explain(layer, HEAD, name, 4, 1).again is not None


def test_a_weight_is_a_quotient_that_shows_the_exponent_it_comes_from() -> None:
    layer = scratch("causal")
    row = layer.head(HEAD).masked_scores[5]
    best = int(row.argmax())
    assert explain(layer, HEAD, "weights", 5, best).numbers.startswith(r"\frac{e^{0}}")
    other = (best + 1) % 6
    below = tex(float(row[other].double() - row[best].double()))
    assert explain(layer, HEAD, "weights", 5, other).numbers.startswith(rf"\frac{{e^{{{below}}}}}")
    assert explain(layer, HEAD, "weights", 5, 7).numbers.startswith(r"\frac{e^{-\infty}}")


def test_every_stage_has_an_explanation_and_nothing_else_has() -> None:
    assert set(EXPLAIN) == set(recomputed(capped(), "none"))
    with pytest.raises(KeyError):
        explain(scratch(), HEAD, "nothing", 0, 0)


def test_the_numbers_of_the_trained_model_are_those_of_transformers_eager_attention() -> None:
    model = load_embedded()
    tokens = model.tokenize(TEXT)
    eager = AutoModel.from_pretrained(embedded_folder(), attn_implementation="eager", dtype=torch.float32).eval()
    with torch.no_grad():
        theirs = eager(input_ids=torch.tensor([tokens.ids]), output_attentions=True, output_hidden_states=True)
        inner = eager.encoder.layer[1].attention
        x = theirs.hidden_states[1]
        q, k, v = (getattr(inner.self, name)(x)[0] for name in ("query", "key", "value"))
        d = q.shape[-1] // 12
        own = slice(HEAD * d, (HEAD + 1) * d)
        weights = theirs.attentions[1][0]
        concat = torch.cat([weights[h] @ v[:, h * d : (h + 1) * d] for h in range(12)], dim=-1)
        expected = {
            "x": x[0],
            "W_Q": inner.self.query.weight.detach().T[:, own],
            "q": q[:, own],
            "k": k[:, own],
            "v": v[:, own],
            "weights": weights[HEAD],
            "context": concat[:, own],
            "concat": concat,
            "W_O": inner.output.dense.weight.detach().T,
            "output": inner.output.dense(concat),
        }
    for panel, stage in expected.items():
        for row, col in every_place(stage.shape, 13):
            cell = explain(minilm(), HEAD, panel, row, col)
            assert_close(cell.value, float(stage[row, col]), rtol=1e-4, atol=1e-5, msg=f"{panel} {row} {col}")


CAP = 0.5
GEMMA = {"vocab_size": 37, "hidden_size": 66, "num_hidden_layers": 2, "num_attention_heads": 6,
         "num_key_value_heads": 3, "head_dim": 10, "intermediate_size": 29, "sliding_window": 3,
         "query_pre_attn_scalar": 13, "attn_logit_softcapping": CAP}  # fmt: skip


def gemma(implementation: str) -> torch.nn.Module:
    config = AutoConfig.for_model("gemma2", **GEMMA)
    model = AutoModel.from_config(config, attn_implementation=implementation).eval()
    for parameter in model.parameters():  # large enough for the cap to bend the scores
        parameter.data.normal_(std=0.3, generator=torch.Generator().manual_seed(parameter.numel()))
    return model


@pytest.mark.parametrize("at", [0, 1])  # the first layer has a sliding window, the second sees everything before it
def test_a_soft_cap_is_a_stage_of_its_own_and_the_weights_are_those_of_transformers_eager_attention(at: int) -> None:
    inputs = {"input_ids": torch.tensor([[2, 17, 5, 11, 3, 7, 13]])}
    register()
    layer = Pretrained("gemma2", gemma("headlight"), None, inputs).trace(inputs)[1][at]
    eager, seen = gemma("eager"), {}
    inner = eager.get_submodule(f"layers.{at}.self_attn")
    inner.register_forward_pre_hook(lambda module, args, kwargs: seen.update(kwargs), with_kwargs=True)
    with torch.no_grad():
        weights = eager(**inputs, output_attentions=True).attentions[at][0, HEAD]
        maps = [inner.get_submodule(name) for name in ("q_proj", "k_proj")]
        projected = [map_(seen["hidden_states"]).unflatten(-1, (-1, 10)) for map_ in maps]
        q, k = apply_rotary_pos_emb(*(x.transpose(1, 2) for x in projected), *seen["position_embeddings"])
        scaled = q[0, HEAD] @ k[0, HEAD // 2].T / math.sqrt(13)  # two query heads share a key head
        capped = CAP * torch.tanh(scaled / CAP)
    assert scaled.abs().max() > 2 * CAP
    assert (weights[6, 0] == 0) == (at == 0)  # out of the window

    panels = {stage.key: {panel.name: panel.values for panel in stage.panels} for stage in stages(layer, HEAD)}
    assert list(panels)[4:7] == ["scaled", "capped", "masked"]
    open_pairs = weights > 0
    masked = capped.masked_fill(~open_pairs, math.nan)
    for name, expected in {"scaled": scaled, "capped": capped, "masked": masked}.items():
        assert_close(torch.from_numpy(panels[name][name]), expected, rtol=1e-4, atol=1e-5, equal_nan=True, msg=name)
    live = live_panel(layer, HEAD)
    assert live.softcap == CAP
    drawn = CAP * torch.tanh(torch.from_numpy(live.values) / CAP)  # as the browser draws it at temperature 1
    assert_close(drawn.nan_to_num(nan=-math.inf).softmax(-1), weights, rtol=1e-5, atol=1e-6)

    for panel, stage in {"scaled": scaled, "capped": capped, "weights": weights}.items():
        for row, col in every_place(stage.shape, 13):
            cell, truth, where = explain(layer, HEAD, panel, row, col), float(stage[row, col]), f"{panel} {row} {col}"
            assert_close([cell.value, cell.again], [truth, truth], rtol=1e-4, atol=1e-5, msg=where)
            assert_close(executed(cell.code, layer), truth, rtol=1e-4, atol=1e-5, msg=where)
    assert explain(layer, HEAD, "q", 5, 1).note == "note.rotated"


def test_a_long_sum_lists_its_largest_terms_the_others_as_one_and_the_bias_last() -> None:
    layer = minilm()
    cell = explain(layer, HEAD, "q", 4, 9)
    products = layer.x[4].double() * layer.projections.W_Q[HEAD, :, 9].double()
    order = products.abs().argsort(descending=True)
    *largest, others, bias = cell.terms
    assert [term.index for term in largest] == order[:LARGEST].tolist()
    assert (others.kind, others.index, bias.kind) == ("others", 384 - LARGEST, "bias")
    assert_close(others.product, float(products[order[LARGEST:]].sum()))
    assert_close(bias.product, float(layer.projections.b_Q[HEAD, 9]))


def test_a_short_sum_lists_every_term_in_its_order() -> None:
    layer = scratch()
    cell = explain(layer, HEAD, "scores", 4, 1)
    head = layer.head(HEAD)
    assert [(term.kind, term.index) for term in cell.terms] == [("component", c) for c in range(7)]
    assert_close([term.left for term in cell.terms], head.q[4].double().tolist())
    assert_close([term.right for term in cell.terms], head.k[1].double().tolist())


def test_the_terms_of_a_row_of_weights_are_its_exponentials() -> None:
    layer = scratch()
    for panel in ("weights", "sum"):
        cell = explain(layer, HEAD, panel, 4, 0)
        shares = torch.tensor([term.product for term in cell.terms], dtype=torch.float64)
        assert_close(shares / shares.sum(), layer.head(HEAD).weights[4].double(), rtol=1e-5, atol=1e-6)


def test_what_a_reader_typed_never_enters_a_formula() -> None:
    layer = minilm()
    hostile = tuple(rf"}}\input{{{i}}}$ \\ <b>" for i in range(len(layer.queries)))
    other = replace(layer, queries=hostile, keys=hostile)
    for panel, stage in recomputed(layer, "none").items():
        row, col = 1, stage.shape[1] - 1
        cell = explain(layer, HEAD, panel, row, col)
        assert cell == explain(other, HEAD, panel, row, col)
        formula = cell.symbols + cell.numbers
        assert not [token for token in layer.queries if len(token) > 1 and re.search(rf"\b{token}\b", formula)]


@pytest.mark.parametrize("name", ["rope", "rope and causal"])
@pytest.mark.parametrize("panel", ["q", "k"])
def test_rotated_queries_and_keys_say_so_instead_of_a_sum_that_does_not_fit(name: str, panel: str) -> None:
    layer = scratch(name)
    cell = explain(layer, HEAD, panel, 5, 1)
    assert (cell.note, cell.again) == ("note.rotated", None)
    projected = layer.settings.input_scale * math.fsum(term.product for term in cell.terms)
    assert abs(projected - cell.value) > 1e-3
    assert_close(executed(cell.code, layer), cell.value)
    assert explain(layer, HEAD, panel, 0, 1).note == ""  # position 0 is not turned
    assert explain(layer, HEAD, "v", 5, 1).note == ""


def test_a_matrix_that_is_not_exposed_leaves_the_number_without_a_sum() -> None:
    layer = scratch()
    hidden = replace(layer, projections=replace(layer.projections, W_Q=None), memory=None)
    for panel in ("q", "k", "v"):
        cell = explain(hidden, HEAD, panel, 4, 1)
        assert (cell.note, cell.again, cell.terms) == ("note.not_exposed", None, ())
        assert_close(cell.value, float(getattr(layer.attention, panel)[HEAD, 4, 1]))
        assert_close(executed(cell.code, hidden), cell.value)


@pytest.mark.parametrize("name", ["causal", "alibi and causal", "minilm, causal and loud"])
def test_a_forbidden_pair_is_minus_infinity_and_gets_nothing(name: str) -> None:
    layer = LAYERS[name]()
    cell = explain(layer, HEAD, "masked", 1, 5)
    assert (cell.value, cell.note) == (-math.inf, "note.forbidden")
    assert executed(cell.code, layer) == -math.inf
    assert explain(layer, HEAD, "exp", 1, 5).value == explain(layer, HEAD, "weights", 1, 5).value == 0.0


def test_an_allowed_pair_says_whether_a_bias_was_added() -> None:
    assert explain(scratch("causal"), HEAD, "masked", 5, 1).note == "note.allowed"
    cell = explain(scratch("alibi"), HEAD, "masked", 5, 1)
    assert cell.note == "note.biased"
    assert tex(-4 * ALIBI_SLOPES[HEAD]) in cell.numbers


@pytest.mark.parametrize("normalizer", ["softmax", "hard"])
def test_a_row_in_which_nothing_is_allowed_has_weight_0(normalizer: str) -> None:
    layer = empty_rows(normalizer)
    for row in range(6):
        for col in range(5):
            weight = explain(layer, HEAD, "weights", row, col)
            assert (weight.value, weight.note) == (0.0, "note.empty_row")
            assert weight.again in (0.0, None)
            for panel in ("masked", "exp", "sum", "weights", "context"):
                cell = explain(layer, HEAD, panel, row, 0 if panel == "sum" else col)
                assert cell.value == (-math.inf if panel == "masked" else 0.0)
                assert executed(cell.code, layer) == cell.value, cell.code
    assert explain(layer, HEAD, "weights", 6, 0).value == 1.0  # the first that has somebody before it


def test_a_silent_head_hands_on_0_and_shows_what_it_would_have_handed_on() -> None:
    layer, loud = scratch("ablated"), scratch()
    cell = explain(layer, HEAD, "context", 3, 2)
    assert (cell.value, cell.again, cell.note) == (0.0, None, "note.ablated")
    assert_close(math.fsum(t.product for t in cell.terms), float(loud.attention.context[HEAD, 3, 2]), rtol=0, atol=1e-5)
    assert executed(cell.code, layer) == 0.0
    assert explain(layer, 1, "context", 3, 2).note == ""


@pytest.mark.parametrize(
    ("number", "written"),
    [(0.0, "0"), (-0.0, "0"), (1.5, "1.5"), (-3.25e-9, r"-3.25\cdot10^{-9}"), (math.inf, r"\infty"),
     (-math.inf, r"-\infty"), (math.nan, r"\text{NaN}"), (123456.0, "123500"), (2e6, r"2\cdot10^{6}"),
     (-7.0, "-7"), (5e-324, r"4.941\cdot10^{-324}")],
)  # fmt: skip
def test_numbers_are_written_for_latex(number: float, written: str) -> None:
    assert tex(number) == written


def test_a_sum_of_negative_numbers_is_written_with_a_minus_and_no_plus_before_it() -> None:
    for row, col in every_place(minilm().x.shape, 17):
        cell = explain(minilm(), HEAD, "output", row, col)
        assert "+ -" not in cell.numbers
