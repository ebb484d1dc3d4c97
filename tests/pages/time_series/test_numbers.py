"""Time series: films against records, errors against NumPy, words against numbers, files against mischief."""

import math
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch.testing import assert_close

from attention_core.experiments.base import Record
from attention_core.experiments.series import Series, made_series
from attention_core.experiments.sort import Sort
from pages.training.time_series import films as filming
from pages.training.time_series import numbers as planned
from pages.training.time_series import pictures, results, several
from pages.training.time_series import scene as scenes
from pages.training.time_series.films import seeds_columns
from pages.training.time_series.numbers import FAST, SLOW, OnWorld, Seeded, base, known, variants
from pages.training.time_series.parts_figure import GAP, domains, parts_figure
from pages.training.time_series.results import Row, conclusions
from pages.training.time_series.scene import scene
from pages.training.time_series.world import Lines, lines, look, thinned
from tests.harness.scripts import printed, printed_afresh
from tests.harness.serving import ROOT
from tests.harness.work import finished
from ui.compute.queue import Queue
from ui.compute.runs import Run
from ui.numbers import significant
from ui.text import words

PAGE = words("time_series", "en")
BASE = replace(base(past=24, steps=4), points=400)
ATTENTION = Seeded("attention")
MODELS = ("attention", "frequency_attention+trend", "auto_correlation+trend")


@pytest.fixture(scope="module")
def trained():
    race = Run(variants(BASE, MODELS, 2), in_turns=False)
    Queue(1).enter(race)
    race.wait(60.0)
    assert race.state == "ended"
    return race


@pytest.fixture(scope="module")
def fast():
    return finished(scenes.train_fast(BASE, 3))


@pytest.fixture(scope="module")
def drawn(trained, fast):
    return scene(look(BASE), trained, fast, MODELS)


def test_settings_make_the_runs_they_say() -> None:
    of = base(slope=2.0, season=0.5, segment=150, noise=0.6, world=7, past=48, steps=100)
    assert (of.past, of.horizon, of.steps, of.every, of.world) == (48, 24, 100, 7, 7)
    assert_close(of.series(), made_series(7, slope=2.0, season=0.5, segment=150, noise=0.6), rtol=0, atol=0)
    configs = variants(of, ["attention", "frequency"], 2)
    assert list(map(str, configs)) == ["frequency 0", "attention 0", "frequency 1", "attention 1"]
    for config in configs.values():
        assert isinstance(config, Series) and known(config) and planned.shared(config) == of
    assert len({config.seed for config in configs.values()}) == 2


@pytest.mark.parametrize(
    "config",
    [
        Sort(),
        Series(),  # every seed its own series
        replace(base(), model="attention", d=512),
        replace(base(), steps=10**6),
        replace(base(), noise=0.0),
        replace(base(), points=10**6),
        replace(base(), past=96, horizon=96),
        replace(base(), values=(1.0,) * 10),
        replace(base(), values=(math.nan,) * 1000),
        replace(base(), values=tuple(map(float, range(5000)))),
    ],
)
def test_runs_of_another_kind_are_refused(config) -> None:
    assert known(base()) and known(base(values=tuple(map(float, range(500)))))
    assert not known(config)


def test_the_forecasts_drawn_are_mean_and_ends_of_the_seeds_in_units_of_the_series(trained, drawn) -> None:
    films = {film.name: film for film in filming.films(drawn, all_steps=True)}
    shown = torch.from_numpy(films["forecast"].values)
    series = BASE.series()[:280]
    at = [films["forecast"].columns.index(name) for name in seeds_columns("attention")]
    for row, step in enumerate(drawn.steps):
        arrays = [
            next(r for r in trained.records(Seeded("attention", seed=s)) if r.step == step).arrays for s in (0, 1)
        ]
        level = arrays[0]["past"].mean(dim=-1, keepdim=True)
        both = torch.stack([(stored["forecast"] - level) * series.std() for stored in arrays]).double()
        expected = torch.stack([both.mean(0), both.amin(0), both.amax(0)], dim=-1)
        assert_close(shown[row, ..., at], expected, rtol=1e-5, atol=1e-5)
        truth = ((arrays[0]["future"] - level) * series.std()).double()
        assert_close(shown[row, ..., 0], truth, rtol=1e-5, atol=1e-5)
    whole = BASE.series().double()
    start = drawn.world.starts[2]
    assert_close(shown[0, 2, :, 0], whole[start : start + 12] - whole[start - 24 : start].mean(), rtol=1e-4, atol=1e-4)


