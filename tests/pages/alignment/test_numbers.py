"""The page Alignment as films, files and snippet: against the records, and against the equations by torch."""

import math
from dataclasses import replace

import pytest
import torch
from torch.testing import assert_close

from attention_core.experiments.alignment import Alignment
from attention_core.experiments.base import Record
from attention_core.experiments.needle import Needle
from attention_core.experiments.store import StoreError, fingerprint, save_records
from pages.training.alignment import numbers, pictures
from pages.training.alignment.numbers import ATTENTIONS, MEASURES, Fed, aligned
from tests.harness.scripts import printed, printed_afresh
from tests.harness.serving import ROOT
from ui.components.lab.component import _film
from ui.compute.queue import Queue
from ui.compute.runs import Run
from ui.text import words
from ui.training.alignment import LENGTH
from ui.training.files import Kind, loaded

PAGE = words("alignment", "en")
KIND = Kind(known=numbers.known, variant=numbers.variant, label=str)
LOCAL_P = Fed("local_p")
SHAPE = {"steps": 2, "every": 1, "batch": 3, "evaluated": 5}


@pytest.fixture(scope="module")
def run() -> Run:
    named = numbers.race(ATTENTIONS, "both", task="reverse", D=3, lr=5e-3, steps=2, seed=4)
    race = Run({name: replace(config, **SHAPE) for name, config in named.items()})
    Queue(1).enter(race)
    race.wait(60.0)
    assert race.state == "ended" and not race.failed
    return race


@pytest.fixture(scope="module")
def films(run):
    drawn = pictures.films(run, aligned(run), all_steps=True)
    return {film.name: torch.from_numpy(film.values.copy()) for film in drawn}


def test_all_combinations_race_from_the_same_seed(run) -> None:
    def variants(attentions: list[str], feeding: str) -> list[str]:
        named = numbers.race(attentions, feeding, task="copy", D=3, lr=5e-3, steps=2, seed=4)
        assert all(numbers.variant(config) == name for name, config in named.items())
        return list(map(str, named))

    assert variants(["global", "none"], "both") == ["global", "global_feed", "none", "none_feed"]
    assert variants(["local_p"], "with") == ["local_p_feed"] and variants(["local_p"], "without") == ["local_p"]
    assert {(experiment.mode, experiment.feed) for experiment in run.experiments.values()} == {
        (mode, feed) for mode in ATTENTIONS for feed in (False, True)
    }
    assert {experiment.seed for experiment in run.experiments.values()} == {4}


def test_what_the_page_says_of_the_first_weights_is_so() -> None:
    """The same for every attention with the same input feeding; not between with and without."""
    named = numbers.race(ATTENTIONS, "both", task="reverse", D=3, lr=5e-3, steps=2, seed=4)
    states = {name: config.build().state_dict() for name, config in named.items()}
    for name, state in states.items():
        like = states[Fed("global", feed=name.feed)]
        assert_close(state, like, rtol=0, atol=0)
    alone, fed = states[Fed("global")], states[Fed("global", feed=True)]
    apart = [
        name for name, value in alone.items() if not torch.equal(value, fed[name]) or value.shape != fed[name].shape
    ]
    assert "W_a" in apart and "read.weight" in apart
    for language, phrase in (("en", "alike in input feeding"), ("zh", "输入馈送的设置相同")):
        assert phrase in words("alignment", language)["see"]


def test_curves_are_what_was_recorded(run, films) -> None:
    table = films["curves"].view(3, len(MEASURES), len(run.experiments))
    keys = [measure.key for measure in MEASURES]
    for column, name in enumerate(run.experiments):
        for row, record in enumerate(run.records(name)):
            assert_close(table[row, keys.index("accuracy"), column].item(), record.accuracy)
            assert_close(table[row, keys.index("loss"), column].item(), record.loss)
            assert_close(table[row, keys.index("row_sum"), column].item(), record.measures["row_sum"])


