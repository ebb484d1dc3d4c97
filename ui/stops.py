"""The two sliders that pages of saturation share, d_k and the input scale: their stops, and where the link says."""

from dataclasses import replace

from attention_core.saturation import D_K_STOPS, INPUT_SCALES, N_HEAD
from ui.components.lab import UNDERFLOW, Positions, Slider
from ui.numbers import nearest_ratio, positive, significant
from ui.state import Setting
from ui.text import Words, words

D_K = Setting(key="dk", default=64.0, parse=lambda spelling: positive(spelling, 64.0), spell=lambda d_k: f"{d_k:g}")
SCALE = Setting(key="scale", default=1.0, parse=lambda spelling: positive(spelling, 1.0), spell=lambda a: f"{a:g}")
# The first page opens where the head is soft: elsewhere sliders open where unscaled attention is in trouble already.
START_D_K, START_SCALE = replace(D_K, key="soft_dk", default=8.0), replace(SCALE, key="soft_scale")
PROBE_HEAD = Setting(key="probe_head", default=1, parse=int, clamp=int, options=range(1, N_HEAD + 1))
DECADES = -8.0  # log₁₀ of where an axis ends: α reaches far lower and would flatten what the other sliders do
SHOWN_D_K = (1, 4, 16, 64, 256, 1024)
SHOWN_SCALES = (0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0)


def d_k_slider(at: int, page: Words) -> Slider:
    """The slider of d_k; its words are `d_k` and `d_k_help` of the page."""
    return Slider(
        name="d_k",
        label=page["d_k"],
        readings=tuple(map(str, D_K_STOPS)),
        at=at,
        ticks=tuple((D_K_STOPS.index(d_k), str(d_k)) for d_k in SHOWN_D_K),
        help=page["d_k_help"],
    )


def scale_slider(at: int, page: Words) -> Slider:
    """The slider of α; its words are `alpha` and `alpha_help` of the page."""
    return Slider(
        name="alpha",
        label=page["alpha"],
        readings=tuple(significant(alpha, 3) for alpha in INPUT_SCALES),
        at=at,
        ticks=tuple((nearest_ratio(INPUT_SCALES, alpha), significant(alpha)) for alpha in SHOWN_SCALES),
        help=page["alpha_help"],
    )


def where(d_k: Setting[float] = D_K, scale: Setting[float] = SCALE) -> tuple[int, int]:
    """Where the link says d_k and α stand, as indices of their stops; at their defaults where it says no positive
    number.
    """
    return nearest_ratio(D_K_STOPS, d_k.value()), nearest_ratio(INPUT_SCALES, scale.value())


def lowest(along: str, low: float) -> float:
    """Where a logarithmic axis ends over this slider that ends at `low` over α."""
    return low if along == "alpha" or low != UNDERFLOW else DECADES


def sunk(along: str, low: float, page: Words) -> str:
    """What is written below such an axis, where numbers are 0."""
    if low != UNDERFLOW:
        return ""
    return words("canvas", page.language)["underflow" if lowest(along, low) == UNDERFLOW else "exactly"]


def head_number() -> int:
    """The head that both pages look at, counted from 1."""
    return PROBE_HEAD.value()


def released(at: Positions, d_k: Setting[float] = D_K, scale: Setting[float] = SCALE) -> None:
    """In a callback: the sliders of `d_k_slider` and `scale_slider` stand at these indices."""
    d_k.put(D_K_STOPS[at["d_k"]])
    scale.put(INPUT_SCALES[at["alpha"]])
