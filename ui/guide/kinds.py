"""What a page's guide is made of. Plain values: nothing is drawn here."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Guide:
    """The state of each thing to try, as a link spells it, in the order of the page's words `try`; and the pages that
    the guide names.
    """

    tries: tuple[str, ...]
    pages: tuple[str, ...] = ()
