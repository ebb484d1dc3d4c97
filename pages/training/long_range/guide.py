"""What the guide of this page sets, and the pages it names."""

from ui.guide import Guide

GUIDE = Guide(
    tries=(
        "lg_source=noise&lg_n=64&lg_distance=40",
        "lg_source=noise&lg_n=64&lg_distance=63",
        "lg_models=gru&lg_seed=1",
    ),
)