def test_the_weights_drawn_are_torchs_attention_with_the_final_state(trained, drawn) -> None:
    """softmax(QKᵀ/√d_k) of the horizon's queries over the encoded past, written out with torch's own functions."""
    films = {film.name: film for film in filming.films(drawn, all_steps=True)}
    state, record = trained.records(ATTENTION)[-1].state, trained.records(ATTENTION)[-1]

    def norm(x: torch.Tensor, number: int) -> torch.Tensor:
        return F.layer_norm(x, (32,), state[f"norms.{number}.weight"], state[f"norms.{number}.bias"])

    def heads(x: torch.Tensor, name: str) -> torch.Tensor:
        return torch.einsum("bnd,hdk->bhnk", x, state[name])

    h = F.linear(record.arrays["past"][..., None], state["lift.weight"], state["lift.bias"]) + state["positions"]
    x = norm(h, 0)
    q, k, v = (heads(x, f"encode.{name}") for name in ("W_Q", "W_K", "W_V"))
    mixed = F.scaled_dot_product_attention(q, k, v)
    h = h + torch.einsum("bhnk,hkd->bnd", mixed, state["encode.W_O"])
    wide = F.gelu(F.linear(norm(h, 1), state["wide.weight"], state["wide.bias"]))
    h = h + F.linear(wide, state["narrow.weight"], state["narrow.bias"])
    asks = state["asks"].expand(4, -1, -1)
    q, k = heads(asks, "decode.W_Q"), heads(norm(h, 2), "decode.W_K")
    weights = F.scaled_dot_product_attention(q, k, torch.eye(24).expand(4, 4, -1, -1))
    shown = films["weights"]
    assert shown.axes == ("step", "which", "window", "head", "ahead") and shown.codes == 254
    decoded = (torch.from_numpy(shown.values[-1, 0]).double() / 254) ** 2
    assert_close(decoded, weights.double(), rtol=0, atol=4e-3)
    assert_close(decoded.sum(-1), torch.ones(4, 4, 12, dtype=torch.float64), rtol=0, atol=0.02)


def test_lags_and_frequencies_are_those_recorded(trained, drawn) -> None:
    films = {film.name: film for film in filming.films(drawn, all_steps=True)}
    for name, shape in (("auto_correlation", (4, 24)), ("frequency_attention", (4, 169))):
        for row, step in enumerate(drawn.steps):
            record = next(r for r in trained.records(Seeded(f"{name}+trend")) if r.step == step)
            assert_close(torch.from_numpy(films[name].values[row]), record.arrays["weights"].float().reshape(shape))


