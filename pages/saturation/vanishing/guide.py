"""What the guide of this page sets, and the pages it names."""

from ui.guide import Guide

GUIDE = Guide(
    tries=(
        "where_from=untrained&rule=none&dk=1024&scale=1",
        "where_from=untrained&rule=inverse_sqrt&scale=4",
        "where_from=untrained&loss=token",
    ),
    pages=("why_sqrt", "scaling_race"),
)
