"""What the guide of this page sets, and the pages it names."""

from ui.guide import Guide

GUIDE = Guide(
    tries=(
        "sr_step=0",
        "sr_rules=inverse_sqrt,qk_norm&sr_scale=3",
        "sr_dk=16",
    ),
    pages=("vanishing", "why_sqrt"),
)
