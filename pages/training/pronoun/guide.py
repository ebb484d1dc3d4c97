"""What the guide of this page sets, and the pages it names."""

from ui.guide import Guide

GUIDE = Guide(
    tries=(
        "pr_text=the law saw the king , but his city should be just .",
        "pr_text=the king saw the law , but its city should be just .",
        "pr_step=0",
    ),
)
