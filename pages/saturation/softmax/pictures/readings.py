"""What the read-outs of two sections have in common, and how a cell of a Jacobian is told of."""

from ui.components.lab import Item
from ui.text import Words

CELL = "∂y{number} / ∂z{key_number} = {value}"


def reading(name: str, page: Words) -> Item:
    """The read-out of one measure or bound, under its own name."""
    return Item(
        label=page[f"measure.{name}"],
        column=name,
        log=name.startswith("log_"),
        unit=page.get(f"unit.{name}", ""),
        help=page[f"help.{name}"],
    )
