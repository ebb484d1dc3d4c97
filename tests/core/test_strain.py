"""A trained model under strain, against transformers' eager attention with its query and key maps scaled by hand."""

import itertools
import math
import weakref
from collections.abc import Iterable
from decimal import Decimal, localcontext

import pytest
import torch
import torch.nn.functional as F
from torch.testing import assert_close
from transformers import AutoModel

from attention_core.attention import gradients
from attention_core.models import FromScratch, Model, Run, Settings, Sizes, load_embedded, load_pronoun
from attention_core.models.pretrained import embedded_folder
from attention_core.models.strain import HEAD_MEASURES, strain
from attention_core.normalizers import NORMALIZERS

TEXT = "The law saw the king , but its city should be just"
HEADS, D_K = 12, 32


def eager(alpha: float, layers: tuple[int, ...] | None, scaled: bool) -> tuple[torch.nn.Module, dict]:
    """α q and α k, from α W and α b; without 1/√d_k the query map is multiplied by √d_k too."""
    model = AutoModel.from_pretrained(embedded_folder(), attn_implementation="eager", dtype=torch.float64).eval()
    for index, layer in enumerate(model.encoder.layer):
        if layers is None or index in layers:
            inner = layer.attention.self
            for map_, factor in ((inner.query, alpha * (1.0 if scaled else D_K**0.5)), (inner.key, alpha)):
                map_.weight.data.mul_(factor)
                map_.bias.data.mul_(factor)
    tokens = load_embedded().tokenize(TEXT)
    return model, {"input_ids": torch.tensor([tokens.ids])}


def summing_to_zero(back: torch.Tensor, p: torch.Tensor) -> torch.Tensor:
    """A gradient through a softmax sums to 0 over its row: the winner's part from the others, which do not cancel."""
    winner = p.argmax(-1, keepdim=True)
    return back.scatter(-1, winner, -back.scatter(-1, winner, 0.0).sum(-1, keepdim=True))


@pytest.mark.parametrize(
    ("alpha", "layers", "scaling"),
    [(1.0, None, "model"), (2.0, None, "model"), (3.0, (3,), "model"), (0.7, None, "none"), (8.0, (2,), "model")],
)
def test_every_number_is_that_of_the_eager_model(alpha: float, layers: tuple[int, ...] | None, scaling: str) -> None:
    model = load_embedded()
    settings = Settings(scaling=scaling, input_scale=alpha, layers=layers)
    under_strain = next(strain(model, model.tokenize(TEXT), [settings]))
    theirs, inputs = eager(alpha, layers, scaling == "model")
    built, _ = eager(1.0, None, True)
    theirs.requires_grad_(True)
    outputs = theirs(**inputs, output_attentions=True)
    output = outputs.last_hidden_state[0]
    direction = torch.randn(output.shape[-1], generator=torch.Generator().manual_seed(0)).double()
    slopes = torch.autograd.grad((output * direction).sum(), outputs.attentions, retain_graph=True)
    (output * direction).sum().backward()
    with torch.no_grad():
        cosine = torch.cosine_similarity(output, built(**inputs).last_hidden_state[0], dim=-1).mean()
    assert_close(under_strain.cosine, float(cosine), rtol=1e-4, atol=1e-4)
    measured = dict(zip(HEAD_MEASURES, under_strain.heads.double(), strict=True))
    for index, (weights, slope) in enumerate(zip(outputs.attentions, slopes, strict=True)):
        p, reach = weights[0].detach(), slope[0] - slope[0].mean(-1, keepdim=True)
        back = summing_to_zero(p * (slope[0] - (p * slope[0]).sum(-1, keepdim=True)), p)
        gains = back.norm(dim=-1) / reach.norm(dim=-1)
        assert_close(measured["peak"][index], p.amax(-1).mean(-1), rtol=1e-4, atol=1e-5)
        assert_close(measured["entropy"][index], torch.special.entr(p).sum(-1).mean(-1), rtol=1e-3, atol=1e-4)
        assert_close(measured["dead"][index], (gains < 1e-3).double().mean(-1), rtol=0, atol=1.01 / len(p[0]))
        assert_close(measured["log_gain"][index], gains.median(-1).values.log10(), rtol=0, atol=0.01)
        assert_close(10 ** measured["log_d_scores"][index], back.norm(dim=(-2, -1)), rtol=1e-2, atol=1e-5)
        inner = theirs.encoder.layer[index].attention.self
        strained = layers is None or index in layers
        factor = (alpha if strained else 1.0) * (1.0 if scaling == "model" else D_K**0.5)
        per_head = factor * inner.query.weight.grad.view(HEADS, D_K, -1).norm(dim=(-2, -1))
        assert_close(10 ** measured["log_d_W_Q"][index], per_head, rtol=1e-2, atol=1e-4)


