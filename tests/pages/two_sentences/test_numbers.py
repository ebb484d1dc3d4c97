"""The films, pictures and script of Two sentences hold what torch computes."""

import re

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch.testing import assert_close

from attention_core.models import load_embedded
from pages.mechanisms.two_sentences.numbers import (
    ENCODERS,
    MAX_WORDS,
    START,
    STOPS,
    arrays,
    cosines,
    heard,
    partners,
    read,
    residuals,
    script,
    self_attention_residual,
)
from pages.mechanisms.two_sentences.pictures import Word, computed, films, plots
from tests.harness.scripts import printed, printed_afresh
from ui.components.lab import Bars, Map
from ui.components.lab.component import _plot
from ui.components.lab.films import frames
from ui.text import words

TEXTS = ("I am a student", "You and me are students")


@pytest.fixture(scope="module")
def model():
    return load_embedded()


@pytest.mark.parametrize("encoder", ENCODERS)
def test_at_every_stop_the_films_hold_what_torchs_attention_gives(model, encoder: str) -> None:
    pair = read(model, encoder, TEXTS)
    a, b = pair.encoded
    shown = {film.name: torch.from_numpy(np.asarray(film.values)) for film in films(pair, Word(1, 2))}
    assert_close(shown["scores"].view(4, 5), torch.einsum("id,jd->ij", a, b))
    assert_close(shown["turned"].view(5, 4), torch.einsum("id,jd->ji", a, b))
    for index in (0, START, len(STOPS) - 1):
        for own, other, name in ((a, b, "apart_first"), (b, a, "apart_second")):
            copy = F.scaled_dot_product_attention(own[None], other[None], other[None], scale=1 / STOPS[index])[0]
            assert_close(shown[name][index], (own - copy).norm(dim=-1), rtol=1e-6, atol=1e-9)
        assert_close(shown["vectors"][index].view(3, -1), torch.stack([b[2], copy[2], b[2] - copy[2]]))
        if encoder != "transformer":
            chance, logit, bias, first, second = shown["verdict"][index].tolist()
            evidence = [float(shown[f"said_{side}"][index].sum()) for side in ("first", "second")]
            assert_close([first, second], evidence)
            assert_close(logit, bias + sum(evidence))
            assert_close(10**chance, 1 / (1 + np.exp(-logit)))
    assert ("said_first" in shown) == (encoder != "transformer")


def test_both_softmaxes_read_the_same_scores(model) -> None:
    first, second = computed(read(model, "bilstm", TEXTS))
    assert (first.scores, first.cols, first.size) == ("scores", 5, 20)
    assert (second.scores, second.cols, second.size) == ("turned", 4, 20)
    assert first.factor == second.factor == "factor"


@pytest.mark.parametrize("side", [0, 1])
@pytest.mark.parametrize("encoder", ENCODERS)
def test_every_picture_fits_its_film_and_marks_the_word(model, encoder: str, side: int) -> None:
    pair = read(model, encoder, TEXTS)
    sizes = {film.name: film.values.shape[-1] for film in films(pair, Word(side, 3))}
    sizes |= {film.name: film.size for film in computed(pair)}
    drawn = plots(pair, Word(side, 3), words("two_sentences", "en"))
    laid = frames(films(pair, Word(side, 3)), computed(pair))
    for plot in drawn:
        assert _plot(plot, laid)  # finds its columns
        if isinstance(plot, Map):
            assert plot.rows * plot.cols == sizes[plot.film] and len(plot.names) == plot.rows
            assert len(plot.col_names) == plot.cols
        elif isinstance(plot, Bars):
            assert _plot(plot, laid)["start"] + plot.count <= sizes[plot.film]
            assert plot.names is None or len(plot.names) == plot.count
    marked = {plot.name: plot.marked for plot in drawn if isinstance(plot, Map | Bars) and plot.marked >= 0}
    assert marked.keys() >= {("first", "second")[side], ("apart_first", "apart_second")[side]}
    assert set(marked.values()) == {3}


