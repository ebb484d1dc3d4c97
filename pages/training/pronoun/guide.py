"""What the guide of this page sets, the pages it names, and what a reader can predict."""

from attention_core.models import Trained
from pages.training.pronoun.reading import EXAMPLES, read
from ui.guide import Choose, Guide, Prediction

GUIDE = Guide(
    tries=(
        "pr_text=the law saw the king , but his city should be just .",
        "pr_text=the king saw the law , but its city should be just .",
        "pr_step=0",
    ),
)


PRONOUN = "his"


def prediction(layer: Trained) -> Prediction:
    """Which word a pronoun looks at most, both heads together, when it is no longer its."""
    tokens = layer.tokenize(EXAMPLES["his"])
    place = tokens.strings.index(PRONOUN)
    return Prediction(
        kind=Choose(tuple(f"{number}: {word}" for number, word in enumerate(tokens.strings[:place], start=1))),
        state=f"pr_text={EXAMPLES['his']}",
        truth=lambda: read(layer, tokens).weights[:, place, :place].mean(dim=0).tolist(),
        values={"text": EXAMPLES["his"], "pronoun": PRONOUN},
    )
