"""Does the conclusion depend on the loss? Three losses side by side, at the sliders' position. Pure."""

from collections.abc import Iterable, Mapping

from attention_core.losses import GRADIENTS, LOSSES, gradient_norms
from attention_core.saturation import Probe
from attention_core.scalings import SCALINGS
from ui.numbers import significant
from ui.text import Words

SMALL = 0.8  # below this share of itself a gradient counts as weaker, above its inverse as stronger
Ratios = Mapping[str, Mapping[str, float]]  # loss → gradient → number


def ratios(probe: Probe, target: int, d_k: int, alpha: float) -> Ratios:
    """Per loss and gradient, its norm without scaling over that with 1/√d_k: the median over the heads."""
    plain, scaled = (alpha**2 * SCALINGS[rule].factor(d_k) for rule in ("none", "inverse_sqrt"))
    return {loss: _ratios(probe, loss, target, d_k, plain, scaled) for loss in LOSSES}


def _ratios(probe: Probe, loss: str, target: int, d_k: int, plain: float, scaled: float) -> dict[str, float]:
    above, below = (gradient_norms(probe, loss, target, d_k, factor) for factor in (plain, scaled))
    return {name: float(above[name].median() / below[name].median()) for name in GRADIENTS}


def verdict(of_losses: Iterable[float]) -> str:
    """`agree` when every loss sees that gradient move the same way, else `differ`."""
    ways = {(ratio > 1 / SMALL) - (ratio < SMALL) for ratio in of_losses}
    return "differ" if len(ways) > 1 else "agree"


def table(by_loss: Ratios, page: Words) -> str:
    """The `ratios` as Markdown, and in which rows the losses disagree."""
    head = [page["depends.gradient"], *(page[f"depends.{loss}"] for loss in LOSSES), page["depends.verdict"]]
    rows = [
        [
            page[f"measure.log_{name}"],
            *(significant(by_loss[loss][name], 3) for loss in LOSSES),
            page[f"depends.{verdict(by_loss[loss][name] for loss in LOSSES)}"],
        ]
        for name in GRADIENTS
    ]
    return "\n".join("| " + " | ".join(row) + " |" for row in (head, ["---", *["---:"] * 3, "---"], *rows))