def test_the_errors_by_step_and_the_table_are_means_over_seeds(trained, fast, drawn) -> None:
    curve = 10 ** filming.errors(drawn)
    rows = {row.model: row for row in results.rows(drawn)}
    groups = {model: [trained.records(Seeded(model, seed=s)) for s in (0, 1)] for model in MODELS}
    groups |= {model: [fast[Seeded(model, seed=s)] for s in (0, 1, 2)] for model in FAST}
    for model, runs in groups.items():
        last = np.array([records[-1].accuracy for records in runs])
        columns = [filming.error_columns(drawn).index(name) for name in seeds_columns(model)]
        np.testing.assert_allclose(curve[-1, columns], [last.mean(), last.min(), last.max()])
        assert math.isclose(rows[model].mse, last.mean()) and math.isclose(rows[model].mse_sd, last.std(ddof=1))
        mae = np.array([records[-1].measures["mae"] for records in runs])
        assert math.isclose(rows[model].mae, mae.mean()) and rows[model].seeds == len(runs)
    assert [row.mse for row in results.rows(drawn)] == sorted(row.mse for row in rows.values())
    x = BASE.series().double().numpy()
    windows = np.lib.stride_tricks.sliding_window_view(x[280:], 36)
    away = windows[:, :12] - windows[:, 24:]  # the period is 24: the season is the whole look-back
    assert math.isclose(rows["naive"].mse, (away**2).mean() / 0.09, rel_tol=1e-4)
    assert math.isclose(rows["naive"].mae, np.abs(away).mean() / 0.3, rel_tol=1e-4)


def test_before_training_everything_is_there_but_its_error(fast) -> None:
    untrained = scene(look(BASE), None, fast, SLOW)
    assert untrained.models == (*FAST, *SLOW)
    assert {row.model for row in results.rows(untrained)} == {"naive", *FAST}
    films = {film.name: film for film in filming.films(untrained, all_steps=True)}
    assert (films["weights"].values < 255).all()
    assert_close(
        torch.from_numpy(films["auto_correlation"].values[0]),
        replace(BASE, model="auto_correlation+trend")
        .shown(replace(BASE, model="auto_correlation+trend").build())["weights"]
        .float(),
    )
    notes = {plot.name: plot.note for plot in pictures.plots(untrained, PAGE)}
    names = {f"forecast_{model}" for model in SLOW} | {"over_past", "own", "lags", "frequencies"}
    assert {name for name, note in notes.items() if note.startswith(PAGE["untrained"])} == names
    assert untrained.newest(slow=False) == len(untrained.steps) - 1


def test_a_stopped_run_has_no_forecast_beyond_its_last_step(trained, fast) -> None:
    half = Run.finished({ATTENTION: trained.experiments[ATTENTION]}, {ATTENTION: trained.records(ATTENTION)[:3]})
    shown = scene(look(BASE), half, fast, ["attention"])
    films = {film.name: film for film in filming.films(shown, all_steps=True)}
    start = films["forecast"].columns.index(seeds_columns("attention")[0])
    there = np.isfinite(films["forecast"].values[..., start]).all(axis=(1, 2))
    assert there.tolist() == [True, True, True, False, False]
    assert (films["weights"].values[3:] == 255).all()
    assert shown.newest(slow=True) == 2
    assert not any("attention" in sentence.lower() for sentence in conclusions(results.rows(shown), shown.world, PAGE))


def test_variants_of_another_series_are_counted_not_drawn(trained, fast) -> None:
    other = replace(BASE, world=9, model="frequency")
    mixed = Run.finished(
        {ATTENTION: trained.experiments[ATTENTION], Seeded("frequency"): other},
        {ATTENTION: trained.records(ATTENTION), Seeded("frequency"): list(other.records())},
    )
    shown = scene(look(BASE), mixed, fast, ["attention"])
    assert shown.others == 1 and "frequency" not in shown.models


def row(model: str, mse: float, learned: float = 1.0) -> Row:
    return Row(
        model=model, parameters=1, step=4, seeds=1, mse=mse, mse_sd=math.nan, mae=1.0, mae_sd=math.nan, learned=learned
    )


def test_what_is_said_follows_the_numbers() -> None:
    world = look(BASE)

    def conclusion(**errors: float) -> str:
        rows = [row(model.replace("_trend", "+trend"), mse) for model, mse in errors.items()]
        return " ".join(conclusions(rows, world, PAGE))

    story = conclusion(naive=4.0, attention=9.0, attention_trend=2.5, linear=2.1, linear_trend=1.6, frequency=1.4)
    for part in (
        "worse than repeating the season",
        "2.2 times",
        "divides its error by 3.6",
        "by 6.4",
        "1.6, attention",
    ):
        assert part in story
    other = conclusion(naive=4.0, attention=1.5, attention_trend=1.55, linear=2.1, linear_trend=3.0, frequency=1.45)
    for part in ("beats repeating", "changes little", "better than both linear", "about as good"):
        assert part in other
    assert "divides the error of repeating the season by 2" in conclusion(naive=4.0, linear=2.0, linear_trend=3.0)
    assert "do not beat" in conclusion(naive=1.0, linear=2.0, linear_trend=3.0)


