"""its → Law: readings, films and snippets: against torch's own attention, the records, and by running them."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch.testing import assert_close

from attention_core.experiments.pronoun import EXAMPLE, IDS, NOUNS, PAD, WORDS, Pronoun
from attention_core.experiments.sort import Sort
from attention_core.experiments.store import fingerprint
from attention_core.models import Trained, load_pronoun
from attention_core.models.trained import CHECKPOINT
from pages.training.pronoun import numbers, pictures, sentence
from pages.training.pronoun import reading as readings
from tests.harness.scripts import printed, printed_afresh
from tests.harness.serving import ROOT
from tests.harness.training import starts
from ui.compute.queue import Queue
from ui.compute.runs import Run, Variant
from ui.text import words
from ui.training.history import history

PAGE = words("pronoun", "en")
NONE, INVERSE_SQRT = Variant("none"), Variant("inverse_sqrt")
SHAPE = {"d_k": 8, "batch": 4, "evaluated": 64, "steps": 6, "every": 2}


@pytest.fixture(scope="module")
def shipped() -> Trained:
    return load_pronoun()


@pytest.fixture(scope="module")
def run() -> Run:
    race = Run({rule: Pronoun(rule=rule.model, **SHAPE) for rule in (NONE, INVERSE_SQRT)})
    Queue(1).enter(race)
    race.wait(60.0)
    assert race.state == "ended"
    return race


@pytest.fixture(scope="module")
def films(run):
    return {film.name: film for film in pictures.films(history(run), all_steps=True)}


def torchs(state, text: str) -> tuple[torch.Tensor, torch.Tensor]:
    """The weights (h, n, n) of the layer under 1/√d_k, and the probabilities (n, words), by torch's own functions."""
    x = state["tokens"][[IDS[word] for word in text.split()]]
    x = x + state["positions"][: len(x)]
    normed = F.layer_norm(x, (64,), state["layers.0.norm.weight"], state["layers.0.norm.bias"])
    part = {name: state[f"layers.0.attention.{name}"] for name in ("W_Q", "W_K", "W_V", "W_O")}
    q, k, v = (torch.einsum("nd,hdk->hnk", normed, part[name]) for name in ("W_Q", "W_K", "W_V"))
    weights = F.scaled_dot_product_attention(q, k, torch.eye(len(x)).expand(2, -1, -1))
    out = x + torch.einsum("hnk,hkd->nd", F.scaled_dot_product_attention(q, k, v), part["W_O"])
    out = F.layer_norm(out, (64,), state["norm.weight"], state["norm.bias"])
    return weights, F.linear(out, state["read.weight"], state["read.bias"]).softmax(dim=-1)


def reading(model: Trained, text: str) -> readings.Reading:
    return readings.read(model, model.tokenize(text))


# --- a sentence ---


@pytest.mark.parametrize("text", readings.EXAMPLES.values())
def test_a_reading_is_torchs_attention_with_the_weights_of_the_file(shipped, text) -> None:
    read = reading(shipped, text)
    weights, chances = torchs(load_file(CHECKPOINT), text)
    assert_close(read.weights, weights, rtol=1e-4, atol=1e-6)
    best = chances.max(dim=-1)
    assert [word for word, _ in read.answers] == [WORDS[number] for number in best.indices]
    assert_close([p for _, p in read.answers], best.values.tolist(), rtol=1e-4, atol=1e-6)
    assert 0 <= read.rows < 1e-5 and 0 <= read.residual < 1e-4


def test_the_first_sentence_points_from_its_to_law(shipped) -> None:
    read = reading(shipped, EXAMPLE)
    asks, law = read.words.index("its"), read.words.index("law")
    assert readings.focus("", read) == asks
    assert int(read.weights[0, asks].argmax()) == law and float(read.weights[0, asks, law]) > 0.9
    title, note = sentence.answer(read, asks, PAGE)
    assert "` law `" in title and note == PAGE.format("answer.right", word="its", noun="law")


