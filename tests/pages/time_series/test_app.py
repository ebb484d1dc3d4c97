"""Time series runs in both languages: before, during and after a run, with any link, any file and any choice."""

import math
from functools import partial

import pytest
from streamlit.testing.v1 import AppTest

from attention_core.experiments.series import Series
from attention_core.experiments.store import fingerprint
from pages.training.time_series import reading, scene
from pages.training.time_series.numbers import OnWorld, Seeded, least
from tests.harness import training
from tests.harness.training import well
from ui.compute.answers import Answers
from ui.numbers import significant
from ui.text import words

opened = partial(training.opened, "time_series")
ended = partial(training.ended, key="ts")
TINY = {"ts_steps": "10", "ts_past": "24", "ts_models": "frequency"}


def text_of(app: AppTest) -> str:
    return "\n".join(element.value for kind in (app.caption, app.markdown, app.warning) for element in kind)


def table(app: AppTest):
    return app.dataframe[0].value


@pytest.mark.parametrize("language", ["en", "zh"])
def test_before_the_first_run_the_linear_models_are_trained_and_the_rest_is_at_step_0(language: str) -> None:
    app = opened(lang=language, ts_steps="10")
    page = words("time_series", language)
    assert page["empty"] in text_of(app) and page["table.waits"] in text_of(app)
    assert "ts_run" not in app.session_state
    models = set(table(app)[page["table.model"]])
    assert models == {page[f"model.{model}"] for model in ("naive", "linear", "linear+trend")}
    assert len(app.get("bidi_component")) >= 1 and len(app.get("plotly_chart")) == 1


def test_a_run_trains_to_its_end_and_the_table_holds_its_errors() -> None:
    app = opened(lang="en", ts_noise="0.6", ts_world="4", **TINY)
    app.button(key="ts_start").click().run()
    ended(app)
    config = Series(model="frequency", past=24, horizon=12, steps=10, every=1, seed=0, world=4, noise=0.6, slope=1.0)
    expected = list(config.records())
    run = app.session_state["ts_run"]
    assert fingerprint(run.records(Seeded("frequency"))) == fingerprint(expected)
    rows = table(app).set_index("model")
    assert rows.loc["frequency block", "MSE"] == significant(expected[-1].accuracy, 3)
    assert rows.loc["frequency block", "MAE"] == significant(expected[-1].measures["mae"], 3)
    assert "±" in rows.loc["DLinear", "MSE"]
    assert dict(app.query_params.items()).items() >= {"ts_go": "1", "ts_noise": "0.6", "ts_world": "4", **TINY}.items()


def test_attention_trained_to_its_end_is_compared() -> None:
    link = {"ts_steps": "10", "ts_past": "24", "ts_models": "attention", "ts_seeds": "2"}
    app = training.trained("time_series", "ts", lang="en", ts_go="1", **link)
    run = app.session_state["ts_run"]
    assert list(map(str, run.experiments)) == ["attention 0", "attention 1"]
    assert "repeating the season" in text_of(app) and words("time_series", "en")["table.waits"] not in text_of(app)
    app.number_input(key="ts_steps").set_value(20).run()
    well(app)
    assert words("training", "en")["stale"] in text_of(app) and app.session_state["ts_run"] is run


@pytest.mark.parametrize(
    "link",
    [
        {"ts_past": "97", "ts_slope": "nan", "ts_noise": "0", "ts_seeds": "-1", "ts_world": "x", "ts_models": ",magic"},
        {"ts_step": "999", "ts_ahead": "0", "ts_window": "9", "ts_which": "<b>", "ts_head": "x", "ts_source": "theirs"},
        {"ts_segment": "__import__", "ts_season": "1e999", "ts_go": "yes", "ts_steps": "10"},
    ],
)
def test_any_link_opens(link: dict[str, str]) -> None:
    app = opened(lang="en", **({"ts_steps": "10"} | link))
    assert app.selectbox(key="ts_past").value == 96 and app.selectbox(key="ts_noise").value == 0.3
    assert "ts_run" not in app.session_state


