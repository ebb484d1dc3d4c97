"""The race to induction heads as films, verdict, files and snippet: against the records and torch's own attention."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch.testing import assert_close

from attention_core.experiments.base import Record, kept_steps, stream
from attention_core.experiments.induction import PROBE, Induction
from attention_core.experiments.layers import RULES
from attention_core.experiments.sort import Sort
from attention_core.experiments.store import fingerprint, save_records
from pages.training.induction import numbers, pictures
from pages.training.induction.films import films as films_of
from pages.training.induction.numbers import NEVER, Seeded
from tests.harness.scripts import printed, printed_afresh
from tests.harness.serving import ROOT
from tests.harness.training import starts
from ui.compute.queue import Queue
from ui.compute.runs import MOST_BYTES, Run, Variant
from ui.text import words
from ui.training.files import Kind, loaded
from ui.training.history import history

PAGE = words("induction", "en")
SHAPE = {"d_k": 8, "batch": 4, "evaluated": 6, "steps": 4, "every": 2, "stop_at": NEVER}
NONE, INVERSE_SQRT = Variant("none"), Variant("inverse_sqrt")
NAMES = NONE_0, NONE_1, SQRT_0, SQRT_1 = tuple(
    Seeded(rule, seed=seed) for rule in ("none", "inverse_sqrt") for seed in (0, 1)
)
KIND = Kind(known=numbers.known, variant=numbers.variant, label=str)


def config(name: Seeded, **changes) -> Induction:
    return Induction(rule=name.model, seed=name.seed, **(SHAPE | changes))


@pytest.fixture(scope="module")
def run() -> Run:
    race = Run({name: config(name) for name in NAMES})
    Queue(1).enter(race)
    race.wait(60.0)
    assert race.state == "ended"
    return race


@pytest.fixture(scope="module")
def films(run):
    return {film.name: film for film in films_of(history(run), all_steps=True)}


def attention(state, tokens: torch.Tensor) -> list[torch.Tensor]:
    """The weights (b, h, n, n) of both layers under 1/√d_k, by torch's own functions."""
    x, weights = state["tokens"][tokens] + state["positions"], []
    for layer in (0, 1):
        part = {name: state[f"layers.{layer}.attention.{name}"] for name in ("W_Q", "W_K", "W_V", "W_O")}
        normed = F.layer_norm(x, (64,), state[f"layers.{layer}.norm.weight"], state[f"layers.{layer}.norm.bias"])
        q, k, v = (torch.einsum("bnd,hdk->bhnk", normed, part[name]) for name in ("W_Q", "W_K", "W_V"))
        eye = torch.eye(48).expand(*q.shape[:2], -1, -1)
        weights.append(F.scaled_dot_product_attention(q, k, eye, is_causal=True))
        context = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + torch.einsum("bhnk,hkd->bnd", context, part["W_O"])
    return weights


def test_curves_and_the_scores_of_every_head_are_what_was_recorded(run, films) -> None:
    table = torch.from_numpy(films["curves"].values).view(3, 4, 4)
    for column, name in enumerate(NAMES):
        scores = torch.from_numpy(films[f"heads {name.column}"].values)[:, name.seed]
        for row, record in enumerate(run.records(name)):
            expected = [record.accuracy, record.loss, record.measures["previous"], record.measures["induction"]]
            assert_close(table[row, :, column].tolist(), expected)
            assert_close(scores[row, :4], record.arrays["previous"].flatten())
            assert_close(scores[row, 4:].max().item(), record.measures["induction"])


def test_the_last_maps_are_the_best_heads_of_torchs_attention_with_the_final_weights(run, films) -> None:
    state = run.records(SQRT_1)[-1].state
    tokens, periods = config(SQRT_1).draw(stream(1, "probe"), PROBE)
    layers = torch.stack(attention(state, tokens), dim=1)  # b, layers, h, n, n
    previous = layers.diagonal(-1, dim1=-2, dim2=-1).mean(dim=(0, -1))
    total, count = torch.zeros(2, 2), 0
    for one, period in zip(layers, periods.tolist(), strict=True):
        total += one.diagonal(1 - period, dim1=-2, dim2=-1)[..., 1:].sum(dim=-1)  # queries from `period` on
        count += 48 - period
    best = [divmod(int(scores.argmax()), 2) for scores in (previous, total / count)]
    assert numbers.best_heads(history(run), SQRT_1) == dict(zip(("previous", "induction"), best, strict=True))
    shown = torch.from_numpy(films["weights inverse_sqrt"].values)[-1, 1].view(2, 2, 48, 48)
    future = torch.ones(48, 48).triu(1).bool()
    for place, (layer, head) in enumerate(best):
        weights = layers[:2, layer, head].masked_fill(future, math.nan)  # no number where nothing may be looked at
        assert_close(shown[:, place], weights, rtol=2e-3, atol=1e-4, equal_nan=True)  # kept as float16
    assert_close(torch.from_numpy(films["tokens"].values)[1], tokens[:2].float())
    assert_close(torch.from_numpy(films["period"].values)[1, :, 0], periods[:2].float())


