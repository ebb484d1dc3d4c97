"""What the guide of this page sets, and the pages it names."""

from ui.guide import Guide

GUIDE = Guide(
    tries=(
        "scale=16",
        "dk=1024&scale=1&remedy=inverse",
        "tokens=4&remedy=ssmax",
    ),
    pages=("vanishing",),
)
