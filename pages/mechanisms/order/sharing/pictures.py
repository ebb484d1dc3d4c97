"""Heads that share keys and values, and the cache → films and pictures. Pure."""

from collections.abc import Sequence
from functools import partial

from attention_core.kv_cache import elements_per_token
from pages.mechanisms.order.reading import D_HEAD, N_HEAD, evenly
from pages.mechanisms.order.sharing.numbers import (
    ATTENTIONS,
    COUNTED,
    KEY_HEADS,
    PUBLISHED_HEADS,
    Decoded,
    published_elements,
)
from ui.components.lab import Bars, Box, Controls, Curves, Film, Item, Line, Map, Plot, Positions, Readouts, Slider
from ui.text import Words

HUES = dict(zip(KEY_HEADS, ("ink", "v", "k", "q"), strict=True))
LEFT = Box(stack="left", span=3)
SQUARE = Box(span=3, height=330)
BELOW = Box(height=250)


def label(key_heads: int) -> str:
    """MQA, GQA-2, GQA-4, MHA."""
    return "MQA" if key_heads == 1 else "MHA" if key_heads == N_HEAD else f"GQA-{key_heads}"


def sliders(tokens: Sequence[str], at: Positions, page: Words) -> list[Slider]:
    """How many key heads, which token is written now, and key heads of a large model."""
    return [
        Slider(
            name="key_heads",
            label=page["key_heads"],
            readings=tuple(f"{key_heads} ({label(key_heads)})" for key_heads in KEY_HEADS),
            at=at["key_heads"],
            ticks=tuple((index, str(key_heads)) for index, key_heads in enumerate(KEY_HEADS)),
            help=page["key_heads_help"],
        ),
        Slider(
            name="step",
            label=page["step"],
            readings=tuple(f"{index + 1}: {token}" for index, token in enumerate(tokens)),
            at=at["step"],
            ticks=tuple((index, str(index + 1)) for index in evenly(len(tokens), 8)),
            help=page["step_help"],
        ),
        Slider(
            name="published",
            label=page["published"],
            readings=tuple(map(str, PUBLISHED_HEADS)),
            at=at["published"],
            ticks=tuple((index, str(key_heads)) for index, key_heads in enumerate(PUBLISHED_HEADS)),
            help=page["published_help"],
        ),
    ]


def films(decoded: Decoded) -> list[Film]:
    """Who shares; what each step reads; how far it lies from the full pass; how much is kept."""
    return [
        Film("sharing", decoded.sharing.numpy(), ("key_heads",)),
        Film("rows", decoded.rows.numpy(), ("key_heads", "step")),
        Film("cache", decoded.cache.numpy(), ("key_heads", "step"), columns=COUNTED),
        Film("whole", decoded.whole.numpy(), ("key_heads",)),
        Film("elements", published_elements(), ("published",)),
    ]


def plots(tokens: Sequence[str], page: Words) -> list[Plot]:
    """Who shares, the full pass, the row that is read now; then how the cache grows, and published sizes."""
    n, names = len(tokens), tuple(tokens)
    square = partial(Map, box=SQUARE, hatched=True)
    return [
        Controls(name="cache_controls", box=LEFT, sliders=("key_heads", "step", "published")),
        _numbers(page),
        square(
            name="sharing",
            film="sharing",
            rows=N_HEAD,
            cols=N_HEAD,
            names=tuple(str(head + 1) for head in range(N_HEAD)),
            scale="q",
            low=-1.0,
            title=page["sharing"],
            note=page["sharing_note"],
        ),
        square(name="whole", film="whole", rows=n, cols=n, names=names, title=page["whole"], note=page["axes"]),
        Bars(
            name="rows",
            box=SQUARE,
            film="rows",
            count=n,
            names=names,
            hue="q",
            title=page["row"],
            note=page["row_note"],
        ),
        *_curves(n, page),
        Bars(
            name="elements",
            box=BELOW,
            film="elements",
            count=len(ATTENTIONS),
            fit=True,
            digits=5,
            names=ATTENTIONS,
            title=page["elements"],
            note=page["elements_note"],
        ),
    ]


def _numbers(page: Words) -> Readouts:
    """What the cache keeps, how exact it is, and what is projected with and without it."""
    items = (
        Item(label=page["per_token"], column="per token", help=page["per_token_help"], digits=7),
        Item(label=page["kept"], column="kept", digits=7),
        Item(label=page["decode_residual"], column="residual", log=True, lost=False, help=page["decode_help"]),
        Item(label=page["projected"], column="projected", help=page["projected_help"]),
        Item(label=page["projected_again"], column="projected again", digits=7),
    )
    return Readouts(name="cache_readouts", box=LEFT, film="cache", items=items)


def _curves(n: int, page: Words) -> list[Plot]:
    """The cache, and its residual, as the sentence grows."""
    curves = partial(Curves, box=BELOW, film="cache", along="step")
    kept = tuple(
        Line(column="kept", hue=HUES[key_heads], name=label(key_heads), fixed={"key_heads": index})
        for index, key_heads in enumerate(KEY_HEADS)
    )
    most = float(elements_per_token(N_HEAD, D_HEAD) * n)
    return [
        curves(name="growth", low=0.0, high=most, title=page["growth"], ends=True, lines=kept),
        curves(
            name="decode",
            low=-17.0,
            high=0.0,
            logs=True,
            title=page["decode_residual"],
            note=page["decode_note"],
            lines=(Line(column="residual", hue="q"),),
        ),
    ]
