"""What the guide of this page sets, and the pages it names."""

from ui.guide import Guide

GUIDE = Guide(
    tries=(
        "al_step=0",
        "al_task=copy",
        "al_variants=global,none&al_feed=both",
    ),
    pages=("local",),
)
