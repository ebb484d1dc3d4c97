"""What the sections of the Heads page share: callbacks of a click, matrices with their masked cells, labels."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from attention_core.measures import MEASURES
from attention_core.models import LayerName, LayerTrace
from ui.components.canvas import Pick
from ui.controls import focus, layer_label, set_focus
from ui.errors import run_again
from ui.link import put
from ui.text import Words, words

BODY = "heads_body"  # the fragment of all that a layer or a head changes
PORTRAIT_FRAGMENT, SECTION_FRAGMENT = FOLLOW = ("heads_portrait", "heads_section")  # those that a picked token changes


def show_head(layer: int, head: int) -> None:
    """For callbacks: this is the head in focus everywhere; all of the page that a head changes runs."""
    put(layer=layer, head=head)
    run_again(BODY)


def token_chosen(pick: Pick) -> None:
    """A cell or a token was clicked: it becomes the focus."""
    query, key = focus(10**6, 10**6)
    if pick.panel == "query":
        set_focus(pick.row, key)
    elif pick.panel == "key":
        set_focus(query, pick.row)
    else:
        set_focus(pick.row, pick.col)
    run_again(*FOLLOW)  # the canvases have moved their focus already


def shown_weights(layer: LayerTrace, head: int) -> Float[np.ndarray, "n_q n_k"]:
    """The weights of one head, NaN where masked."""
    masked = layer.attention.masked_scores[head].isneginf()
    return layer.attention.weights[head].masked_fill(masked, float("nan")).numpy()


def with_unit(name: str, page: Words) -> str:
    """The title of a measure with its unit."""
    unit = MEASURES[name].unit if name in MEASURES else ""
    title = page[f"measure.{name}.title"]
    return f"{title} ({page[f'unit.{unit}']})" if unit else title


def renamed(page: Words, rows: str | None = None, cols: str | None = None) -> dict[str, str]:
    """The words of a canvas whose rows are not queries, or whose columns are not keys, but layers or heads."""
    names = {"query": rows, "key": cols}
    other = {kind: page[f"axis.{name}"] for kind, name in names.items() if name}
    return {**words("canvas"), **other, **{f"axis_{kind}": name for kind, name in other.items()}}


def layer_names(layers: Sequence[LayerName]) -> list[str]:
    """Names of layers as labels of an axis, where an ordinary space would be drawn as in a token."""
    return [layer_label(layer).replace(" ", "\N{NO-BREAK SPACE}") for layer in layers]
