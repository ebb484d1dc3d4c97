"""The scaling race: the same layer learns to sort under several scaling rules, live, and why some of them cannot."""

import streamlit as st

from attention_core.experiments.base import Experiment
from attention_core.experiments.layers import RULES
from attention_core.experiments.sort import ANATOMY_BATCHES
from pages.training.scaling_race import pictures as scaling_race
from pages.training.scaling_race.pictures import (
    ANATOMY,
    BREAK,
    D_K,
    MATRICES,
    MOST_STEPS,
    RATES,
    SCALES,
    SHOWN,
    SWEEP_LR,
    SWEPT_D_K,
    SWEPT_SCALES,
    Point,
    Sort,
    arrays,
    dissections,
    films,
    known,
    label,
    plots,
    points,
    rule_of,
    sliders,
    snippet,
    sweep,
)
from ui.chart import chart
from ui.components.lab import Positions, lab
from ui.compute.runs import MOST_BYTES, Run
from ui.controls import whole_number
from ui.figures.training import transition_figure
from ui.layout import mode, page_header, take_away, trust_line
from ui.link import recall, remember
from ui.numbers import significant
from ui.palette import RULE_HUES
from ui.text import Words, words
from ui.training import panel
from ui.training.fingerprints import fingerprints
from ui.training.history import history
from ui.training.scrubber import left, standing
from ui.training.style import progress_style
from ui.training.untouched import untouched

KEY, SWEEP, ANATOMIES = "sr", "sr_sweep", "sr_anatomy"
DEFAULTS = ("none", "inverse_sqrt")
POINTS = "sr_points"
MOST_POINTS = 400  # kept in a session


def chosen(page: Words) -> dict[str, Experiment]:
    """The settings: which rules race, and at what size."""
    with st.container(horizontal=True, vertical_alignment="bottom", key="sr_settings"):
        rules = panel.several("sr_rules", RULES, DEFAULTS, page["variants"], lambda rule: page[f"rule.{rule}"])
        d_k = panel.pick("sr_dk", D_K, 64, page["d_k"], 90, page["d_k_help"])
        scale = panel.pick("sr_scale", SCALES, 1.0, page["scale"], 110, page["scale_help"])
        lr = panel.pick("sr_lr", RATES, 3e-3, page["lr"], 110)
        steps = whole_number("sr_steps", 10, MOST_STEPS, 300, page["steps"], 115)
        drawn = whole_number("sr_seed", 0, 9999, 0, page["seed"], 110)
    return scaling_race.race(rules, d_k=d_k, scale=scale, lr=lr, steps=steps, drawn=drawn)


def race(run: Run | None, wanted: dict[str, Experiment], page: Words) -> None:
    """The panel: buttons, progress, curves and maps, and what can be taken away."""

    def named(name: str) -> str:
        return label(name, page)

    panel.bar(KEY, run, wanted, named, empty=page["empty"], check=known, name_of=rule_of)
    if run is None or not any(run.records(name) for name in run.experiments):
        scrubber(untouched(wanted), page)
        return
    scrubber(run, page)
    config = next(iter(run.experiments.values()))
    assert isinstance(config, Sort)
    told = page.format(
        "trained", d_k=config.d_k, scale=config.input_scale, lr=config.lr, steps=config.steps, batch=config.batch
    )
    if run.state == "ended":
        same = " · ".join(f"{named(name)} `{digest}`" for name, digest in fingerprints(KEY, run).items())
        told += f" {page['identical']} {same}"
    st.caption(f"{told} {page.format('bounded', most=MOST_BYTES // panel.MEGABYTE)}")
    points = st.session_state.get(POINTS, {})  # a download runs outside the session
    with st.container(horizontal=True, vertical_alignment="center"):
        trust_line(seed=config.seed, dtype="float32", device="cpu")
        take_away(
            "scaling_race",
            arrays=lambda: arrays(run, points),
            snippet=snippet(run),
        )


def scrubber(run: Run, page: Words) -> None:
    """The laboratory: while it trains the newest step, then every step under the finger."""
    made = history(run)
    sent = films(made, all_steps=not run.running)
    matrix, probe = recall("sr_matrix", MATRICES[0]), recall("sr_probe", "1")

    def moved(at: Positions) -> None:
        remember("sr_matrix", MATRICES[at["matrix"]])
        remember("sr_probe", str(at["probe"] + 1))
        left(KEY, made, run, at["step"])

    lab(
        plots(made, sent, page),
        key="sr_lab",
        sliders=sliders(
            made,
            standing(KEY, made, run),
            MATRICES.index(matrix) if matrix in MATRICES else 0,
            int(probe) - 1 if probe in map(str, range(1, SHOWN + 1)) else 0,
            page,
        ),
        films=sent,
        words=words("canvas"),
        summary=page["summary"],
        on_move=moved,
    )


