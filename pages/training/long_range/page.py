"""Long range: how far a gradient reaches before training, and who finds the needle in the middle in the same time."""

import streamlit as st

from attention_core.experiments.base import RUNNING, Experiment
from attention_core.experiments.needle import Needle
from pages.training.long_range.pictures import (
    BATCH,
    BUDGETS,
    FOUND,
    LENGTHS,
    LONGEST,
    MODELS,
    PARTS,
    RATES,
    REACHED,
    SEEDS,
    SHOWN,
    Reaches,
    evaluated,
    kind_of,
    known,
    label,
    lengths,
    looks,
    needle_weights,
    notes,
    race,
    race_arrays,
    race_films,
    race_plots,
    race_sliders,
    race_snippet,
    reach_arrays,
    reach_films,
    reach_plots,
    reach_sliders,
    reach_snippet,
    reaches,
    results,
    share,
    timeline,
    told,
)
from ui.components.lab import Positions, lab
from ui.compute.catalogue import from_scratch
from ui.compute.runs import Run
from ui.controls import sentence_bar, switch, whole_number
from ui.errors import fragment
from ui.layout import page_header, take_away, trust_line
from ui.link import recall, remember
from ui.numbers import significant, whole
from ui.session import PROBED
from ui.text import Words, words
from ui.training import panel
from ui.training.fingerprints import once
from ui.training.style import progress_style
from ui.training.untouched import untouched
from ui.waiting import awaited, style

KEY = "lg"
TASK = Needle()
DEFAULTS = ("attention", "gru", "lstm")
SOURCES = ("sentence", "noise")
# While the curves are computed their place is kept, so that what stands below does not jump.
STYLE = """<style>
.st-key-working_reach { margin-bottom: 38rem; }
@media (max-width: 640px) { .st-key-working_reach { margin-bottom: 102rem; }
  .st-key-lg_settings [role="toolbar"] { flex-wrap: wrap; } }
</style>"""


# --- the reach ---


def asked(page: Words) -> tuple[str, int, int]:
    """Whose vectors, how many of them if they are random, and the first seed."""
    source = switch(
        "lg_source",
        SOURCES,
        page["source"],
        lambda name: page[f"source_of.{name}"],
        page.format("source_help", count=BATCH),
    )
    n = 64
    if source == "noise":
        n = whole_number("lg_n", 2, LONGEST, 64, page["drawn"], 145)
    return source, n, whole_number("lg_drawn", 0, 9999, 0, page["first_seed"], 110)


def reached(page: Words) -> None:
    """The bar, and what autograd finds for it."""
    text, tokens, (source, n, drawn) = sentence_bar(lambda: asked(page), least=2)
    own = tokens.strings[:LONGEST] if source == "sentence" else None
    note = st.empty()  # written or cleared before the curves are computed, which may take a while
    if own is not None:
        n = len(own)
        if len(tokens) > LONGEST:
            note.caption(page.format("cut", most=LONGEST))

    x = None
    if own is not None:
        layer = from_scratch(PROBED)
        x = layer.embed(tokens)[:LONGEST]
    curves = awaited(
        ("reach", text if own is not None else n, drawn), lambda: reaches(n, drawn, x), topic="reach",
        what=page.format("reach_working", kinds=len(REACHED), seeds=SEEDS),
    )  # fmt: skip
    if curves is not None:
        reach_laboratory(curves, n, own, text if own is not None else None, drawn, page)


