"""Causal and window masks on the sentence: who is heard, through how many layers, and what a suffix changes. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F

from attention_core.hearing import MASK_KINDS, heard_through, mask, pairs, prefix_change
from attention_core.multihead import project
from attention_core.shuffling import self_attention
from pages.mechanisms.order.reading import Reading, apart, every, log10
from ui.components.lab import Bars, Controls, Curves, Film, Item, Line, Map, Plot, Readouts, Slider
from ui.text import Words

RADII = (0, 1, 2, 3, 4, 6, 8, 12, 16)
LAYERS = 6
HUES = dict(zip(MASK_KINDS, ("ink", "k", "q", "v"), strict=True))
WITH_RADIUS = ("window", "causal_window")


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where the sliders stand, as indices, and the head."""

    mask: int
    radius: int
    layers: int
    prefix: int
    head: int


def radii(n: int) -> tuple[int, ...]:
    """The half-widths a sentence of n tokens can tell apart."""
    return tuple(radius for radius in RADII if radius < n)


def prefixes(n: int) -> tuple[int, ...]:
    """How many tokens are read alone: at most eight of 1 … n − 1."""
    return tuple(place + 1 for place in every(n - 1, 8))


def sliders(n: int, here: Place, page: Words) -> list[Slider]:
    """The mask, its half-width, the number of layers, and how much of the sentence is read alone."""

    def slider(name: str, readings: Sequence[int], at: int) -> Slider:
        ticks = tuple((i, str(readings[i])) for i in every(len(readings), 5))
        return Slider(
            name=name, label=page[name], readings=tuple(map(str, readings)), at=at, ticks=ticks,
            help=page[f"{name}_help"],
        )  # fmt: skip

    return [
        Slider(
            name="mask", label=page["mask"], readings=tuple(page[f"masks.{kind}"] for kind in MASK_KINDS), at=here.mask,
            kind="switch",
        ),
        slider("radius", radii(n), here.radius),
        slider("layers", range(1, LAYERS + 1), here.layers),
        slider("prefix", prefixes(n), here.prefix),
    ]  # fmt: skip


def films(reading: Reading, head: int) -> list[Film]:
    """Weights under every mask; who reaches whom; what the rest of the sentence does to the tokens before it."""
    wide = radii(len(reading.tokens))
    kept: list[list[torch.Tensor]] = [[] for _ in range(6)]
    for kind in MASK_KINDS:
        stops = wide if kind in WITH_RADIUS else wide[:1]  # the half-width means nothing to the others
        made = [_stop(reading, kind, radius, head) for radius in stops]
        for each, found in zip(kept, zip(*made, strict=True), strict=True):
            each.append(torch.stack(found).expand(len(wide), *found[0].shape))
    weights, reached, counts, shares, changes, worst = (torch.stack(each).numpy() for each in kept)
    return [
        Film("weights", weights, ("mask", "radius")),
        Film("reached", reached.astype(np.uint8), ("mask", "radius", "layers"), codes=1),
        Film("counts", counts, ("mask", "radius")),
        Film("shares", shares[..., None], ("mask", "radius", "layers")),
        Film("changes", changes, ("mask", "radius", "prefix")),
        Film("worst", worst, ("mask", "radius", "prefix")),
    ]


def _stop(reading: Reading, kind: str, radius: int, head: int) -> tuple[torch.Tensor, ...]:
    n = len(reading.tokens)
    allowed = mask(kind, n, radius)
    whole = self_attention(reading.x, reading.layer, allowed=allowed)
    weights, reached = whole.weights[head], heard_through(allowed, LAYERS)
    # All later words become other words: the first ones again, from the last to the first.
    others = torch.stack([torch.cat((reading.x[:m], reading.x[torch.arange(n - m) % m].flip(0))) for m in prefixes(n)])
    replaced = (self_attention(others, reading.layer, allowed=allowed).context - whole.context).abs()
    changes, worst = [], []
    for index, length in enumerate(prefixes(n)):
        appended = prefix_change(reading.x, reading.layer, kind, radius, length, whole.context)
        changes.append(torch.cat((appended, torch.full((n - length,), torch.nan))))
        worst.append(torch.stack((log10(appended.max()), log10(replaced[index, :, :length].max()))))
    counts = torch.tensor([float(allowed.sum()), float(pairs(kind, n, radius)), float(allowed.sum()) / n**2])
    return (
        weights.masked_fill(~allowed, torch.nan),
        reached,
        counts,
        reached.mean(dim=(1, 2)),
        torch.stack(changes),
        torch.stack(worst),
    )