@pytest.mark.parametrize(
    ("key", "verdict"), [("turned", "right"), ("his", "right"), ("two", "several"), ("none", "none")]
)
def test_an_answer_is_told_with_what_to_make_of_it(shipped, key, verdict) -> None:
    read = reading(shipped, readings.EXAMPLES[key])
    (row,) = read.pronouns
    nouns = dict.fromkeys(word for word in read.words[:row] if word in NOUNS[read.words[row]])
    named = {"word": read.words[row], "noun": next(iter(nouns), ""), "nouns": ", ".join(nouns)}
    assert sentence.answer(read, row, PAGE)[1] == PAGE.format(f"answer.{verdict}", **named)


def test_a_wrong_answer_is_called_wrong_and_other_words_mean_nothing(shipped) -> None:
    read = reading(shipped, EXAMPLE)
    row = read.words.index("its")
    wrong = replace(read, answers=(("king", 0.5),) * len(read.words))
    assert sentence.answer(wrong, row, PAGE)[1] == PAGE.format("answer.wrong", word="its", noun="law")
    assert sentence.answer(read, 0, PAGE) == (PAGE.format("answer.other", word="the"), PAGE["answer.other_note"])


def test_a_head_alone_answers_what_torch_finds_without_the_other(shipped) -> None:
    state = load_file(CHECKPOINT)
    for head, answers in enumerate(readings.alone(shipped, shipped.tokenize(EXAMPLE))):
        silenced = state["layers.0.attention.W_O"].clone()
        silenced[1 - head] = 0
        best = torchs(state | {"layers.0.attention.W_O": silenced}, EXAMPLE)[1].max(dim=-1)
        assert [word for word, _ in answers] == [WORDS[number] for number in best.indices]
        assert_close([chance for _, chance in answers], best.values.tolist(), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(
    ("first", "second", "key"),
    [("law", "king", "some"), ("king", "law", "some"), ("law", "law", "all"), ("king", "city", "none")],
)
def test_which_head_carries_the_answer_follows_from_what_each_says_alone(shipped, first, second, key) -> None:
    read = reading(shipped, EXAMPLE)
    row = read.words.index("its")
    alone = [((word, chance),) * len(read.words) for word, chance in ((first, 0.75), (second, 0.5))]
    *lines, verdict = sentence.heads(read, alone, row, PAGE).split("  \n")
    assert verdict == PAGE.format(f"heads.{key}", number=1 if first == "law" else 2, answer="law")
    for number, (line, word, looked) in enumerate(zip(lines, (first, second), ("law", "king"), strict=True), start=1):
        weight = float(f"{read.weights[number - 1, row, read.words.index(looked)]:.3g}")
        values = {"word": looked, "weight": weight, "answer": word, "chance": alone[number - 1][row][1]}
        assert line == PAGE.format("heads.each", number=number, **values)
    assert sentence.heads(read, alone, 0, PAGE) == ""


@pytest.mark.parametrize(
    ("spelling", "place"), [("", 7), ("1", 0), ("13", 12), ("14", 7), ("0", 7), ("-1", 7), ("x", 7), ("²", 7)]
)
def test_the_word_in_focus_is_one_of_the_sentence(shipped, spelling, place) -> None:
    assert readings.focus(spelling, reading(shipped, EXAMPLE)) == place


def test_without_a_pronoun_the_last_word_is_in_focus(shipped) -> None:
    read = reading(shipped, "the king saw the queen")
    assert read.pronouns == () and readings.focus("", read) == 4


def test_the_vocabulary_is_every_word_once() -> None:
    listed = [word for group in readings.VOCABULARY.values() for word in group]
    assert len(listed) == len(set(listed)) and set(listed) == set(WORDS) - {PAD}


def test_words_are_added_and_taken_away() -> None:
    assert readings.extended("", "the") == "the" and readings.extended("the ", "law") == "the law"
    assert readings.shortened("the law") == "the" and readings.shortened("") == ""


def test_the_survey_counts_what_torch_finds(shipped) -> None:
    """The seed decides the sentences: the same ones, read by torch."""
    from attention_core.experiments.base import stream
    from attention_core.experiments.pronoun import TRAINED_FILLERS, sentences

    right, weight = readings.survey(shipped)
    batch = sentences(stream(0, "survey"), readings.SURVEYED, "unseen", TRAINED_FILLERS)
    state, hits, looks = load_file(CHECKPOINT), 0, {word: [] for word in NOUNS}
    for ids, place, answer in zip(batch.tokens, batch.pronoun.tolist(), batch.answer.tolist(), strict=True):
        kept = [WORDS[number] for number in ids.tolist() if WORDS[number] != PAD]
        weights, chances = torchs(state, " ".join(kept))
        hits += int(chances[place].argmax()) == answer
        looks[kept[place]].append(weights[:, place, kept.index(WORDS[answer])])
    assert right == hits > 0.9 * readings.SURVEYED
    assert_close(weight, torch.stack([torch.stack(rows).mean(dim=0) for rows in looks.values()]), rtol=1e-4, atol=1e-5)


def test_rows_and_maps_of_a_sentence_show_its_weights(shipped) -> None:
    read = reading(shipped, EXAMPLE)
    films = sentence.films(read)
    (film,) = films
    n, row = len(read.words), 4
    for head, (picture, bars) in enumerate(
        zip(*[[plot for plot in sentence.plots(read, row, PAGE) if plot.name.startswith(kind)]
              for kind in ("map_", "row_")], strict=True)
    ):  # fmt: skip
        (begins,), (row_begins,) = starts(picture, films), starts(bars, films)
        square = film.values[begins : begins + n * n].reshape(n, n)
        np.testing.assert_array_equal(square, read.weights[head].numpy())
        np.testing.assert_array_equal(film.values[row_begins : row_begins + n], read.weights[head, row].numpy())
        assert picture.marked == row and bars.marked == int(read.weights[head, row].argmax())


@pytest.mark.parametrize("which", ["shipped", "untouched", "inverse_sqrt"])
def test_the_snippet_of_a_sentence_prints_its_row_and_its_answer(shipped, run, which) -> None:
    config = shipped.config if which == "shipped" else run.experiments[INVERSE_SQRT]
    untouched = readings.untrained(config)
    model = {"shipped": shipped, "untouched": untouched, "inverse_sqrt": numbers.finished(run)[INVERSE_SQRT]}[which]
    read = reading(model, EXAMPLE)
    lines = printed(readings.script(EXAMPLE, 7, which, config)).splitlines()
    assert lines[0] == "head 1 " + " ".join(
        f"{word} {weight:.6f}" for word, weight in zip(read.words, read.weights[0, 7].tolist(), strict=True)
    )
    word, chance = read.answers[7]
    assert lines[-1] == f"its -> {word} {chance:.6f}"


# --- the training ---


def test_films_are_what_was_recorded(run, films) -> None:
    table = torch.from_numpy(films["curves"].values).view(4, 4, 2)
    law = torch.from_numpy(films["law"].values).view(4, 2, 2)
    for column, name in enumerate(run.experiments):
        first = run.records(name)[0].arrays
        for row, record in enumerate(run.records(name)):
            expected = [record.loss, record.accuracy, record.measures["unseen"], record.measures["far"]]
            assert_close(table[row, :, column].tolist(), expected)
            weights = record.arrays["weights"].float()
            assert_close(torch.from_numpy(films[f"weights {name}"].values)[row].view(2, 13, 13), weights)
            assert_close(law[row, column], weights[:, 7, 1])
            for matrix in ("W_Q", "W_K"):
                views = torch.from_numpy(films[f"{matrix} {name}"].values)[row].view(2, 2, -1, 64)
                now = record.arrays[f"{matrix}.0"].float()
                assert views.shape[2] == 8  # d_k columns, drawn as rows
                assert_close(views[0].mT, now)
                assert_close(views[1].mT, now - first[f"{matrix}.0"].float())


def test_the_last_map_is_torchs_attention_with_the_final_weights(run, films) -> None:
    weights, _ = torchs(run.records(INVERSE_SQRT)[-1].state, EXAMPLE)
    shown = torch.from_numpy(films["weights inverse_sqrt"].values)[-1].view(2, 13, 13)
    assert_close(shown, weights, rtol=2e-3, atol=1e-4)  # kept as float16
    (trained,) = [model for name, model in numbers.finished(run).items() if name == INVERSE_SQRT]
    assert_close(reading(trained, EXAMPLE).weights, weights, rtol=1e-4, atol=1e-6)


def test_every_picture_finds_its_film(run) -> None:
    recorded = history(run)
    for all_steps in (True, False):
        sent = pictures.films(recorded, all_steps=all_steps)
        sizes = {film.name: math.prod(film.values.shape[len(film.axes) :]) for film in sent}
        plots = pictures.plots(recorded, sent, PAGE)
        assert len({plot.name for plot in plots}) == len(plots)
        for plot in plots:
            film = getattr(plot, "film", None)
            size = getattr(plot, "count", getattr(plot, "rows", 1) * getattr(plot, "cols", 1))
            assert film is None or max(starts(plot, sent)) + size <= sizes[film], plot.name
    slid = pictures.sliders(recorded, {"step": 2, "view": 1, "head": 0}, PAGE)
    assert [slider.readings for slider in slid] == [("0", "2", "4", "6"), ("values", "change since step 0"), ("1", "2")]


def test_only_the_recipe_of_the_file_is_compared_with_it(run, shipped) -> None:
    assert numbers.distance(run, shipped) is None
    config, state = shipped.config, load_file(CHECKPOINT)
    first = next(config.records())
    again = Run.finished({INVERSE_SQRT: replace(config, every=40)}, {INVERSE_SQRT: [replace(first, state=state)]})
    assert numbers.distance(again, shipped) == 0
    moved = state | {"layers.0.attention.W_Q": state["layers.0.attention.W_Q"] + 0.5}
    other = Run.finished({INVERSE_SQRT: config}, {INVERSE_SQRT: [replace(first, state=moved)]})
    apart = numbers.distance(other, shipped)
    assert apart is not None and apart >= 0.499


def test_settings_make_the_race_they_say() -> None:
    configs = numbers.race(["none", "inverse"], d_k=16, lr=1e-2, steps=1200, seed=5)
    for rule, trial in configs.items():
        assert isinstance(trial, Pronoun) and numbers.variant(trial) == rule and trial.rule == str(rule)
        assert (trial.d_k, trial.lr, trial.steps, trial.every, trial.seed) == (16, 1e-2, 1200, 40, 5)
        assert numbers.known(trial)
    for other in (Sort(), replace(trial, rule="qk_norm"), replace(trial, steps=10**9), replace(trial, n_head=4)):
        assert not numbers.known(other)
    again = Variant("none", 2)
    hues = pictures.look([NONE, again], PAGE).hues
    assert pictures.label(again, PAGE) == "unscaled (2)" and hues[again] == hues[NONE]


def test_the_snippet_and_the_arrays_of_a_run_are_its_records(run) -> None:
    output = printed_afresh(numbers.script(run))
    arrays = numbers.arrays(run)
    for name in run.experiments:
        assert f"{name} fingerprint {fingerprint(run.records(name))}" in output
        np.testing.assert_array_equal(arrays[f"{name}_step"], [0, 2, 4, 6])
        np.testing.assert_array_equal(arrays[f"{name}_far"], [record.measures["far"] for record in run.records(name)])
        assert arrays[f"{name}_weights"].shape == (4, 2, 13, 13)


@pytest.mark.parametrize("script", ["script.py", "reading_script.py"])
def test_the_script_runs_as_it_stands(script: str) -> None:
    assert printed((ROOT / "pages/training/pronoun" / script).read_text(encoding="utf-8"))