def test_the_transformers_vectors_are_its_last_layer(model) -> None:
    pair = read(model, "transformer", TEXTS)
    ids = torch.tensor([model.tokenize(TEXTS[0]).ids])
    theirs = model._model(input_ids=ids).last_hidden_state[0, 1:-1].double()
    assert_close(F.normalize(pair.encoded[0], dim=-1), F.normalize(theirs, dim=-1), rtol=1e-5, atol=1e-6)


def test_a_long_text_is_cut_and_one_word_is_enough(model) -> None:
    for encoder in ENCODERS:
        pair = read(model, encoder, ("word " * 600, "word"))
        assert [len(part) for part in pair.tokens] == [MAX_WORDS, 1]
        assert [len(part) for part in pair.encoded] == [MAX_WORDS, 1]
        assert all(np.isfinite(film.values).all() for film in films(pair, Word(0, 63)))


@pytest.mark.parametrize("encoder", ENCODERS)
def test_a_sentence_twice_is_self_attention(model, encoder: str) -> None:
    pair = read(model, encoder, (TEXTS[1], TEXTS[1]))
    for temperature in (0.1, 1.0, 100.0):
        assert self_attention_residual(pair.encoded[0], temperature) <= 1e-12
        assert max(residuals(pair, temperature)) <= 1e-12
        alignment = pair.alignment(temperature)
        assert_close(alignment.first.weights, alignment.second.weights, rtol=0, atol=1e-12)


def test_the_residuals_would_notice_a_wrong_rebuilding(model, monkeypatch) -> None:
    pair = read(model, "bilstm", TEXTS)
    right = F.scaled_dot_product_attention
    monkeypatch.setattr(F, "scaled_dot_product_attention", lambda *args, **options: 1.1 * right(*args, **options))
    assert residuals(pair, 1.0)[1] > 1e-3
    assert self_attention_residual(pair.encoded[0], 1.0) > 1e-3


def test_the_same_word_has_one_word_vector_and_two_in_context(model) -> None:
    texts = ("She sat on the bank of the river", "She took the money from the bank")
    pair = read(model, "bilstm", texts)
    a, b = pair.tokens
    alike = partners(pair)
    bank = a.index("bank")
    assert b[alike[bank]] == "bank"
    columns = cosines(model, texts, alike)
    assert_close(float(columns["vectors"][bank]), 1.0)
    for name in ("bilstm", "transformer"):
        encoded = read(model, name, texts).encoded
        x, y = encoded[0][bank].numpy(), encoded[1][b.index("bank")].numpy()
        assert_close(float(columns[name][bank]), float(x @ y / np.linalg.norm(x) / np.linalg.norm(y)))
        assert columns[name][bank] < 0.95


def test_the_last_word_hears_less_of_the_first_than_of_itself(model) -> None:
    felt = heard(read(model, "bilstm", ("She sat on the bank of the river", "x")).x[0])
    assert_close(float(felt[-1]), 1.0)
    assert float(felt[0]) < 0.1


@pytest.mark.parametrize(
    ("encoder", "run"), [("bilstm", printed_afresh), ("vectors", printed), ("transformer", printed)]
)
def test_the_script_prints_the_numbers_on_screen(model, encoder: str, run) -> None:
    texts = ('The law\'s "just" \\ {x} 学', "It isn't")
    stop = STOPS[START + 3]
    output = run(script(encoder, texts, stop))
    pair = read(model, encoder, texts)
    shown = arrays(pair, stop)
    blocks = dict(re.findall(r"^(similarity|weights_a|weights_b)\ntensor\((.*?), dtype", output, re.M | re.S))
    for name, block in blocks.items():
        numbers = torch.tensor([float(number) for number in re.findall(r"-?\d+\.\d*(?:e[+-]?\d+)?", block)])
        assert_close(numbers.double(), torch.from_numpy(shown[name]).flatten(), rtol=0, atol=1e-5)
    assert len(blocks) == 3
    for letter, side in (("a", "first"), ("b", "second")):
        line = re.search(rf"^apart {letter} (.*)$", output, re.M)[1]
        assert_close(np.array([float(number) for number in line.split()]), shown[f"apart_{side}"], rtol=0, atol=1e-6)
    if encoder != "transformer":
        assert_close(float(re.search(r"^probability (.*)$", output, re.M)[1]), float(shown["verdict"][0]))
