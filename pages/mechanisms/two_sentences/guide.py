"""What the guide of this page sets, and the pages it names."""

from ui.guide import Guide

GUIDE = Guide(
    tries=(
        "two_t=10",
        "first=The teacher helped the student&second=The student helped the teacher&encoder=vectors",
        "first=The clever student helped an old lady&second=The clever student helped an old lady",
    ),
)
