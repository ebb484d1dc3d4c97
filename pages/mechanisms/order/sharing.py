"""Keys and values shared by heads, kept in a cache, read one token at a time → films and pictures. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F

from attention_core.attention import AttentionTrace
from attention_core.kv_cache import decode, elements_per_token, full_pass, groups, latent_elements, shared
from attention_core.multihead import project
from pages.mechanisms.order.reading import D_HEAD, N_HEAD, Reading, apart, every, log10
from ui.components.lab import Bars, Controls, Curves, Film, Item, Line, Map, Plot, Readouts, Slider
from ui.text import Words

KEY_HEADS = (1, 2, 4, 8)
PUBLISHED_HEADS = (1, 2, 4, 8, 16, 32, 64, 128)
PUBLISHED = (128, 128)  # heads and their width in DeepSeek-V2, arXiv:2405.04434, section 3.1.2
LATENT = (512, 64)  # what it keeps instead: the compressed vector, the rotary key
HUES = dict(zip(KEY_HEADS, ("ink", "v", "k", "q"), strict=True))


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where the sliders stand, as indices, and the head."""

    key_heads: int
    step: int
    published: int
    head: int


def label(key_heads: int, page: Words) -> str:
    """MQA, GQA-2, GQA-4, MHA."""
    return "MQA" if key_heads == 1 else "MHA" if key_heads == N_HEAD else f"GQA-{key_heads}"


def sliders(tokens: Sequence[str], here: Place, page: Words) -> list[Slider]:
    """How many key heads, which token is written now, and key heads of a large model."""
    n = len(tokens)
    return [
        Slider(
            name="key_heads", label=page["key_heads"], readings=tuple(f"{g} ({label(g, page)})" for g in KEY_HEADS),
            at=here.key_heads, ticks=tuple((i, str(g)) for i, g in enumerate(KEY_HEADS)), help=page["key_heads_help"],
        ),
        Slider(
            name="step", label=page["step"], readings=tuple(f"{i + 1}: {token}" for i, token in enumerate(tokens)),
            at=here.step, ticks=tuple((i, str(i + 1)) for i in every(n, 8)), help=page["step_help"],
        ),
        Slider(
            name="published", label=page["published"], readings=tuple(map(str, PUBLISHED_HEADS)), at=here.published,
            ticks=tuple((i, str(g)) for i, g in enumerate(PUBLISHED_HEADS)), help=page["published_help"],
        ),
    ]  # fmt: skip


def residuals(steps: Sequence[AttentionTrace], full: AttentionTrace) -> torch.Tensor:
    """Per step: how far its contexts lie from the full pass."""
    return torch.stack([(step.context[:, 0] - full.context[:, t]).abs().max() for t, step in enumerate(steps)])


def films(reading: Reading, head: int) -> list[Film]:
    """Who shares; what each step reads; how far it lies from the full pass; how much is kept."""
    n = len(reading.tokens)
    sharing, rows, numbers, whole = [], [], [], []
    for key_heads in KEY_HEADS:
        layer = shared(reading.layer, key_heads)
        steps, _ = decode(reading.x, layer)
        full = full_pass(reading.x, layer)
        one_hot = F.one_hot(groups(N_HEAD, key_heads), N_HEAD).double()
        one_hot[:, key_heads:] = torch.nan
        sharing.append(one_hot)
        read = (F.pad(step.weights[head, 0], (0, n - t - 1), value=torch.nan) for t, step in enumerate(steps))
        rows.append(torch.stack(list(read)))
        t = torch.arange(1, n + 1).double()
        per_token = elements_per_token(key_heads, D_HEAD)
        # Without a cache step t projects all t tokens again, so t(t + 1)/2 in all.
        numbers.append(
            torch.stack(
                (torch.full((n,), float(per_token)), per_token * t, log10(residuals(steps, full)), t, t * (t + 1) / 2),
                dim=-1,
            )
        )
        whole.append(full.weights[head].masked_fill(torch.ones(n, n, dtype=torch.bool).triu(1), torch.nan))
    elements = [
        [elements_per_token(PUBLISHED[0], PUBLISHED[1]), elements_per_token(g, PUBLISHED[1]),
         elements_per_token(1, PUBLISHED[1]), latent_elements(*LATENT)]
        for g in PUBLISHED_HEADS
    ]  # fmt: skip
    return [
        Film("sharing", torch.stack(sharing).numpy(), ("key_heads",)),
        Film("rows", torch.stack(rows).numpy(), ("key_heads", "step")),
        Film("cache", torch.stack(numbers).numpy(), ("key_heads", "step")),
        Film("whole", torch.stack(whole).numpy(), ("key_heads",)),
        Film("elements", np.array(elements, dtype=np.float64), ("published",)),
    ]


