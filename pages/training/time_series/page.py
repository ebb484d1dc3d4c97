"""Time series: attention, decomposition, frequencies and straight lines forecast one series, made or the reader's."""

from collections.abc import Mapping, Sequence

import streamlit as st

from attention_core.experiments.series import Series
from pages.training.time_series import parts, several
from pages.training.time_series.films import films
from pages.training.time_series.guide import GUIDE, prediction
from pages.training.time_series.numbers import FAST, Forecasters, Seeded, known, live, on_demand, shared, variant
from pages.training.time_series.own import own
from pages.training.time_series.pictures import label, plots, sliders
from pages.training.time_series.results import conclusions, rows, table
from pages.training.time_series.scene import Scene, arrays, scene, script, train_fast
from pages.training.time_series.settings import KEY, chosen, moved, places
from pages.training.time_series.several import world_of
from ui import waiting
from ui.components.lab import lab
from ui.guide import predict
from ui.layout import page_header, take_away, trust_line
from ui.text import Words, words
from ui.training import progress
from ui.training.controls import watch
from ui.training.files import Kind
from ui.training.live import Training, bar, bounded
from ui.training.recorded import recorded_run

FAST_ONES = "fast"  # what is worked on for one reader at a time
WIDTHS = {"model": 225, "mse": 128, "mae": 128, "learned": 105, "seeds": 62, "parameters": 92, "step": 56}  # pixels


def scene_of(run: Forecasters | None, config: Series, models: Sequence[str], page: Words) -> Scene:
    """What was trained on the series of the run, or on that which is chosen; the fast models once they are there."""
    if run is not None:
        configs = list(run.experiments.values())
        config, models = shared(configs[0]), [trained.model for trained in configs]
    fast: Mapping[Seeded, Sequence] | None = None
    if live(config) and (run is None or run.origin is None):
        question = ("time series, fast", config)
        fast = waiting.awaited(question, lambda: train_fast(config), topic=FAST_ONES, what=page["fast_running"])
    return scene(world_of(config), run, fast or {}, [*FAST, *models])


def recording(wanted: Mapping[Seeded, Series]) -> Forecasters | None:
    """The recorded run, where it holds what is chosen: a series of other settings is not drawn in its place."""
    run = recorded_run("time_series", variant)
    return run if run is not None and wanted.items() <= run.experiments.items() else None


def studio(training: Training[Seeded, Series], run: Forecasters | None, config: Series, page: Words) -> None:
    """The panel: buttons, progress, forecasts, the table, and what can be taken away."""
    bar(training, run)
    models = list(dict.fromkeys(wanted.model for wanted in training.wanted.values()))
    with st.container(key=f"awaited_{FAST_ONES}"):  # a place of its own: it comes and goes
        drawn = scene_of(run, config, models, page)
    laboratory(drawn, run, page)
    of = drawn.world.config
    caption = [page.format("trained", points=len(drawn.world.values), lr=of.lr, steps=of.steps, batch=of.batch)]
    if drawn.others:
        caption.append(page.format("elsewhere", count=drawn.others))
    st.caption(" ".join([*caption, bounded(page)]))
    results(drawn, page)
    with st.container(horizontal=True, vertical_alignment="center"):
        trust_line(seed=None if of.values else of.world, dtype="float32", device="cpu")
        take_away("time_series", arrays=lambda: arrays(drawn), snippet=script(drawn))


def laboratory(drawn: Scene, run: Forecasters | None, page: Words) -> None:
    """While it trains the newest step, then every step under the finger."""
    resting = run is None or not run.running
    last = drawn.newest(slow=run is not None)
    lab(
        plots(drawn, page),
        key="ts_lab",
        sliders=sliders(drawn, places(drawn, last, resting=resting), page),
        films=films(drawn, all_steps=resting),
        words=words("canvas"),
        summary=page["summary"],
        on_move=lambda at: moved(drawn, last, at, resting=resting),
    )


def results(drawn: Scene, page: Words) -> None:
    """The table of errors, and what follows from it."""
    errors, of = rows(drawn), drawn.world.config
    st.header(page["table.title"], anchor="table")
    left, right = st.columns([2, 1], gap="large")
    with left:
        widths = {page[f"table.{name}"]: st.column_config.Column(width=width) for name, width in WIDTHS.items()}
        st.dataframe(table(errors, page), hide_index=True, height="content", column_config=widths)
        st.caption(f"{page['table.text']} {page['table.unit_own' if of.values else 'table.unit']}")
    with right:
        sentences = conclusions(errors, drawn.world, page)
        if not any(row.model == "attention" and row.step >= of.steps for row in errors):
            sentences.append(page["table.waits"])
        for sentence in [*sentences, page["says.published"]]:
            st.markdown(sentence)


page = words("time_series")
waiting.style(FAST_ONES)
progress.style(KEY)
predict(page_header(page, GUIDE), prediction(), page)
config, models, seeds = chosen(page, own)
wanted = on_demand(config, models, seeds)
training = Training(
    key=KEY,
    kind=Kind(known=known, variant=variant, label=lambda name: label(name, page)),
    wanted=wanted,
    recording=recording(wanted),
    empty=page["empty" if live(config) else "empty_none"],
    in_turns=False,
)
watch(KEY, lambda run: studio(training, run, config, page), training.recording)
parts.section(world_of(config), page)
if not config.values:
    several.section(config, page)