def test_while_it_trains_only_the_newest_maps_are_sent(run) -> None:
    recorded = history(run)
    live = {film.name: film for film in films_of(recorded, all_steps=False)}
    whole = {film.name: film for film in films_of(recorded, all_steps=True)}
    for name in ("weights none", "weights inverse_sqrt"):
        assert live[name].axes == ("seed", "probe") and whole[name].axes == ("step", "seed", "probe")
        np.testing.assert_array_equal(live[name].values, whole[name].values[-1])


def test_a_seed_that_a_rule_was_not_run_with_is_left_empty(run) -> None:
    names = (NONE_0, SQRT_0, SQRT_1)
    part = Run.finished({name: run.experiments[name] for name in names}, {name: run.records(name) for name in names})
    films = {film.name: film.values for film in films_of(history(part), all_steps=True)}
    assert np.isfinite(films["heads none"][:, 0]).all() and np.isnan(films["heads none"][:, 1]).all()
    assert np.isnan(films["weights none"][:, 1]).all() and np.isfinite(films["heads inverse_sqrt"]).all()


def test_a_run_that_is_behind_keeps_its_newest_record_and_says_of_which_step_it_is(run) -> None:
    pair = {name: run.experiments[name] for name in (NONE_0, SQRT_0)}
    records = {NONE_0: run.records(NONE_0)[:1], SQRT_0: run.records(SQRT_0)[:2]}
    recorded = history(Run.finished(pair, records))
    assert recorded.steps == (0, 2, 4) and recorded.newest == 1
    films = {film.name: film.values for film in films_of(recorded, all_steps=True)}
    for name in ("scores", "weights"):
        values = films[f"{name} none"]
        np.testing.assert_array_equal(values[1], values[0])
        assert np.isfinite(values[0]).any() and np.isnan(values[2]).all()  # nobody has come so far
    assert np.isnan(films["heads none"][1:]).all()  # the curves end where the records do
    live = {film.name: film.values for film in films_of(recorded, all_steps=False)}
    np.testing.assert_array_equal(live["scores none"], films["scores none"][0])
    behind = PAGE.data("map.behind", steps="0")
    for plot in pictures.plots(recorded, films_of(recorded, all_steps=False), PAGE):
        if plot.name.startswith(("map_", "table_")):
            assert plot.note.endswith(behind) == plot.name.endswith("_none")


def test_every_picture_finds_its_film(run) -> None:
    recorded = history(run)
    sent = films_of(recorded, all_steps=True)
    sizes = {film.name: math.prod(film.values.shape[len(film.axes) :]) for film in sent}
    plots = pictures.plots(recorded, sent, PAGE)
    assert len({plot.name for plot in plots}) == len(plots)
    for plot in plots:
        film = getattr(plot, "film", None)
        size = getattr(plot, "rows", 1) * getattr(plot, "cols", 1)
        assert film is None or max(starts(plot, sent)) + size <= sizes[film], plot.name
    slid = pictures.sliders(recorded, {"step": 2, "seed": 1, "probe": 0}, PAGE)
    assert [slider.readings for slider in slid] == [("0", "2", "4"), ("0", "1"), ("1", "2")]


def story(*accuracies: float) -> list[Record]:
    return [
        Record(step=2 * index, loss=1.0, accuracy=accuracy, measures={"previous": 0.1, "induction": accuracy / 2})
        for index, accuracy in enumerate(accuracies)
    ]


@pytest.mark.parametrize(
    ("stories", "key", "opening"),
    [
        ({NONE_0: story(0.02)}, "before", "Accuracy at step 0: 0.02."),
        (
            {NONE_0: story(0.02, 0.07, 0.09)},
            "no",
            "At step 4 the best accuracy is 0.09, the best induction score",
        ),
        ({NONE_0: story(0.02, 0.07)}, "not_yet", "At step 2 the best accuracy is 0.07"),
        ({NONE_0: story(0.02, 0.5, 0.98)}, "yes", "At step 2 more than half"),
        (
            {NONE_0: story(0.02, 0.09, 0.11), Seeded("none", seed=7): story(0.03, 0.2, 0.9)},
            "yes",
            "In 1 of 2 seeds, at step 4.",
        ),
    ],
)
def test_the_verdict_says_what_the_records_say(stories, key, opening) -> None:
    finished = Run.finished({name: config(name) for name in stories}, stories)
    title, note = pictures.verdict(history(finished), NONE, PAGE)
    reached = max(record.step for records in stories.values() for record in records)
    assert title == PAGE.data(f"verdict.{key}", variant="unscaled", step=reached, steps=4)
    assert note.startswith(opening)