def series(count: int) -> bytes:
    cells = [f"{5 + math.sin(n * math.pi / 6) + 0.01 * n:.4f}" if n % 40 != 7 else "" for n in range(count)]
    return "\n".join(["day,<b>*t*</b>", *(f"d{n},{cell}" for n, cell in enumerate(cells))]).encode()


def test_a_file_of_ones_own_is_forecast_and_what_is_in_it_is_data() -> None:
    app = opened(lang="en", ts_source="own", **TINY)
    page = words("time_series", "en")
    assert page.format("own.none", most=4000, least=least(24)) in text_of(app)
    app.file_uploader(key="ts_file").upload("mine.csv", series(300), "text/csv").run()
    well(app)
    assert "300 numbers of ` <b>*t*</b> `" in text_of(app)
    assert page.format("own.gaps", gaps=8) in text_of(app)
    assert page.format("parts.text", period=12) in text_of(app) and page["table.unit_own"] in text_of(app)
    app.button(key="ts_start").click().run()
    ended(app)
    [config] = app.session_state["ts_run"].experiments.values()
    assert len(config.values) == 300 and abs(config.values[7] - (config.values[6] + config.values[8]) / 2) < 1e-6
    assert "frequency block" in table(app)["model"].tolist()


def test_a_refused_file_keeps_nothing_of_the_runs_in_which_it_is_told() -> None:
    app = opened(lang="en", ts_source="own", **TINY)
    app.file_uploader(key="ts_file").upload("mine.csv", b"hello", "text/csv").run()
    app.run()
    kept = app.session_state["ts_sheet"][1]
    assert kept.why == "not_csv" and kept.__traceback__ is None


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"\0\1\2", "binary"),
        (b"", "empty"),
        (b"hello", "not_csv"),
        (series(50), "too_short"),
        (b"x\n" + b"1\n2\n" * 100 + b"<script>\n", "wrong"),
    ],
)
def test_a_file_that_cannot_be_used_leaves_the_last_series_and_says_why(data: bytes, why: str, language: str) -> None:
    app = opened(lang=language, ts_source="own", **TINY)
    page = words("time_series", language)
    app.file_uploader(key="ts_file").upload("mine.csv", data, "text/csv").run()
    well(app)
    beginning = page[f"refused.{why}"].partition("{")[0]
    assert len(app.warning) == 1 and app.warning[0].value.startswith(beginning)
    assert page["own.kept"] not in app.warning[0].value  # there was none before
    assert app.warning[0].value.endswith(page["own.made"])
    assert page["table.unit"] in text_of(app)  # the made series


@pytest.mark.parametrize(
    ("past", "count", "advice"),
    [
        ("24", 50, ["more"]),
        ("96", 50, ["more", "fewest"]),
        ("96", 150, ["shorter"]),
    ],
)
def test_a_short_series_is_told_what_it_takes(past: str, count: int, advice: list[str]) -> None:
    app = opened(lang="en", ts_source="own", **TINY | {"ts_past": past})
    app.file_uploader(key="ts_file").upload("mine.csv", series(count), "text/csv").run()
    well(app)
    page, needed = words("time_series", "en"), {"past": 24, "least": least(24)}
    expected = {name: page.format(f"refused.{name}", **needed) for name in ("shorter", "more", "fewest")}
    warning = app.warning[0].value
    assert [name for name, sentence in expected.items() if sentence in warning] == advice
    assert str(least(int(past))) in warning and "` <b>*t*</b> `" in warning


def test_a_bad_file_after_a_good_one_keeps_the_good_series() -> None:
    app = opened(lang="en", ts_source="own", **TINY)
    app.file_uploader(key="ts_file").upload("mine.csv", series(300), "text/csv").run()
    app.file_uploader(key="ts_file").set_value(("bad.csv", b"\0", "text/csv")).run()
    well(app)
    page = words("time_series", "en")
    assert app.warning[0].value == f"{page['refused.binary']} {page['own.kept']}"
    assert page["table.unit_own"] in text_of(app)


