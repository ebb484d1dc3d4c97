"""What the guide of this page sets, the pages it names, and what a reader can predict."""

from ui.guide import Guide, Number, Prediction
from ui.training.recorded import last_accuracy

GUIDE = Guide(
    tries=(
        "al_step=0",
        "al_task=copy",
        "al_variants=global,none&al_feed=both",
    ),
    pages=("local",),
)


SHARES = tuple(step / 20 for step in range(21))


def prediction() -> Prediction:
    """How much of the reversed sequence local-m gets right in the recorded run."""
    return Prediction(kind=Number(SHARES), state="al_step=0", truth=lambda: last_accuracy("alignment", "local_m"))
