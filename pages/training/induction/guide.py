"""What the guide of this page sets, and the pages it names."""

from ui.guide import Guide

GUIDE = Guide(
    tries=(
        "in_step=0",
        "in_steps=1500",
        "in_dk=8&in_rules=none,inverse_sqrt,inverse,qk_norm",
    ),
    pages=("scaling_race",),
)
