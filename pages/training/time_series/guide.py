"""What the guide of this page sets, the pages it names, and what a reader can predict."""

from ui.guide import Guide, Number, Prediction
from ui.training.recorded import last_accuracy

GUIDE = Guide(
    tries=(
        "ts_models=attention,attention%2Btrend",
        "ts_ahead=24",
        "ts_slope=0",
    ),
)


RATIOS = (0.25, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0)


def prediction() -> Prediction:
    """How many times the error of a straight line plain attention makes in the recorded run."""

    def truth() -> list[float]:
        ends = zip(last_accuracy("time_series", "attention_0"), last_accuracy("time_series", "linear_0"), strict=True)
        return [attention / linear for attention, linear in ends]

    return Prediction(kind=Number(RATIOS), state="ts_models=attention,attention%2Btrend", truth=truth)
