"""The untrained layer: what its seed promises, where its x comes from, and the settings inside it."""

import subprocess
import sys

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st
from torch.testing import assert_close

from attention_core.models import FromScratch, Settings, Sizes, load_embedded
from attention_core.models.base import attend_under
from attention_core.scalings import INVERSE_SQRT

DIGEST = Sizes(n_head=3, d_model=22, d_k=7, d_v=5, seed=11, source="digest", positions="none")
TEXT = "The law saw the king , but its city"


def test_a_run_equals_plain_torch() -> None:
    model = FromScratch(DIGEST)
    tokens = model.tokenize(TEXT)
    run = model.run(tokens)
    (layer,) = run.layers
    x, p = layer.x, layer.projections
    heads = [F.scaled_dot_product_attention(x @ p.W_Q[h], x @ p.W_K[h], x @ p.W_V[h]) for h in range(DIGEST.n_head)]
    assert_close(run.output, torch.cat(heads, dim=-1) @ p.W_O.reshape(-1, DIGEST.d_model), rtol=1e-5, atol=1e-5)
    assert_close(layer.output(), run.output)
    assert tokens.strings == ("The", "law", "saw", "the", "king", ",", "but", "its", "city")


def test_the_same_seed_gives_the_same_numbers_in_another_process() -> None:
    code = (
        "from attention_core.models import FromScratch, Sizes;"
        "m = FromScratch(Sizes(n_head=3, d_model=22, d_k=7, d_v=5, seed=11, source='digest', positions='none'));"
        f"print(repr(float(m.run(m.tokenize({TEXT!r})).output.double().sum())))"
    )
    printed = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env={"PYTHONHASHSEED": "5"}
    ).stdout
    total = FromScratch(DIGEST).run(FromScratch(DIGEST).tokenize(TEXT)).output.double().sum()
    assert_close(torch.tensor(float(printed), dtype=torch.float64), total, rtol=1e-6, atol=1e-6)
    other = FromScratch(Sizes(n_head=3, d_model=22, d_k=7, d_v=5, seed=12, source="digest", positions="none"))
    assert abs(float(other.run(other.tokenize(TEXT)).output.double().sum()) - float(printed)) > 1e-3


def test_unit_variance_x_gives_unit_variance_q_and_scores_of_variance_d_k() -> None:
    sizes = Sizes(n_head=8, d_model=256, d_k=64, d_v=1, source="digest", positions="none")
    model = FromScratch(sizes)
    trace = model.run(model.tokenize(" ".join(f"word{i}" for i in range(211)))).layers[0].attention
    assert_close(trace.q.var(), torch.tensor(1.0), rtol=0.05, atol=0)
    assert_close(trace.scores.var() / 64, torch.tensor(1.0), rtol=0.1, atol=0)


@given(narrow=st.integers(1, 13), extra=st.integers(1, 17))
def test_the_first_columns_of_a_wider_draw_are_the_narrower_draw(narrow: int, extra: int) -> None:
    small = FromScratch(Sizes(n_head=3, d_model=7, d_k=narrow, d_v=2, source="digest", positions="none"))
    large = FromScratch(Sizes(n_head=3, d_model=7, d_k=narrow + extra, d_v=2, source="digest", positions="none"))
    a, b = (m.run(m.tokenize("a b")).layers[0].projections for m in (small, large))
    assert_close(a.W_Q, b.W_Q[..., :narrow], rtol=0, atol=0)
    assert_close(a.W_K, b.W_K[..., :narrow], rtol=0, atol=0)


def test_x_from_word_embeddings_is_the_trained_embedding_with_unit_variance() -> None:
    vectors = load_embedded()
    model = FromScratch(Sizes(n_head=2, d_model=384, d_k=8, d_v=8, positions="none"), vectors)
    tokens = model.tokenize("Thinking Machines")
    assert tokens.strings == ("thinking", "machines")
    raw = vectors._model.embeddings.word_embeddings.weight[list(tokens.ids)]
    expected = (raw - raw.mean(-1, keepdim=True)) / raw.std(-1, keepdim=True, correction=0)
    assert_close(model.embed(tokens), expected, rtol=1e-2, atol=1e-2)
    mapped = FromScratch(Sizes(d_model=31), vectors).embed(tokens)
    assert mapped.shape == (2, 31)


@pytest.mark.parametrize("positions", ["none", "sinusoidal", "rope", "alibi"])
def test_positions_decide_whether_order_counts(positions: str) -> None:
    sizes = Sizes(n_head=2, d_model=14, d_k=6, d_v=5, source="digest", positions=positions)
    model = FromScratch(sizes)
    straight = model.run(model.tokenize("one two three five seven")).output
    shuffled = model.run(model.tokenize("five one seven two three")).output
    moved = float((straight[[3, 0, 4, 1, 2]] - shuffled).abs().max())
    assert moved < 1e-5 if positions == "none" else moved > 1e-2


def test_a_second_sequence_asks_the_first() -> None:
    model = FromScratch(DIGEST)
    memory, target = model.tokenize(TEXT), model.tokenize("the king")
    run = model.run(memory, target=target)
    (layer,) = run.layers
    p = layer.projections
    head = F.scaled_dot_product_attention(layer.x @ p.W_Q[1], layer.memory @ p.W_K[1], layer.memory @ p.W_V[1])
    assert_close(layer.attention.context[1], head, rtol=1e-5, atol=1e-5)
    assert (layer.queries, layer.keys) == (target.strings, memory.strings)
    assert layer.name.stack == "cross"


