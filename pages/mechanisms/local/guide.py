"""What the guide of this page sets, the pages it names, and what a reader can predict."""

from pages.mechanisms.local.numbers import View
from ui.controls import focus
from ui.guide import Guide, Number, Prediction
from ui.one_head import Head

GUIDE = Guide(
    tries=(
        "lo_p=5.5",
        "lo_D=1",
        "lo_kind=local_p",
    ),
    pages=("alignment",),
)


SUMS = tuple(step / 20 for step in range(21))


def prediction(head: Head) -> Prediction:
    """What a row sums to under a window of half-width 1 around the query itself."""
    n = len(head.tokens)
    query, target = focus(n, n)
    return Prediction(
        kind=Number(SUMS),
        state="lo_D=1&lo_p=t",
        truth=lambda: [View(head, query, target, 1, float(query)).row_sum],
        values={"query": f"{query + 1}: {head.tokens[query]}"},
    )