def test_the_world_knows_its_parts_and_lines_since_a_change_win_on_a_bent_series() -> None:
    t = torch.arange(1000, dtype=torch.float64)
    bent = torch.where(t < 500, 0.05 * t, 25 - 0.05 * (t - 500)) + torch.sin(2 * torch.pi * t / 12)
    of = base(values=tuple(float(value) for value in bent.float()), past=24)
    world = look(of)
    assert world.period == 12
    assert len(world.changes) == 1 and abs(world.changes[0] - 500) <= 10 and world.built == ()
    errors = lines(world)
    assert errors.since < 0.01 * errors.whole and errors.last < 0.01 * errors.whole
    assert world.cut == 700 and world.starts[0] == 724
    outside = bent[700:] < bent[:700].min()
    assert math.isclose(world.outside, float((outside | (bent[700:] > bent[:700].max())).double().mean()))


def test_thinned_lines_keep_every_peak() -> None:
    values = np.zeros(4000)
    values[1234], values[3210] = 5.0, -3.0
    at, kept = thinned(values)
    assert len(at) <= 900 and kept.max() == 5 and kept.min() == -3 and at[kept.argmax()] == 1234
    assert len(thinned(np.arange(50.0))[0]) == 50


def test_the_figure_escapes_its_titles_and_shows_every_change() -> None:
    line = np.arange(10), np.arange(10.0)
    figure = parts_figure(
        {"values": line, "rest": line}, line, "dark", titles={"values": "<b>", "rest": "&"}, trend_title="x",
        changes=[3, 6], built=[4], cut=7, last=9, learned="<i>", tested="x",
    )  # fmt: skip
    layout = figure.to_dict()["layout"]
    texts = [annotation["text"] for annotation in layout["annotations"]]
    assert texts == ["<b>&lt;b&gt;</b>", "<b>&amp;</b>", "&lt;i&gt;", "x"]
    assert [shape["x0"] for shape in layout["shapes"]] == [3, 6, 7, 7]  # the test part in both pictures
    assert layout["xaxis"]["matches"] == "x2" and layout["yaxis2"]["anchor"] == "x2"


@pytest.mark.parametrize("count", [2, 3])
def test_the_first_picture_is_as_high_as_all_others(count: int) -> None:
    ranges = domains(count)
    heights = [top - bottom for bottom, top in ranges]
    assert math.isclose(heights[0], sum(heights[1:])) and ranges[0][1] == 1 and abs(ranges[-1][0]) < 1e-9
    gaps = [above[0] - below[1] for above, below in pairwise(ranges)]
    assert all(math.isclose(gap, GAP) for gap in gaps)


def test_the_snippet_prints_the_numbers_of_the_table(drawn) -> None:
    output = printed(scenes.script(drawn))
    errors = dict(line.split(" MSE ") for line in output.splitlines() if " MSE " in line)
    assert len(errors) == 3 * 2 + 2 * 3
    for model, seeds in drawn.records.items():
        for seed, records in seeds.items():
            assert errors[f"{model} {seed}"].split()[0] == f"{records[4].accuracy:.6f}"
    naive = next(row.mse for row in results.rows(drawn) if row.model == "naive")
    assert f"naive {naive:.6f}" in output


