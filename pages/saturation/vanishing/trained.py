"""The trained model under strain: an atlas of its heads over input scale, and what its output keeps."""

import math
from collections.abc import Generator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import streamlit as st
import torch

from attention_core.models import Model, Settings, Tokens
from attention_core.models.strain import HEAD_MEASURES, Strain, strain
from ui.components.canvas import Pick
from ui.components.lab import Controls, Curves, Film, Item, Line, Map, Plot, Positions, Readouts, Slider, lab
from ui.compute import room
from ui.controls import Choice, focus, model_label, set_focus, switch
from ui.errors import fragment
from ui.layout import take_away, trust_line
from ui.link import put, recall, remember
from ui.numbers import significant
from ui.session import SCRATCH
from ui.snippets import imports, rebuilt
from ui.text import Words, words
from ui.waiting import awaited

SCALES = tuple(float(f"{2 ** (k / 3):.4g}") for k in range(-9, 13))  # ⅛ … 16, three to an octave
RULES = ("as_built", "none")
LOSSES = ("direction", "token")
HUES = {"as_built": "q", "none": "k"}
LOW = -9.0  # powers of ten on the axis of gains
AXES = ("rule", "scale")
CURVES = (("log_gain", True, LOW, 0.0), ("dead", False, 0.0, 1.0), ("peak", False, 0.0, 1.0))
CURVES += (("log_d_W_Q", True, -6.0, 3.0), ("log_d_scores", True, -6.0, 2.0))


def section(choice: Choice, page: Words) -> None:
    """Choose where the strain acts, and the loss; the rest follows the sliders."""
    st.markdown(page["strained.intro"])
    with st.container(horizontal=True, vertical_alignment="bottom"):
        where = switch("strain_where", ("all", "here"), page["strained.where"], lambda name: page.format(
            f"strained.{name}", number=choice.layer + 1))  # fmt: skip
        target = choose_loss(choice, page)
    if choice.study.model == SCRATCH:
        st.info(page["strained.unsupported"], icon=":material/info:")
        return
    atlas(choice, None if where == "all" else (choice.layer,), target, page)


def choose_loss(choice: Choice, page: Words) -> int | None:
    """None for the random direction, else the token that every token should name: the key in focus."""
    if choice.study.model == SCRATCH:
        return None
    if choice.model.word_embeddings(choice.tokens).shape[-1] != choice.run().output.shape[-1]:
        return None  # embeddings of another width cannot read the output
    loss = switch("loss", LOSSES, page["loss"], lambda name: page[f"losses.{name}"], page["strained.loss_help"])
    if loss == "direction":
        return None
    n = len(choice.tokens)
    query, key = focus(n, n)
    st.session_state["strain_target"] = key
    return st.selectbox(
        page["strained.target"],
        range(n),
        format_func=lambda index: f"{index + 1}: {choice.tokens.strings[index]}",
        key="strain_target",
        on_change=lambda: set_focus(query, st.session_state["strain_target"]),
        width=220,
    )


def stops(settings: Settings, layers: tuple[int, ...] | None) -> tuple[Settings, ...]:
    """Every rule and, within it, every input scale; all else as the reader set it."""
    return tuple(
        replace(settings, scaling="none" if rule == "none" else settings.scaling, input_scale=scale, layers=layers)
        for rule in RULES
        for scale in SCALES
    )


def strains(
    model: Model, tokens: Tokens, wanted: tuple[Settings, ...], target: int | None
) -> Generator[float, None, tuple[Strain, ...]]:
    """The model on the sentence at every stop, under this loss, one stop a piece."""
    stops = []
    for stop in strain(model, tokens, wanted, target):
        stops.append(stop)
        yield len(stops) / len(wanted)
    return tuple(stops)


