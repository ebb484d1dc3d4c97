"""What the guide of this page sets, the pages it names, and what a reader can predict."""

from attention_core.saturation import Probe, sweep
from ui.guide import Guide, Prediction, Row

GUIDE = Guide(
    tries=(
        "where_from=untrained&rule=none&dk=1024&scale=1",
        "where_from=untrained&rule=inverse_sqrt&scale=4",
        "where_from=untrained&loss=token",
    ),
    pages=("why_sqrt", "scaling_race"),
)


D_KS = (1, 4, 16, 64, 256, 1024)


def prediction(probe: Probe) -> Prediction:
    """The share of rows of all heads that can still learn, unscaled, over d_k."""

    def truth() -> list[float]:
        return [1 - float(sweep(probe, d_k, [1.0]).measures.dead.mean()) for d_k in D_KS]

    return Prediction(
        kind=Row(names=tuple(map(str, D_KS))),
        state=f"where_from=untrained&rule=none&dk={D_KS[-1]}&scale=1",
        truth=truth,
        values={"count": probe.x.shape[0]},
    )
