"""The page Long range as films and sentences: against autograd written out, the laws of the paper, and the records."""

import math
from dataclasses import replace
from time import thread_time

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from attention_core.experiments import needle
from attention_core.experiments.base import Record, accuracy_on, stream
from attention_core.experiments.needle import Needle
from attention_core.experiments.recurrent import layer
from attention_core.experiments.sort import Sort
from attention_core.experiments.store import save_records
from pages.training.long_range.race import numbers, pictures, results
from pages.training.long_range.race.numbers import ATTENTION, PARTS, clock, timeline
from pages.training.long_range.reach import numbers as reach
from pages.training.long_range.reach import pictures as reach_pictures
from pages.training.long_range.reach.numbers import REACHED, laws, lengths, reaches
from tests.harness.scripts import printed, printed_afresh
from tests.harness.serving import ROOT
from tests.harness.work import finished
from ui.components.lab.component import _film
from ui.compute.catalogue import from_scratch
from ui.compute.queue import Queue
from ui.compute.runs import Run, Variant
from ui.session import PROBED
from ui.text import words
from ui.training.files import Kind, RefusedError, loaded

PAGE = words("long_range", "en")
LOOKING, GRU, LSTM = map(Variant, ("attention", "gru", "lstm"))
KIND = Kind(known=numbers.known, variant=numbers.variant, label=str)
SMALL = {"length": 64, "batch": 8, "evaluated": 11, "lr": 1e-3}


@pytest.fixture(scope="module")
def run() -> Run:
    race = Run({
        LOOKING: Needle(seconds=45.0, steps=4, every=1, **SMALL),
        GRU: Needle(kind="gru", seconds=45.0, steps=6, every=2, **SMALL),
    })  # fmt: skip
    Queue(1).enter(race)
    race.wait(60.0)
    assert race.state == "ended" and not race.failed
    return race


def ran(kind: str, *points: tuple[int, float, float], **options) -> tuple[Needle, list[Record]]:
    """A run whose clock is known: (step, seconds, accuracy)."""
    config = Needle(kind=kind, seconds=10.0, **options)
    return config, [
        Record(step=step, loss=1.0, accuracy=right, measures={"seconds": seconds}) for step, seconds, right in points
    ]


def known_run(**kinds) -> Run:
    named = {Variant(kind): pair for kind, pair in kinds.items()}
    return Run.finished(
        {name: config for name, (config, _) in named.items()}, {name: records for name, (_, records) in named.items()}
    )


# --- the reach ---


def test_the_reach_of_an_rnn_of_the_readers_sentence_is_torchs_gradient() -> None:
    """torch.nn.RNN fed one token at a time, its states' gradient by torch.autograd."""
    x = torch.randn(9, reach.WIDTH, generator=torch.Generator().manual_seed(5))
    reached = finished(reaches(9, 3, x))
    sizes = []
    for seed in range(3, 3 + reach.SEEDS):
        module = layer("rnn", reach.WIDTH, reach.WIDTH, stream(seed, "weights")).double()
        r = torch.randn(1, reach.WIDTH, generator=stream(seed, "direction"), dtype=torch.float64)
        leaves = [row.clone().double().requires_grad_() for row in x]
        state = None
        for row in leaves:
            _, state = module(row[None, None], state)
        (r * state[0]).sum().backward()
        norms = torch.stack([row.grad.norm() for row in leaves[::-1]])
        sizes.append((norms / norms[0]).log10())
    expected = torch.stack(sizes)
    shown = torch.from_numpy(reached.logs)[:, REACHED.index("rnn")]
    assert_close(shown[:, 0], expected.median(dim=0).values, rtol=1e-9, atol=1e-12)
    assert_close(shown[:, 1], expected.min(dim=0).values, rtol=1e-9, atol=1e-12)
    assert_close(shown[:, 2], expected.max(dim=0).values, rtol=1e-9, atol=1e-12)


def test_attention_reaches_far_and_the_others_lose_a_factor_a_step() -> None:
    """About .50, .61, .82, .62 and 1.00 per step."""
    reached = finished(reaches(64, 0))
    expected = {"rnn": 0.503, "lstm": 0.611, "lstm_forget": 0.819, "gru": 0.615, ATTENTION: 1.002}
    for kind, factor in expected.items():
        assert_close(reached.factors[REACHED.index(kind)], factor, rtol=0.08, atol=0)
    halfway = 10 ** reached.logs[32, :, 0]
    assert halfway[REACHED.index(ATTENTION)] > 0.3 and halfway[REACHED.index("lstm")] < 1e-5
    both = reached.logs[:, REACHED.index("bilstm"), 0]
    assert both[32] < -5 < -0.5 < both[63]


