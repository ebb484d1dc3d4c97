"""What the guide of this page sets, the pages it names, and what a reader can predict."""

from ui.guide import Guide, Prediction, Row
from ui.training.recorded import accuracy_at

GUIDE = Guide(
    tries=(
        "in_step=0",
        "in_steps=1500",
        "in_dk=8&in_rules=none,inverse_sqrt,inverse,qk_norm",
    ),
    pages=("scaling_race",),
)


STEPS = (0, 50, 100, 150, 200, 250, 300, 350)


def prediction() -> Prediction:
    """The accuracy of the scaled layers over the steps of the recorded run."""
    return Prediction(
        kind=Row(names=tuple(map(str, STEPS))),
        state="in_step=0",
        truth=lambda: accuracy_at("induction", "inverse_sqrt", STEPS),
    )
