"""What the guide of this page sets, and the pages it names."""

from ui.guide import Guide

GUIDE = Guide(
    tries=(
        "ts_models=attention,attention%2Btrend",
        "ts_ahead=24",
        "ts_slope=0",
    ),
)