def test_depth_and_path_are_those_of_the_papers_table() -> None:
    """Vaswani et al. 2017, table 1: n and 1 operations in a row, paths n and 1; both ways half of it."""
    for n, row in zip(lengths(31), laws(31).tolist(), strict=True):
        assert row == [n, 1, n - 1, math.ceil(n / 2) - 1, 1]
    assert 31 in lengths(31) and lengths(2) == reach.LENGTHS


@pytest.mark.parametrize("n", [2, 3, 13, 64])
def test_every_picture_of_the_reach_finds_its_film_and_every_film_its_slider(n) -> None:
    reached = finished(reaches(n, 0))
    tokens = tuple(f"<t{i}>" for i in range(n))
    films = reach_pictures.films(reached, n)
    stops = {slider.name: len(slider.readings) for slider in reach_pictures.sliders(n, 0, 0, tokens, PAGE)}
    names = {_film(film, stops, {})["name"] for film in films}
    plots = reach_pictures.plots(reached, n, PAGE)
    assert {plot.film for plot in plots if hasattr(plot, "film")} <= names
    assert reach_pictures.distances(n, tokens, PAGE)[0] == f"0 · <t{n - 1}>"


def test_the_snippet_of_the_reach_prints_what_is_drawn() -> None:
    reached = finished(reaches(5, 2))
    rows = [line.split() for line in printed_afresh(reach.script(5, 2, None)).splitlines()]
    table = torch.tensor([float(value) for _, _, value in rows]).view(len(REACHED), 5)
    assert_close(table.double(), torch.from_numpy(reached.logs[..., 0].T.copy()), rtol=0, atol=2e-6)


# --- the race ---


def test_the_clock_begins_at_0_and_grows_by_a_constant_factor() -> None:
    stops = clock(20.0)
    assert stops[0] == 0 and len(stops) == PARTS + 1
    assert_close(stops[-1], 20.0)
    ratios = torch.tensor(stops[2:]) / torch.tensor(stops[1:-1])
    assert_close(ratios, torch.full_like(ratios, float(ratios.mean())))


def test_at_every_moment_stands_the_newest_record_and_nothing_after_the_last() -> None:
    run = known_run(lstm=ran("lstm", (0, 0.01, 0.1), (10, 1.0, 0.2), (20, 4.0, 0.3)))
    accuracy = torch.from_numpy(timeline(run).table(numbers.MEASURES)[:, 0])
    for stop, value in zip(clock(10.0), accuracy.tolist(), strict=True):
        if stop < 1.0:
            assert value == 0.1, stop
        elif stop < 4.0:
            assert value == 0.2, stop
    ended = next(part for part, stop in enumerate(clock(10.0)) if stop >= 4.0)
    assert accuracy[ended] == 0.3 and accuracy[ended + 1 :].isnan().all() and ended < PARTS
    held = timeline(run, held=True).table(numbers.MEASURES)[:, 0]
    assert_close(held[ended:], np.full(PARTS + 1 - ended, 0.3))


def test_a_race_that_ends_between_two_kept_steps_shows_the_last_weights(run) -> None:
    """A budget may end at a record that keeps no arrays."""
    config, records = run.experiments[LOOKING], list(run.records(LOOKING))
    records[-1] = replace(records[-1], arrays={})
    films = {film.name: film.values for film in pictures.films(known_run(attention=(config, records)))}
    kept = records[-2].arrays["weights"].float()
    assert_close(torch.from_numpy(films["weights attention"][-1][:, 1:].copy()), kept)


def test_a_record_later_than_the_budget_stands_at_its_end() -> None:
    run = known_run(lstm=ran("lstm", (0, 0.01, 0.1), (10, 10.7, 0.2)))
    assert timeline(run).table(numbers.MEASURES)[-1, 0] == 0.2


def test_curves_and_weights_are_what_was_recorded(run) -> None:
    films = {film.name: torch.from_numpy(film.values.copy()) for film in pictures.films(run)}
    curves = films["curves"].view(PARTS + 1, len(numbers.MEASURES), 2)
    for column, name in enumerate(run.experiments):
        records = run.records(name)
        last = int((~curves[:, 0, column].isnan()).nonzero()[-1])
        assert_close(curves[0, 1, column].item(), records[0].loss)
        assert_close(curves[last, 0, column].item(), records[-1].accuracy)
        assert_close(curves[last, 1, column].item(), records[-1].loss)
        assert_close(10 ** curves[last, 2, column].item(), float(records[-1].step))
    weights = films["weights attention"]
    kept = run.records(LOOKING)[-1].arrays["weights"].float()
    assert_close(weights[-1][:, 1:], kept)
    assert_close(weights[-1].sum(dim=-1), torch.ones(4), rtol=0, atol=2e-3)
    flags = run.records(LOOKING)[0].arrays["tokens"][..., 1].bool()
    outline = films["needle attention"]
    assert (outline[:, 1:][flags] == 1).all() and outline[:, 1:][~flags].isnan().all() and outline[:, 0].isnan().all()


