"""What the guide of this page sets, and the pages it names."""

from ui.guide import Guide

GUIDE = Guide(
    tries=(
        "text=She sat on the bank of the river and counted the money from the bank&layer=3&head=10&focus=15,5",
        "focus=6,2",
        "mask=causal",
    ),
    pages=("heads",),
)