def anatomy(run: Run | None, page: Words) -> None:
    """E1c of the finished run: started by itself, in the same queue."""
    finished = panel.current(KEY)
    if finished is None or finished.state != "ended" or not dissections(finished):
        st.caption(page["anatomy.waits"])
        return
    if st.session_state.get("sr_dissected") is not finished:
        st.session_state["sr_dissected"] = finished
        run = panel.begin(ANATOMIES, dissections(finished))
    assert run is not None
    rows: dict[str, list[str]] = {page["anatomy.variant"]: [], page["anatomy.step"]: []}
    rows |= {page[f"anatomy.{key.partition('.')[0]}"]: [] for key in ANATOMY}
    for name in run.experiments:
        for record in run.records(name):
            rows[page["anatomy.variant"]].append(label(name, page))
            rows[page["anatomy.step"]].append(str(finished.experiments[name].steps if record.step else 0))
            for key in ANATOMY:
                rows[page[f"anatomy.{key.partition('.')[0]}"]].append(significant(record.measures[key], 3))
    if run.running:
        st.progress(min(1.0, run.share), text=page["anatomy.running"])
    if rows[page["anatomy.variant"]]:
        counted = {"count": ANATOMY_BATCHES, "half": ANATOMY_BATCHES // 2}
        helps = {
            page[f"anatomy.{name}"]: st.column_config.TextColumn(help=page.data(f"anatomy.{name}_help", **counted))
            for name in (key.partition(".")[0] for key in ANATOMY)
        }
        st.dataframe(rows, hide_index=True, height="content", column_config=helps)


def transition(run: Run | None, page: Words) -> None:
    """The batch, and every point it has given in this session."""

    def named(name: str) -> str:
        rule, d_k, scale = name.split(" ")
        return page.data("transition.point", rule=page[f"rule.{rule}"], d_k=int(d_k), scale=float(scale))

    with st.container(horizontal=True, vertical_alignment="bottom", key="sr_sweep_buttons"):
        rules = panel.several("sr_swept", RULES, DEFAULTS, page["transition.rules"], lambda rule: page[f"rule.{rule}"])
        steps = whole_number("sr_sweep_steps", 10, MOST_STEPS, 300, page["steps"], 115)
        drawn = whole_number("sr_sweep_seed", 0, 9999, 0, page["seed"], 110)
        panel.controls(SWEEP, lambda: sweep(rules, steps=steps, drawn=drawn), in_turns=False, start="start_batch")
    panel.progress(SWEEP, named)
    found: dict[Sort, Point] = st.session_state.setdefault(POINTS, {})
    if run is not None:
        found |= points(run)
        while len(found) > MOST_POINTS:
            found.pop(next(iter(found)))
    shown: dict[str, list[tuple[float, float, str]]] = {}
    for config, (std, accuracy) in found.items():
        told = page.data(
            "transition.told", d_k=config.d_k, scale=config.input_scale, seed=config.seed, steps=config.steps
        )
        shown.setdefault(config.rule, []).append((std, accuracy, f"{page[f'rule.{config.rule}']}, {told}"))
    figure = transition_figure(
        shown,
        mode(),
        hues=RULE_HUES,
        labels={rule: page[f"rule.{rule}"] for rule in RULES},
        x_title=page["transition.x"],
        y_title=page["transition.y"],
        line=BREAK,
        line_title=page["transition.line"],
    )
    chart(figure, key="sr_transition", alt=page.data("transition.alt", count=len(found)))
    st.caption(page.format("transition.count", count=len(found)) if found else page["transition.empty"])


page = words("scaling_race")
progress_style(KEY)
panel.style()
page_header(page)
wanted = chosen(page)
panel.arrive(KEY, lambda: wanted)
panel.live(KEY, lambda run: race(run, wanted, page))
st.header(page["transition.title"], anchor="transition")
task, spread = (
    Sort(),
    {"narrow": SWEPT_D_K[0], "wide": SWEPT_D_K[-1], "small": SWEPT_SCALES[0], "large": SWEPT_SCALES[-1]},
)
st.markdown(page.format("transition.text", **spread, d_k=task.d_k, lr=SWEEP_LR, line=BREAK, n=task.length))
panel.live(SWEEP, lambda run: transition(run, page))
st.header(page["anatomy.title"], anchor="anatomy")
st.markdown(page.format("anatomy.text", count=ANATOMY_BATCHES, batch=task.batch))
panel.live(ANATOMIES, lambda run: anatomy(run, page))
