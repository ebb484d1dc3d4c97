"""What an explanation is, and how sums of products are written out. LaTeX holds numbers and symbols only."""

import math
from dataclasses import dataclass

from torch import Tensor

from ui.numbers import significant

SHOWN_TERMS = 3  # in the formula; the table holds the rest
LONG_SUM = 64  # from here on the table holds the largest terms and what the others add up to
LARGEST = 12


@dataclass(frozen=True, slots=True)
class Term:
    """One product of a sum. `kind` and `index` name it: component 5, token 3 (counted from 0), bias, others."""

    kind: str
    index: int
    left: float
    right: float
    product: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """`value` is torch's number, `again` the sum of the terms in float64; `note` is a key of the page's words."""

    symbols: str
    numbers: str
    value: float
    again: float | None = None
    terms: tuple[Term, ...] = ()
    code: str = ""
    note: str = ""


def tex(x: float) -> str:
    """A number for LaTeX: 4 significant digits, −∞ and powers of ten included."""
    if not math.isfinite(x):
        return r"\text{NaN}" if math.isnan(x) else r"\infty" if x > 0 else r"-\infty"
    text = significant(x).replace("−", "-")
    if "·10" not in text:
        return text
    mantissa, power = text.split("·10")
    return rf"{mantissa}\cdot10^{{{power.translate(_PLAIN)}}}"


_PLAIN = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")


def sum_of_products(left: Tensor, right: Tensor, kind: str, bias: float | None) -> tuple[tuple[Term, ...], float]:
    """Σ left·right + bias in float64, term by term; the largest first and the others as one where there are many."""
    lefts, rights = left.double(), right.double()
    products = lefts * rights
    terms = tuple(
        Term(kind, index, a, b, p)
        for index, (a, b, p) in enumerate(zip(lefts.tolist(), rights.tolist(), products.tolist(), strict=True))
    )
    total = math.fsum(products.tolist()) + (bias or 0.0)
    terms = largest(terms)
    return (terms if bias is None else (*terms, Term("bias", 0, bias, 1.0, bias))), total


def largest(terms: tuple[Term, ...]) -> tuple[Term, ...]:
    """The terms; of many the largest, and the others as one."""
    if len(terms) < LONG_SUM:
        return terms
    ordered = sorted(terms, key=lambda term: -abs(term.product))
    rest = math.fsum(term.product for term in ordered[LARGEST:])
    return (*ordered[:LARGEST], Term("others", len(terms) - LARGEST, rest, 1.0, rest))


def written_sum(terms: tuple[Term, ...], again: float, before: str = "", after: str = "") -> str:
    """The first terms written out, the others as …, a bias always, and the result: each on a line, to fit a margin."""
    plain = [term for term in terms if term.kind not in ("bias", "others")]
    written = [_product(term) for term in plain[:SHOWN_TERMS]]
    if len(plain) > SHOWN_TERMS or any(term.kind == "others" for term in terms):
        written.append(r"\dots")
    written += [tex(term.product) for term in terms if term.kind == "bias"]
    first, *others = written or ["0"]
    lines = [before + first, *(term if term.startswith("-") else f"+ {term}" for term in others)]
    return r"\begin{aligned}&" + r"\\&".join([*lines[:-1], lines[-1] + after, f"= {tex(again)}"]) + r"\end{aligned}"


def _product(term: Term) -> str:
    """A product of two numbers, or one number where the other factor is 1 by definition."""
    alone = term.kind == "token" and term.right == 1.0
    return tex(term.product) if alone else rf"({tex(term.left)})({tex(term.right)})"