def test_the_window_of_local_attention_is_hatched_outside_and_nothing_else_is(films) -> None:
    s = torch.arange(LENGTH)
    for name in ("global", "additive", "global_feed"):
        shown = films[f"alignment {name}"].view(3, 4, LENGTH, LENGTH)
        assert not shown.isnan().any()
        assert_close(shown.sum(dim=-1), torch.ones(3, 4, LENGTH), rtol=0, atol=4e-3)  # kept as float16
    outside = (s[:, None] - s).abs() > 3  # local-m: p_t = t
    assert (films["alignment local_m"].view(3, 4, LENGTH, LENGTH).isnan() == outside).all()
    p_t = films["center local_p"]
    outside = (s - p_t[..., None]).abs() > 3
    shown = films["alignment local_p"].view(3, 4, LENGTH, LENGTH)
    assert (shown.isnan() == outside).all()
    assert (shown.nansum(dim=-1) < 1).all()  # times a Gaussian, not renormalised
    assert films["alignment none"].isnan().all() and films["center none"].isnan().all()


def test_places_are_p_t_and_the_mean_of_what_is_seen(films) -> None:
    s = torch.arange(LENGTH, dtype=torch.float32)
    assert_close(films["center local_m_feed"], s.expand(3, 4, -1))
    maps = films["alignment global"].view(3, 4, LENGTH, LENGTH)
    assert_close(films["center global"], (maps * s).sum(dim=-1), rtol=1e-4, atol=1e-4)


def test_the_first_alignment_is_that_of_the_equation(run, films) -> None:
    """softmax(h₁ᵀ W_a h̄_s) of step 0, with torch's own GRU and the first word heard."""
    config = run.experiments[Fed("global")]
    assert isinstance(config, Alignment)
    state, record = config.build().state_dict(), run.records(Fed("global"))[0]
    source = record.arrays["source"].long()
    encoder = torch.nn.GRU(config.d, config.d, batch_first=True)
    encoder.load_state_dict({key.removeprefix("encoder."): tensor for key, tensor in state.items() if "encoder" in key})
    decoder = torch.nn.GRUCell(config.d, config.d)
    decoder.load_state_dict({key.removeprefix("decoder."): tensor for key, tensor in state.items() if "decoder" in key})
    with torch.no_grad():
        memory, last = encoder(state["source"][source])
        h = decoder(state["target"][config.symbols].expand(4, -1), last[0])
        expected = torch.softmax((memory @ (h @ state["W_a"])[..., None])[..., 0], dim=-1)
    assert_close(films["alignment global"].view(3, 4, LENGTH, LENGTH)[0, :, 0], expected, rtol=2e-3, atol=1e-4)


@pytest.mark.parametrize(("task", "right"), [("copy", lambda t: t), ("reverse", lambda t: LENGTH - 1 - t)])
def test_the_weight_on_the_right_place(task, right) -> None:
    """1 for a perfect alignment, 0 for one that looks beside it, 1/16 for one that looks everywhere."""
    config, t = Alignment(task=task), torch.arange(LENGTH)
    perfect = torch.zeros(4, LENGTH, LENGTH)
    perfect[:, t, right(t)] = 1.0
    everywhere = torch.full_like(perfect, 1 / 16)
    beside = perfect.roll(1, dims=-1)  # but for the row that goes round the edge
    cases = ((perfect, 1.0, 1.0), (beside, 0.0, 15 / 16), (everywhere, 1 / 16, (14 * 3 + 2 * 2) / 16**2))
    for weights, share, near in cases:
        record = Record(step=0, loss=0.0, accuracy=0.0, arrays={"alignment": weights})
        assert_close(numbers.on_the_right(config, record), share)
        assert_close(numbers.on_the_right(config, record, 1), near)
    assert math.isnan(numbers.on_the_right(replace(config, mode="none"), record))


