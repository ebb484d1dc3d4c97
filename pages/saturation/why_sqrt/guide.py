"""What the guide of this page sets, and the pages it names."""

from ui.guide import Guide

GUIDE = Guide(
    tries=(
        "mc_d_k=1024",
        "mc_rho=0.5",
        "mc_init=linear",
    ),
    pages=("remedies",),
)
