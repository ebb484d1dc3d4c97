"""What the Pipeline says of a layer is true of it: its scale, its mask, its shared keys, its turns, its input."""

import math
from functools import cache

import pytest
import torch

from attention_core.models import FromScratch, LayerTrace, Settings, Sizes, load_embedded, load_pronoun
from pages.explore.pipeline.explanation import explain
from pages.explore.pipeline.wording import formula, sentences
from tests.harness.families import BART, GROUPED, MLA, OPT, SMALL, T5, TOKENS, traced
from ui.text import words

PAGE = words("pipeline", "en")
MODELS = {
    "granite": ("granite", GROUPED | {"attention_multiplier": 0.0078125}),
    "llama": ("llama", GROUPED),
    "one key": ("llama", SMALL | {"num_key_value_heads": 1, "head_dim": 4}),
    "window": ("mistral", GROUPED | {"sliding_window": 3}),
    "qk norm": ("qwen3", GROUPED),
    "capped": ("gemma2", GROUPED | {"sliding_window": 9, "attn_logit_softcapping": 0.5, "query_pre_attn_scalar": 4}),
    "scaled before": ("opt", OPT),
    "parallel": ("gpt_neox", SMALL | {"rotary_pct": 0.5}),
    "latent": ("deepseek_v3", MLA),
    "bert": ("bert", SMALL),
    "t5": ("t5", T5),
    "bart": ("bart", BART),
}


@cache
def layer(name: str, at: int = 0, settings: Settings | None = None) -> LayerTrace:
    return traced(*MODELS[name]).run(TOKENS, settings or Settings()).layers[at]


def prose(stage: str, one: LayerTrace) -> str:
    return sentences(stage, one, 1, PAGE)


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("granite", "a number of its own, c = 0.007812 (temperature 1); 1/√4 would be 0.5."),
        ("llama", "Products of 4 components grow with √4, so the scores are multiplied by c = 0.5 (temperature 1)."),
        ("capped", "Products of 4 components grow with √4, so the scores are multiplied by c = 0.5 (temperature 1)."),
        ("scaled before", "has divided its queries by that already, so only c = 1 is left"),
        ("t5", "does not scale its scores: c = 1"),
        ("bert", "so the scores are multiplied by c = 0.5"),
    ],
)
def test_the_factor_is_explained_by_what_the_model_does(name: str, sentence: str) -> None:
    assert sentence in prose("scaled", layer(name))


@pytest.mark.parametrize("name", ["granite", "scaled before", "t5"])
def test_a_rule_of_the_readers_is_said_to_be_the_readers(name: str) -> None:
    one = layer(name, settings=Settings(scaling="inverse_sqrt", temperature=2.0))
    d_k, before = one.attention.q.shape[-1], one.built.query_scale
    assert math.isclose(one.factor, d_k**-0.5 / before / 2.0, rel_tol=1e-5)
    assert "The rule chosen in Settings" in prose("scaled", one) and "(temperature 2)" in prose("scaled", one)


@pytest.mark.parametrize("rule", ["none", "inverse_sqrt"])
def test_a_rule_takes_the_place_of_what_a_model_does_to_its_queries(rule: str) -> None:
    """OPT multiplies q by 1/√d_k itself: under "none" the scores are those of the plain products."""
    one = layer("scaled before", settings=Settings(scaling=rule))
    x, W, b = one.x, *(getattr(one.projections, f"{kind}_Q") for kind in "Wb")
    q = (torch.einsum("nm,hmd->hnd", x, W) + b[:, None]) * 8**0.5  # the page shows W with the factor in it
    expected = q @ one.attention.k.mT * (1.0 if rule == "none" else 8**-0.5)
    torch.testing.assert_close(one.attention.scaled_scores, expected, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(one.plain_q, q, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("one", "sentence"),
    [
        (lambda: layer("llama"), "no query may look at a key that comes after it."),
        (lambda: layer("window"), "comes after it, nor at one whose distance exceeds 2."),
        (lambda: layer("bert"), "Nothing is masked here: every query may look at every key."),
        (
            lambda: layer("bert", settings=Settings(mask="window", radius=1)),
            "no query may look at a key whose distance exceeds 1.",
        ),
        (lambda: layer("bart", 3), "Nothing is masked here"),  # cross-attention
        (lambda: layer("t5"), "b: to every score the model adds a bias of its own"),
        (lambda: scratch("alibi"), "b: to every score the model adds a bias of its own"),
    ],
)
def test_the_mask_is_the_one_that_holds(one, sentence: str) -> None:
    assert sentence in prose("masked", one())


def test_only_a_masked_layer_has_forbidden_pairs_in_its_formula() -> None:
    assert formula("masked", layer("bert"), PAGE) == r"$m_{ij} = c\,s_{ij}$"
    assert formula("masked", layer("llama"), PAGE) == r"$m_{ij} = c\,s_{ij}\ \text{or}\ {-\infty}$"
    assert formula("masked", layer("capped"), PAGE) == r"$m_{ij} = \tilde s_{ij}\ \text{or}\ {-\infty}$"
    assert formula("masked", layer("t5"), PAGE) == r"$m_{ij} = c\,s_{ij} + b_{ij}$"


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("llama", "W_K and W_V are shared: there are 3 of each for 6 heads, one for every 2."),
        ("one key", "all 6 heads share one W_K and one W_V."),
        ("bert", "Each head has three matrices of its own."),
        ("parallel", "Each head has three matrices of its own."),
    ],
)
def test_shared_keys_are_said_to_be_shared(name: str, sentence: str) -> None:
    assert sentence in prose("W", layer(name))
    shared = "shared" in sentence or "share one" in sentence
    assert explain(layer(name), 1, "W_V", 0, 0).note == ("note.W_V_shared" if shared else "note.W_V")