def test_the_weight_on_the_needle_is_that_of_the_last_record(run) -> None:
    last = run.records(LOOKING)[-1]
    looked = results.needle_weights(run)[LOOKING]
    flags = last.arrays["tokens"][..., 1].bool()
    assert_close(looked.weights[: numbers.SHOWN], last.arrays["weights"].float()[flags], rtol=2e-3, atol=1e-4)
    assert len(looked.weights) == SMALL["evaluated"]
    assert_close(looked.right.float().mean().item(), last.accuracy)
    assert results.needle_weights(Run.finished({GRU: run.experiments[GRU]}, {GRU: run.records(GRU)})) == {}


@pytest.mark.parametrize(
    ("symbols", "right", "telling"),
    [
        ((1, 7, 1, 7, 2), (1, 1, 1, 1, 1), ["looked.away", "looked.same"]),
        ((1, 7, 1, 1, 2), (1, 1, 1, 1, 1), ["looked.away"]),  # it looks at this symbol elsewhere
        ((1, 7, 2, 7, 2), (1, 1, 1, 1, 1), ["looked.away"]),  # two symbols
        ((1, 7, 1, 7, 2), (1, 1, 0, 1, 1), ["looked.away"]),  # not recognised
    ],
)
def test_where_attention_does_not_look_is_told_with_what_it_answers_there(symbols, right, telling) -> None:
    weights = torch.tensor([0.001, 1.0, 0.003, 0.996, 1.0])
    looked = results.Looks(weights=weights, symbols=torch.tensor(symbols), right=torch.tensor(right).bool())
    first, *rest = results.looks({LOOKING: looked}, PAGE)
    assert "0.001 · 1.000 · 0.003 · 0.996" in first and "0.600 on average over all 5" in first
    away = {"few": 2, "bound": results.LOOKED, "right": right[0] + right[2]}
    assert rest == [PAGE.data(key, **away) for key in telling]
    everywhere = replace(looked, weights=torch.ones(5))
    assert len(results.looks({LOOKING: everywhere}, PAGE)) == 1


def test_the_budget_is_measured_without_what_the_records_take(monkeypatch) -> None:
    """Looking takes far longer here than training."""
    looks, pause = [], 0.2

    def slow(*given):
        looks.append(1)
        end = thread_time() + pause
        while thread_time() < end:
            pass
        return accuracy_on(*given)

    monkeypatch.setattr(needle, "accuracy_on", slow)
    begun = thread_time()
    records = list(Needle(kind="gru", seconds=45.0, steps=6, every=1, **SMALL).records())
    passed = thread_time() - begun
    seconds = [record.measures["seconds"] for record in records]
    assert len(looks) == len(records) == 7
    assert seconds == sorted(seconds) and seconds[0] > 0
    assert seconds[-1] <= passed - len(looks) * pause


def test_every_picture_of_the_race_finds_its_film(run) -> None:
    sent = pictures.films(run)
    stops = {slider.name: len(slider.readings) for slider in pictures.sliders(run, 0, 0, PAGE)}
    names = {_film(film, stops, {})["name"] for film in sent}
    for plot in pictures.plots(run, sent, PAGE):
        assert {getattr(plot, name, "") for name in ("film", "ghost")} - {""} <= names


def test_what_the_table_says_follows_from_the_records() -> None:
    run = known_run(
        attention=ran("attention", (0, 0.1, 0.1), (10, 1.0, 0.99), (20, 2.0, 1.0)),
        lstm=ran("lstm", (0, 0.01, 0.1), (300, 10.0, 0.2)),
        gru=ran("gru", (0, 0.01, 0.1), (100, 10.0, 0.2)),
    )
    rows = results.results(run)
    assert (rows[LOOKING].rate, rows[LOOKING].needed) == (10.0, 1.0)
    assert (rows[LSTM].rate, rows[LSTM].needed) == (30.0, None)
    # Counted once: 25 928 numbers in the LSTM and 19 656 in the GRU.
    assert (rows[LSTM].parameters, rows[GRU].parameters) == (25_928, 19_656)
    text = " ".join(results.notes(rows, PAGE))
    assert "LSTM makes 30" in text and "10 steps" in text and "GRU did not" in text
    lucky = {GRU: replace(rows[GRU], needed=3.0)}
    assert "GRU found" in " ".join(results.notes(lucky, PAGE))
    assert results.notes({GRU: replace(rows[GRU], over=False)}, PAGE) == []


