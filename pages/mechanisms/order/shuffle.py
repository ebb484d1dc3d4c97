"""The sentence and its shuffled twin, without and with positions → films and pictures. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

from attention_core.multihead import project
from attention_core.positions import alibi_bias, alibi_slopes, rope
from attention_core.shuffling import (
    SCHEMES,
    Shuffled,
    added_scores,
    placed,
    rope_scores,
    self_attention,
    shuffled,
    sinusoidal_similarity,
    swaps,
)
from pages.mechanisms.order.reading import D_HEAD, D_MODEL, N_HEAD, Reading, apart, log10
from ui.components.lab import Controls, Curves, Film, Item, Line, Map, Plot, Readouts, Slider
from ui.text import Words

SWAPS = 6
STOPS = (*map(str, range(SWAPS + 1)), "reversed")
HUES = dict(zip(SCHEMES, ("ink", "q", "k", "v"), strict=True))
MOVED = 0.01  # a weight that changed by more than this has moved
PLACES = (0, 1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 144, 233, 400)
OFFSETS = tuple(range(64))
FLOOR, CEILING = -17.0, 1.0  # powers of ten on the axis of residuals


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where the sliders stand, as indices; the head, the seed of the swaps, and the pair of tokens in focus."""

    scheme: int
    swaps: int
    head: int
    seed: int
    query: int
    key: int
    place: int = 0
    offset: int = 0


def orders(n: int, seed: int) -> Int[Tensor, "stops n"]:
    """As written, after 1 … SWAPS swaps, and reversed: one row per stop of the slider."""
    return torch.cat((swaps(n, SWAPS, seed), torch.arange(n).flip(0)[None]))


def results(reading: Reading, seed: int) -> dict[str, Shuffled]:
    """Every scheme of positions, every order."""
    wanted = orders(len(reading.tokens), seed)
    return {scheme: shuffled(reading.x, reading.layer, scheme, wanted) for scheme in SCHEMES}


def sliders(here: Place, page: Words) -> list[Slider]:
    """Which positions, and how often two words change places."""
    return [
        Slider(
            name="scheme", label=page["scheme"], readings=tuple(page[f"schemes.{scheme}"] for scheme in SCHEMES),
            at=here.scheme, kind="switch", help=page["scheme_help"],
        ),
        Slider(
            name="swaps", label=page["swaps"], readings=(*STOPS[:-1], page["reversed"]), at=here.swaps,
            ticks=(*((i, str(i)) for i in range(0, SWAPS + 1, 2)), (SWAPS + 1, page["reversed"])),
            help=page["swaps_help"],
        ),
    ]  # fmt: skip


def films(found: dict[str, Shuffled], here: Place) -> list[Film]:
    """Maps of one head; residuals over all heads."""
    own, moved, back = (
        torch.stack([getattr(each, name)[..., here.head, :, :] for each in found.values()])
        for name in ("weights", "moved", "back")
    )
    change = back - own[:, None]
    everywhere = torch.stack([(each.back - each.weights).abs().amax(dim=(1, 2, 3)) for each in found.values()])
    numbers = torch.stack(
        (
            log10(torch.stack([each.residual for each in found.values()])),
            log10(everywhere),
            (change.abs() > MOVED).double().sum(dim=(-2, -1)),
            change.abs().amax(dim=(-2, -1)),
        ),
        dim=-1,
    )
    return [
        Film("own", own.numpy(), ("scheme",)),
        Film("moved", moved.numpy(), ("scheme", "swaps")),
        Film("back", back.numpy(), ("scheme", "swaps")),
        Film("change", change.numpy(), ("scheme", "swaps")),
        Film("order", orders(own.shape[-1], here.seed).numpy(), ("swaps",)),
        Film("numbers", numbers.numpy(), ("scheme", "swaps")),
    ]


