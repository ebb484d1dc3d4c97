"""Two sentences against each other: held to numpy loops, torch's own attention, LSTM and autograd."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.testing import assert_close

from attention_core.matching import VARIANTS, Matcher, align, contextual, features, influence_on_last, word_vectors
from attention_core.models import load_embedded

N, M, D, D_IN = 5, 7, 6, 11


def random(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def matcher(variant: str = "both", d: int = D) -> Matcher:
    with torch.random.fork_rng():
        torch.manual_seed(3)
        model = Matcher(variant, d_in=D_IN, d=d, hidden=13).double()
        nn.init.constant_(model.bias, 0.3)
    return model


@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
def test_each_word_is_rebuilt_from_the_other_sentence_as_the_formulas_say(temperature: float) -> None:
    a, b = random(N, D, seed=1), random(M, D, seed=2)
    aligned = align(a, b, temperature=temperature)
    e = np.array([[sum(a[i, c].item() * b[j, c].item() for c in range(D)) for j in range(M)] for i in range(N)])
    assert_close(aligned.similarity.numpy(), e)
    for i in range(N):  # over the row: sentence 1 from sentence 2
        powers = np.exp((e[i] - e[i].max()) / temperature)
        assert_close(aligned.rebuilt[0][i].numpy(), sum(powers[j] / powers.sum() * b[j].numpy() for j in range(M)))
    for j in range(M):  # over the column: sentence 2 from sentence 1
        powers = np.exp((e[:, j] - e[:, j].max()) / temperature)
        assert_close(aligned.second.weights[j].numpy(), powers / powers.sum())
        assert_close(aligned.rebuilt[1][j].numpy(), sum(powers[i] / powers.sum() * a[i].numpy() for i in range(N)))
    assert_close(aligned.differences[0], a - aligned.rebuilt[0])
    assert_close(aligned.differences[1], b - aligned.rebuilt[1])


def test_a_sentence_against_itself_is_torchs_self_attention() -> None:
    a = random(N, D)
    theirs = nn.MultiheadAttention(D, 1, bias=False, batch_first=True, dtype=torch.float64)
    with torch.no_grad():
        theirs.in_proj_weight.copy_(torch.eye(D, dtype=torch.float64).repeat(3, 1))
        theirs.out_proj.weight.copy_(torch.eye(D, dtype=torch.float64))
        expected, weights = theirs(a[None], a[None], a[None])
    aligned = align(a, a, temperature=D**0.5)  # torch divides by √d
    for rebuilt in aligned.rebuilt:
        assert_close(rebuilt, expected[0], rtol=0, atol=1e-12)
    for trace in (aligned.first, aligned.second):
        assert_close(trace.weights, weights[0], rtol=0, atol=1e-12)
    assert_close(aligned.similarity, aligned.similarity.T, rtol=0, atol=1e-12)


def test_gradients_through_the_alignment_are_those_of_finite_differences() -> None:
    a, b = (random(n, 3, seed=n).requires_grad_() for n in (2, 5))
    assert torch.autograd.gradcheck(lambda a, b: align(a, b, temperature=0.7).rebuilt, (a, b))


def test_padding_changes_nothing() -> None:
    a, b = random(N, D), random(M, D, seed=1)
    padded = torch.cat([a, torch.full((2, D), 99.0, dtype=torch.float64)])
    real = torch.tensor([True] * N + [False] * 2)
    alone, aligned = align(a, b), align(padded, b, real_a=real)
    assert_close(aligned.rebuilt[1], alone.rebuilt[1])
    assert_close(aligned.second.weights[:, N:], torch.zeros(M, 2, dtype=torch.float64))


def test_one_word_takes_all_the_weight() -> None:
    a, b = random(1, D), random(M, D, seed=1)
    aligned = align(a, b)
    assert_close(aligned.second.weights, torch.ones(M, 1, dtype=torch.float64))
    assert_close(aligned.rebuilt[1], a.expand(M, D))


def test_the_features_are_the_four_of_the_paper_in_order() -> None:
    compared = features(torch.tensor([2.0, 3.0]), torch.tensor([5.0, -7.0]))
    assert_close(compared, torch.tensor([2.0, 3.0, 5.0, -7.0, -3.0, 10.0, 10.0, -21.0]))


@pytest.mark.parametrize("variant", ["attention", "both"])
def test_the_words_and_the_bias_add_up_to_the_logit(variant: str) -> None:
    model = matcher(variant)
    with torch.no_grad():
        a, b = model.encode(random(N, D_IN)), model.encode(random(M, D_IN, seed=1))
        judged = model.judge(a, b)
    W, bias, score = (t.detach().numpy() for t in (model.compare.weight, model.compare.bias, model.score.weight[0]))
    total = 0.3
    for own, other, evidence in ((a, b, judged.evidence[0]), (b, a, judged.evidence[1])):
        copies = F.scaled_dot_product_attention(own[None], other[None], other[None], scale=1.0)[0].numpy()
        for word, (x, copy) in enumerate(zip(own.numpy(), copies, strict=True)):
            hidden = np.maximum(0, W @ np.concatenate([x, copy, x - copy, x * copy]) + bias)
            assert_close(float(evidence[word]), float(score @ hidden))
            total += float(score @ hidden)
    assert_close(float(judged.logit), total)


@pytest.mark.parametrize("variant", ["bag", "bilstm"])
def test_without_attention_two_means_are_compared_once(variant: str) -> None:
    model = matcher(variant)
    with torch.no_grad():
        a, b = model.encode(random(N, D_IN)), model.encode(random(M, D_IN, seed=1))
        judged = model.judge(a, b)
        expected = model.score(torch.relu(model.compare(features(sum(a) / N, sum(b) / M)))) + 0.3
    assert judged.alignment is None
    assert_close(judged.logit, expected[0])


@pytest.mark.parametrize("variant", VARIANTS)
def test_only_two_variants_read_the_sentence_and_they_do_as_torchs_lstm_does(variant: str) -> None:
    model, x = matcher(variant), random(N, D_IN)
    mapped = x @ model.map.weight.T
    if variant in ("bag", "attention"):
        assert model.lstm is None
        assert_close(model.encode(x), mapped)
    else:
        theirs = nn.LSTM(D, D // 2, batch_first=True, bidirectional=True, dtype=torch.float64)
        theirs.load_state_dict(model.lstm.state_dict())
        assert_close(model.encode(x), theirs(mapped[None])[0][0])


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_padded_batch_gives_each_pair_what_it_gets_alone(variant: str) -> None:
    model = matcher(variant)
    sentences = [(random(n, D_IN, seed=n), random(m, D_IN, seed=20 + m)) for n, m in ((5, 2), (3, 7), (1, 4))]
    inputs = []
    for side in (0, 1):
        rows = [pair[side] for pair in sentences]
        x = nn.utils.rnn.pad_sequence(rows, batch_first=True, padding_value=9.0)
        inputs.append((x, torch.arange(x.shape[1]) < torch.tensor([len(row) for row in rows])[:, None]))
    (x_a, real_a), (x_b, real_b) = inputs
    together = model(x_a, x_b, real_a, real_b).logit
    assert_close(together, torch.stack([model(*pair).logit for pair in sentences]))


def test_an_odd_width_or_an_unknown_variant_is_refused() -> None:
    for variant, d in (("both", 7), ("bag", 1)):
        with pytest.raises(ValueError, match=f"{variant}', {d}"):
            Matcher(variant, d_in=D_IN, d=d)


def test_what_reaches_the_last_word_is_the_norm_of_torchs_jacobian() -> None:
    model, x = matcher(), random(N, D_IN)
    jacobian = torch.autograd.functional.jacobian(lambda x: model.encode(x)[-1], x)
    assert_close(influence_on_last(model, x), jacobian.square().sum(dim=(0, 2)).sqrt())


def test_vectors_of_any_encoder_are_scaled_so_that_scores_are_root_d_times_cosines() -> None:
    a, b = random(N, D), random(M, D, seed=1)
    expected = D**0.5 * F.cosine_similarity(a[:, None], b[None], dim=-1)
    assert_close(align(contextual(a), contextual(b)).similarity, expected)


def test_word_vectors_are_rows_of_the_embedding_matrix_with_mean_0_and_variance_1() -> None:
    model = load_embedded()
    tokens = model.tokenize("I am a student", special=False)
    raw = model.word_embeddings(tokens)
    expected = (raw - raw.mean(dim=-1, keepdim=True)) / raw.std(dim=-1, keepdim=True, correction=0)
    assert_close(word_vectors(model, tokens), expected, rtol=1e-5, atol=1e-5)
