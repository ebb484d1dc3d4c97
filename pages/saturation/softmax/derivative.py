"""The derivative of softmax in its two cases, as TeX: the general lines, then with the reader's numbers. Pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from attention_core.softmax import complement
from ui.numbers import significant

PLAIN = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹−", "-0123456789-")


@dataclass(frozen=True, slots=True)
class Case:
    """∂y_i/∂z_j in general, and with numbers put in."""

    general: str
    numbers: str


def cases(x: Sequence[float], beta: float, c: float, cell: tuple[int, int]) -> tuple[Case, Case]:
    """By z_i itself and by another z_j, at the cell (i, j).

    Numbers are e^(z − max z), which leaves every quotient as it is and overflows nowhere.
    """
    i, j = cell
    z = beta * (torch.tensor(x, dtype=torch.float64) + c)
    powers = torch.exp(z - z.max())
    p = torch.softmax(z, dim=-1)
    return _same(i, powers, p), _other(i, j, powers, p)


def _same(i: int, powers: Tensor, p: Tensor) -> Case:
    y, power = f"y_{{{i + 1}}}", f"e^{{z_{{{i + 1}}}}}"
    rest, total = complement(p)[i], powers.sum()
    return Case(
        general=rf"\frac{{\partial {y}}}{{\partial z_{{{i + 1}}}}}"
        rf"=\frac{{{power}\,\Sigma-{power}{power}}}{{\Sigma^2}}"
        rf"=\frac{{{power}}}{{\Sigma}}\cdot\frac{{\Sigma-{power}}}{{\Sigma}}={y}\,(1-{y})",
        numbers=rf"=\frac{{{_tex(powers[i])}}}{{{_tex(total)}}}\cdot\frac{{{_tex(rest * total)}}}{{{_tex(total)}}}"
        rf"={_tex(p[i])}\cdot{_tex(rest)}=\mathbf{{{_tex(p[i] * rest)}}}",
    )


def _other(i: int, j: int, powers: Tensor, p: Tensor) -> Case:
    (y, power), (other_y, other_power) = ((f"y_{{{at + 1}}}", f"e^{{z_{{{at + 1}}}}}") for at in (i, j))
    total = _tex(powers.sum())
    return Case(
        general=rf"\frac{{\partial {y}}}{{\partial z_{{{j + 1}}}}}"
        rf"=\frac{{0\cdot\Sigma-{power}{other_power}}}{{\Sigma^2}}"
        rf"=-\frac{{{power}}}{{\Sigma}}\cdot\frac{{{other_power}}}{{\Sigma}}=-{y}\,{other_y}",
        numbers=rf"=-\frac{{{_tex(powers[i])}}}{{{total}}}\cdot\frac{{{_tex(powers[j])}}}{{{total}}}"
        rf"=-{_tex(p[i])}\cdot{_tex(p[j])}=\mathbf{{{_tex(-p[i] * p[j])}}}",
    )


def _tex(value: Tensor) -> str:
    """4 significant digits as TeX."""
    text = significant(float(value))
    return re.sub("·10([⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)", lambda power: rf"\cdot10^{{{power[1]}}}", text).translate(PLAIN)
