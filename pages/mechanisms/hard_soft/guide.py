"""What the guide of this page sets, and the pages it names."""

from ui.guide import Guide

GUIDE = Guide(
    tries=(
        "hs_N=4096",
        "hs_T=0",
        "hs_baseline=none",
    ),
)
