"""What the guide of this page sets, the pages it names, and what a reader can predict."""

from attention_core.checkpoints import DamagedError
from pages.mechanisms.two_sentences.numbers import VERDICT, read
from ui import session
from ui.guide import Guide, Number, Prediction

GUIDE = Guide(
    tries=(
        "two_t=10",
        "first=The teacher helped the student&second=The student helped the teacher&encoder=vectors",
        "first=The clever student helped an old lady&second=The clever student helped an old lady",
    ),
)


PROBABILITIES = tuple(step / 20 for step in range(21))
TURNED = ("The teacher helped the student", "The student helped the teacher")


def prediction() -> Prediction:
    """How sure word vectors alone are that two sentences of the same words say the same."""

    def truth() -> list[float]:
        try:
            verdict = read(session.embedded(), "vectors", TURNED).at(1.0)["verdict"]
        except DamagedError:
            return []
        return [float(verdict[VERDICT.index("probability")])]

    first, second = TURNED
    return Prediction(
        kind=Number(PROBABILITIES),
        state=f"first={first}&second={second}&encoder=vectors&two_t=1",
        truth=truth,
        values={"first": first, "second": second},
    )