def test_input_scale_multiplies_x_before_the_query_and_the_key_only() -> None:
    model = FromScratch(DIGEST)
    tokens = model.tokenize(TEXT)
    plain, loud = (model.run(tokens, Settings(input_scale=a)).layers[0] for a in (1.0, 3.0))
    assert_close(loud.attention.q, 3 * plain.x @ plain.projections.W_Q, rtol=1e-4, atol=1e-4)
    assert_close(loud.attention.v, plain.attention.v)
    assert_close(loud.projected("q"), loud.attention.q)


def test_settings_outside_their_layers_change_nothing() -> None:
    q, k, v = (torch.randn(3, 5, 7, generator=torch.Generator().manual_seed(i)) for i in range(3))
    plain, _ = attend_under(Settings(), 2, q, k, v, scaling=INVERSE_SQRT)
    elsewhere = Settings(scaling="none", temperature=3.0, mask="causal", layers=(0, 1), normalizer="hard")
    same, factor = attend_under(elsewhere, 2, q, k, v, scaling=INVERSE_SQRT)
    assert_close(same.weights, plain.weights)
    assert factor == 7**-0.5
    trace, factor = attend_under(elsewhere, 1, q, k, v, scaling=INVERSE_SQRT)
    assert factor == 1 / 3.0
    best = (q @ k.mT).masked_fill(torch.ones(5, 5, dtype=torch.bool).triu(1), -torch.inf).argmax(-1)
    assert_close(trace.weights, F.one_hot(best, 5).float())


@pytest.mark.parametrize(
    "wrong",
    [
        {"scaling": "sqrt"},
        {"normalizer": "max"},
        {"mask": "future"},
        {"radius": -1},
        {"input_scale": 17.0},
        {"input_scale": float("nan")},
        {"temperature": 0.0},
    ],
)
def test_settings_refuse_what_is_out_of_range_with_a_sentence(wrong: dict) -> None:
    with pytest.raises(ValueError, match="must"):
        Settings(**wrong)


@pytest.mark.parametrize(
    "wrong", [{"n_head": 0}, {"d_model": 2000}, {"d_k": 7, "positions": "rope"}, {"d_v": -1}, {"d_k": 0}]
)
def test_sizes_refuse_what_cannot_be_built(wrong: dict) -> None:
    with pytest.raises(ValueError, match="must"):
        Sizes(**wrong)


def test_word_embeddings_need_a_model_that_has_them() -> None:
    with pytest.raises(ValueError, match="word embeddings"):
        FromScratch(Sizes())


def test_empty_text_is_an_empty_run() -> None:
    model = FromScratch(DIGEST)
    run = model.run(model.tokenize(""))
    assert run.output.shape == (0, 22)


@pytest.mark.parametrize("positions", ["none", "sinusoidal"])
@pytest.mark.parametrize("seed", [0, 1])
def test_word_embeddings_give_unit_variance_queries_at_any_seed(seed: int, positions: str) -> None:
    """Seed 0 too: the map that makes x and the W_Q that reads it must be different random numbers."""
    model = FromScratch(Sizes(n_head=12, d_model=257, d_k=211, d_v=5, seed=seed, positions=positions), load_embedded())
    text = "a river bank under the old mountain where seven people read their letters aloud to one patient dog"
    layer = model.run(model.tokenize(text)).layers[0]
    assert layer.x is not None
    assert_close(layer.x.var(dim=-1, correction=0), torch.ones(len(layer.queries)), rtol=1e-3, atol=1e-3)
    assert_close(float(layer.attention.q.square().mean()), 1.0, rtol=0.15, atol=0)


def test_a_text_whose_words_the_vocabulary_lacks_is_read_by_the_digest_of_each_character() -> None:
    text = "小猫没有过马路，因为它太累了"
    model = FromScratch(Sizes(n_head=3, d_model=22, d_k=7, d_v=5, seed=11, positions="none"), load_embedded())
    tokens = model.tokenize(text)
    assert tokens.strings == tuple(text) and tokens.remarks.digested and not tokens.unknown
    assert_close(model.embed(tokens), FromScratch(DIGEST).embed(tokens), rtol=0, atol=0)
    assert len({tuple(vector) for vector in model.embed(tokens).tolist()}) == len(set(text))


@pytest.mark.parametrize("count", [0, 1, 2, 3])
def test_as_soon_as_more_than_a_quarter_is_unknown_and_not_before(count: int) -> None:
    """The vocabulary has no 猫; of four, five or six tokens a quarter is one, of seven it is still one."""
    model = FromScratch(Sizes(positions="none"), load_embedded())
    for known in range(1, 13):
        tokens = model.tokenize(" ".join(["the"] * known + ["猫"] * count))
        assert tokens.remarks.digested == (count / (known + count) > 0.25)
        assert tokens.strings == ("the",) * known + ("猫",) * count


def test_a_few_unknown_characters_among_known_words_are_printed_and_counted() -> None:
    tokens = load_embedded().tokenize("the law saw the 猫 , but [UNK] and 龘")
    assert tokens.strings == ("[CLS]", "the", "law", "saw", "the", "猫", ",", "but", "[UNK]", "and", "龘", "[SEP]")
    assert tokens.unknown == 2 and tokens.ids[5] == tokens.ids[10] == tokens.ids[8]
