"""Time series: attention, decomposition, frequencies and straight lines forecast one series, made or the reader's."""

from collections.abc import Sequence
from dataclasses import replace
from hashlib import blake2b

import streamlit as st

from attention_core.experiments.base import Experiment
from attention_core.experiments.decomposition import KERNEL
from attention_core.experiments.series import Series
from pages.training.time_series import pictures as time_series
from pages.training.time_series import reading
from pages.training.time_series.pictures import (
    DEFAULTS,
    FAST,
    MOST_STEPS,
    NOISES,
    PASTS,
    SEASONS,
    SEEDS,
    SEGMENTS,
    SLOPES,
    SLOW,
    WORLD,
    WORLDS,
    Scene,
    World,
    arrays,
    base,
    conclusions,
    enough,
    films,
    known,
    label,
    least,
    live,
    many,
    name_of,
    named_series,
    near,
    on_demand,
    over_series,
    plots,
    rows,
    says_lines,
    scene,
    shared,
    sliders,
    snippet,
    table,
    thinned,
)
from ui.chart import chart
from ui.components.lab import Positions, lab
from ui.compute.runs import MOST_BYTES, Run
from ui.controls import choose, switch, whole_number
from ui.figures.series import parts_figure
from ui.layout import mode, page_header, take_away, trust_line
from ui.link import recall, remember
from ui.numbers import significant
from ui.session import answer
from ui.text import Words, words
from ui.training import panel
from ui.waiting import awaited, style

KEY, MANY = "ts", "ts_many"
FAST_ONES = "fast"  # what is worked on for one reader at a time
QUICK = ("auto_correlation+trend", "frequency")
OWN = "ts_own"  # the last usable series of the reader's own: the name of its column, its numbers
SHEET = "ts_sheet"  # the file that is there now, by its digest: its columns, or why there are none
WIDTHS = {"model": 225, "mse": 128, "mae": 128, "learned": 105, "seeds": 62, "parameters": 92, "step": 56}  # pixels
STYLE = """<style>
.st-key-ts_progress { min-height: 3rem; justify-content: center; }
.st-key-ts_progress [data-testid="stProgress"] p { font-variant-numeric: tabular-nums; }
</style>"""


def chosen(page: Words) -> tuple[Series, list[str], int]:
    """The settings: the series, the models that are trained on demand, with how many seeds."""
    with st.container(horizontal=True, vertical_alignment="bottom", key="ts_settings"):
        source = switch("ts_source", ("made", "own"), page["source"], lambda name: page[f"sources.{name}"])
        place = st.container(horizontal=True, vertical_alignment="bottom", width="content")
        past = panel.pick("ts_past", PASTS, 96, page["past_pick"], 105, page["past_pick_help"])
        steps = whole_number("ts_steps", 10, MOST_STEPS, 400, page["steps"], 115)
        seeds = panel.pick("ts_seeds", SEEDS, 1, page["seeds"], 90, page["seeds_help"])
    models = panel.several("ts_models", SLOW, DEFAULTS, page["models"], lambda model: page[f"model.{model}"])
    if source == "made":
        with place:
            return made(page, past, steps), models, seeds
    values = own(page, past)
    if not values:
        st.session_state[f"{KEY}_arrived"] = True  # a link does not carry the file: what it asks for is not there
    return base(values=values, past=past, steps=steps), models, seeds


def made(page: Words, past: int, steps: int) -> Series:
    """The pieces of a made series."""
    slope = panel.pick("ts_slope", SLOPES, 1.0, page["slope"], 90, page["slope_help"])
    season = panel.pick("ts_season", SEASONS, 1.0, page["season"], 90, page["season_help"])
    segment = segments(page)
    noise = panel.pick("ts_noise", NOISES, 0.3, page["noise"], 90, page["noise_help"])
    world = whole_number("ts_world", 0, 9999, WORLD, page["world"], 120)
    return base(slope=slope, season=season, segment=segment, noise=noise, world=world, past=past, steps=steps)


