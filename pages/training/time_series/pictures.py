"""Forecasts of one series (E4, E9) → films and pictures, the table of errors and what follows from it."""

import math
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import torch
import torch.nn.functional as F

from attention_core.experiments.base import Experiment, Record, recorded_steps
from attention_core.experiments.decomposition import Classical, bends, classical, continued, strongest_period
from attention_core.experiments.series import (
    NAIVE_PERIOD,
    NOISE,
    SHOWN,
    Series,
    naive_period,
    pieces,
    seasonal_naive,
    spread_evenly,
)
from pages.training.time_series.reading import MOST
from ui.components.lab import Bars, Controls, Curves, Film, Heading, Line, Map, Plot, Slider
from ui.compute.runs import Run
from ui.numbers import significant
from ui.text import Words
from ui.training.history import LOWEST, NICE, TICKS

FAST = ("linear", "linear+trend")
SLOW = (
    "attention",
    "attention+trend",
    "frequency_attention+trend",
    "auto_correlation+trend",
    "frequency",
    "frequency+trend",
)
DEFAULTS = ("attention", "attention+trend", "auto_correlation+trend", "frequency")
NAIVE = "naive"
WORLDS = 5  # series on which the batch trains
WORLD = 1  # the made series the page begins with; its drift is that of E4
HUES = {"attention": "k", "attention+trend": "q", "linear": "v", "linear+trend": "v"}
SLOPES = (0.0, 0.5, 1.0, 2.0, 4.0)
SEASONS = (0.0, 0.5, 1.0, 2.0)
SEGMENTS = (0, 150, 500, 1500)
NOISES = (0.1, 0.3, 0.6, 1.0)
PASTS = (24, 48, 96)
SEEDS = (1, 2, 3, 5)
LIVE_SEEDS, LIVE_STEPS = 3, 400  # up to which the fast models are trained while the page is drawn
MOST_STEPS = 1200
STOPS = 16  # of the scrubber, besides step 0
CLEARLY = 1.1  # times as large: below that an error is called about the same
DRIFT = 0.05  # the share of test values beyond the training range from which on it is called a drift
CODES = 254  # bytes of weights: (c/254)² is the weight, 255 says that there is none
ORIGINS = 12  # from which the three lines are continued
POINTS = 800  # of the series that are drawn, about