def plots(tokens: Sequence[str], here: Place, page: Words) -> list[Plot]:
    """The sentence, the shuffled one, the shuffled one put back; then what is left of the difference."""
    n, names = len(tokens), tuple(tokens)
    size = {"rows": n, "cols": n, "names": names}
    lines = tuple(
        Line(start=0, hue=HUES[scheme], name=page[f"schemes.{scheme}"], fixed={"scheme": index})
        for index, scheme in enumerate(SCHEMES)
    )
    return [
        Controls(name="controls", stack="left", span=3, sliders=("scheme", "swaps")),
        Readouts(
            name="readouts", stack="left", film="numbers", title=page["readouts"],
            items=(
                Item(label=page["residual"], start=0, log=True, lost=False, help=page["residual_help"]),
                Item(label=page["weights_residual"], start=1, log=True, lost=False, help=page["weights_residual_help"]),
                Item(label=page.data("moved_weights", least=MOVED), start=2, unit=page.data("of", count=n * n)),
                Item(label=page["largest"], start=3),
            ),
        ),
        Map(
            name="own", span=3, height=292, film="own", title=page["own"], note=page["axes"], marked=here.query,
            **size,
        ),
        Map(
            name="moved", span=3, height=292, film="moved", title=page["moved"], note=page["axes"], order="order",
            **size,
        ),
        Map(name="back", span=3, height=292, film="back", title=page["back"], note=page["axes"], **size),
        Map(
            name="change", span=4, height=330, film="change", title=page["change"], note=page["change_note"],
            scale="signed", low=-0.5, high=0.5, root=True, **size,
        ),
        Curves(
            name="residuals", span=4, height=330, film="numbers", along="swaps", logs=True, low=FLOOR, high=CEILING,
            title=page["residuals"], note=page["residuals_note"], lines=lines, ends=True,
        ),
        Curves(
            name="moves", span=4, height=330, film="numbers", along="swaps", low=0.0, high=1.0,
            title=page["moves"], note=page["moves_note"], ends=True,
            lines=tuple(Line(start=3, hue=line.hue, name=line.name, fixed=line.fixed) for line in lines),
        ),
    ]  # fmt: skip


# --- what a place is worth ---


def offset_sliders(here: Place, page: Words) -> list[Slider]:
    """The place p of the query and how many places later the key stands."""
    return [
        Slider(
            name="place", label=page["place"], readings=tuple(str(place + 1) for place in PLACES), at=here.place,
            ticks=tuple((i, str(PLACES[i] + 1)) for i in (0, 4, 7, 10, 13)), help=page["place_help"],
        ),
        Slider(
            name="offset", label=page["offset"], readings=tuple(map(str, OFFSETS)), at=here.offset,
            ticks=tuple((k, str(k)) for k in range(0, len(OFFSETS), 9)), help=page["offset_help"],
        ),
    ]  # fmt: skip


def offset_films(reading: Reading, here: Place) -> list[Film]:
    """Similarity of places, and the score of one pair of tokens wherever it stands."""
    assert reading.layer.W_Q is not None and reading.layer.W_K is not None
    places, offsets = torch.tensor(PLACES), torch.tensor(OFFSETS)
    W_Q, W_K = reading.layer.W_Q[here.head], reading.layer.W_K[here.head]
    asks, answers = reading.x[here.query], reading.x[here.key]
    similar = sinusoidal_similarity(D_MODEL, places, offsets)
    turned = rope_scores(asks @ W_Q, answers @ W_K, places, offsets) * D_HEAD**-0.5
    added = added_scores(asks, answers, W_Q, W_K, places, offsets) * D_HEAD**-0.5
    all_of_them = torch.stack((similar, turned, added), dim=-1)
    spread = (all_of_them - all_of_them[:1]).abs().amax(dim=(0, 1))
    slope = float(alibi_slopes(N_HEAD)[here.head])
    bias = (-slope * offsets.double()).expand(len(places), -1)
    shown = torch.cat((all_of_them, bias[..., None], log10(spread).expand(*similar.shape, 3)), dim=-1)
    return [Film("offsets", shown.numpy(), ("place", "offset"))]


