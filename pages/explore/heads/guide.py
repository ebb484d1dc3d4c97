"""What the guide of this page sets, and the pages it names."""

from ui.guide import Guide

GUIDE = Guide(
    tries=(
        "model=all-MiniLM-L6-v2&layer=1&head=3",
        "temperature=0.1",
        "tab=off&off=1.3",
    ),
    pages=("pipeline",),
)
