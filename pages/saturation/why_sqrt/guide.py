"""What the guide of this page sets, the pages it names, and what a reader can predict."""

from attention_core import variance
from attention_core.variance import Assumptions
from pages.saturation.why_sqrt.numbers import Drawn, drawn
from ui.guide import Guide, Number, Prediction

GUIDE = Guide(
    tries=(
        "mc_d_k=1024",
        "mc_rho=0.5",
        "mc_init=linear",
    ),
    pages=("remedies",),
)


D_K = 256
STOPS = (1.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0)


def prediction(shown: Drawn) -> Prediction:
    """The spread of q·k at a large d_k, under the paper's assumptions."""
    assumed = Assumptions(distribution=shown.assumed.distribution)

    def truth() -> list[float]:
        wide = drawn(assumed, D_K, shown.sums)
        return [float(wide.measured.variance[wide.index]) ** 0.5]

    return Prediction(
        kind=Number(STOPS),
        state=f"mc_d_k={D_K}&mc_mean=0.0&mc_rho=0.0&mc_init=unit",
        truth=truth,
        values={"d_k": D_K, "samples": variance.SAMPLES},
    )