def test_guessing_in_the_block_is_right_as_often_as_it_is_said() -> None:
    """Sequences drawn at random: at each place that can be known, one of `period` tokens."""
    _, periods = Induction().draw(stream(3, "guess"), 20_000)
    chances = torch.cat([torch.full((48 - int(period),), 1 / int(period)) for period in periods])
    assert_close(numbers.guessing(), chances.mean().item(), rtol=0.02, atol=0)


def test_settings_make_the_race_they_say() -> None:
    configs = numbers.race(["none", "qk_norm"], d_k=64, lr=1e-2, steps=350, seed=5, seeds=2)
    assert list(map(str, configs)) == ["none-5", "none-6", "qk_norm-5", "qk_norm-6"]
    for name, trial in configs.items():
        assert isinstance(trial, Induction)
        assert f"{trial.rule}-{trial.seed}" == str(name) == str(numbers.variant(trial))
        assert (trial.d_k, trial.lr, trial.steps, trial.every) == (64, 1e-2, 350, 10)
        assert numbers.known(trial)
    for other in (Sort(), Induction(), replace(trial, d_k=65), replace(trial, steps=10**9), replace(trial, n_head=4)):
        assert not numbers.known(other)


@pytest.mark.parametrize("d_k", [8, 32, 128])
@pytest.mark.parametrize(("rules", "seeds"), [(["none"], 1), (list(RULES), 3)])
def test_the_records_of_the_largest_race_fit_the_memory_of_a_run(d_k, rules, seeds) -> None:
    configs = numbers.race(rules, d_k=d_k, lr=3e-3, steps=350, seed=0, seeds=seeds)
    trial = next(iter(configs.values()))
    kept = next(trial.records()).bytes() * len(kept_steps(trial.steps, trial.every))
    assert len(configs) * kept <= MOST_BYTES
    assert len(kept_steps(trial.steps, trial.every)) >= 12


def test_saved_runs_are_loaded_side_by_side(run) -> None:
    sent = [save_records(run.experiments[name], run.records(name)) for name in (NONE_0, SQRT_1)]
    joined = loaded([*sent, sent[0]], KIND)
    again = Seeded("none", 2, seed=0)
    assert list(map(str, joined.experiments)) == ["none-0", "inverse_sqrt-1", "none-0 2"]
    assert fingerprint(joined.records(again)) == fingerprint(run.records(NONE_0))
    recorded = history(joined)
    assert numbers.columns(recorded) == {NONE: {0: NONE_0}, INVERSE_SQRT: {1: SQRT_1}, Variant("none", 2): {0: again}}
    assert pictures.label(again, PAGE) == "unscaled (2), seed 0"
    pictures.plots(recorded, films_of(recorded, all_steps=True), PAGE)


def test_the_snippet_prints_what_is_shown(run) -> None:
    part = Run.finished({NONE_1: run.experiments[NONE_1]}, {NONE_1: run.records(NONE_1)})
    output = printed_afresh(numbers.script(part))
    assert f"none-1 fingerprint {fingerprint(run.records(NONE_1))}" in output
    for record in run.records(NONE_1):
        assert f"none-1 {record.step} loss {record.loss:.6f} accuracy {record.accuracy:.6f}" in output
        assert str([round(score, 4) for score in record.arrays["induction"].flatten().tolist()]) in output


def test_the_arrays_are_the_records(run) -> None:
    arrays = numbers.arrays(run)
    np.testing.assert_array_equal(arrays["none_seed_1_step"], [0, 2, 4])
    np.testing.assert_array_equal(arrays["none_seed_0_loss"], [record.loss for record in run.records(NONE_0)])
    assert arrays["inverse_sqrt_seed_0_weights_1"].shape == (3, 2, 2, 48, 48)
    assert arrays["inverse_sqrt_seed_0_previous"].shape == (3, 2, 2)


@pytest.mark.parametrize("script", ["script.py"])
def test_the_script_runs_as_it_stands(script: str) -> None:
    assert printed((ROOT / "pages/training/induction" / script).read_text(encoding="utf-8"))