@fragment
def atlas(choice: Choice, layers: tuple[int, ...] | None, target: int | None, page: Words) -> None:
    """Every stop is one forward and one backward pass; they are kept, so this is slow once."""
    wanted, model, tokens = stops(choice.study.settings, layers), choice.model, choice.tokens
    question = ("strains", choice.study.model, choice.study.sizes, choice.study.text, wanted, target)
    found = awaited(
        question, lambda: strains(model, tokens, wanted, target), topic="strain", what=page["strained.working"]
    )
    if found is None:
        return
    lab(
        plots(choice, found, page),
        key="strained",
        sliders=sliders(choice, page),
        films=films(choice, found),
        words=words("canvas"),
        summary=page["summary"],
        on_move=moved,
        on_pick=picked,
    )
    with st.container(horizontal=True, vertical_alignment="center"):
        trust_line(model=model_label(choice.study.model), dtype="float32", device="cpu")
        take_away(
            "strained",
            arrays=lambda: taken(tokens, room().result(question, lambda: strains(model, tokens, wanted, target))),
            snippet=snippet(choice, wanted, target),
        )


def taken(tokens: Tokens, strains: Sequence[Strain]) -> dict[str, np.ndarray]:
    """Every measure of every head at every stop, to take away."""
    heads = torch.stack([one.heads for one in strains]).unflatten(0, (len(RULES), len(SCALES)))
    return {
        "tokens": np.array(tokens.strings),
        "rules": np.array(RULES),
        **{name: heads[:, :, index].numpy() for index, name in enumerate(HEAD_MEASURES)},
        "cosine": np.reshape([one.cosine for one in strains], (len(RULES), len(SCALES))),
        "input_scale": np.array(SCALES),
    }


def snippet(choice: Choice, wanted: tuple[Settings, ...], target: int | None) -> str:
    """A script that prints the numbers of the head in focus at every stop."""
    rules = tuple(wanted[len(SCALES) * index].scaling for index in range(len(RULES)))
    return f"""# In the folder of Headlight: PYTHONPATH=. .venv/bin/python the_name_of_this_file.py
from dataclasses import replace

from attention_core.models import {imports(choice.study)}
from attention_core.models.strain import HEAD_MEASURES, strain

{rebuilt(choice.study)}
tokens = model.tokenize({choice.study.text!a})
settings = {wanted[0]!r}
stops = [
    replace(settings, scaling=scaling, input_scale=scale)
    for scaling in {rules!r}
    for scale in {SCALES!r}
]
for stop, found in zip(stops, strain(model, tokens, stops, target={target})):
    numbers = found.heads[:, {choice.layer}, {choice.head}].tolist()
    print(stop.scaling, stop.input_scale, dict(zip(HEAD_MEASURES, numbers)), "cosine", found.cosine)
"""


def moved(at: Positions) -> None:
    """A released slider: its value goes into the link."""
    remember("strain", significant(SCALES[at["scale"]]))
    remember("strain_rule", RULES[at["rule"]])


def picked(pick: Pick) -> None:
    """A click on an atlas chooses the layer and the head, on every page."""
    put(layer=pick.row, head=pick.col)
    st.rerun()  # their widgets stand outside the fragment of the atlas


def rules(choice: Choice, page: Words) -> tuple[str, ...]:
    """What the two rules are called: the first by the name of what the reader chose instead of the model's own."""
    chosen = choice.study.settings.scaling
    first = page["strained.as_built"] if chosen == "model" else words("controls")[f"scalings.{chosen}"]
    return first, page["strained.none"]


def sliders(choice: Choice, page: Words) -> list[Slider]:
    """Input scale and rule."""
    readings = tuple(significant(scale, 3) for scale in SCALES)
    kept, rule = recall("strain", "1"), recall("strain_rule", RULES[0])
    at = next((i for i, scale in enumerate(SCALES) if significant(scale) == kept), SCALES.index(1.0))
    return [
        Slider(
            name="scale",
            label=page["strained.scale"],
            readings=readings,
            at=at,
            ticks=tuple((i, readings[i]) for i in range(0, len(SCALES), 3)),
            help=page["strained.scale_help"],
        ),
        Slider(
            name="rule",
            label=page["strained.rule"],
            readings=rules(choice, page),
            at=RULES.index(rule) if rule in RULES else 0,
            kind="switch",
        ),
    ]