@fragment
def reach_laboratory(
    made: Reaches, n: int, tokens: tuple[str, ...] | None, text: str | None, drawn: int, page: Words
) -> None:
    """The curves, and what stands under the finger."""
    stops = lengths(n)
    middle = str(n // 2)
    distance, many = recall("lg_distance", middle), recall("lg_many", "")

    def moved(at: Positions) -> None:
        remember("lg_distance", str(at["distance"]))
        remember("lg_many", str(stops[at["n"]]))

    lab(
        reach_plots(made, n, page),
        key="lg_reach",
        sliders=reach_sliders(
            n,
            int(distance) if distance in map(str, range(n)) else n // 2,
            stops.index(int(many)) if many in map(str, stops) else nearest(stops, n),
            tokens,
            page,
        ),
        films=reach_films(made, n),
        words=words("canvas"),
        summary=page.data("reach_summary", count=len(REACHED) - 1),
        on_move=moved,
    )
    with st.container(horizontal=True, vertical_alignment="center"):
        trust_line(
            first=page.format("seeds", first=drawn, last=drawn + SEEDS - 1),
            dtype="float64",
            device="cpu",
        )
        take_away("reach", arrays=lambda: reach_arrays(made, n), snippet=reach_snippet(n, drawn, text))


def nearest(stops: tuple[int, ...], n: int) -> int:
    """The stop that is closest to n."""
    return min(range(len(stops)), key=lambda index: abs(stops[index] - n))


# --- the race ---


def chosen(page: Words) -> dict[str, Experiment]:
    """The settings: which models race, how long the sequence is, and how long each may train."""
    with st.container(horizontal=True, vertical_alignment="bottom", key="lg_settings"):
        kinds = panel.several("lg_models", MODELS, DEFAULTS, page["models"], lambda kind: page[f"kind.{kind}"])
        length = panel.pick("lg_length", LENGTHS, 128, page["length"], 185, page["length_help"])
        seconds = panel.pick("lg_seconds", BUDGETS, 20, page["seconds"], 120, page["seconds_help"])
        lr = panel.pick("lg_lr", RATES, 3e-3, page["lr"], 110)
        drawn = whole_number("lg_seed", 0, 9999, 0, page["seed"], 110)
    return race(kinds, length=length, seconds=seconds, lr=lr, drawn=drawn)


def raced(run: Run | None, wanted: dict[str, Experiment], page: Words) -> None:
    """Buttons, progress, the race on one clock, and what it gave."""

    def named(name: str) -> str:
        return label(name, page)

    def clock(run: Run) -> None:
        if run.state == "waiting" or run.diverged or run.failed or run.too_large:
            panel.progress(KEY, named)
        else:
            st.progress(share(run), text=told(run, page, named))

    empty = page.format("empty", symbols=TASK.symbols)
    panel.bar(KEY, run, wanted, named, empty=empty, check=known, name_of=kind_of, told=clock)
    if run is None or not any(run.records(name) for name in run.experiments):
        race_laboratory(untouched(wanted), page)
        return
    race_laboratory(run, page)
    if run.state == "ended":
        found = looks(once("lg_looks", run, lambda: needle_weights(run)), page)
        if found:
            st.text("\n".join(found))
    measured(run, page)
    seed = next(iter(run.experiments.values())).seed
    with st.container(horizontal=True, vertical_alignment="center"):
        trust_line(first=page["repeats"], seed=seed, dtype="float32", device="cpu")
        take_away("long_range", arrays=lambda: race_arrays(run), snippet=race_snippet(run))


def race_laboratory(run: Run, page: Words) -> None:
    """While it trains the newest moment, then every one under the finger."""
    sent, newest = race_films(run), timeline(run).newest
    resting = not run.running
    wanted, probe = recall("lg_part", ""), recall("lg_probe", "1")
    pinned = resting and wanted in map(str, range(PARTS + 1))

    def moved(at: Positions) -> None:
        remember("lg_probe", str(at["probe"] + 1))
        if resting:
            remember("lg_part", "" if at["step"] == newest else str(at["step"]))

    lab(
        race_plots(run, sent, page),
        key="lg_lab",
        sliders=race_sliders(
            run,
            int(wanted) if pinned else newest,
            int(probe) - 1 if probe in map(str, range(1, SHOWN + 1)) else 0,
            page,
        ),
        films=sent,
        words=words("canvas"),
        summary=page["race_summary"],
        on_move=moved,
    )


def measured(run: Run, page: Words) -> None:
    """A row for every model, measured here and now; and what follows from the rows."""
    found = results(run)
    columns = ("model", "parameters", "steps", "seconds", "rate", "accuracy", "found")
    rows: dict[str, list[str]] = {page[f"table.{column}"]: [] for column in columns}
    for name, each in found.items():
        cells = (
            label(name, page),
            whole(each.parameters),
            whole(each.steps),
            significant(each.seconds, 3),
            significant(each.rate, 3, undefined="–"),
            significant(each.accuracy, 3),
            "–" if each.found is None else significant(each.found, 3),
        )
        for column, value in zip(columns, cells, strict=True):
            rows[page[f"table.{column}"]].append(value)
    values = {"share": FOUND, "count": evaluated(run), "chance": 1 / TASK.symbols}
    helps = {
        page[f"table.{column}"]: st.column_config.TextColumn(help=page.data(f"table.{column}_help", **values))
        for column in ("seconds", "rate", "accuracy", "found")
    }
    st.dataframe(rows, hide_index=True, height="content", column_config=helps)
    for note in notes(found, page):
        st.text(note)


page = words("long_range")
st.html(STYLE)
style()
progress_style(KEY)
panel.style()
page_header(page)
reached(page)
st.header(page["race.title"], anchor="race")
task = {"symbols": TASK.symbols, "batch": TASK.batch, "clip": TASK.clip, "share": 100 * TASK.stop_at}
st.markdown(page.format("race.text", batches=RUNNING, **task))
wanted = chosen(page)
panel.arrive(KEY, lambda: wanted)
panel.live(KEY, lambda run: raced(run, wanted, page))