def scratch(positions) -> LayerTrace:
    model = FromScratch(Sizes(n_head=3, d_model=22, d_k=6, d_v=5, source="digest", positions=positions))
    return model.run(model.tokenize("The law saw the king")).layers[0]


@pytest.mark.parametrize(
    ("one", "expected"),
    [
        (lambda: layer("llama"), r"$Q = R(XW^Q) \qquad K = R(XW^K) \qquad V = XW^V$"),
        (lambda: layer("parallel"), r"$Q = R(XW^Q + b^Q) \qquad K = R(XW^K + b^K) \qquad V = XW^V + b^V$"),
        (lambda: layer("qk norm"), r"$Q = f(X) \qquad K = f(X) \qquad V = XW^V$"),
        (lambda: layer("bert"), r"$Q = XW^Q + b^Q \qquad K = XW^K + b^K \qquad V = XW^V + b^V$"),
        (lambda: layer("bart", 3), r"$Q = XW^Q + b^Q \qquad K = MW^K + b^K \qquad V = MW^V + b^V$"),
        (lambda: scratch("rope"), r"$Q = R(XW^Q) \qquad K = R(XW^K) \qquad V = XW^V$"),
        (
            lambda: layer("bert", settings=Settings(input_scale=2.0)),
            r"$Q = \alpha\,(XW^Q + b^Q) \qquad K = \alpha\,(XW^K + b^K) \qquad V = XW^V + b^V$",
        ),
    ],
)
def test_the_formula_of_q_k_and_v_is_what_the_layer_does(one, expected: str) -> None:
    assert formula("qkv", one(), PAGE) == expected


def test_turned_and_normalised_queries_say_so() -> None:
    assert "rotary positions" in prose("qkv", layer("llama")) and "rotary" not in prose("qkv", layer("bert"))
    assert all("no single matrix makes Q or K of X" in prose("qkv", layer(name)) for name in ("qk norm", "latent"))
    assert "the factor 0.3536" in prose("qkv", layer("scaled before"))


@pytest.mark.parametrize(
    ("one", "note"),
    [
        (lambda: layer("llama"), "note.x_normalised"),
        (lambda: layer("llama", 1), "note.x_normalised"),
        (lambda: layer("scaled before"), "note.x_normalised"),
        (lambda: layer("parallel"), "note.x_normalised"),
        (lambda: layer("t5"), "note.x_normalised"),
        (lambda: layer("bert"), "note.x"),
        (lambda: layer("bert", 1), "note.x"),
        (lambda: layer("bart"), "note.x"),
        (lambda: layer("bart", 3), "note.x_other"),  # of cross-attention
        (lambda: load_embedded().run(load_embedded().tokenize("law")).layers[0], "note.x"),
        (lambda: load_pronoun().run(load_pronoun().tokenize(load_pronoun().example)).layers[0], "note.x_normalised"),
    ],
)
def test_where_the_input_of_a_layer_comes_from_is_said_as_it_is(one, note: str) -> None:
    built = one()
    assert explain(built, 0, "x", 1, 1).note == note
    assert ("It is normalised" in prose("x", built)) == (note == "note.x_normalised")


def test_keys_of_another_sequence_are_said_to_be_of_another() -> None:
    assert "another sequence, M" in prose("x", layer("bart", 3)) and "another" not in prose("x", layer("bart"))


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("name", MODELS)
def test_every_stage_of_every_model_has_its_words(name: str, language: str) -> None:
    page = words("pipeline", language)
    for one in traced(*MODELS[name]).run(TOKENS).layers:
        for stage in ("x", "W", "qkv", "scores", "scaled", "capped", "masked", "exp", "weights", "context", "concat"):
            assert formula(stage, one, page) and sentences(stage, one, 0, page)
            assert "{" not in sentences(stage, one, 0, page)
