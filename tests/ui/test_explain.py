"""Every cell explains itself: the value, the terms and the code agree with an independent recomputation."""

import math
import re

import pytest
import torch
from torch.testing import assert_close

from attention_core.models import FromScratch, LayerTrace, Settings, Sizes, load_embedded
from ui.explain import _EXPLAIN, explain, tex

TEXT = "The law saw the king , but its city"
HEAD = 2
PLAIN = Sizes(n_head=3, d_model=22, d_k=7, d_v=5, seed=3, source="digest")


def scratch(settings: Settings | None = None, sizes: Sizes = PLAIN) -> LayerTrace:
    model = FromScratch(sizes)
    return model.run(model.tokenize(TEXT), settings or Settings()).layers[0]


def minilm() -> LayerTrace:
    model = load_embedded()
    return model.run(model.tokenize(TEXT), Settings(input_scale=1.5)).layers[1]


LAYERS = {
    "plain": scratch,
    "causal": lambda: scratch(Settings(mask="causal", temperature=0.7)),
    "loud": lambda: scratch(Settings(input_scale=2.0, scaling="none")),
    "hard": lambda: scratch(Settings(normalizer="hard")),
    "alibi": lambda: scratch(sizes=Sizes(n_head=3, d_model=22, d_k=7, d_v=5, source="digest", positions="alibi")),
    "minilm": minilm,
}


def stages(layer: LayerTrace) -> dict[str, torch.Tensor]:
    """Each stage again, in float64, from x and the matrices alone."""
    p, here = layer.projections, layer.settings
    x = layer.x.double()

    def project(name: str, scale: float) -> torch.Tensor:
        W, b = getattr(p, f"W_{name}").double(), getattr(p, f"b_{name}")
        made = torch.stack([x @ W[h] + (0 if b is None else b[h].double()) for h in range(W.shape[0])])
        return scale * made

    q, k, v = project("Q", here.input_scale), project("K", here.input_scale), project("V", 1.0)
    scores = torch.stack([torch.stack([q[h, i] @ k[h].T for i in range(q.shape[1])]) for h in range(q.shape[0])])
    scaled = scores * layer.factor
    masked = scaled + (layer.attention.masked_scores - layer.attention.capped_scores).nan_to_num().double()
    if here.mask == "causal":
        masked = scaled.masked_fill(torch.ones(scaled.shape[-2:], dtype=torch.bool).triu(1), -torch.inf)
    stretched = (masked - masked.amax(-1, keepdim=True)).exp()
    weights = stretched / stretched.sum(-1, keepdim=True)
    if here.normalizer == "hard":
        weights = torch.nn.functional.one_hot(masked.argmax(-1), masked.shape[-1]).double()
    context = weights @ v
    concat = torch.cat(list(context), dim=-1)
    W_O = p.W_O.double().reshape(-1, p.W_O.shape[-1])
    return {
        "x": x,
        "W_Q": p.W_Q[HEAD],
        "W_K": p.W_K[HEAD],
        "W_V": p.W_V[HEAD],
        "q": q[HEAD],
        "k": k[HEAD],
        "v": v[HEAD],
        "k_t": k[HEAD].T,
        "scores": scores[HEAD],
        "scaled": scaled[HEAD],
        "masked": masked[HEAD],
        "exp": stretched[HEAD],
        "sum": stretched[HEAD].sum(-1, keepdim=True),
        "weights": weights[HEAD],
        "context": context[HEAD],
        "concat": concat,
        "W_O": W_O,
        "output": concat @ W_O + (0 if p.b_O is None else p.b_O.double()),
    }


@pytest.mark.parametrize("name", LAYERS)
def test_value_terms_and_code_agree_with_a_recomputation(name: str) -> None:
    layer = LAYERS[name]()
    generator = torch.Generator().manual_seed(1)
    for panel, expected in stages(layer).items():
        for _ in range(5):
            row, col = (int(torch.randint(size, (1,), generator=generator)) for size in expected.shape)
            found = explain(layer, HEAD, panel, row, col)
            truth = float(expected[row, col])
            assert_close(found.value, truth, rtol=2e-4, atol=2e-5, msg=f"{panel} {row} {col}")
            scope = {"torch": torch, "layer": layer, "trace": layer.head(HEAD)}
            *lines, last = found.code.split("\n")
            exec("\n".join(lines), scope)
            assert_close(float(eval(last, scope)), truth, rtol=2e-4, atol=2e-5, msg=found.code)
            if found.again is not None and math.isfinite(truth):
                assert_close(found.again, truth, rtol=1e-4, atol=1e-5)
            if panel in ("q", "k", "v", "scores", "context", "output"):
                total = math.fsum(term.product for term in found.terms)
                scale = layer.settings.input_scale if panel in ("q", "k") else 1.0
                assert_close(scale * total, found.again, rtol=1e-9, atol=1e-9)
                assert all(math.isclose(t.left * t.right, t.product, abs_tol=1e-12) for t in found.terms)
            for formula in (found.symbols, found.numbers):
                assert formula.count("{") == formula.count("}")
                assert not re.search("law|king", formula)


def test_every_stage_has_an_explanation() -> None:
    assert set(_EXPLAIN) == {*stages(scratch()), "capped"}


def test_the_terms_of_a_row_of_weights_are_its_exponentials() -> None:
    layer = scratch()
    found = explain(layer, HEAD, "weights", 4, 1)
    shares = torch.tensor([term.product for term in found.terms], dtype=torch.float64)
    assert_close(shares / shares.sum(), layer.head(HEAD).weights[4].double(), rtol=1e-5, atol=1e-6)


def test_rotated_queries_say_so_instead_of_a_sum_that_does_not_fit() -> None:
    layer = scratch(sizes=Sizes(n_head=3, d_model=22, d_k=6, d_v=5, source="digest", positions="rope"))
    assert explain(layer, HEAD, "q", 5, 1).note == "note.rotated"
    assert explain(layer, HEAD, "q", 5, 1).again is None
    assert explain(layer, HEAD, "v", 5, 1).note == ""


def test_a_forbidden_pair_an_empty_row_and_a_silent_head() -> None:
    layer = scratch(Settings(mask="causal", ablated=frozenset({(0, HEAD)})))
    assert explain(layer, HEAD, "masked", 1, 5).value == -math.inf
    assert explain(layer, HEAD, "masked", 1, 5).note == "note.forbidden"
    assert explain(layer, HEAD, "weights", 1, 5).value == 0.0
    assert explain(layer, HEAD, "context", 3, 2).value == 0.0
    assert explain(layer, HEAD, "context", 3, 2).note == "note.ablated"


@pytest.mark.parametrize(
    ("number", "written"),
    [(0.0, "0"), (-0.0, "0"), (1.5, "1.5"), (-3.25e-9, r"-3.25\cdot10^{-9}"), (math.inf, r"\infty"),
     (-math.inf, r"-\infty"), (123456.0, "123500")],
)  # fmt: skip
def test_numbers_are_written_for_latex(number: float, written: str) -> None:
    assert tex(number) == written
