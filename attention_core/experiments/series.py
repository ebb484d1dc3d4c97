"""Forecasting a made series: what attention, decomposition and frequencies each bring.

Plain attention is worse than seasonal naive: test values leave the training range. Decomposition or a frequency block
repairs it, and so does a single linear layer (Zeng et al. 2022, arXiv:2205.13504): attention is not what helps.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple, cast

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from attention_core.experiments.base import Observation, Record, Task, build, half, normal, stream, train
from attention_core.experiments.decomposition import autocorrelation, trend
from attention_core.multihead import MultiHeadAttention
from attention_core.normalizers import softmax

PERIODS, AMPLITUDES, NOISE = (24.0, 12.0, 32.0), (1.0, 0.5, 0.6), 0.3
NAIVE_PERIOD = 96  # the least common multiple of the periods
CORES = ("linear", "attention", "frequency_attention", "auto_correlation", "frequency")
MODELS = (*CORES, *(f"{core}+trend" for core in CORES))  # linear+trend is DLinear
SHOWN = 4  # test windows that are kept, spread evenly
LEARNED = 250  # windows of the training part on which it is measured too


class Pieces(NamedTuple):
    """What a made series is the sum of, float64, and where its slope changes."""

    trend: Float[Tensor, " n"]
    season: Float[Tensor, " n"]
    noise: Float[Tensor, " n"]
    changes: tuple[int, ...]


def pieces(
    seed: int, n: int = 4000, *, slope: float = 1.0, season: float = 1.0, segment: int = 500, noise: float = NOISE
) -> Pieces:
    """A piecewise-linear trend (segments of 0.6 … 1.4 times `segment` points, or one line where that is 0; slopes
    N(.004, .004²) times `slope`), three sines times `season`, and normal noise of this standard deviation.
    """
    draw, slopes, changes = stream(seed, "series"), [], []
    while not changes or changes[-1] < n:
        length = int(torch.randint(6 * segment // 10, 14 * segment // 10 + 1, (), generator=draw)) if segment else n
        slopes.append((slope * (0.004 + 0.004 * torch.randn((), generator=draw))).expand(length))
        changes.append(length + (changes[-1] if changes else 0))
    t = torch.arange(n, dtype=torch.float64)
    waves = torch.zeros(n, dtype=torch.float64)
    for amplitude, period in zip(AMPLITUDES, PERIODS, strict=True):
        waves += amplitude * torch.sin(2 * math.pi * t / period)
    trended = torch.cat(slopes)[:n].double().cumsum(0)
    return Pieces(trended, season * waves, noise * torch.randn(n, generator=draw).double(), tuple(changes[:-1]))


def made_series(
    seed: int, n: int = 4000, *, slope: float = 1.0, season: float = 1.0, segment: int = 500, noise: float = NOISE
) -> Float[Tensor, " n"]:
    """The sum of `pieces`; with the defaults the series the experiment is about."""
    parts = pieces(seed, n, slope=slope, season=season, segment=segment, noise=noise)
    return (parts.trend + parts.season + parts.noise).float()


def seasonal_naive(past: Float[Tensor, "*batch n"], horizon: int, period: int = NAIVE_PERIOD) -> Tensor:
    """The values one period before: what any model has to beat."""
    return past[..., past.shape[-1] - period + torch.arange(horizon) % period]


def naive_period(most: int) -> int:
    """The multiple of one of PERIODS, up to `most`, after which the three sines together are most alike:
    NAIVE_PERIOD where there is room for it.
    """
    lags = sorted({lag for period in PERIODS for lag in range(int(period), most + 1, int(period))})
    waves = [(amplitude**2, period) for amplitude, period in zip(AMPLITUDES, PERIODS, strict=True)]
    return max(lags, key=lambda lag: sum(power * math.cos(2 * math.pi * lag / period) for power, period in waves))


class Forecaster(nn.Module):
    """Look-back → horizon through one of MODELS. With `+trend` a linear layer continues the moving average apart."""

    def __init__(self, model: str, past: int, horizon: int, d: int, n_head: int, seed: int) -> None:
        super().__init__()
        draw = stream(seed, "weights")
        self.core, _, apart = model.partition("+")
        self.head = cast(nn.Linear, build(nn.Linear, past, horizon, generator=draw)) if apart else None
        self.past, self.horizon = past, horizon
        if self.core == "attention":
            self.lift = cast(nn.Linear, build(nn.Linear, 1, d, generator=draw))
            self.positions, self.asks = normal((past, d), draw), normal((horizon, d), draw)
            self.encode, self.decode = (
                MultiHeadAttention(d_model=d, n_head=n_head, d_k=d // n_head, d_v=d // n_head, seed=2 * seed + number)
                for number in (1000, 1001)
            )
            self.norms = nn.ModuleList(nn.LayerNorm(d) for _ in range(3))
            self.wide = cast(nn.Linear, build(nn.Linear, d, 4 * d, generator=draw))
            self.narrow = cast(nn.Linear, build(nn.Linear, 4 * d, d, generator=draw))
            self.read = cast(nn.Linear, build(nn.Linear, d, 1, generator=draw))
            return
        self.out = cast(nn.Linear, build(nn.Linear, past, horizon, generator=draw))
        modes = past // 2 + 1
        if self.core == "frequency":
            self.mix = normal((2, modes, modes), draw, modes**-0.5)
        elif self.core == "frequency_attention":
            self.maps = normal((3, 2, modes, d), draw, 1.0)
            self.back = normal((2, d), draw, d**-0.5)
        elif self.core == "auto_correlation":
            self.maps = normal((2, past, past), draw, past**-0.5)

    def forward(self, past: Float[Tensor, "b n"]) -> tuple[Float[Tensor, "b horizon"], Tensor | None]:
        """The forecast, and the weights where there are some: (b h horizon n) or (b lags)."""
        if self.head is None:
            return self._core(past)
        slow = trend(past)
        forecast, weights = self._core(past - slow)
        return forecast + self.head(slow), weights

    def _core(self, x: Tensor) -> tuple[Tensor, Tensor | None]:
        if self.core == "linear":
            return self.out(x), None
        if self.core == "attention":
            h = self.lift(x[..., None]) + self.positions
            normed = self.norms[0](h)
            h = h + self.encode(normed)
            h = h + self.narrow(F.gelu(self.wide(self.norms[1](h))))
            trace = self.decode.trace(self.asks.expand(len(x), -1, -1), self.norms[2](h))
            return self.read(self.asks + self.decode.output(trace))[..., 0], trace.weights
        if self.core == "auto_correlation":
            q, k = x @ self.maps[0], x @ self.maps[1]
            correlation = autocorrelation(q, k)
            top = correlation.topk(int(math.log(self.past)), dim=-1)
            weights = top.values.softmax(dim=-1)
            at = (torch.arange(self.past) + top.indices[..., None]) % self.past  # Roll(x, −τ)
            rolled = x[:, None].expand(-1, at.shape[1], -1).gather(-1, at)
            spread = torch.zeros_like(x).scatter(-1, top.indices, weights)
            return self.out((weights[..., None] * rolled).sum(dim=1) + x), spread
        spectrum = torch.fft.rfft(x, norm="ortho")
        if self.core == "frequency":
            mixed = spectrum @ torch.complex(self.mix[0], self.mix[1])
            return self.out(torch.fft.irfft(mixed, self.past, norm="ortho") + x), None
        q, k, v = (spectrum[..., None] * torch.complex(one[0], one[1]) for one in self.maps)
        weights = softmax((q @ k.mH).abs())
        heard = weights.to(v.dtype) @ v @ torch.complex(self.back[0], self.back[1])
        return self.out(torch.fft.irfft(heard, self.past, norm="ortho") + x), weights


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """Look-back 96, horizon 48, chronological 70/30, Adam 3e-3 with cosine decay; `accuracy` is test MSE / noise
    variance (1 = perfect, less is better). Arrays: `past`, `future`, `forecast` of four test windows, and `weights`.

    The measures are `mae`, the mean absolute error over the noise's standard deviation, and `learned`, the error as in
    `accuracy` on windows of the training part. `world`: the seed of the series where that is not the run's own (−1), so
    that runs of several seeds forecast the same series. `values`: a series of the reader's own in place of a made one;
    its noise is unknown, so errors are in units of the training part's standard deviation.
    """

    model: str = "frequency"
    past: int = 96
    horizon: int = 48
    d: int = 32
    n_head: int = 4
    lr: float = 3e-3
    steps: int = 400
    every: int = 50
    seed: int = 0
    batch: int = 64
    points: int = 4000
    world: int = -1
    slope: float = 1.0
    season: float = 1.0
    segment: int = 500
    noise: float = NOISE
    values: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        if self.model not in MODELS:
            raise ValueError(f"the model must be {', '.join(MODELS)}; not {self.model!r}")

    def records(self) -> Iterator[Record]:
        """Train on standardised values. Raises Diverged."""
        model, data = self.build(), stream(self.seed, "data")
        (past, future), (test_past, test_future), _ = self.windows()
        unit, some = self.unit(), spread_evenly(len(past), LEARNED)

        def objective() -> tuple[Tensor, Tensor]:
            rows = torch.randint(len(past), (self.batch,), generator=data)
            loss = F.mse_loss(model(past[rows])[0], future[rows])
            return loss, loss.detach()

        def observe(keep: bool) -> Observation:
            with torch.no_grad():
                forecast = torch.cat([model(block)[0] for block in test_past.split(250)])
                learned = F.mse_loss(model(past[some])[0], future[some])
            error = float(F.mse_loss(forecast, test_future)) * unit**2
            mae = float(F.l1_loss(forecast, test_future)) * unit
            measures = {"mae": mae, "learned": float(learned) * unit**2}
            return Observation(accuracy=error, measures=measures, arrays=self.shown(model) if keep else {})

        task = Task(model=model, objective=objective, observe=observe, matrices={}, lr=self.lr, decay=True)
        yield from train(self, task)

    def build(self) -> Forecaster:
        """The model at step 0."""
        return Forecaster(self.model, self.past, self.horizon, self.d, self.n_head, self.seed)

    def shown(self, model: Forecaster) -> dict[str, Tensor]:
        """The arrays of a record: what this model makes of the four test windows."""
        _, (past, future), _ = self.windows()
        rows = spread_evenly(len(past), SHOWN)
        with torch.no_grad():
            forecast, weights = model(past[rows])
        arrays = {"past": past[rows], "future": future[rows], "forecast": forecast}
        return arrays | ({} if weights is None else {"weights": half(weights)})

    def series(self) -> Float[Tensor, " n"]:
        """The numbers that are forecast."""
        if self.values:
            return torch.tensor(self.values)
        world = self.seed if self.world < 0 else self.world
        return made_series(
            world, self.points, slope=self.slope, season=self.season, segment=self.segment, noise=self.noise
        )

    def scale(self) -> tuple[float, float]:
        """Mean and standard deviation of the training part, by which values are standardised."""
        values = self.series()
        learned = values[: round(0.7 * len(values))]
        return float(learned.mean()), float(learned.std())

    def unit(self) -> float:
        """What an error of standardised values is multiplied by: their standard deviation over that of the noise."""
        return 1.0 if self.values else self.scale()[1] / self.noise

    def windows(self) -> tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor], float]:
        """Standardised windows of the first 70 % and of the rest, and the standard deviation they were divided by."""
        values = self.series()
        cut = round(0.7 * len(values))
        mean, spread = values[:cut].mean(), float(values[:cut].std())
        parts = ((values - mean) / spread).split([cut, len(values) - cut])
        windows = [part.unfold(0, self.past + self.horizon, 1) for part in parts]
        learned, tested = ((part[:, : self.past], part[:, self.past :]) for part in windows)
        return learned, tested, spread


def spread_evenly(count: int, most: int) -> Tensor:
    """Up to `most` of `count` indices, evenly apart, from 0 on."""
    return torch.arange(0, count, max(1, count // most))[:most]
