"""The names of measures, layers and axes."""

from collections.abc import Sequence

from attention_core.measures import MEASURES
from attention_core.models import LayerName
from ui.controls import layer_label
from ui.text import Words, words


def with_unit(name: str, page: Words) -> str:
    """The title of a measure with its unit."""
    unit = MEASURES[name].unit if name in MEASURES else ""
    title = page[f"measure.{name}.title"]
    return page.data("unit.of", title=title, unit=page[f"unit.{unit}"]) if unit else title


def renamed(page: Words, rows: str | None = None, cols: str | None = None) -> dict[str, str]:
    """The words of a canvas whose rows are not queries, or whose columns are not keys, but layers or heads."""
    axes = {kind: page[f"axis.{name}"] for kind, name in (("query", rows), ("key", cols)) if name}
    return {**words("canvas"), **axes, **{f"axis_{kind}": name for kind, name in axes.items()}}


def layer_names(layers: Sequence[LayerName]) -> list[str]:
    """Names of layers as labels of an axis, where an ordinary space would be drawn as in a token."""
    return [layer_label(layer).replace(" ", "\N{NO-BREAK SPACE}") for layer in layers]