def test_the_snippet_prints_stopped_and_lone_seeds_and_leaves_out_what_was_not_trained(trained, fast) -> None:
    again = Seeded("attention", seed=1)
    stopped = Run.finished({again: trained.experiments[again]}, {again: trained.records(again)[:3]})
    shown = scene(look(BASE), stopped, fast, ["attention", "frequency"])
    output = printed_afresh(scenes.script(shown))
    errors = dict(line.split(" MSE ") for line in output.splitlines() if " MSE " in line)
    assert set(errors) == {"attention 1", *(f"{model} {seed}" for model in FAST for seed in (0, 1, 2))}
    assert errors["attention 1"].split()[0] == f"{trained.records(again)[2].accuracy:.6f}"


def test_what_is_taken_away_is_what_was_recorded(trained, drawn) -> None:
    taken = scenes.arrays(drawn)
    assert_close(torch.from_numpy(taken["series"]).float(), BASE.series(), rtol=0, atol=0)
    np.testing.assert_allclose(taken["trend"] + taken["season"] + taken["rest"], taken["series"])
    last = [trained.records(Seeded("attention", seed=seed))[-1] for seed in (0, 1)]
    assert taken["attention_error"][:, -1].tolist() == [record.accuracy for record in last]
    np.testing.assert_array_equal(taken["attention_forecast"][1], last[1].arrays["forecast"].numpy())


def test_the_batch_trains_every_model_on_every_series_and_tells_means_over_them() -> None:
    configs = planned.many(BASE, ["attention", "frequency"])
    assert len(configs) == 4 * 5 and [name for name in configs if name.model == "attention"] == list(configs)[-5:]
    assert {config.world for config in configs.values() if isinstance(config, Series)} == {0, 1, 2, 3, 4}
    assert all(config.every == config.steps for config in configs.values())
    small = {name: config for name, config in configs.items() if name.model in ("linear", "frequency")}
    run = Run(small, in_turns=False)
    Queue(1).enter(run)
    run.wait(60.0)
    naive = {world: 7.0 + world for world in range(5)}
    table = results.over_series(run, naive, PAGE)
    errors = {world: run.records(OnWorld("linear", world))[-1].accuracy for world in range(5)}
    at = table["model"].index("linear layer")
    values = np.array(list(errors.values()))
    assert table["mean ± sd"][at] == f"{significant(values.mean(), 3)} ± {significant(values.std(ddof=1), 2)}"
    assert [table[f"series {world}"][at] for world in range(5)] == [significant(errors[w], 3) for w in range(5)]
    assert table["series 3"][table["model"].index("seasonal naive")] == "10"
    stopped = Run.finished(small, {name: run.records(name)[:1] for name in small})
    assert results.over_series(stopped, naive, PAGE)["model"] == ["seasonal naive"]
    assert several.label(OnWorld("frequency", 3), PAGE) == "frequency block, series 3"


