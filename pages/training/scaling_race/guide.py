"""What the guide of this page sets, the pages it names, and what a reader can predict."""

from ui.guide import Guide, Prediction, Row
from ui.training.recorded import last_accuracy

GUIDE = Guide(
    tries=(
        "sr_step=0",
        "sr_rules=inverse_sqrt,qk_norm&sr_scale=3",
        "sr_dk=16",
    ),
    pages=("vanishing", "why_sqrt"),
)


D_KS = (4, 8, 16, 24, 32, 64)


def prediction() -> Prediction:
    """How well the unscaled layer ends over d_k, in the recorded batch."""

    def truth() -> list[float]:
        return [share for d_k in D_KS for share in last_accuracy("scaling_race_transition", f"none_{d_k}")]

    return Prediction(kind=Row(names=tuple(map(str, D_KS))), state="sr_step=0", truth=truth)