def plots(tokens: Sequence[str], page: Words) -> list[Plot]:
    """Who shares, the full pass, the step that is being written; then how the cache grows, and published sizes."""
    n, names = len(tokens), tuple(tokens)
    heads = tuple(str(head + 1) for head in range(N_HEAD))
    most = float(elements_per_token(N_HEAD, D_HEAD) * n)
    return [
        Controls(name="cache_controls", stack="left", span=3, sliders=("key_heads", "step", "published")),
        Readouts(
            name="cache_readouts", stack="left", film="cache",
            items=(
                Item(label=page["per_token"], start=0, help=page["per_token_help"], digits=7),
                Item(label=page["kept"], start=1, digits=7),
                Item(label=page["decode_residual"], start=2, log=True, lost=False, help=page["decode_help"]),
                Item(label=page["projected"], start=3, help=page["projected_help"]),
                Item(label=page["projected_again"], start=4, digits=7),
            ),
        ),
        Map(
            name="sharing", span=3, height=330, film="sharing", rows=N_HEAD, cols=N_HEAD, names=heads, hatched=True,
            scale="q", low=-1.0, title=page["sharing"], note=page["sharing_note"],
        ),
        Map(
            name="whole", span=3, height=330, film="whole", rows=n, cols=n, names=names, hatched=True,
            title=page["whole"], note=page["axes"],
        ),
        Bars(
            name="rows", span=3, height=330, film="rows", count=n, names=names, hue="q", title=page["row"],
            note=page["row_note"],
        ),
        Curves(
            name="growth", span=4, height=250, film="cache", along="step", low=0.0, high=most, title=page["growth"],
            ends=True,
            lines=tuple(
                Line(start=1, hue=HUES[g], name=label(g, page), fixed={"key_heads": i}) for i, g in enumerate(KEY_HEADS)
            ),
        ),
        Curves(
            name="decode", span=4, height=250, film="cache", along="step", low=-17.0, high=0.0, logs=True,
            title=page["decode_residual"], note=page["decode_note"], lines=(Line(start=2, hue="q"),),
        ),
        Bars(
            name="elements", span=4, height=250, film="elements", count=4, fit=True, digits=5, hue="k",
            names=("MHA", "GQA", "MQA", "MLA"), title=page["elements"], note=page["elements_note"],
        ),
    ]  # fmt: skip


def sdpa_residual(reading: Reading) -> float:
    """All numbers of key heads: how far the full pass lies from torch's own grouped attention."""
    worst = 0.0
    for key_heads in KEY_HEADS:
        layer = shared(reading.layer, key_heads)
        q, k, v = (project(reading.x, W)[None] for W in (layer.W_Q, layer.W_K, layer.W_V))
        theirs = F.scaled_dot_product_attention(q, k, v, is_causal=True, enable_gqa=True)[0]
        worst = max(worst, apart(full_pass(reading.x, layer).context, theirs))
    return worst


def arrays(reading: Reading, key_heads: int) -> dict[str, np.ndarray]:
    """The cache after the last token, and the weights of all heads."""
    layer = shared(reading.layer, key_heads)
    _, cache = decode(reading.x, layer)
    weights = full_pass(reading.x, layer).weights
    found = {"k": cache.k.numpy(), "v": cache.v.numpy(), "weights": weights.numpy()}
    return {"tokens": np.array(reading.tokens), **found}


def snippet(reading: Reading, key_heads: int) -> str:
    """A script that decodes with a cache and compares with the full pass."""
    return f"""{reading.script()}
from attention_core.kv_cache import decode, full_pass, shared

grouped = shared(layer, {key_heads})
steps, cache = decode(x, grouped)
full = full_pass(x, grouped)
print("elements", cache.elements(), "of", len(x), "tokens")
print("decode differs by", max(float((s.context[:, 0] - full.context[:, t]).abs().max()) for t, s in enumerate(steps)))
"""
