"""What the guide of this page sets, the pages it names, and what a reader can predict."""

from ui.guide import Guide, Number, Prediction
from ui.training.recorded import last_accuracy

GUIDE = Guide(
    tries=(
        "lg_source=noise&lg_n=64&lg_distance=40",
        "lg_source=noise&lg_n=64&lg_distance=63",
        "lg_models=gru&lg_seed=1",
    ),
)


SHARES = tuple(step / 20 for step in range(21))


def prediction() -> Prediction:
    """How often the LSTM finds the needle in the recorded run."""
    return Prediction(kind=Number(SHARES), state="lg_part=0", truth=lambda: last_accuracy("long_range", "lstm"))
