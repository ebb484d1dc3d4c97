"""What the guide of this page sets, and the pages it names."""

from ui.guide import Guide

GUIDE = Guide(
    tries=(
        "bench=scaled_dot,dot",
        "bench=scaled_dot,window&bench_D=24",
        "bench=scaled_dot,location&bench_memory=other&bench_text=The Law will never be perfect",
    ),
)
