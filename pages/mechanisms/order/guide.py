"""What the guide of this page sets, and the pages it names."""

from ui.guide import Guide

GUIDE = Guide(
    tries=(
        "order_positions=none&order_swaps=reversed",
        "order_mask=causal_window&order_radius=1",
        "order_key_heads=1",
    ),
)