def test_below_a_map_stands_the_weight_of_the_curve_and_that_of_the_neighbours(run, films) -> None:
    table = films["curves"].view(3, len(MEASURES), len(run.experiments))
    keys = [measure.key for measure in MEASURES]
    s, right = torch.arange(LENGTH), torch.arange(LENGTH).flip(0)
    near = (s - right[:, None]).abs() <= 1
    for column, name in enumerate(run.experiments):
        shown = films[f"shares {name}"]
        assert_close(shown[:, 0], table[:, keys.index("right"), column], equal_nan=True, check_dtype=False)
        if name.model != "none":
            kept = films[f"alignment {name}"].view(3, 4, LENGTH, LENGTH).nan_to_num()
            assert_close(shown[:, 1], (kept * near).sum(dim=-1).mean(dim=(1, 2)), rtol=1e-4, atol=1e-5)
    plots = pictures.plots(run, aligned(run), pictures.films(run, aligned(run), all_steps=True), PAGE)
    assert sum(plot.name.startswith("shares_") for plot in plots) == 8  # not without attention


def test_what_is_called_right_is_the_answer_of_the_task(films) -> None:
    config = Alignment(task="reverse")
    source, answer = config.draw(torch.Generator().manual_seed(0), 7)
    places = films["right local_p"].long()
    assert torch.equal(source[:, places], answer)
    target = films["target"].view(LENGTH, LENGTH)
    assert_close(source.double() @ target.double().T, answer.double())


def test_every_picture_finds_its_film_and_every_film_its_slider(run) -> None:
    alignments = aligned(run)
    sent = pictures.films(run, alignments, all_steps=True)
    stops = {
        slider.name: len(slider.readings) for slider in pictures.sliders(alignments, {"step": 0, "probe": 0}, PAGE)
    }
    names = {_film(film, stops, {})["name"] for film in sent}
    plots = pictures.plots(run, alignments, sent, PAGE)
    for plot in plots:
        assert {getattr(plot, name, "") for name in ("film", "ghost")} - {""} <= names
    assert len({plot.name for plot in plots}) == len(plots)
    dashed = [line.name for plot in plots if plot.name == "curve_accuracy" for line in plot.lines if line.dash]
    assert len(dashed) == 5 and all("feeding" in name for name in dashed)


def test_only_runs_of_this_page_are_known() -> None:
    own = numbers.race(ATTENTIONS, "both", task="copy", D=8, lr=1e-2, steps=2000, seed=9)
    assert all(numbers.known(config) for config in own.values())
    assert {numbers.variant(config) for config in own.values()} == set(own)
    wrong = (Needle(), Alignment(d=512), Alignment(length=512), Alignment(steps=10**6), Alignment(D=99))
    for config in wrong:
        assert not numbers.known(config)


def test_the_snippet_trains_the_same_bit_for_bit(run) -> None:
    output = printed_afresh(
        numbers.script(Run.finished({LOCAL_P: run.experiments[LOCAL_P]}, {LOCAL_P: run.records(LOCAL_P)}))
    )
    assert f"fingerprint {fingerprint(run.records(LOCAL_P))}" in output
    given = numbers.arrays(run)
    places = output.partition("p_t [")[2].partition("]")[0].split(",")
    assert_close(torch.tensor(list(map(float, places))), torch.from_numpy(given["local_p_center"][-1, 0]),
                 rtol=0, atol=1e-3)  # fmt: skip


def test_a_saved_run_is_loaded_and_a_damaged_one_refused(run) -> None:
    config, records = run.experiments[LOCAL_P], run.records(LOCAL_P)
    saved = save_records(config, records)
    again = loaded([saved], KIND)
    assert fingerprint(again.records(LOCAL_P)) == fingerprint(records)
    with pytest.raises(StoreError):
        loaded([saved[:-50]], KIND)


@pytest.mark.parametrize("script", ["script.py"])
def test_the_script_runs_as_it_stands(script: str) -> None:
    assert printed((ROOT / "pages/training/alignment" / script).read_text(encoding="utf-8"))