def offset_plots(
    shown: Float[np.ndarray, "places offsets numbers"], tokens: Sequence[str], here: Place, page: Words
) -> list[Plot]:
    """Three curves over the distance; drag the place, and see which of them stay."""
    pair = {"asks": tokens[here.query], "answers": tokens[here.key]}
    titles = (page["similarity"], page.data("rope_score", **pair), page.data("added_score", **pair))
    notes = (page["similarity_note"], page["rope_note"], page["added_note"])
    pictures = [
        Curves(
            name=name, span=3, height=260, film="offsets", along="offset", title=title, note=note,
            low=float(np.floor(shown[..., column].min())), high=float(np.ceil(shown[..., column].max())),
            lines=(Line(start=column, hue=hue),),
        )
        for column, (name, title, note, hue) in enumerate(
            zip(("similarity", "rope", "added"), titles, notes, ("q", "k", "q"), strict=True)
        )
    ]  # fmt: skip
    items = [
        Item(label=page[f"offset_item.{name}"], start=start, log=log, help=page[f"offset_help_of.{name}"])
        for start, (name, log) in enumerate(
            (("similarity", False), ("rope", False), ("added", False), ("alibi", False))
        )
    ] + [
        Item(label=page[f"offset_item.{name}_spread"], start=4 + i, log=True, lost=False, help=page["spread_help"])
        for i, name in enumerate(("similarity", "rope", "added"))
    ]
    return [
        Controls(name="offset_controls", stack="left", span=3, sliders=("place", "offset")),
        Readouts(name="offset_readouts", stack="left", film="offsets", items=tuple(items)),
        *pictures,
    ]


# --- proof ---


def sdpa_residual(reading: Reading) -> float:
    """How far the contexts of all schemes and heads lie from torch's own attention."""
    worst = 0.0
    assert reading.layer.W_Q is not None and reading.layer.W_K is not None and reading.layer.W_V is not None
    for scheme in SCHEMES:
        ours = self_attention(reading.x, reading.layer, scheme).context
        x = placed(reading.x, scheme)
        q, k, v = (project(x, W) for W in (reading.layer.W_Q, reading.layer.W_K, reading.layer.W_V))
        if scheme == "rope":
            q, k = rope(q), rope(k)
        bias = alibi_bias(N_HEAD, len(x), len(x)).double() if scheme == "alibi" else None
        worst = max(worst, apart(ours, F.scaled_dot_product_attention(q, k, v, attn_mask=bias)))
    return worst


def row_sums(found: dict[str, Shuffled]) -> float:
    """max |Σ_j α_ij − 1|."""
    return max(float((each.moved.sum(dim=-1) - 1).abs().max()) for each in found.values())


def arrays(found: dict[str, Shuffled], n: int, seed: int) -> dict[str, np.ndarray]:
    """What the maps show, all heads and orders."""
    made = {"orders": orders(n, seed).numpy()}
    for scheme, each in found.items():
        made |= {f"{scheme}_{name}": getattr(each, name).numpy() for name in ("weights", "moved", "residual")}
    return made


def snippet(reading: Reading, seed: int) -> str:
    """A script that prints the residual of every scheme in every order."""
    return f"""{reading.script()}
from attention_core.shuffling import SCHEMES, output, self_attention, swaps

n = len(x)
print("max |Attn(PX) - P Attn(X)| after 0 to {SWAPS} swaps, then reversed")
orders = torch.cat((swaps(n, {SWAPS}, seed={seed}), torch.arange(n).flip(0)[None]))
for scheme in SCHEMES:
    expected = output(self_attention(x, layer, scheme), layer)[orders]
    found = output(self_attention(x[orders], layer, scheme), layer)
    print(scheme, *(f"{{value:.3e}}" for value in (found - expected).abs().amax(dim=(1, 2))))
"""
