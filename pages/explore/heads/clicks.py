"""What a click does: it chooses a head for the whole page, or the tokens in focus for what follows them."""

from ui.components.canvas import Pick
from ui.errors import run_again
from ui.focus import look

BODY = "heads_body"  # the fragment of all that a layer or a head changes
PORTRAIT, SECTION = FOLLOW = ("heads_portrait", "heads_section")  # the fragments that a picked token changes


def show_head(layer: int, head: int) -> None:
    """For callbacks: this is the head in focus everywhere; all of the page that a head changes runs."""
    look(layer=layer, head=head)
    run_again(BODY)


def token_chosen(pick: Pick) -> None:
    """A cell, or a token of the sentence, was clicked: it becomes the focus."""
    match pick.panel:
        case "query":
            look(query=pick.row)
        case "key":
            look(key=pick.row)
        case _:
            look(query=pick.row, key=pick.col)
    run_again(*FOLLOW)  # the canvases have moved their focus already


def key_chosen(pick: Pick) -> None:
    """A cell was clicked whose row is no token: its key becomes the focus."""
    look(key=pick.col)
    run_again(*FOLLOW)
