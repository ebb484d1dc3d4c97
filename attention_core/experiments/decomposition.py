"""Trend, season, change points and lags of a series: closed forms, nothing trained (SCIENCE.md 1.6, E9)."""

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
    found, end = [], n
    while end > 0:
        end = origin[end]
        found.append(end)
    return sorted(start for start in found if start > 0)


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