def segments(page: Words) -> int:
    """How often the trend changes."""
    options = ("500", *(str(each) for each in SEGMENTS if each != 500))
    return int(choose("ts_segment", options, page["segment"], lambda each: page[f"segments.{each}"],
                      page["segment_help"], 160))  # fmt: skip


def own(page: Words, past: int) -> tuple[float, ...]:
    """The reader's own numbers, or those of the last usable file, or none."""
    left, right = st.columns(2, vertical_alignment="top")
    sent = left.file_uploader(page["own.label"], max_upload_size=2, key="ts_file",
                              help=page.format("own.help", most=reading.LARGEST // panel.MEGABYTE))  # fmt: skip
    with right:
        return read(sent.getvalue() if sent else None, page, past)


def read(data: bytes | None, page: Words, past: int) -> tuple[float, ...]:
    """The numbers of a file, and what was done to have them, or why not."""
    name, kept = st.session_state.get(OWN, ("", ()))
    short = bool(kept) and len(kept) < least(past)
    if data is None:
        st.session_state.pop(SHEET, None)
        if not kept and recall(f"{KEY}_go", "") == "1" and panel.current(KEY) is None:
            st.info(page["own.missing"], icon=":material/upload_file:")
        if short:
            refused = reading.Refused("too_short", column=name, count=len(kept), least=least(past))
            st.warning(refusal(refused, page), icon=":material/warning:")
        else:
            st.caption(page["own.kept"] if kept else page.format("own.none", most=reading.MOST, least=least(past)))
        return () if short else kept
    try:
        columns = sheet(data)
        column = columns[_column(columns, page)]
        found = reading.usable(column, least(past))
    except reading.Refused as refused:
        kept = () if short else kept
        said = refusal(refused, page)
        st.warning(f"{said} {page['own.kept']}" if kept else said, icon=":material/warning:")
        return kept
    st.session_state[OWN] = column.name, found.values
    said = [page.format("own.used", count=len(found.values), column=column.name)]
    if found.gaps:
        said.append(page.format("own.gaps", gaps=found.gaps))
    if found.dropped:
        said.append(page.format("own.dropped", dropped=found.dropped))
    st.caption(" ".join(said))
    return found.values


def refusal(refused: reading.Refused, page: Words) -> str:
    """Why a series cannot be used, and what to do."""
    said = page.format(f"refused.{refused.why}", **refused.told)
    if refused.why != "too_short":
        return said
    count, wanted = int(refused.told["count"]), int(refused.told["least"])
    other = enough(count)
    if least(other) <= count:
        return f"{said} {page.format('refused.shorter', past=other, least=least(other))}"
    fewest = [page.format("refused.fewest", past=other, least=least(other))] if least(other) < wanted else []
    return " ".join([said, page["refused.more"], *fewest])


def sheet(data: bytes) -> list[reading.Column]:
    """The columns of the file, read once. Raises Refused."""
    digest = blake2b(data, digest_size=16).digest()
    if digest != st.session_state.get(SHEET, (b"", None))[0]:
        try:
            found: list[reading.Column] | reading.Refused = reading.read(data)
        except reading.Refused as refused:
            found = refused.again()
        st.session_state[SHEET] = digest, found
    found = st.session_state[SHEET][1]
    if isinstance(found, reading.Refused):
        raise found.again()
    return found


def _column(columns: Sequence[reading.Column], page: Words) -> int:
    """Which column, shown as data: the names in a file are anybody's."""
    likely = reading.likely(columns)
    names = [column.name for column in columns]
    key = f"ts_column_{hash(tuple(names))}"
    return int(
        st.selectbox(
            page["own.column"], range(len(columns)), index=likely, format_func=lambda at: names[at], key=key, width=260
        )
    )


def world_of(config: Series) -> World:
    """The series and its parts."""
    return answer(("time series", config), lambda: time_series.look(config))


def scene_of(run: Run | None, config: Series, models: Sequence[str], page: Words) -> Scene:
    """What was trained on the series of the run, or on that which is chosen; the fast models once they are there."""
    if run is not None:
        configs = [each for each in run.experiments.values() if isinstance(each, Series)]
        config, models = shared(configs[0]), [each.model for each in configs]
    fast = None
    if live(config):
        fast = awaited(("time series, fast", config), lambda: time_series.train_fast(config), topic=FAST_ONES,
                       what=page["fast_running"])  # fmt: skip
    return scene(world_of(config), run, fast or {}, [*FAST, *models])


def studio(run: Run | None, wanted: dict[str, Experiment], config: Series, page: Words) -> None:
    """The panel: buttons, progress, forecasts, the table, and what can be taken away."""

    def named(name: str) -> str:
        return label(name, page)

    empty = page["empty" if live(config) else "empty_none"]
    panel.bar(KEY, run, wanted, named, empty=empty, check=known, name_of=name_of, in_turns=False)
    models = list(dict.fromkeys(each.model for each in wanted.values() if isinstance(each, Series)))
    with st.container(key=f"awaited_{FAST_ONES}"):  # a place of its own: it comes and goes
        made = scene_of(run, config, models, page)
    scrubber(made, run, page)
    of = made.world.config
    told = page.format("trained", points=len(made.world.values), lr=of.lr, steps=of.steps, batch=of.batch)
    if made.others:
        told += " " + page.format("elsewhere", count=made.others)
    st.caption(f"{told} {page.format('bounded', most=MOST_BYTES // panel.MEGABYTE)}")
    found = rows(made)
    st.header(page["table.title"], anchor="table")
    left, right = st.columns([2, 1], gap="large")
    with left:
        widths = {page[f"table.{name}"]: st.column_config.Column(width=width) for name, width in WIDTHS.items()}
        st.dataframe(table(found, page), hide_index=True, height="content", column_config=widths)
        st.caption(f"{page['table.text']} {page['table.unit_own' if of.values else 'table.unit']}")
    with right:
        said = conclusions(found, made.world, page)
        if not any(row.model == "attention" and row.step >= of.steps for row in found):
            said.append(page["table.waits"])
        for sentence in [*said, page["says.published"]]:
            st.markdown(sentence)
    with st.container(horizontal=True, vertical_alignment="center"):
        trust_line(seed=None if of.values else of.world, dtype="float32", device="cpu")
        take_away("time_series", arrays=lambda: arrays(made), snippet=snippet(made))


def scrubber(made: Scene, run: Run | None, page: Words) -> None:
    """The laboratory: while it trains the newest step, then every step under the finger."""
    of = made.world.config
    resting = run is None or not run.running
    sent = films(made, all_steps=resting)
    last = made.newest(slow=run is not None)
    step, ahead, window = recall("ts_step", ""), recall("ts_ahead", "1"), recall("ts_window", "1")
    which, head = recall("ts_which", ""), recall("ts_head", "1")
    pinned = resting and step in map(str, made.steps)
    places = {
        "step": made.steps.index(int(step)) if pinned else last,
        "ahead": _place(ahead, of.horizon),
        "window": _place(window, len(made.world.starts)),
        "which": made.attentions.index(which) if which in made.attentions else 0,
        "head": _place(head, of.n_head),
    }

    def moved(at: Positions) -> None:
        remember("ts_ahead", str(at["ahead"] + 1))
        remember("ts_window", str(at["window"] + 1))
        if made.attentions:
            remember("ts_which", made.attentions[at["which"]] if at["which"] else "")
            remember("ts_head", str(at["head"] + 1))
        if resting:
            remember("ts_step", "" if at["step"] == last else str(made.steps[at["step"]]))

    lab(
        plots(made, page),
        key="ts_lab",
        sliders=sliders(made, places, page),
        films=sent,
        words=words("canvas"),
        summary=page["summary"],
        on_move=moved,
    )


def _place(spelling: str, count: int) -> int:
    return int(spelling) - 1 if spelling in map(str, range(1, count + 1)) else 0


def parts(world: World, page: Words) -> None:
    """The series and its parts, and what its change points are good for."""
    found = {"values": world.values, "season": world.parts.season.numpy(), "rest": world.parts.rest.numpy()}
    if world.period == 1:
        del found["season"]
    st.header(page["parts.title"], anchor="parts")
    if world.period > 1:
        st.markdown(page.format("parts.text", period=world.period))
    else:
        st.markdown(page.format("parts.text_plain", past=world.config.past, kernel=KERNEL))
    figure = parts_figure(
        {name: thinned(values) for name, values in found.items()},
        thinned(world.parts.trend.numpy()),
        mode(),
        titles={name: page[f"parts.{name}"] for name in found},
        trend_title=page["parts.trend"],
        changes=world.found,
        drawn=world.drawn,
        cut=world.cut,
        last=len(world.values) - 1,
        learned=page["parts.learned"],
        tested=page["parts.tested"],
    )
    chart(figure, key="ts_parts", alt=page.data("parts.alt", found=len(world.found)))
    if world.config.values:
        st.caption(page.format("parts.found", found=len(world.found)))
    else:
        count, within = near(world)
        st.caption(page.format("parts.found_made", found=len(world.found), drawn=len(world.drawn), near=count,
                               within=within))  # fmt: skip
    st.header(page["lines.title"], anchor="lines")
    lines = answer(("time series, lines", world.config), lambda: time_series.lines(world))
    st.markdown(page.format("lines.text", origins=lines.origins))
    names = ("whole", "since", "last", "naive")
    labels = {name: page.data(f"lines.{name}", count=world.config.past) for name in names}
    numbers = [significant(getattr(lines, name), 3) for name in names]
    st.dataframe(
        {page["lines.part"]: [labels[name] for name in names], page["lines.error"]: numbers},
        hide_index=True, height="content", width=520,
    )  # fmt: skip
    values = {"whole": float(f"{lines.whole:.3g}"), "since": float(f"{lines.since:.3g}")}
    st.markdown(page.format(says_lines(lines), **values))


def several(of: Series, page: Words) -> None:
    """The batch: the same models on several made series."""
    models = panel.several("ts_many_models", SLOW, QUICK, page["models"], lambda model: page[f"model.{model}"])
    asked = many(of, models)
    panel.arrive(MANY, lambda: asked, in_turns=False)
    with st.container(horizontal=True, vertical_alignment="bottom", key="ts_many_buttons"):
        panel.controls(MANY, lambda: asked, in_turns=False, start="start_batch")
    run = panel.current(MANY)
    panel.progress(MANY, lambda name: named_series(name, page))
    panel.stale(MANY, asked)
    if run is None:
        st.caption(page["many.empty"])
        return
    first = next(each for each in run.experiments.values() if isinstance(each, Series))
    alike = [replace(shared(first), world=world) for world in range(WORLDS)]
    naive = {each.world: world_of(each).naive_error[0] for each in alike}
    st.dataframe(over_series(run, naive, page), hide_index=True, height="content")
    st.caption(page["many.unit"])


page = words("time_series")
st.html(STYLE)
style(FAST_ONES)
panel.style()
page_header(page)
config, models, seeds = chosen(page)
wanted = on_demand(config, models, seeds)
panel.arrive(KEY, lambda: wanted, in_turns=False)
panel.live(KEY, lambda run: studio(run, wanted, config, page))
parts(world_of(config), page)
if not config.values:
    st.header(page["many.title"], anchor="many")
    st.markdown(page.format("many.text", count=WORLDS))
    panel.live(MANY, lambda run: several(config, page))
