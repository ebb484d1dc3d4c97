"""Encoder and decoder with four attentions: against torch's attention, Luong's equations, and what each can learn."""

from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
from torch.testing import assert_close

from attention_core.experiments.alignment import MODES, Alignment
from attention_core.experiments.base import stream
from tests.core.experiments.test_base import same

SMALL = Alignment(steps=3, every=2, symbols=7, length=5, d=11, batch=13, evaluated=17)


@pytest.mark.slow
def test_local_m_copies_and_cannot_reverse_and_local_p_learns_to_walk_backwards() -> None:
    """Luong et al. 2015, section 3, at 7 words: less than half the length, a tenth of the time."""
    short = Alignment(length=7, steps=120, every=120, evaluated=100, batch=32, lr=1e-2)
    last = {
        (task, mode): list(replace(short, task=task, mode=mode).records())[-1]
        for task, mode in (("copy", "local_m"), ("reverse", "local_m"), ("reverse", "local_p"))
    }
    assert last["copy", "local_m"].accuracy > 0.8
    assert last["reverse", "local_m"].accuracy < 0.8
    assert last["reverse", "local_p"].accuracy > last["reverse", "local_m"].accuracy + 0.1
    centers = last["reverse", "local_p"].arrays["center"].mean(dim=0)
    assert bool((centers.diff() < 0).all())
    assert float(centers[0] - centers[-1]) > 4


@pytest.mark.slow
def test_a_window_in_the_wrong_place_reverses_no_better_than_the_recurrent_network_by_itself() -> None:
    """At full size: what local-m gets right of a reversed row is what the decoder remembers without looking."""
    full = Alignment(task="reverse", every=500)
    window, alone = (list(replace(full, mode=mode).records())[-1].accuracy for mode in ("local_m", "none"))
    assert 0.35 < window < alone + 0.03 < 0.6


@pytest.mark.parametrize("feed", [False, True])
@pytest.mark.parametrize("mode", MODES)
def test_same_seed_same_records(mode, feed) -> None:
    config = replace(SMALL, mode=mode, feed=feed)
    for a, b in zip(config.records(), config.records(), strict=True):
        same(a, b)
    assert a.arrays["alignment"].shape == (4, 5, 5)


def test_global_attention_is_torchs() -> None:
    model, h, memory = parts("global")
    weights, context, center = model.align(h, memory, 3)
    q = h[:, None] @ model.W_a
    assert_close(context, F.scaled_dot_product_attention(q, memory, memory, scale=1.0)[:, 0], rtol=1e-4, atol=1e-5)
    assert_close(weights.sum(dim=-1), torch.ones(3))
    assert bool(center.isnan().all())


def test_additive_attention_is_bahdanaus() -> None:
    model, h, memory = parts("additive")
    scores = [[torch.tanh(h[b] @ model.W_1 + m @ model.W_2) @ model.v_a for m in memory[b]] for b in range(3)]
    expected = torch.stack([torch.stack(row) for row in scores]).softmax(dim=-1)
    assert_close(model.align(h, memory, 3)[0], expected, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("mode", ["local_m", "local_p"])
def test_local_attention_is_luongs_equations(mode) -> None:
    """local-m: equation 7 inside the window, and nothing else; local-p: times the Gaussian of equation 10."""
    model, h, memory = parts(mode)
    weights, context, center = model.align(h, memory, 3)
    for b in range(3):
        p = 3.0 if mode == "local_m" else float(7 / (1 + torch.exp(-(model.v_p @ torch.tanh(model.W_p.T @ h[b])))))
        assert_close(float(center[b]), p, rtol=1e-4, atol=1e-4)
        inside = [s for s in range(7) if abs(s - p) <= 2]
        scores = torch.stack([h[b] @ model.W_a @ memory[b, s] for s in inside]).softmax(dim=0)
        expected = torch.zeros(7)
        for s, weight in zip(inside, scores, strict=True):
            expected[s] = weight if mode == "local_m" else weight * torch.exp(torch.tensor(-((s - p) ** 2) / 2.0))
        assert_close(weights[b], expected, rtol=1e-3, atol=1e-5)
        assert (float(weights[b].sum()) < 0.99) == (mode == "local_p")
        assert_close(context[b], expected @ memory[b], rtol=1e-3, atol=1e-4)


def test_the_predicted_position_is_taught_through_the_bell() -> None:
    model, h, memory = parts("local_p")
    model.v_p.requires_grad_()
    (gradient,) = torch.autograd.grad(model.align(h, memory, 3)[0].sum(), model.v_p)
    assert float(gradient.norm()) > 0


def test_the_decoder_hears_the_answer_or_itself() -> None:
    model = replace(SMALL, feed=True).build()
    source, _ = SMALL.draw(stream(1, "x"), 3)
    logits, _, _ = model(source)
    own = logits.argmax(dim=-1)
    assert_close(model(source, own)[0], logits, rtol=1e-5, atol=1e-6)
    assert float((model(source, (own + 1) % 7)[0] - logits)[:, 1:].detach().abs().max()) > 1e-3


@pytest.mark.parametrize("feed", [False, True])
def test_feeding_makes_the_output_part_of_the_next_input(feed) -> None:
    """Luong et al. 2015, section 3.3, one step after the other."""
    model = replace(SMALL, feed=feed).build().requires_grad_(False)
    assert model.decoder.input_size == (22 if feed else 11)
    source, answer = SMALL.draw(stream(1, "x"), 3)
    memory, h = model.encode(source)
    previous, last, rows = torch.full((3,), 7), torch.zeros(3, 11), []
    for t in range(5):
        word = model.target[previous]
        h = model.decoder(torch.cat([word, last], -1) if feed else word, h)
        context = F.scaled_dot_product_attention((h @ model.W_a)[:, None], memory, memory, scale=1.0)[:, 0]
        last = torch.tanh(torch.cat([context, h], -1) @ model.W_c.weight.T + model.W_c.bias)
        rows.append(model.read(last))
        previous = answer[:, t]
    assert_close(model(source, answer)[0], torch.stack(rows, dim=1), rtol=1e-4, atol=1e-5)


def test_tasks() -> None:
    source, answer = replace(SMALL, task="reverse").draw(stream(1, "x"), 3)
    assert answer.tolist() == [row[::-1] for row in source.tolist()]
    with pytest.raises(ValueError, match="task must be copy, reverse"):
        Alignment(task="sort")
    with pytest.raises(ValueError, match="mode must be none, global"):
        Alignment(mode="local")


def parts(mode: str):
    config = replace(SMALL, mode=mode, d=11)
    model, draw = config.build().requires_grad_(False), stream(2, "x")
    return model, torch.randn(3, 11, generator=draw), torch.randn(3, 7, 11, generator=draw)
