"""What the guide of this page sets, and the pages it names."""

from ui.guide import Guide

GUIDE = Guide(
    tries=(
        "focus=2,2",
        "shown=1.3",
        "soft_dk=1024&soft_scale=1",
    ),
    pages=("why_sqrt", "heads"),
)
