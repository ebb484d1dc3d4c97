"""What seven kinds of layer cost, over width, kernel and length → films, pictures, a table. Pure."""

import math
from dataclasses import dataclass
from functools import reduce

import numpy as np
from torch import nn

from attention_core.costs import LAYERS
from ui.components.lab import Controls, Curves, Film, Item, Line, Plot, Readouts, Slider
from ui.numbers import whole
from ui.text import Words

WIDTHS = (8, 16, 32, 64, 128, 256, 512, 1024)
KERNELS = (1, 3, 5, 7, 9, 15, 31)
LENGTHS = (2, 5, 10, 20, 50, 100, 200, 500, 1000)
HUES = dict(zip(LAYERS, ("q", "k", "k", "k", "k", "v", "ink"), strict=True))
PALE = ("gru", "bilstm")
KINDS = ("parameters", "multiplications", "depth", "path")
ENDS = {"parameters": (1.0, 12.0), "multiplications": (2.0, 12.0), "depth": (0.0, 3.0), "path": (0.0, 3.0)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where the sliders stand, as indices."""

    d: int
    kernel: int
    length: int

    def sizes(self) -> tuple[int, int, int]:
        """d, k, n."""
        return WIDTHS[self.d], KERNELS[self.kernel], LENGTHS[self.length]


def sliders(here: Place, page: Words) -> list[Slider]:
    """d, k and n."""
    rows = (("d", WIDTHS, here.d), ("kernel", KERNELS, here.kernel), ("length", LENGTHS, here.length))
    return [
        Slider(
            name=name, label=page[f"cost.{name}"], readings=tuple(map(str, stops)), at=at,
            ticks=tuple((i, str(stop)) for i, stop in enumerate(stops)), help=page[f"cost.{name}_help"],
        )
        for name, stops, at in rows
    ]  # fmt: skip


def films() -> list[Film]:
    """Counts, and their logarithms, at every stop of the three sliders."""
    made = []
    for kind in KINDS:
        counts = np.array(
            [
                [[[getattr(layer, kind)(d, k, n) for layer in LAYERS.values()] for n in LENGTHS] for k in KERNELS]
                for d in WIDTHS
            ],
            dtype=np.float64,
        )
        with np.errstate(divide="ignore"):
            logs = np.where(np.isinf(counts), np.nan, np.log10(counts))
        made += [Film(kind, counts, ("d", "kernel", "length")), Film(f"log_{kind}", logs, ("d", "kernel", "length"))]
    return made


def plots(page: Words) -> list[Plot]:
    """Read-outs of all layers; then parameters over d, over n, multiplications, depth and path over n."""

    def curves(kind: str, along: str, span: int) -> Curves:
        low, high = ENDS[kind]
        return Curves(
            name=f"{kind}_{along}", span=span, height=290, film=f"log_{kind}", along=along, logs=True, low=low,
            high=high, ends=True, title=page[f"cost.{kind}"], note=page[f"cost.{kind}_note"],
            lines=tuple(
                Line(start=index, hue=HUES[name], name=page[f"layer.{name}"], pale=name in PALE,
                     dash=name in ("lstm", "bilstm"))
                for index, name in enumerate(LAYERS)
            ),
        )  # fmt: skip

    return [
        Controls(name="cost_controls", stack="left", span=3, sliders=("d", "kernel", "length")),
        Readouts(
            name="cost_readouts", stack="left", film="parameters", title=page["cost.parameters"],
            items=tuple(
                Item(label=page[f"layer.{name}"], start=index, digits=7, help=layer.torch)
                for index, (name, layer) in enumerate(LAYERS.items())
            ),
        ),
        curves("parameters", "d", 5),
        curves("parameters", "length", 4),
        curves("multiplications", "length", 4),
        curves("depth", "length", 4),
        curves("path", "length", 4),
    ]  # fmt: skip


def modules(d: int, k: int, n: int) -> dict[str, nn.Module]:
    """torch's own layers, without memory for their numbers."""
    return {
        "attention": nn.MultiheadAttention(d, 1, device="meta"),
        "rnn": nn.RNN(d, d, device="meta"),
        "gru": nn.GRU(d, d, device="meta"),
        "lstm": nn.LSTM(d, d, device="meta"),
        "bilstm": nn.LSTM(d, d, bidirectional=True, device="meta"),
        "conv": nn.Conv1d(d, d, k, device="meta"),
        "linear": nn.Linear(n * d, n * d, device="meta"),
    }


def torch_residual(d: int, k: int, n: int) -> float:
    """The largest difference from the number of parameters that torch's modules have."""
    ours = {name: layer.parameters(d, k, n) for name, layer in LAYERS.items()}
    theirs = {name: sum(p.numel() for p in module.parameters()) for name, module in modules(d, k, n).items()}
    return float(max(abs(int(ours[name]) - theirs[name]) for name in LAYERS))


def table(here: Place, page: Words) -> str:
    """Every layer with its formula and its exact numbers, as Markdown."""
    d, k, n = here.sizes()
    head = "| " + " | ".join(page[f"cost.{name}"] for name in ("layer", "formula", *KINDS)) + " |"
    rows = [head, "|---|---|" + "---:|" * len(KINDS)]
    for name, layer in LAYERS.items():
        counts = " | ".join(exactly(getattr(layer, kind)(d, k, n)) for kind in KINDS)
        rows.append(f"| {page[f'layer.{name}']} | ${layer.formula}$ | {counts} |")
    return "\n".join(rows)


def exactly(count: int | float) -> str:
    """All digits, in groups of three."""
    return "∞" if math.isinf(count) else whole(count)


def claim(here: Place, page: Words) -> str:
    """Which recurrent and convolutional layers have fewer parameters than attention at this place."""
    d, k, n = here.sizes()
    count = {name: layer.parameters(d, k, n) for name, layer in LAYERS.items()}

    def named(smaller: bool) -> str:
        chosen = [name for name in LAYERS if name != "attention" and (count[name] < count["attention"]) == smaller]
        found = [f"{page[f'layer.{name}']} ({exactly(count[name])})" for name in chosen]
        return reduce(lambda first, second: page["list"].format(first=first, second=second), found) if found else "–"

    head = page["claim"].format(attention=exactly(count["attention"]), d=d, k=k, n=n)
    return f"{head} {page['claim_more'].format(names=named(False))} {page['claim_fewer'].format(names=named(True))}"


def arrays() -> dict[str, np.ndarray]:
    """Every count at every stop: axes d, k, n, layer."""
    stops = {"layers": np.array(LAYERS), "d": np.array(WIDTHS), "k": np.array(KERNELS), "n": np.array(LENGTHS)}
    return stops | {film.name: film.values for film in films() if not film.name.startswith("log_")}


def snippet(here: Place) -> str:
    """A script that counts the parameters of torch's modules."""
    d, k, n = here.sizes()
    return f"""import torch
from torch import nn

d, k, n = {d}, {k}, {n}
with torch.device("meta"):  # counted, not allocated
    layers = {{
        "attention": nn.MultiheadAttention(d, 1),
        "rnn": nn.RNN(d, d),
        "gru": nn.GRU(d, d),
        "lstm": nn.LSTM(d, d),
        "bilstm": nn.LSTM(d, d, bidirectional=True),
        "conv": nn.Conv1d(d, d, k),
        "linear": nn.Linear(n * d, n * d),
    }}
for name, layer in layers.items():
    print(name, sum(p.numel() for p in layer.parameters()))
"""
