"""Long range: how far a gradient reaches before training, and who finds the needle in the middle in the same time."""

from dataclasses import replace
from pathlib import Path

import streamlit as st

from attention_core.experiments.base import RUNNING
from attention_core.experiments.needle import Needle
from pages.training.long_range.guide import GUIDE, prediction
from pages.training.long_range.race.numbers import (
    PARTS,
    Racers,
    arrays,
    evaluated,
    known,
    script,
    share,
    telling,
    timeline,
    variant,
)
from pages.training.long_range.race.pictures import films, plots, sliders
from pages.training.long_range.race.results import (
    ENOUGH,
    label,
    looks,
    needle_weights,
    notes,
    results,
    spent,
)
from pages.training.long_range.reach.section import section
from pages.training.long_range.settings import KEY, PART, SEQUENCE, chosen
from ui import waiting
from ui.components.lab import Positions, lab
from ui.guide import predict
from ui.layout import page_header, style
from ui.numbers import significant, whole
from ui.session import kept
from ui.text import words
from ui.training import progress
from ui.training.files import Kind
from ui.training.live import Training, take_home, train
from ui.training.recorded import recorded_run

TASK = Needle()


def clock(run: Racers) -> None:
    """How far the race is: by the seconds, which all spend alike, not by the steps."""
    if run.state == "waiting" or run.diverged or run.failed or run.too_large:
        progress.progress(run, kind.label)
    else:
        st.progress(share(run), text=spent(run, page))


def laboratory(run: Racers) -> None:
    """While it trains the newest moment, then every one under the finger."""
    sent, newest = films(run), timeline(run).newest
    resting, wanted = not run.running, PART.value()
    pinned = resting and wanted in map(str, range(PARTS + 1))
    sequence = replace(SEQUENCE, default=telling(run)) if run.origin else SEQUENCE

    def moved(at: Positions) -> None:
        sequence.put(at["probe"])
        if resting:
            PART.put("" if at["step"] == newest else str(at["step"]))

    lab(
        plots(run, sent, page),
        key="lg_lab",
        sliders=sliders(run, int(wanted) if pinned else newest, sequence.value(), page),
        films=sent,
        words=words("canvas"),
        summary=page["race_summary"],
        on_move=moved,
    )


def below(run: Racers) -> None:
    """Where attention looks in the end, what was measured, and what can be taken away."""
    if run.state == "ended":
        lines = looks(kept("lg_looks", run, lambda: needle_weights(run)), page)
        if lines:
            st.text("\n".join(lines))
    measured(run)
    take_home(run, "long_range", lambda: arrays(run), script(run), page["repeats"])


def measured(run: Racers) -> None:
    """A row for every model, measured here and now; and what follows from the rows."""
    rows = results(run)
    table = {
        "model": [label(name, page) for name in rows],
        "parameters": [whole(row.parameters) for row in rows.values()],
        "steps": [whole(row.steps) for row in rows.values()],
        "seconds": [significant(row.seconds, 3) for row in rows.values()],
        "rate": [significant(row.rate, 3, undefined="–") for row in rows.values()],
        "accuracy": [significant(row.accuracy, 3) for row in rows.values()],
        "found": ["–" if row.needed is None else significant(row.needed, 3) for row in rows.values()],
    }
    values = {"share": ENOUGH, "count": evaluated(run), "chance": 1 / TASK.symbols}
    helps = {
        page[f"table.{column}"]: st.column_config.TextColumn(help=page.data(f"table.{column}_help", **values))
        for column in ("seconds", "rate", "accuracy", "found")
    }
    columns = {page[f"table.{column}"]: cells for column, cells in table.items()}
    st.dataframe(columns, hide_index=True, height="content", column_config=helps)
    for note in notes(rows, page):
        st.text(note)


page = words("long_range")
style(Path(__file__).with_name("style.css"))
waiting.style()
progress.style(KEY)
predict(page_header(page, GUIDE), prediction(), page)
section(page)
st.header(page["race.title"], anchor="race")
task = {"symbols": TASK.symbols, "batch": TASK.batch, "clip": TASK.clip, "share": 100 * TASK.stop_at}
st.markdown(page.format("race.text", batches=RUNNING, **task))
kind = Kind(known=known, variant=variant, label=lambda name: label(name, page))
empty = page.format("empty", symbols=TASK.symbols)
training = Training(
    key=KEY, kind=kind, wanted=chosen(page), empty=empty, clock=clock, recording=recorded_run("long_range", variant)
)
train(training, laboratory, below)
