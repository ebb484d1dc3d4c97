"""What the guide of this page sets, and the pages it names."""

from ui.guide import Guide

GUIDE = Guide(
    tries=(
        "lo_p=5.5",
        "lo_D=1",
        "lo_kind=local_p",
    ),
    pages=("alignment",),
)