def films(choice: Choice, found: Sequence[Strain]) -> list[Film]:
    """Every measure of every head, those of the head in focus, and the cosine of the output."""
    heads = torch.stack([one.heads for one in found]).unflatten(0, (len(RULES), len(SCALES)))
    cosine = torch.tensor([one.cosine for one in found]).reshape(len(RULES), len(SCALES), 1)
    return [
        Film("gain", _shown(heads, "log_gain"), AXES),
        Film("peak", _shown(heads, "peak"), AXES),
        Film("head", heads[:, :, :, choice.layer, choice.head].numpy(), AXES),
        Film("first", first_dead(heads), ("rule",)),
        Film("cosine", cosine.numpy(), AXES),
    ]


def first_dead(heads: torch.Tensor) -> np.ndarray:
    """(rule, layer · head): log₂ of the first scale from 1 on at which half of the rows are dead; NaN where none is."""
    dead = heads[:, :, HEAD_MEASURES.index("dead")] >= 0.5
    from_one = torch.arange(len(SCALES))[:, None, None] >= SCALES.index(1.0)
    dead = dead & from_one
    first = dead.to(torch.uint8).argmax(dim=1)
    found = torch.tensor(SCALES).log2()[first].masked_fill(~dead.any(dim=1), math.nan)
    return found.flatten(1).numpy()


def _shown(heads: torch.Tensor, name: str) -> np.ndarray:
    return heads[:, :, HEAD_MEASURES.index(name)].flatten(2).numpy()


def plots(choice: Choice, found: Sequence[Strain], page: Words) -> list[Plot]:
    """The atlases beside their slider, then the curves of the head in focus."""
    rows, cols = found[0].heads.shape[1:]
    layers, heads = (tuple(str(index + 1) for index in range(size)) for size in (rows, cols))
    shape: dict[str, Any] = {"rows": rows, "cols": cols, "names": layers, "col_names": heads}
    shape["says"] = page["strained.cell"]
    title = page.data("strained.head", layer=choice.layer + 1, head=choice.head + 1)
    made: list[Plot] = [
        Controls(name="controls", stack="left", span=3, sliders=("scale", "rule")),
        Readouts(
            name="head",
            stack="left",
            title=title,
            film="head",
            items=tuple(
                Item(
                    label=page[f"measure.{name}"], start=index, log=name.startswith("log_"),
                    unit=page.get(f"unit.{name}", ""), help=page[f"help.{name}"],
                )
                for index, name in enumerate(HEAD_MEASURES)
            ),
        ),
        Map(
            name="gain", span=5, height=300, film="gain", scale="positive", low=LOW, high=0.0,
            value="log10", missing=page["strained.unread"],
            title=page["strained.atlas"], note=page["strained.atlas_note"], **shape,
        ),
        Map(
            name="peak", span=4, height=300, film="peak", title=page["strained.peak_atlas"],
            missing=page["strained.absent"], note=page["strained.peak_note"], **shape,
        ),
        Map(
            name="first", span=4, height=250, film="first", scale="positive", low=4.0, high=0.0,
            value="log2", missing=page["strained.never"],
            title=page["strained.first"], note=page["strained.first_note"], **shape,
        ),
        Curves(
            name="cosine", span=4, height=250, film="cosine", along="scale", low=0.0, high=1.0,
            title=page["strained.output"], note=page["strained.output_note"], lines=_lines(0, rules(choice, page)),
        ),
    ]  # fmt: skip
    for name, logs, low, high in CURVES:
        made.append(
            Curves(
                name=f"curve_{name}", span=4, height=220, film="head", along="scale", low=low, high=high, logs=logs,
                title=page[f"measure.{name}"], note=title,
                lines=_lines(HEAD_MEASURES.index(name)),
            )
        )  # fmt: skip
    return made


def _lines(start: int, named: tuple[str, ...] = ("", "")) -> tuple[Line, ...]:
    return tuple(
        Line(start=start, hue=HUES[rule], name=name, fixed={"rule": index})
        for index, (rule, name) in enumerate(zip(RULES, named, strict=True))
    )
