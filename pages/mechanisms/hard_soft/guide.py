"""What the guide of this page sets, the pages it names, and what a reader can predict."""

from pages.mechanisms.hard_soft.numbers import weights
from ui.controls import focus
from ui.guide import Choose, Guide, Prediction
from ui.one_head import Head

GUIDE = Guide(
    tries=(
        "hs_N=4096",
        "hs_T=0",
        "hs_baseline=none",
    ),
)


def prediction(head: Head) -> Prediction:
    """Which token every draw takes at temperature 0: that of the largest weight."""
    n = len(head.tokens)
    query = focus(n, n)[0]
    return Prediction(
        kind=Choose(tuple(f"{place}: {token}" for place, token in enumerate(head.tokens, start=1))),
        state="hs_T=0",
        truth=lambda: weights(head, query, 1.0).tolist(),
        values={"query": f"{query + 1}: {head.tokens[query]}"},
    )