def test_a_made_season_is_continued_in_phase_whatever_the_models_see() -> None:
    """A season of 96 points without trend and nearly without noise: repeated in phase it is wrong by the noise."""
    t = torch.arange(4000, dtype=torch.float64)
    for past in (24, 48, 96):
        world = look(base(slope=0.0, noise=0.1, past=past))
        assert world.period == 96
        season = world.parts.season.numpy()
        waves = [a * torch.sin(2 * torch.pi * t / p) for a, p in ((1.0, 24), (0.5, 12), (0.6, 32))]
        assert np.abs(season - torch.stack(waves).sum(dim=0).numpy()).max() < 0.1
        # What is repeated is about the best that fits: every period is tried with NumPy.
        x, horizon = world.values[2800:], np.arange(past // 2)
        windows = np.lib.stride_tricks.sliding_window_view(x, past + past // 2)
        away = [windows[:, past - p + horizon % p] - windows[:, past:] for p in range(1, past + 1)]
        best = min(float((error**2).mean()) for error in away) / 0.1**2
        assert best * 0.999 < world.naive_error[0] < 1.03 * best
        assert world.naive_period == {24: 24, 48: 24, 96: 96}[past]


def test_the_test_part_says_nothing_about_the_period() -> None:
    t = torch.arange(1000, dtype=torch.float64)
    noise = torch.randn(1000, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    late = torch.where(t < 700, 0.2 * noise, 5 * torch.sin(2 * torch.pi * t / 12))
    assert look(base(values=tuple(late.tolist()), past=24)).period == 1


def test_what_is_said_of_change_points_follows_the_errors() -> None:
    cases = {(2.0, 1.0): "better", (1.0, 1.05): "same", (1.0, 2.0): "worse"}
    for (whole, since), key in cases.items():
        errors = Lines(whole=whole, since=since, last=1.0, naive=1.0, origins=1)
        assert results.says_lines(errors) == f"lines.says_{key}"


def test_a_drift_is_blamed_only_where_the_error_grew() -> None:
    world = replace(look(BASE), outside=0.5)
    for learned, key in ((2.0, "drift"), (9.0, "drift_held")):
        [sentence] = [
            line for line in conclusions([row("attention", 9.0, learned)], world, PAGE) if "windows it has" in line
        ]
        assert sentence == PAGE.format(f"says.{key}", learned=learned, test=9.0, share=50.0)


def test_many_steps_and_many_seeds_of_the_fast_models_wait_for_their_turn() -> None:
    few, long = base(), base(steps=401)
    assert planned.live(few) and not planned.live(long)
    assert list(map(str, planned.on_demand(few, ["frequency"], 3))) == ["frequency 0", "frequency 1", "frequency 2"]
    five = planned.on_demand(few, ["frequency"], 5)
    assert [name for name in five if name.model in FAST] == [Seeded(model, seed=s) for s in (3, 4) for model in FAST]
    assert set(map(str, planned.on_demand(long, ["frequency"], 1))) == {"linear 0", "linear+trend 0", "frequency 0"}
    assert len(finished(scenes.train_fast(replace(BASE, steps=1)))) == 2 * 3


def test_seeds_that_were_trained_on_demand_join_those_of_the_fast_models(fast) -> None:
    asked = planned.on_demand(BASE, ["frequency"], 5)
    records = {name: list(config.records()) for name, config in asked.items() if name.model in FAST}
    run = Run.finished({name: asked[name] for name in records}, records)
    shown = scene(look(BASE), run, fast, [*FAST, "frequency"])
    assert list(shown.records["linear"]) == [0, 1, 2, 3, 4] and list(shown.records["frequency"]) == [0]
    mean = np.mean([kept[-1].accuracy for kept in (*(fast[Seeded("linear", seed=s)] for s in (0, 1, 2)),
                                                   *(records[Seeded("linear", seed=s)] for s in (3, 4)))])  # fmt: skip
    assert math.isclose(next(line.mse for line in results.rows(shown) if line.model == "linear"), mean)


def test_a_record_of_an_untouched_model_has_no_error() -> None:
    record = scenes.untouched(BASE, "frequency")
    assert isinstance(record, Record) and math.isnan(record.accuracy) and record.arrays["forecast"].shape == (4, 12)


def test_the_snippet_of_ones_own_series_reads_what_is_taken_away(tmp_path, monkeypatch) -> None:
    values = tuple(float(np.float32(math.sin(n) + 0.01 * n)) for n in range(200))
    of = base(values=values, past=24, steps=2)
    own = scene(look(of), None, finished(scenes.train_fast(of, 1)), FAST)
    np.savez(tmp_path / "time_series.npz", **scenes.arrays(own))
    monkeypatch.chdir(tmp_path)
    output = printed(scenes.script(own))
    assert f"linear 0 MSE {own.records['linear'][0][2].accuracy:.6f}" in output
    assert f"naive {own.world.naive_error[0]:.6f}" in output


@pytest.mark.parametrize("script", ["script.py"])
def test_the_script_runs_as_it_stands(script: str) -> None:
    assert printed((ROOT / "pages/training/time_series" / script).read_text(encoding="utf-8"))