@pytest.mark.parametrize(
    ("attention", "gru", "telling"),
    [
        (((5, 1.0, 1.0),), ((10, 0.5, 0.2), (100, 10.0, 0.3)), "fewer of them: it had found the needle after 5"),
        (((5, 1.0, 1.0),), ((10, 0.5, 0.2), (20, 1.0, 1.0)), "fewer of them: it had found the needle after 5"),
        (((15, 3.0, 1.0),), ((10, 1.0, 0.2), (20, 2.0, 1.0)), "had found the needle after 15 of them, GRU after 20"),
        (((50, 9.0, 1.0),), ((10, 1.0, 1.0),), "had found the needle after 50 of them, GRU after 10"),
        (((50, 10.0, 1.0),), ((10, 0.1, 0.2), (40, 4.0, 0.2)), "too few to compare"),
        (((50, 10.0, 0.2),), ((100, 10.0, 0.3),), "In its 50 steps attention did not find"),
    ],
)
def test_that_attention_needs_fewer_steps_is_said_only_where_it_was_seen(attention, gru, telling) -> None:
    run = known_run(
        attention=ran("attention", (0, 0.01, 0.1), *attention), gru=ran("gru", (0, 0.01, 0.1), *gru)
    )  # fmt: skip
    note = results.notes(results.results(run), PAGE)[0]
    assert "GRU makes" in note and telling in note
    assert ("fewer of them" in note) == ("fewer of them" in telling)


def test_progress_is_of_the_time_and_not_of_the_steps() -> None:
    run = known_run(lstm=ran("lstm", (0, 0.01, 0.1), (10, 5.0, 0.2)), gru=ran("gru", (0, 0.01, 0.1)))
    assert_close(numbers.share(run), (0.5 + 0.001) / 2)
    assert "LSTM 5 s" in results.spent(run, PAGE)


def test_only_runs_of_this_page_are_known() -> None:
    own = numbers.race(numbers.MODELS, length=64, seconds=5, lr=1e-3, seed=7)
    assert all(numbers.known(config) for config in own.values())
    for wrong in (Needle(), Sort(), Needle(seconds=1e9), Needle(seconds=5.0, d=4096), Needle(seconds=5.0, length=4096)):
        assert not numbers.known(wrong)


def test_the_snippet_of_the_race_trains_the_same(run) -> None:
    last = printed(numbers.script(run)).splitlines()[-1].split()
    record = run.records(GRU)[-1]
    assert last[:2] == ["gru", "6"]
    assert_close(float(last[5]), record.loss, rtol=0, atol=1e-6)
    assert_close(float(last[7]), record.accuracy, rtol=0, atol=1e-6)


def test_a_saved_race_is_loaded_with_its_clock(run) -> None:
    saved = [save_records(config, run.records(name)) for name, config in run.experiments.items()]
    again = loaded([*saved, saved[1]], KIND)
    assert list(map(str, again.experiments)) == ["attention", "gru", "gru 2"]
    assert results.label(Variant("gru", 2), PAGE) == "GRU (2)"
    for name in run.experiments:
        assert results.results(again)[name] == results.results(run)[name]
    assert len(pictures.films(again)[0].values) == PARTS + 1
    with pytest.raises(RefusedError):
        config = Needle(steps=1, every=1, **SMALL)  # without a budget: no clock
        loaded([save_records(config, list(config.records()))], KIND)


def test_the_snippet_of_the_reach_of_a_sentence_reads_its_vectors() -> None:
    layer = from_scratch(PROBED)
    x = layer.embed(layer.tokenize("the law is just"))
    reached = finished(reaches(len(x), 3, x))
    rows = [line.split() for line in printed(reach.script(len(x), 3, "the law is just")).splitlines()]
    shown = torch.tensor([float(value) for _, _, value in rows]).view(len(REACHED), len(x))
    assert_close(shown.double(), torch.from_numpy(reached.logs[..., 0].T.copy()), rtol=0, atol=2e-6)


@pytest.mark.parametrize("script", ["reach/script.py", "race/script.py"])
def test_the_script_runs_as_it_stands(script: str) -> None:
    assert printed((ROOT / "pages/training/long_range" / script).read_text(encoding="utf-8"))