def dated(rows: int, *, newest_first: bool = False, form: str = "{:04}-{:02}-01") -> list[str]:
    days = [form.format(2000 + n // 12, n % 12 + 1) for n in range(rows)]
    lines = [f"{day},{10 + math.sin(n * n):.2f}" for n, day in enumerate(days)]
    return lines[::-1] if newest_first else lines


@pytest.mark.parametrize("language", ["en", "zh"])
def test_how_a_file_was_understood_stands_in_one_place_and_can_be_changed(language: str) -> None:
    app = opened(lang=language, ts_source="own", **TINY)
    page = words("time_series", language)
    data = "\n".join(["date,x", *dated(150, newest_first=True)]).encode()
    app.file_uploader(key="ts_file").upload("mine.csv", data, "text/csv").run()
    well(app)
    [notice] = app.info
    assert notice.value.startswith(page.format("own.used", count=150, column="x"))
    assert page.format("note.newest", column="date") in notice.value
    assert page.format("note.from", first="2000-01-01", last="2012-06-01", column="date") in notice.value
    by_date = app.session_state["ts_own"][1]
    [clock] = [box for box in app.selectbox if box.label == page["own.clock"]]
    assert clock.options == ["date", page["own.as_they_stand"]]
    clock.set_value(1).run()
    well(app)
    assert app.session_state["ts_own"][1] == by_date[::-1] and not app.info
    assert page["note.rows"] in text_of(app)


def test_several_series_in_a_file_are_asked_about() -> None:
    app = opened(lang="en", ts_source="own", **TINY)
    rows = [f"{name},{row}" for name in ("A", "<b>B</b>") for row in dated(150)]
    app.file_uploader(key="ts_file").upload("mine.csv", "\n".join(["id,ds,y", *rows]).encode(), "text/csv").run()
    well(app)
    page = words("time_series", "en")
    assert "2 series stand below each other, told apart by ` id `: ` A, <b>B</b> `" in app.info[0].value
    [which] = [box for box in app.selectbox if box.label == page["own.series"]]
    assert which.options == ["A (150)", "<b>B</b> (150)"]
    which.set_value(1).run()
    well(app)
    assert "This is ` <b>B</b> `" in app.info[0].value


def test_dates_and_commas_that_may_mean_two_things_are_asked_about() -> None:
    app = opened(lang="en", ts_source="own", **TINY)
    page = words("time_series", "en")
    rows = [row.replace(",", ";") for row in dated(150, form="01/{1:02}/{0:04}")]
    app.file_uploader(key="ts_file").upload("mine.csv", "\n".join(["date;x", *rows]).encode(), "text/csv").run()
    well(app)
    [order] = [box for box in app.selectbox if box.label == page["own.order"]]
    assert order.options == [page["order.dmy"], page["order.mdy"]] and order.value == "dmy"
    assert page.format("note.order", cell="01/02/2000", when="2000-02-01") in app.info[0].value
    cells = [f"1,{200 + n * n % 97}" for n in range(150)]
    commas = "\n".join(["x;y", *(f"{cell};a" for cell in cells)]).encode()
    app.file_uploader(key="ts_file").set_value(("other.csv", commas, "text/csv")).run()
    well(app)
    assert app.warning[0].value.startswith(page.format("refused.thousands", column="x", cell="1,200"))
    [mark] = [box for box in app.selectbox if box.label == page["own.mark"]]
    assert mark.value is None and mark.options == ["1,200 = 1200", "1,200 = 1.2"]
    mark.set_value(False).run()
    well(app)
    assert app.session_state["ts_own"][1][0] == 1200.0


def test_a_clock_alone_is_not_forecast_unless_it_is_chosen() -> None:
    app = opened(lang="en", ts_source="own", **TINY)
    page = words("time_series", "en")
    data = "\n".join(["year", *map(str, range(1800, 2000))]).encode()
    app.file_uploader(key="ts_file").upload("mine.csv", data, "text/csv").run()
    well(app)
    assert app.warning[0].value.startswith(page.format("refused.no_series", column="year"))
    [column] = [box for box in app.selectbox if box.label == page["own.column"]]
    column.set_value(0).run()
    well(app)
    assert app.session_state["ts_own"][1][0] == 1800.0


def test_the_batch_over_several_series_ends_in_a_table() -> None:
    app = opened(lang="en", ts_many_models="frequency", **TINY)
    assert words("time_series", "en")["many.empty"] in text_of(app)
    app.button(key="ts_many_start").click().run()
    training.ended(app, "ts_many")
    rows = app.dataframe[-1].value.set_index("model")
    *_, last = Series(model="frequency", past=24, horizon=12, steps=10, every=10, seed=0, world=3).records()
    assert rows.loc["frequency block", "series 3"] == significant(last.accuracy, 3)
    assert len(rows) == 4 and "±" in rows.loc["seasonal naive", "mean ± sd"]


def test_the_batch_of_a_link_starts_with_its_button_and_tells_when_settings_have_changed() -> None:
    app = opened(lang="en", ts_many_models="frequency", ts_many_go="1", **TINY)
    assert "ts_many_run" not in app.session_state and words("training", "en")["asked"] in text_of(app)
    app.button(key="ts_many_start").click().run()
    run = app.session_state["ts_many_run"]
    assert OnWorld("frequency", 4) in run.experiments and "ts_run" not in app.session_state
    stale = words("training", "en")["stale"]
    assert stale not in text_of(app)
    app.selectbox(key="ts_noise").set_value(0.6).run()
    well(app)
    assert stale in text_of(app) and app.session_state["ts_many_run"] is run
    run.stop()


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_link_to_a_run_on_a_file_waits_for_the_file(language: str) -> None:
    app = opened(lang=language, ts_source="own", ts_go="1", **TINY)
    page = words("time_series", language)
    assert "ts_run" not in app.session_state
    assert [info.value for info in app.info] == [page["own.missing"]]
    app.segmented_control(key="ts_source").set_value("made").run()
    well(app)
    assert "ts_run" not in app.session_state and not app.info


def test_a_file_is_parsed_once_and_what_is_computed_on_it_takes_its_turn_with_all_else(monkeypatch) -> None:
    asked, parsed = [], []
    ask, read = Answers.ask, reading.read
    monkeypatch.setattr(Answers, "ask", lambda self, q, f: (asked.append(q), ask(self, q, f))[1])
    monkeypatch.setattr(reading, "read", lambda data: (parsed.append(data), read(data))[1])
    app = opened(lang="en", ts_source="own", **TINY)
    app.file_uploader(key="ts_file").upload("mine.csv", series(300), "text/csv").run()
    for steps in (11, 12, 13, 14):
        app.number_input(key="ts_steps").set_value(steps).run()
        well(app)
    assert words("time_series", "en")["table.unit_own"] in text_of(app)
    assert len(parsed) == 1
    configs = {part for question in asked if isinstance(question, tuple) for part in question}
    assert len([config for config in configs if isinstance(config, Series) and len(config.values) == 300]) >= 5


@pytest.mark.parametrize("language", ["en", "zh"])
def test_with_many_steps_nothing_is_trained_while_the_page_is_drawn(language: str, monkeypatch) -> None:
    monkeypatch.setattr(scene, "train_fast", lambda *_: pytest.fail("trained"))
    app = opened(lang=language, ts_steps="1200", ts_seeds="5", ts_past="24")
    page = words("time_series", language)
    assert page["empty_none"] in text_of(app) and len(table(app)) == 1


def test_a_longer_look_back_than_the_kept_series_allows_is_one_sentence() -> None:
    app = opened(lang="en", ts_source="own", **TINY)
    app.file_uploader(key="ts_file").upload("mine.csv", series(150), "text/csv").run()
    assert words("time_series", "en")["table.unit_own"] in text_of(app)
    for _ in ("with the file", "without it"):
        app.selectbox(key="ts_past").set_value(96).run()
        well(app)
        assert "has 150 numbers, and this look-back takes at least 494" in app.warning[0].value
        assert words("time_series", "en")["table.unit"] in text_of(app)
        app.file_uploader(key="ts_file").set_value(None)
