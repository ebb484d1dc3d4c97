"""What a page's guide is made of, and what a reader can predict. Plain values: nothing is drawn or computed here."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

Answer = tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Guide:
    """The state of each thing to try, as a link spells it, in the order of the page's words `try`; and the pages that
    the guide names.
    """

    tries: tuple[str, ...]
    pages: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Choose:
    """One of a few words or tokens. An answer is its place, counted from 1; the truth has a number for each of them,
    and the largest is right.
    """

    options: tuple[str, ...]

    def fits(self, answer: Answer) -> bool:
        """Whether it answers this question."""
        return len(answer) == 1 and answer[0] in range(1, len(self.options) + 1)


@dataclass(frozen=True, slots=True)
class Number:
    """A number, one of these stops."""

    stops: tuple[float, ...]

    def fits(self, answer: Answer) -> bool:
        """Whether it answers this question."""
        return len(answer) == 1 and answer[0] in self.stops


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A number from 0 to `high` for every name: a row of weights, or a curve over stops."""

    names: tuple[str, ...]
    high: float = 1.0
    step: float = 0.05

    def fits(self, answer: Answer) -> bool:
        """Whether it answers this question."""
        return len(answer) == len(self.names) and all(0 <= number <= self.high for number in answer)


Kind = Choose | Number | Row


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """A question that the reader answers before it happens: the page's words `predict.ask`, filled in with `values`,
    and `predict.why`.

    `state`: the words of a link that let it happen. `truth` computes what is right, from the page's own run: a number
    for each option, one number, or a row; nothing where it cannot be had.
    """

    kind: Kind
    state: str
    truth: Callable[[], Sequence[float]]
    values: Mapping[str, str | int | float] = field(default_factory=dict)


def gaps(kind: Kind, answer: Answer, truth: Sequence[float]) -> list[float]:
    """How far the answer is from the truth: of an option, what its number lacks to the largest."""
    if isinstance(kind, Choose):
        return [max(truth) - truth[int(answer[0]) - 1]]
    return [abs(right - number) for number, right in zip(answer, truth, strict=True)]
