"""Trend, season, change points and lags of a series: closed forms, nothing trained."""

import math
from typing import NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

KERNEL = 25  # of the moving average (Autoformer, DLinear)


def trend(x: Float[Tensor, "*batch n"], kernel: int = KERNEL) -> Float[Tensor, "*batch n"]:
    r"""$x_t = \mathrm{AvgPool}(\mathrm{Pad}(x))$, the ends repeated; the season is $x_s = x - x_t$: they add up to x.

    Source: Wu et al. 2021, arXiv:2106.13008, eq. 1. Raises ValueError for a kernel that is not odd and positive.
    """
    if kernel < 1 or kernel % 2 == 0:
        raise ValueError(f"the moving average must have an odd width of 1 or more, not {kernel}")
    flat = x.reshape(-1, 1, x.shape[-1])
    padded = F.pad(flat, (kernel // 2, kernel // 2), mode="replicate")
    return F.avg_pool1d(padded, kernel, stride=1).reshape(x.shape)


def autocorrelation(q: Float[Tensor, "*batch n"], k: Float[Tensor, "*batch n"]) -> Float[Tensor, "*batch n"]:
    r"""$\frac1n\sum_t q_t k_{t-\tau} = \frac1n\mathcal F^{-1}(\mathcal F(q)\overline{\mathcal F(k)})$, indices mod n.

    Wiener–Khinchin: n log n instead of n². Source: Wu et al. 2021, arXiv:2106.13008, eq. 8.
    """
    n = q.shape[-1]
    return torch.fft.irfft(torch.fft.rfft(q) * torch.fft.rfft(k).conj(), n) / n


def change_points(x: Float[Tensor, " n"], penalty: float, least: int = 2) -> list[int]:
    r"""Where a new line begins in the piecewise-linear series that fits best: the minimum over all segmentations of
    $\sum_{segments}(\mathrm{SSE\ of\ its\ least\ squares\ line} + penalty)$, by dynamic programming
    (Bai & Perron 2003).

    `penalty` is in squared units of x; segments have `least` points or more. O(n²).
    """
    n = len(x)
    cost = _line_costs(x.double())
    origin = [0] * (n + 1)
    total = torch.full((n + 1,), torch.inf, dtype=torch.float64)
    total[0] = -penalty
    for end in range(least, n + 1):
        options = total[: end - least + 1] + cost[: end - least + 1, end - 1] + penalty
        origin[end] = int(options.argmin())
        total[end] = options[origin[end]]
    starts, end = [], n
    while end > 0:
        end = origin[end]
        starts.append(end)
    return sorted(start for start in starts if start > 0)


def _line_costs(x: Float[Tensor, " n"]) -> Float[Tensor, "n n"]:
    """SSE of the line through x[i … j], for all i ≤ j, from running sums of x centred (inf below the diagonal)."""
    n = len(x)
    t = torch.arange(n, dtype=torch.float64) - (n - 1) / 2
    x = x - x.mean()
    sums = [F.pad(values.cumsum(0), (1, 0)) for values in (torch.ones_like(t), t, x, t * t, t * x, x * x)]
    count, st, sx, stt, stx, sxx = (one[None, 1:] - one[:-1, None] for one in sums)
    count = count.clamp(min=1)
    tt, tx, xx = stt - st * st / count, stx - st * sx / count, sxx - sx * sx / count
    left = (xx - torch.where(tt > 1e-9, tx.square() / tt.clamp(min=1e-9), 0.0)).clamp(min=0)
    return left.masked_fill(torch.ones(n, n, dtype=torch.bool).tril(-1), torch.inf)


class Classical(NamedTuple):
    """Three parts that add up to the series."""

    trend: Float[Tensor, " n"]
    season: Float[Tensor, " n"]
    rest: Float[Tensor, " n"]


def strongest_period(x: Float[Tensor, " n"], most: int) -> int:
    """The lag from 2 to `most` at which the series without its trend resembles itself best; 1 where it never does.

    Correlations of the overlapping parts; only local maxima count that are above 4/√n, four standard deviations of what
    noise gives, and as far above the lowest correlation before them: a slow wave resembles itself at every short lag,
    and there noise makes maxima that are no season. Of those nearly as high as the highest the shortest is taken: a
    period of 7 also shows at 14, 21, …
    """
    most, n = min(most, len(x) // 2 - 1), len(x)
    if most < 3:
        return 1
    apart = x.double() - trend(x.double(), 2 * most + 1)
    apart = F.pad(apart - apart.mean(), (0, n))  # so that the sums do not wrap around
    correlation = autocorrelation(apart, apart)[: most + 2] / (n - torch.arange(most + 2))
    correlation = correlation / correlation[0] if float(correlation[0]) > 0 else torch.zeros_like(correlation)
    risen = correlation - correlation.cummin(dim=0).values
    clear = (correlation > 4 / n**0.5) & (risen > 4 / n**0.5)
    peaks = (correlation[1:-1] >= correlation[:-2]) & (correlation[1:-1] >= correlation[2:]) & clear[1:-1]
    peaks[0] = False  # of lag 1
    if not bool(peaks.any()):
        return 1
    heights = correlation[1:-1].masked_fill(~peaks, -torch.inf)
    return int((heights >= 0.95 * heights.max()).nonzero()[0]) + 1


def classical(x: Float[Tensor, " n"], period: int) -> Classical:
    """Trend: a moving average as wide as the period (the next odd number, KERNEL at least); season: the mean of what
    remains at each phase, itself without mean; and the rest.
    """
    x = x.double()
    slow = trend(x, max(KERNEL, period + 1 - period % 2))
    phase = torch.arange(len(x)) % period
    means = torch.zeros(period, dtype=x.dtype).index_add(0, phase, x - slow) / phase.bincount(minlength=period)
    season = (means - means.mean())[phase]
    return Classical(slow, season, x - slow - season)


def bends(x: Float[Tensor, " n"], most: int = 400) -> list[int]:
    """`change_points` of a long series without a season: of its means over blocks, so that no more than `most` remain.

    The penalty is that of the Bayesian information criterion for the three numbers a new line costs (where it begins,
    its level, its slope), 3 σ² ln n; σ² comes from second differences, which a line does not have.
    """
    wide = -(-len(x) // most)
    blocks = x[: len(x) // wide * wide].double().reshape(-1, wide).mean(dim=1)
    noise = float(blocks.diff(n=2).square().mean()) / 6
    least = max(3, len(blocks) // 40)
    return [wide * start for start in change_points(blocks, 3 * noise * math.log(len(blocks)), least)]


def continued(history: Float[Tensor, " n"], horizon: int, period: int, since: int) -> Float[Tensor, " horizon"]:
    """The least squares line through history[since:] without its season, continued, and the season added again."""
    history = history.double()
    season = classical(history, period).season
    t = torch.arange(len(history) + horizon, dtype=torch.float64)
    design = torch.stack([torch.ones_like(t), (t - len(history)) / len(history)], dim=1)
    line = torch.linalg.lstsq(design[since : len(history)], (history - season)[since:, None]).solution
    phases = torch.arange(len(history), len(history) + horizon) % period
    return (design[len(history) :] @ line)[:, 0] + season[:period][phases]
