"""What the guide of this page sets, and the pages it names."""

from ui.guide import Guide

GUIDE = Guide(
    tries=(
        "sm_a=40",
        "sm_n=3&sm_x=0,0,1&sm_c=100&sm_beta=1",
        "sm_n=4&sm_x=4,4,0,0&sm_c=0&sm_beta=8",
    ),
    pages=("vanishing",),
)