def plots(tokens: Sequence[str], page: Words) -> list[Plot]:
    """The weights, who is reached, what a suffix changes; then the same over half-width, layers and prefix."""
    n, names = len(tokens), tuple(tokens)
    size = {"rows": n, "cols": n, "names": names}

    def lines(start: int) -> tuple[Line, ...]:
        return tuple(
            Line(start=start, hue=HUES[kind], name=page[f"masks.{kind}"], fixed={"mask": index})
            for index, kind in enumerate(MASK_KINDS)
        )

    return [
        Controls(name="mask_controls", stack="left", span=3, sliders=("mask", "radius", "layers", "prefix")),
        Readouts(
            name="mask_readouts", stack="left", film="counts",
            items=(
                Item(label=page["pairs"], start=0, unit=page.data("of", count=n * n)),
                Item(label=page["pairs_formula"], start=1, help=page["pairs_help"]),
            ),
        ),
        Readouts(
            name="prefix_readouts", stack="left", film="worst", title=page["prefix_title"],
            items=(
                Item(label=page["appended"], start=0, log=True, lost=False, help=page["appended_help"]),
                Item(label=page["replaced"], start=1, log=True, lost=False, help=page["replaced_help"]),
            ),
        ),
        Map(
            name="masked", span=3, height=350, film="weights", title=page["masked"], note=page["axes"], hatched=True,
            **size,
        ),
        Map(name="reached", span=3, height=350, film="reached", title=page["reached"], note=page["axes"], **size),
        Bars(
            name="changes", span=3, height=350, film="changes", count=n, names=names, hue="v", fit=True,
            title=page["changes"], note=page["changes_note"],
        ),
        Curves(
            name="pair_counts", span=4, height=230, film="counts", along="radius", low=0.0, high=1.0,
            title=page["pair_share"], lines=lines(2), ends=True,
        ),
        Curves(
            name="reach_shares", span=4, height=230, film="shares", along="layers", low=0.0, high=1.0,
            title=page["reach_share"], lines=lines(0), ends=True,
        ),
        Curves(
            name="prefix_changes", span=4, height=230, film="worst", along="prefix", low=-17.0, high=1.0, logs=True,
            title=page["prefix_curve"], lines=lines(0), ends=True,
        ),
    ]  # fmt: skip


def sdpa_residual(reading: Reading, kind: str, radius: int) -> float:
    """How far all heads under this mask lie from torch's own attention."""
    W = reading.layer
    assert W.W_Q is not None and W.W_K is not None and W.W_V is not None
    allowed = mask(kind, len(reading.x), radius)
    q, k, v = (project(reading.x, each) for each in (W.W_Q, W.W_K, W.W_V))
    theirs = F.scaled_dot_product_attention(q, k, v, attn_mask=allowed)
    return apart(self_attention(reading.x, W, allowed=allowed).context, theirs)


def arrays(reading: Reading, kind: str, radius: int) -> dict[str, np.ndarray]:
    """The mask, the weights of all heads, who reaches whom."""
    allowed = mask(kind, len(reading.x), radius)
    return {
        "tokens": np.array(reading.tokens),
        "allowed": allowed.numpy(),
        "weights": self_attention(reading.x, reading.layer, allowed=allowed).weights.numpy(),
        "reached": heard_through(allowed, LAYERS).numpy(),
    }


def snippet(reading: Reading, kind: str, radius: int, length: int) -> str:
    """A script that prints how many pairs are allowed and reached, and what the suffix changes."""
    return f"""{reading.script()}
from attention_core.hearing import heard_through, mask, pairs, prefix_change

kind, radius, length = {kind!r}, {radius}, {length}
allowed = mask(kind, len(x), radius)
print("allowed", int(allowed.sum()), "formula", pairs(kind, len(x), radius))
print("reached", *(int(layer.sum()) for layer in heard_through(allowed, {LAYERS})))
print("suffix changes", float(prefix_change(x, layer, kind, radius, length).max()))
"""