def exactly(scores: torch.Tensor, d_weights: torch.Tensor) -> list[Decimal]:
    """The gradient of a softmax row, p ⊙ (d − ⟨p, d⟩), with 60 digits and exponents without end; it sums to 0."""
    with localcontext() as context:
        context.prec = 60
        powers = [Decimal(score).exp() for score in scores.tolist()]
        slopes, total = [Decimal(slope) for slope in d_weights.tolist()], sum(powers)
        weights = [power / total for power in powers]
        mean = sum(weight * slope for weight, slope in zip(weights, slopes, strict=True))
        terms = [weight * (slope - mean) for weight, slope in zip(weights, slopes, strict=True)]
        winner = weights.index(max(weights))
        return [*terms[:winner], -sum(terms[:winner] + terms[winner + 1 :]), *terms[winner + 1 :]]


def log_norm(numbers: Iterable[Decimal]) -> float:
    with localcontext() as context:
        context.prec = 60
        return float(sum(number * number for number in numbers).log10() / 2)


@pytest.mark.parametrize(("alpha", "scaling"), [(1.0, "model"), (2.52, "model"), (16.0, "model"), (16.0, "none")])
def test_what_no_float_holds_is_exact_in_its_logarithm(alpha: float, scaling: str) -> None:
    """From 10⁻²³ on squares underflow in float32, and a saturated winner loses its part: sixty digits do not mind."""
    model = load_embedded()
    tokens, settings = model.tokenize(TEXT), Settings(scaling=scaling, input_scale=alpha)
    measures = next(strain(model, tokens, [settings])).heads
    run = model.run(tokens, settings, grad=True)
    direction = torch.randn(run.output.shape[-1], generator=torch.Generator().manual_seed(0))
    deepest = 0.0
    for layer, head in ((0, 2), (1, 7), (3, 5), (5, 7)):
        trace = run.layers[layer].attention
        d_weights = gradients((run.output * direction).sum(), trace).weights[head].double()
        rows = list(map(exactly, trace.masked_scores[head].detach(), d_weights))
        gains = [
            log_norm(row) - math.log10((reached - reached.mean()).norm())
            for row, reached in zip(rows, d_weights, strict=True)
        ]
        measured = dict(zip(HEAD_MEASURES, measures[:, layer, head].tolist(), strict=True))
        expected = torch.tensor(gains).sort().values[(len(gains) - 1) // 2]
        assert_close(measured["log_gain"], float(expected), rtol=1e-6, atol=1e-5)
        assert_close(measured["log_d_scores"], log_norm(itertools.chain(*rows)), rtol=1e-6, atol=1e-5)
        largest = max(abs(number) for number in itertools.chain(*rows))
        unit = torch.tensor([[float(number / largest) for number in row] for row in rows], dtype=torch.float64)
        x, k = run.layers[layer].x, trace.k[head].detach().double()
        assert x is not None
        d_W_Q = alpha * run.layers[layer].factor * x.detach().double().mT @ unit @ k
        assert_close(measured["log_d_W_Q"], float(d_W_Q.norm().log10()) + float(largest.log10()), rtol=1e-6, atol=1e-5)
        deepest = min(deepest, measured["log_gain"])
    assert deepest < -50 or alpha < 16


@pytest.mark.parametrize(
    "settings",
    [
        Settings(mask="causal", input_scale=4.0),
        Settings(mask="window", radius=0),
        Settings(normalizer="hard"),
        Settings(normalizer="softmax1", mask="causal"),
        Settings(normalizer="sigmoid", mask="causal"),
        Settings(normalizer="entmax15", temperature=0.5),
        Settings(normalizer="sparsemax", mask="window"),
    ],
    ids=str,
)
def test_under_any_settings_gains_and_gradients_are_those_of_autograd(settings: Settings) -> None:
    model = load_embedded()
    tokens = model.tokenize(TEXT)
    measures = next(strain(model, tokens, [settings])).heads
    run = model.run(tokens, settings, grad=True)
    direction = torch.randn(run.output.shape[-1], generator=torch.Generator().manual_seed(0))
    for index, layer in enumerate(run.layers):
        trace = layer.attention
        slopes = gradients((run.output * direction).sum(), trace)
        allowed = ~trace.masked_scores.isneginf()
        count = allowed.sum(-1, keepdim=True)
        upstream = slopes.weights.masked_fill(~allowed, 0.0)
        apart = (upstream - upstream.sum(-1, keepdim=True) / count).masked_fill(~allowed, 0.0).detach()
        scores = trace.masked_scores.detach().double().requires_grad_()
        weights = NORMALIZERS[settings.normalizer].apply(scores, allowed)
        back, full = (
            torch.autograd.grad(weights, scores, seen.double(), retain_graph=True, materialize_grads=True)[0]
            if weights.requires_grad else torch.zeros_like(scores) for seen in (apart, upstream)
        )  # fmt: skip
        gains = back.norm(dim=-1) / apart.double().norm(dim=-1)
        gains = gains.masked_fill(count[..., 0] < 2, math.nan)
        measured = dict(zip(HEAD_MEASURES, measures[:, index].double(), strict=True))
        assert_close(10 ** measured["log_gain"], gains.nanmedian(-1).values, rtol=1e-3, atol=1e-10, equal_nan=True)
        assert_close(10 ** measured["log_d_scores"], full.flatten(1).norm(dim=-1), rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize("target", [0, 4])
def test_the_cross_entropy_names_a_token_by_its_word_embedding(target: int) -> None:
    """−Σ ln softmax(o_i Eᵀ/√d_model)_t over the tokens of the sentence, by autograd through the eager model."""
    model = load_embedded()
    measures = next(strain(model, model.tokenize(TEXT), [Settings(input_scale=1.5)], target=target)).heads.double()
    theirs, inputs = eager(1.5, None, True)
    theirs.requires_grad_(True)
    outputs = theirs(**inputs, output_attentions=True)
    E = theirs.get_input_embeddings().weight.detach()[inputs["input_ids"][0]]
    likelihood = (outputs.last_hidden_state[0] @ E.mT / E.shape[-1] ** 0.5).log_softmax(dim=-1)[:, target]
    slopes = torch.autograd.grad(-likelihood.sum(), outputs.attentions, retain_graph=True)
    (-likelihood.sum()).backward()
    for index, (weights, slope) in enumerate(zip(outputs.attentions, slopes, strict=True)):
        p = weights[0].detach()
        back = summing_to_zero(p * (slope[0] - (p * slope[0]).sum(-1, keepdim=True)), p)
        measured = dict(zip(HEAD_MEASURES, measures[:, index], strict=True))
        assert_close(measured["log_d_scores"], back.norm(dim=(-2, -1)).log10(), rtol=0, atol=0.01)
        gains = back.norm(dim=-1) / (slope[0] - slope[0].mean(-1, keepdim=True)).norm(dim=-1)
        assert_close(measured["log_gain"], gains.median(-1).values.log10(), rtol=0, atol=0.02)
        grad = theirs.encoder.layer[index].attention.self.query.weight.grad
        assert_close(
            10 ** measured["log_d_W_Q"], 1.5 * grad.view(HEADS, D_K, -1).norm(dim=(-2, -1)), rtol=0.02, atol=1e-4
        )


def test_an_untrained_layer_is_strained_like_any_other_model() -> None:
    """‖∂L/∂W_Q‖ of every head, by torch's own attention and autograd."""
    layer = FromScratch(Sizes(n_head=3, d_model=22, d_k=7, d_v=5, source="digest"))
    tokens = layer.tokenize(TEXT)
    [strained] = strain(layer, tokens, [Settings(input_scale=1.5)])
    x, of = layer.embed(tokens).double(), layer.run(tokens).layers[0].projections
    W_Q, W_K, W_V, W_O = (W.detach().double() for W in (of.W_Q, of.W_K, of.W_V, of.W_O) if W is not None)
    context = F.scaled_dot_product_attention(1.5 * x @ W_Q.requires_grad_(), 1.5 * x @ W_K, x @ W_V)
    output = torch.einsum("hnv,hvd->nd", context, W_O)
    direction = torch.randn(22, generator=torch.Generator().manual_seed(0)).double()
    (gradient,) = torch.autograd.grad((output * direction).sum(), W_Q)
    measured = strained.heads[HEAD_MEASURES.index("log_d_W_Q"), 0].double()
    assert_close(measured, gradient.flatten(1).norm(dim=-1).log10(), rtol=0, atol=1e-5)


@pytest.mark.parametrize("load", [load_embedded, load_pronoun, lambda: FromScratch(Sizes(source="digest"))])
def test_every_model_is_asked_in_the_same_way(load) -> None:
    model = load()
    assert isinstance(model, Model)
    tokens = model.tokenize(model.example or TEXT)
    run = model.run(tokens, grad=True)
    assert len(model.word_embeddings(tokens)) == len(tokens) == len(run.output)
    assert [layer.name for layer in run.layers] == list(model.layers)
    assert run.layers[0].attention.weights.requires_grad and run.output.requires_grad


def test_a_layer_with_fewer_heads_is_filled_with_nan_and_a_rare_model_costs_nothing() -> None:
    model = load_embedded()
    strained = next(strain(model, model.tokenize("law"), [Settings(ablated=frozenset({(5, 0)}))]))
    assert strained.heads.shape == (len(HEAD_MEASURES), 6, HEADS)
    gain = strained.heads[HEAD_MEASURES.index("log_gain")]
    assert bool(gain[5, 0].isnan())  # a head that is off hands on nothing, so nothing reaches its rows
    assert bool(gain[5, 1:].isfinite().all())


def test_one_pass_back_serves_all_layers() -> None:
    """What one layer after the other would cost as many passes as there are layers, here is one at every setting."""
    model, passes = load_embedded(), [0] * 6

    def counted(index: int):
        def arrived(slope: torch.Tensor) -> None:
            passes[index] += 1

        def hook(module, args, output) -> None:
            if output.requires_grad:
                output.register_hook(arrived)

        return hook

    handles = [
        layer.output.register_forward_hook(counted(index)) for index, layer in enumerate(model._model.encoder.layer)
    ]
    try:
        strained = list(strain(model, model.tokenize(TEXT), [Settings(), Settings(input_scale=2.0)]))
    finally:
        for handle in handles:
            handle.remove()
    assert len(strained) == 2 and passes == [2] * 6


def test_between_two_settings_no_run_is_held(monkeypatch) -> None:
    """Whoever computes them one by one rests in between, and the graph of a long text takes hundreds of megabytes."""
    model, held = load_embedded(), []
    run_as_built = model.run

    def run(*args, **options) -> Run:
        run = run_as_built(*args, **options)
        held.extend(map(weakref.ref, run.layers))
        return run

    monkeypatch.setattr(model, "run", run)
    stops = strain(model, model.tokenize(TEXT), [Settings()] * 2)
    next(stops)
    assert len(held) == 2 * len(model.layers) and not any(layer() for layer in held)
