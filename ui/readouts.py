"""Read-outs of measures under their own names."""

from ui.components.lab import Item
from ui.text import Words


def reading(name: str, page: Words) -> Item:
    """The read-out of one measure or bound: its label, unit and help are the page's; a name with `log_` holds log₁₀."""
    return Item(
        label=page[f"measure.{name}"],
        column=name,
        log=name.startswith("log_"),
        unit=page.get(f"unit.{name}", ""),
        help=page[f"help.{name}"],
    )
