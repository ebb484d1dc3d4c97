"""What a link to the Vanishing page says besides d_k, the input scale and the head: the rules, and the strain."""

from attention_core.saturation import SWEPT_RULES
from pages.saturation.vanishing.trained.numbers import RULES as STRAIN_RULES
from pages.saturation.vanishing.trained.numbers import SCALES
from ui.numbers import significant
from ui.state import Setting, one_of


def _scale(spelling: str) -> float:
    scales = {significant(scale): scale for scale in SCALES}
    if spelling not in scales:
        raise ValueError(f"{spelling!r} is no stop of the input scale")
    return scales[spelling]


WHERE_FROM = one_of("where_from", ("untrained", "trained"))
RULE = Setting(key="rule", default=SWEPT_RULES[0], parse=str, options=SWEPT_RULES)
STRAIN = Setting(key="strain", default=1.0, parse=_scale, spell=significant)
STRAIN_RULE = Setting(key="strain_rule", default=STRAIN_RULES[0], parse=str, options=STRAIN_RULES)