def base(
    *,
    slope: float = 1.0,
    season: float = 1.0,
    segment: int = 500,
    noise: float = NOISE,
    world: int = WORLD,
    past: int = 96,
    steps: int = 400,
    values: tuple[float, ...] = (),
) -> Series:
    """What all models on the page share: the series, how much of it they see, how long they train."""
    sized = Series(past=past, horizon=past // 2, steps=steps, every=max(1, math.ceil(steps / STOPS)))
    if values:
        return replace(sized, values=values, world=0)
    return replace(sized, slope=slope, season=season, segment=segment, noise=noise, world=world)


def shared(config: Series) -> Series:
    """The `base` of one of its variants."""
    return replace(config, model=Series().model, seed=0)


def variants(of: Series, models: Sequence[str], seeds: int) -> dict[str, Experiment]:
    """Every model with every seed, which draws its initial weights and its batches; the series stays. Attention, which
    takes twenty times as long, comes last.
    """
    models = sorted(models, key=lambda model: model.partition("+")[0] == "attention")
    return {f"{model} {seed}": replace(of, model=model, seed=seed) for seed in range(seeds) for model in models}


def live(of: Series) -> bool:
    """Whether the fast models are trained while the page is drawn: with more steps they wait for their turn too."""
    return of.steps <= LIVE_STEPS


def on_demand(of: Series, models: Sequence[str], seeds: int) -> dict[str, Experiment]:
    """What “Train” trains: the chosen models, and of the fast ones what is not trained anyway."""
    done = LIVE_SEEDS if live(of) else 0
    found = variants(of, [*FAST, *models], seeds)
    return {name: each for name, each in found.items() if name.split()[0] not in FAST or _seed(each) >= done}


def _seed(config: Experiment) -> int:
    assert isinstance(config, Series)
    return config.seed


def known(config: Experiment) -> bool:
    """Whether this page can show a run of this configuration."""
    if not isinstance(config, Series):
        return False
    own = bool(config.values)
    return (
        config.model in (*FAST, *SLOW)
        and config.past in PASTS
        and config.horizon == config.past // 2
        and 1 <= config.steps <= MOST_STEPS
        and config.every >= 1
        and 0 <= config.seed < max(SEEDS)
        and 0 <= config.world <= 9999
        and (not own or least(config.past) <= len(config.values) <= MOST)
        and all(math.isfinite(value) for value in config.values)
        and (own or (config.slope in SLOPES and config.season in SEASONS))
        and (own or (config.segment in SEGMENTS and config.noise in NOISES))
        and replace(
            config, model="frequency", past=96, horizon=48, steps=400, every=50, seed=0, world=-1, slope=1.0,
            season=1.0, segment=500, noise=NOISE, values=(),
        ) == Series()
    )  # fmt: skip


def least(past: int) -> int:
    """How many numbers a series needs, so that its last 30 % hold SHOWN windows of look-back and horizon."""
    return math.ceil((past + past // 2 + SHOWN) / 0.3)


def enough(count: int) -> int:
    """The longest look-back for which so many numbers are enough; the shortest where there is none."""
    return max((past for past in PASTS if least(past) <= count), default=min(PASTS))


def name_of(config: Experiment) -> str:
    """The name of the variant."""
    assert isinstance(config, Series)
    return f"{config.model} {config.seed}"


def label(name: str, page: Words) -> str:
    """What a variant is called, with its seed."""
    model, _, rest = name.partition(" ")
    seed, _, number = rest.partition(" ")
    return page.data("variant", model=page[f"model.{model}"], seed=seed) + (f" ({number})" if number else "")


def hue(model: str) -> str:
    """The colour of a model."""
    return HUES.get(model, "quiet")


# --- what is known without training ---


def train_fast(of: Series, seeds: int = LIVE_SEEDS) -> Generator[float, None, dict[str, tuple[Record, ...]]]:
    """The records of the linear models by name; one record a piece."""
    configs = variants(of, FAST, seeds)
    records: dict[str, list[Record]] = {name: [] for name in configs}
    for number, (name, config) in enumerate(configs.items()):
        for record in config.records():
            records[name].append(record)
            yield (number + record.step / config.steps) / len(configs)
    return {name: tuple(kept) for name, kept in records.items()}


def untouched(of: Series, model: str) -> Record:
    """Step 0 of a model, as far as it is known without measuring it on all windows."""
    config = replace(of, model=model)
    return Record(step=0, loss=math.nan, accuracy=math.nan, arrays=config.shown(config.build()))


@dataclass(frozen=True, slots=True, eq=False)
class World:
    """The series and what closed forms say of it; the errors are in the unit of the records."""

    config: Series
    values: np.ndarray
    period: int  # of its season; 1 where there is none
    naive_period: int  # what of it fits into the look-back: the naive forecast repeats it
    parts: Classical
    found: tuple[int, ...]
    drawn: tuple[int, ...]
    naive: np.ndarray  # forecasts of the shown windows, standardised
    past: np.ndarray
    future: np.ndarray
    naive_error: tuple[float, float]  # squared, absolute
    outside: float  # the share of the test values beyond those that were learned from
    starts: tuple[int, ...]  # of the forecasts that are shown, in the series

    @property
    def cut(self) -> int:
        """Where the test part begins."""
        return round(0.7 * len(self.values))


def look(of: Series) -> World:
    """Its period, its parts, its change points, and what repeating the last period gives."""
    values = of.series()
    cut = round(0.7 * len(values))
    if of.values:
        period = repeated = strongest_period(values[:cut], of.past)  # the test part says nothing about it
    else:
        period, repeated = NAIVE_PERIOD, naive_period(of.past)
    parts = classical(values, period)
    _, (past, future), _ = of.windows()
    naive, unit = seasonal_naive(past, of.horizon, repeated), of.unit()
    errors = float(F.mse_loss(naive, future)) * unit**2, float(F.l1_loss(naive, future)) * unit
    rows = spread_evenly(len(past), SHOWN)
    outside = (values[cut:] < values[:cut].min()) | (values[cut:] > values[:cut].max())
    drawn = () if of.values else pieces(of.world, of.points, slope=of.slope, segment=of.segment).changes
    return World(
        config=of,
        values=values.double().numpy(),
        period=period,
        naive_period=repeated,
        parts=parts,
        found=tuple(bends(values.double() - parts.season)),
        drawn=drawn,
        naive=naive[rows].numpy(),
        past=past[rows].numpy(),
        future=future[rows].numpy(),
        naive_error=errors,
        outside=float(outside.double().mean()),
        starts=tuple(cut + of.past + int(row) for row in rows),
    )


@dataclass(frozen=True, slots=True, eq=False)
class Lines:
    """Mean error of lines through several parts of the history, and of repeating the last period."""

    whole: float
    since: float
    last: float
    naive: float
    origins: int


def lines(world: World) -> Lines:
    """A line and the season, continued from several origins: through all of the past, since its last change point, or
    through as much as the models see.
    """
    of, values = world.config, torch.from_numpy(world.values)
    unit = (of.unit() / of.scale()[1]) ** 2
    origins = np.linspace(world.cut + of.past, len(values) - of.horizon, ORIGINS).astype(int).tolist()
    errors = []
    for origin in origins:
        history, truth = values[:origin], values[origin : origin + of.horizon]
        changes = bends(history - classical(history, world.period).season)
        begins = (0, changes[-1] if changes else 0, origin - of.past)
        made = [continued(history, of.horizon, world.period, begin) for begin in begins]
        made.append(seasonal_naive(history, of.horizon, world.period))
        errors.append([float(F.mse_loss(each, truth)) * unit for each in made])
    return Lines(*(float(value) for value in np.mean(errors, axis=0)), origins=len(origins))


# --- everything that was trained on one series ---


@dataclass(frozen=True, eq=False)
class Scene:
    """All records that are drawn, by model and seed."""

    world: World
    records: Mapping[str, Sequence[Mapping[int, Record]]]
    seeds: Mapping[str, Sequence[int]]  # of the records, in the same order
    others: int  # variants on other series, which are not drawn

    @cached_property
    def steps(self) -> tuple[int, ...]:
        """Recorded by any of them."""
        of = self.world.config
        seen = {step for each in self.records.values() for found in each for step in found}
        return tuple(sorted(seen | set(recorded_steps(of.steps, of.every))))

    @property
    def models(self) -> tuple[str, ...]:
        """In the order of the page."""
        return tuple(self.records)

    @property
    def attentions(self) -> tuple[str, ...]:
        """Those with weights over the past."""
        return tuple(model for model in self.models if model.partition("+")[0] == "attention")

    def untrained(self, model: str) -> bool:
        """Whether only `untouched` is known of it."""
        return all(math.isnan(record.accuracy) for found in self.records[model] for record in found.values())

    def newest(self, slow: bool) -> int:
        """Index of the last step that has a record: of the models trained on demand if there are some."""
        asked = (*SLOW, *(() if live(self.world.config) else FAST))
        seen = [
            max(found) for model, each in self.records.items() if not slow or model in asked for found in each if found
        ]
        return self.steps.index(max(seen, default=0))

    def at(self, model: str, place: int, index: int, *, live: bool = False) -> Record | None:
        """The record at a step or the last before it; None after the last of a run that was stopped. A model that was
        never trained stays at step 0.
        """
        found = self.records[model][place]
        live = live or self.untrained(model)
        kept = [step for step in found if found[step].arrays and (live or step <= self.steps[index])]
        ended = max(found, default=-1)
        return found[max(kept)] if kept and (live or self.steps[index] <= ended) else None


def scene(world: World, run: Run | None, fast: Mapping[str, Sequence[Record]], models: Sequence[str]) -> Scene:
    """The fast models, and those of a run on the same series; of further `models` step 0."""
    found: dict[str, dict[int, dict[int, Record]]] = {}
    for name, records in fast.items():
        model, _, seed = name.partition(" ")
        found.setdefault(model, {})[int(seed)] = {record.step: record for record in records}
    others = 0
    for name, config in run.experiments.items() if run else ():
        if not isinstance(config, Series) or shared(config) != world.config:
            others += 1
        elif config.model in (*FAST, *SLOW):
            records = {record.step: record for record in (run.records(name) if run else ())}
            kept = found.setdefault(config.model, {})
            if max(records, default=-1) >= max(kept.get(config.seed, ()), default=-1):  # the same, as far as they go
                kept[config.seed] = records
    for model in models:
        if not any(found.get(model, {}).values()):
            found[model] = {0: {0: untouched(world.config, model)}}
    order = [model for model in (*FAST, *SLOW) if model in found]
    records = {model: list(found[model].values()) for model in order}
    return Scene(world, records, {model: list(found[model]) for model in order}, others)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One model's errors at its last record: means over seeds, and their standard deviation."""

    model: str
    parameters: int
    step: int
    seeds: int
    mse: float
    mse_sd: float
    mae: float
    mae_sd: float
    learned: float


def rows(made: Scene) -> list[Row]:
    """The table of errors, the smallest first; models that were not trained are left out."""
    squared, absolute = made.world.naive_error
    none = math.nan
    found = [
        Row(
            model=NAIVE, parameters=0, step=0, seeds=0, mse=squared, mse_sd=none, mae=absolute, mae_sd=none,
            learned=none,
        )
    ]  # fmt: skip
    for model, each in made.records.items():
        last = [found[max(found)] for found in each if found]
        last = [record for record in last if record.step > 0 and math.isfinite(record.accuracy)]
        if not last:
            continue
        config = replace(made.world.config, model=model)
        mse, mae = ([record.accuracy for record in last], [record.measures["mae"] for record in last])
        found.append(
            Row(
                model=model,
                parameters=sum(one.numel() for one in config.build().parameters()),
                step=min(record.step for record in last),
                seeds=len(last),
                mse=float(np.mean(mse)),
                mse_sd=float(np.std(mse, ddof=1)) if len(mse) > 1 else none,
                mae=float(np.mean(mae)),
                mae_sd=float(np.std(mae, ddof=1)) if len(mae) > 1 else none,
                learned=float(np.mean([record.measures["learned"] for record in last])),
            )
        )
    return sorted(found, key=lambda row: row.mse)


def spread(mean: float, sd: float) -> str:
    """1.39 ± 0.07."""
    return significant(mean, 3) + (f" ± {significant(sd, 2)}" if math.isfinite(sd) else "")


def table(found: Sequence[Row], page: Words) -> dict[str, list[str]]:
    """The rows as text."""
    columns = ("model", "mse", "mae", "learned", "seeds", "parameters", "step")
    out: dict[str, list[str]] = {page[f"table.{name}"]: [] for name in columns}
    for row in found:
        told = {
            "model": page[f"model.{row.model}"],
            "mse": spread(row.mse, row.mse_sd),
            "mae": spread(row.mae, row.mae_sd),
            "learned": significant(row.learned, 3) if math.isfinite(row.learned) else "–",
            "seeds": str(row.seeds) if row.seeds else "–",
            "parameters": str(row.parameters),
            "step": str(row.step) if row.step else "–",
        }
        for name in columns:
            out[page[f"table.{name}"]].append(told[name])
    return out


def conclusions(found: Sequence[Row], world: World, page: Words) -> list[str]:
    """What the numbers say, Markdown: only of what was trained to its end."""
    error = {row.model: row.mse for row in found if row.model == NAIVE or row.step >= world.config.steps}
    learned = {row.model: row.learned for row in found}
    said: list[str] = []

    def compare(one: str, other: str, key: str) -> None:
        if one in error and other in error:
            ratio = error[one] / error[other] if error[other] else math.inf
            sign = "same" if 0.9 < ratio < 1 / 0.9 else "worse" if ratio > 1 else "better"
            times = float(f"{max(ratio, 1 / ratio if ratio else math.inf):.2g}")
            said.append(
                page.format(f"says.{key}_{sign}", one=float(f"{error[one]:.3g}"), other=float(f"{error[other]:.3g}"),
                            times=times)
            )  # fmt: skip

    compare("attention", NAIVE, "naive")
    if "attention" in error:
        away = world.outside >= DRIFT
        worse = error["attention"] > CLEARLY * learned["attention"]
        said.append(
            page.format(
                "says.drift" if away and worse else "says.drift_held" if away else "says.no_drift",
                learned=float(f"{learned['attention']:.3g}"),
                test=float(f"{error['attention']:.3g}"),
                share=float(f"{100 * world.outside:.2g}"),
            )
        )
    compare("attention+trend", "attention", "trend")
    compare("frequency", "attention", "frequency")
    straight = [model for model in FAST if model in error]
    if straight:
        best = min(straight, key=lambda model: error[model])
        compare(best, "attention+trend", "linear")
        if "attention" not in error:
            compare(best, NAIVE, "straight")
    return said


def says_lines(found: Lines) -> str:
    """The key of the sentence that compares a line through everything with one since the last change point."""
    if found.whole > CLEARLY * found.since:
        return "lines.says_better"
    return "lines.says_worse" if found.since > CLEARLY * found.whole else "lines.says_same"


# --- films ---


def films(made: Scene, *, all_steps: bool) -> list[Film]:
    """Forecasts, weights and errors; maps at every step, or the newest while it trains."""
    steps = range(len(made.steps)) if all_steps else [len(made.steps) - 1]
    axes = ("step",) if all_steps else ()
    forecast, past = _forecasts(made, steps, live=not all_steps)
    low, high = axis(made)
    for at, model in enumerate(made.models):
        if made.untrained(model):  # mostly far away, and a line along the edge would be mistaken for a forecast
            drawn = forecast[..., 2 + 3 * at : 5 + 3 * at]
            drawn[(drawn < low) | (drawn > high)] = np.nan

    def trimmed(values: np.ndarray) -> np.ndarray:
        return values if all_steps else values[0]

    out = [
        Film("forecast", trimmed(forecast), (*axes, "window", "ahead")),
        Film("past", np.clip((past - low) / (high - low), 0, 1), ("window",)),
        Film("errors", errors(made), ("step",)),
    ]
    if made.attentions:
        per_model = [_weights(made, model, steps, live=not all_steps) for model in made.attentions]
        weights = np.stack(per_model, axis=1)  # step, model, window, head, ahead, past
        out.append(Film("weights", trimmed(weights), (*axes, "which", "window", "head", "ahead"), codes=CODES))
        index = [made.models.index(model) for model in made.attentions]
        own = np.stack([_lines_of(forecast, at) for at in index], axis=1)  # step, model, window, ahead, 5
        out.append(Film("own", trimmed(own), (*axes, "which", "window", "ahead")))
    for model in made.models:
        core = model.partition("+")[0]
        if core in ("auto_correlation", "frequency_attention"):
            values = np.stack([
                _kept(made, model, index, _shape(made.world.config, core), live=not all_steps)
                for index in steps
            ])  # fmt: skip
            out.append(Film(core, trimmed(values.reshape(*values.shape[:2], -1)), (*axes, "window")))
    return out


def axis(made: Scene) -> tuple[float, float]:
    """What the forecasts are drawn between: the truth, and what the models say in the end."""
    forecast, past = _forecasts(made, [len(made.steps) - 1], live=True)
    seen = np.concatenate([past.ravel(), forecast[..., :2].ravel(), forecast[..., 2::3].ravel()])
    seen = seen[np.isfinite(seen)]
    known = np.concatenate([past.ravel(), forecast[..., 0].ravel()])
    wide = float(known.max() - known.min()) or 1.0
    # A bad forecast may be anywhere: three times the room of the truth is enough to see that it is bad.
    low, high = max(float(seen.min()), float(known.min()) - wide), min(float(seen.max()), float(known.max()) + wide)
    return low - 0.04 * (high - low), high + 0.04 * (high - low)


def errors(made: Scene) -> np.ndarray:
    """log₁₀ of the test error (steps, models x (mean, least, most)); the naive forecast comes last, alone."""
    out = np.full((len(made.steps), 3 * len(made.models) + 1), np.nan)
    for column, each in enumerate(made.records.values()):
        for row, step in enumerate(made.steps):
            found = [one[step].accuracy for one in each if step in one and math.isfinite(one[step].accuracy)]
            if found:
                values = np.array([np.mean(found), min(found), max(found)])
                out[row, 3 * column : 3 * column + 3] = np.log10(np.maximum(values, 10**LOWEST))
    out[:, -1] = math.log10(max(made.world.naive_error[0], 10**LOWEST))
    return out


def _forecasts(made: Scene, steps: Sequence[int], *, live: bool) -> tuple[np.ndarray, np.ndarray]:
    """(steps, windows, horizon, 2 + 3 x models): the truth, the naive forecast, and mean, least and most of the seeds
    of each model; and the past (windows, n). In units of the series, relative to the mean of the look-back.
    """
    world = made.world
    scale = world.config.scale()[1]
    level = world.past.mean(axis=-1, keepdims=True)
    horizon = world.config.horizon
    out = np.full((len(steps), len(level), horizon, 2 + 3 * len(made.models)), np.nan)
    out[..., 0], out[..., 1] = (world.future - level) * scale, (world.naive - level) * scale
    for at, model in enumerate(made.models):
        for place, index in enumerate(steps):
            records = [made.at(model, seed, index, live=live) for seed in range(len(made.records[model]))]
            found = [(record.arrays["forecast"].numpy() - level) * scale for record in records if record]
            if found:
                many = np.stack(found)
                start = 2 + 3 * at
                out[place, ..., start], out[place, ..., start + 1] = many.mean(axis=0), many.min(axis=0)
                out[place, ..., start + 2] = many.max(axis=0)
    return out, (world.past - level) * scale


def _lines_of(forecast: np.ndarray, at: int) -> np.ndarray:
    return np.concatenate([forecast[..., :2], forecast[..., 2 + 3 * at : 5 + 3 * at]], axis=-1)


def _weights(made: Scene, model: str, steps: Sequence[int], *, live: bool) -> np.ndarray:
    """Bytes (steps, windows, heads, horizon, past) of the first seed."""
    found = [_kept(made, model, index, _shape(made.world.config, "attention"), live=live) for index in steps]
    values = np.stack(found)
    # Never exactly 0, which no weight is: an axis that follows shares would then reach up to 1.
    coded = np.clip(np.round(CODES * np.sqrt(np.nan_to_num(values))), 1, CODES).astype(np.uint8)
    return np.where(np.isnan(values), np.uint8(CODES + 1), coded)


def _shape(config: Series, core: str) -> tuple[int, ...]:
    modes = config.past // 2 + 1
    return {
        "attention": (SHOWN, config.n_head, config.horizon, config.past),
        "auto_correlation": (SHOWN, config.past),
        "frequency_attention": (SHOWN, modes, modes),
    }[core]


def _kept(made: Scene, model: str, index: int, shape: tuple[int, ...], *, live: bool) -> np.ndarray:
    record = made.at(model, 0, index, live=live)
    return record.arrays["weights"].float().numpy() if record else np.full(shape, np.nan, dtype=np.float32)


# --- pictures ---


def sliders(made: Scene, at: Mapping[str, int], page: Words) -> list[Slider]:
    """The scrubber, the window, the time step that is forecast, whose weights, which head."""
    of, last = made.world.config, made.steps[-1]
    size = next((size for size in NICE if size >= max(last / TICKS, 1)), 1)
    ticks = tuple((made.steps.index(step), str(step)) for step in range(0, last + 1, size) if step in made.steps)
    ahead = tuple(f"+{step}" for step in range(1, of.horizon + 1))
    quarter = of.horizon // 4
    out = [
        Slider(name="step", label=page["step"], readings=tuple(map(str, made.steps)), at=at["step"], ticks=ticks),
        Slider(
            name="ahead", label=page["ahead"], readings=ahead, at=at["ahead"],
            ticks=((0, "+1"), *((each - 1, f"+{each}") for each in range(quarter, of.horizon + 1, quarter))),
        ),
        Slider(
            name="window", label=page["window"], readings=tuple(map(str, made.world.starts)), at=at["window"],
            kind="switch",
        ),
    ]  # fmt: skip
    if made.attentions:
        names = tuple(page[f"short.{model}"] for model in made.attentions)
        heads = tuple(str(head + 1) for head in range(of.n_head))
        out += [
            Slider(name="which", label=page["which"], readings=names, at=at["which"], kind="switch"),
            Slider(name="head", label=page["head"], readings=heads, at=at["head"], kind="switch"),
        ]
    return out


def plots(made: Scene, page: Words) -> list[Plot]:
    """The past with attention on it, the future beside it; below, every model's forecast, and the errors by step."""
    low, high = axis(made)
    models, of = made.models, made.world.config
    names = tuple(slider for slider in ("step", "ahead", "window", "which", "head"))
    controls = names if made.attentions else names[:3]
    out: list[Plot] = [Controls(name="controls", stack="left", span=3, sliders=controls)]
    legend = (("ink", page["truth"]), ("quiet", page[f"model.{NAIVE}"]))
    out.append(Heading(name="legend", stack="left", legend=(*legend, ("v", page["forecast"]))))
    found = {row.model: row for row in rows(made)}

    def state(note: str, shown: Sequence[str]) -> str:
        """The note of a picture, and before it which of the models that are shown are untouched."""
        idle = [model for model in shown if model not in found]
        if not idle:
            return note
        names = "" if len(idle) == len(shown) else ", ".join(page[f"short.{model}"] for model in idle)
        told = page.data("untrained_of", models=names, untrained=page["untrained"]) if names else page["untrained"]
        return f"{told} · {note}"

    if made.attentions:
        out += [
            Bars(
                name="over_past", span=6, narrow=4, height=334, film="weights", count=of.past, fit=True, hue="q",
                over="past", title=page["past"],
                note=state(page.data("past_note", count=of.past), made.attentions),
            ),
            Curves(
                name="own", span=3, narrow=4, height=360, film="own", along="ahead", low=low, high=high, legend=False,
                lines=_lines("v", page, 0), title=page["future"],
                note=state(page["future_note"], made.attentions),
            ),
        ]  # fmt: skip
    table = errors(made)
    finite = table[np.isfinite(table)]
    bottom, top = float(np.floor(4 * finite.min()) / 4), float(np.ceil(finite.max()))
    trained = [(at, model) for at, model in enumerate(models) if np.isfinite(table[:, 3 * at]).any()]
    lines = [
        Line(start=3 * at, band=(3 * at + 1, 3 * at + 2), hue=hue(model), name=page[f"end.{model}"])
        for at, model in trained
    ]
    cores = {model.partition("+")[0] for model in models}
    beside = len(cores & {"auto_correlation", "frequency_attention"}) if made.attentions else 1  # else the controls
    lines.append(Line(start=3 * len(models), hue="ink", dash=True, name=page[f"end.{NAIVE}"]))
    by_step = Curves(
        name="errors", span=12 - 3 * beside, narrow=4, height=300, film="errors", along="step",
        lines=tuple(lines), low=bottom, high=max(top, bottom + 1), logs=True,
        places=tuple(float(step) for step in made.steps), ends=True, title=page["errors"],
        note=page["errors_note_own" if of.values else "errors_note"],
    )  # fmt: skip
    if not made.attentions:
        out.append(by_step)
    wide = {3: 4, 4: 3, 5: 2, 6: 2}.get(len(models), 3)  # of twelve columns, so that rows are full
    for at, model in enumerate(models):
        row = found.get(model)
        note = page.data("error_of", error=spread(row.mse, row.mse_sd)) if row else page["untrained"]
        out.append(
            Curves(
                name=f"forecast_{model}", span=wide, narrow=2, height=200, film="forecast", along="ahead", low=low,
                high=high, legend=False, lines=_lines("v", page, at), title=page[f"plot.{model}"], note=note,
            )
        )  # fmt: skip
    if made.attentions:
        out.append(by_step)
    side = 3 if made.attentions else 6  # beside the errors, or in a row of their own
    if "auto_correlation" in cores:
        out.append(
            Bars(
                name="lags", span=side, narrow=4, height=300, film="auto_correlation", count=of.past, fit=True, hue="k",
                title=page["lags"], note=state(page["lags_note"], _with_core(models, "auto_correlation")),
            )
        )  # fmt: skip
    if "frequency_attention" in cores:
        modes = of.past // 2 + 1
        out.append(
            Map(
                name="frequencies", span=side, narrow=4, height=300, film="frequency_attention", rows=modes, cols=modes,
                root=True, title=page["frequencies"], says=page["frequencies_says"],
                note=state(page["frequencies_note"], _with_core(models, "frequency_attention")),
            )
        )  # fmt: skip
    return out


def _with_core(models: Sequence[str], core: str) -> list[str]:
    return [model for model in models if model.partition("+")[0] == core]


def _lines(colour: str, page: Words, at: int) -> tuple[Line, ...]:
    start = 2 + 3 * at
    return (
        Line(start=1, hue="quiet", name=page[f"model.{NAIVE}"], pale=True),
        Line(start=start, band=(start + 1, start + 2), hue=colour, name=page["forecast"]),
        Line(start=0, hue="ink", name=page["truth"]),
    )


# --- what is taken away ---


def arrays(made: Scene) -> dict[str, np.ndarray]:
    """The series and its parts, the errors of every record, the forecasts at the last."""
    world = made.world
    out = {
        "series": world.values,
        "trend": world.parts.trend.numpy(),
        "season": world.parts.season.numpy(),
        "rest": world.parts.rest.numpy(),
        "change_points": np.array(world.found),
        "steps": np.array(made.steps),
        "past": world.past,
        "future": world.future,
        "naive": world.naive,
    }
    for model, each in made.records.items():
        stem = model.replace("+", "_")
        accuracy = [[one[step].accuracy if step in one else math.nan for step in made.steps] for one in each]
        out[f"{stem}_error"] = np.array(accuracy)
        last = [made.at(model, seed, len(made.steps) - 1, live=True) for seed in range(len(each))]
        forecasts = [record.arrays["forecast"].numpy() for record in last if record]
        if forecasts:
            out[f"{stem}_forecast"] = np.stack(forecasts)
    return out


def snippet(made: Scene) -> str:
    """A script that trains the same models and prints the errors of which the table shows the mean."""
    of = made.world.config
    trained = [
        (model, seed, max(records))
        for model, each in made.records.items()
        for seed, records in zip(made.seeds[model], each, strict=True)
        if max(records, default=0) > 0
    ]
    values = ", values=tuple(map(float, numpy.load('time_series.npz')['series']))" if of.values else ""
    shown = repr(replace(of, values=()))[:-1].removesuffix(", values=()") + values + ")"
    return f"""# In the folder of Headlight: PYTHONPATH=. .venv/bin/python the_name_of_this_file.py
from dataclasses import replace

import numpy
import torch

from attention_core.experiments.series import Series, seasonal_naive

torch.set_num_threads(1)
base = {shown}
_, (past, future), _ = base.windows()
naive = seasonal_naive(past, base.horizon, {made.world.naive_period})
print(f"naive {{float((naive - future).square().mean()) * base.unit() ** 2:.6f}}")
for model, seed, step in {trained}:
    records = replace(base, model=model, seed=seed).records()
    last = next(record for record in records if record.step == step)
    print(f"{{model}} {{seed}} MSE {{last.accuracy:.6f}} MAE {{last.measures['mae']:.6f}}")
"""


def thinned(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Every so-many-th place and its value, so that a line of a few hundred points is drawn; peaks are kept: of each
    stretch its lowest and its highest.
    """
    stride = max(1, math.ceil(len(values) / (POINTS / 2)))
    if stride == 1:
        return np.arange(len(values)), values
    at: set[int] = {0, len(values) - 1}
    for start in range(0, len(values), stride):
        block = values[start : start + stride]
        at |= {start + int(block.argmin()), start + int(block.argmax())}
    chosen = np.array(sorted(at))
    return chosen, values[chosen]


def near(world: World) -> tuple[int, int]:
    """How many of the change points that were built in have a found one near, and how near that is: about a hundredth
    of the series.
    """
    within = len(world.values) // 80
    return sum(any(abs(place - found) <= within for found in world.found) for place in world.drawn), within


# --- several series ---


def many(of: Series, models: Sequence[str]) -> dict[str, Experiment]:
    """Every model, and the linear ones, on WORLDS made series of the same settings: only the last record counts."""
    chosen = [*FAST, *sorted(models, key=lambda model: model.partition("+")[0] == "attention")]
    return {
        f"{model} {world}": replace(of, model=model, world=world, seed=0, every=of.steps)
        for model in chosen
        for world in range(WORLDS)
    }


def named_series(name: str, page: Words) -> str:
    """What a variant of `many` is called."""
    model, _, world = name.partition(" ")
    return page.data("many.variant", model=page[f"model.{model}"], world=world)


def over_series(run: Run, naive: Mapping[int, float], page: Words) -> dict[str, list[str]]:
    """Errors by model and series, their mean and standard deviation, the smallest first; what is not done is left out.

    `naive`: the error of repeating the season, by series.
    """
    found: dict[str, dict[int, float]] = {NAIVE: dict(naive)}
    for name, config in run.experiments.items():
        records = run.records(name)
        if isinstance(config, Series) and records and records[-1].step == config.steps:
            found.setdefault(config.model, {})[config.world] = records[-1].accuracy
    out: dict[str, list[str]] = {page["table.model"]: [], page["many.mean"]: []}
    out |= {page.data("many.series", world=world): [] for world in naive}
    for model, errors in sorted(found.items(), key=lambda each: float(np.mean(list(each[1].values())))):
        values = list(errors.values())
        out[page["table.model"]].append(page[f"model.{model}"])
        sd = float(np.std(values, ddof=1)) if len(values) > 1 else math.nan
        out[page["many.mean"]].append(spread(float(np.mean(values)), sd))
        for world in naive:
            told = significant(errors[world], 3) if world in errors else "–"
            out[page.data("many.series", world=world)].append(told)
    return out
