"""Whose is "its": a sentence as a trained layer reads it, and the training as films and pictures."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from attention_core.experiments.base import Experiment, Record, stream
from attention_core.experiments.pronoun import (
    ADJECTIVES,
    EXAMPLE,
    FILLERS,
    GLUE,
    NOUNS,
    OPENERS,
    PAD,
    PRONOUNS,
    TRAINED_FILLERS,
    VERBS,
    WORDS,
    Pronoun,
    sentences,
)
from attention_core.models import Settings, Tokens, Trained
from ui.components.lab import Bars, Controls, Film, Heading, Line, Map, Plot, Slider
from ui.compute.runs import Run
from ui.palette import RULE_HUES
from ui.text import Words
from ui.training.history import SIDE, History, Measure, curves, film, fitted, measured, stem_of, step_slider

RULES = ("none", "inverse_sqrt", "inverse")  # QK-norm has no W_Q that gives q, so it could not read a sentence
D_K = (8, 16, 32, 64)
RATES = (1e-3, 3e-3, 1e-2)
MOST_STEPS = 2400
STOPS = 30  # of the scrubber, besides step 0
MATRICES = ("W_Q", "W_K")
VIEWS = ("values", "change")  # of a matrix: as it is, or what training has added to it
HEADS = Pronoun().n_head
MEASURES = (
    Measure(key="loss"),
    Measure(key="accuracy", high=1.0),
    Measure(key="unseen", high=1.0),
    Measure(key="far", high=1.0),
)
PROBE = tuple(EXAMPLE.split())
ASKS, LAW = PROBE.index("its"), PROBE.index("law")
SURVEYED = 200  # fresh sentences on which the shipped layer is measured
VOCABULARY: dict[str, tuple[str, ...]] = {  # key of its words → words
    **{pronoun: tuple(nouns) for pronoun, nouns in NOUNS.items()},
    "pronouns": PRONOUNS,
    "verbs": tuple(VERBS),
    "adjectives": tuple(ADJECTIVES),
    "fillers": (*OPENERS, *FILLERS),
    "glue": tuple(GLUE),
}
EXAMPLES = {  # key of what it shows → sentence
    "law": EXAMPLE,
    "turned": "the king saw the law , but its city should be just .",
    "his": "the law saw the king , but his city should be just .",
    "far": "yesterday the old queen praised the ship slowly then again , but her tower should be great .",
    "two": "the law saw the tree , but its city should be just .",
    "none": "the queen saw the king , but its city should be just .",
}


# --- a sentence ---


Answers = tuple[tuple[str, float], ...]  # at every word: a word, and its probability


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """What a layer makes of a sentence: every weight of every head, and at every word the word it answers with."""

    words: tuple[str, ...]
    weights: Float[Tensor, "h n n"]
    answers: Answers
    rows: float  # max |Σ_j α_ij − 1|
    residual: float  # the largest difference of the heads' outputs from torch's own attention

    @property
    def pronouns(self) -> tuple[int, ...]:
        """Where its, his or her stands."""
        return tuple(place for place, word in enumerate(self.words) if word in PRONOUNS)

    def candidates(self, place: int) -> tuple[str, ...]:
        """The nouns before the pronoun at `place` that it can stand for."""
        return tuple(dict.fromkeys(word for word in self.words[:place] if word in NOUNS[self.words[place]]))


@torch.no_grad()
def read(model: Trained, tokens: Tokens) -> Reading:
    """One sentence through the layer."""
    run = model.run(tokens)
    (layer,) = run.layers
    trace = layer.attention
    torchs = F.scaled_dot_product_attention(trace.q, trace.k, trace.v, scale=layer.factor)
    return Reading(
        words=tokens.strings,
        weights=trace.weights,
        answers=tuple(model.answers(run)),
        rows=float((trace.weights.sum(dim=-1) - 1).abs().max()),
        residual=float((trace.context - torchs).abs().max()),
    )


def alone(model: Trained, tokens: Tokens) -> tuple[Answers, ...]:
    """What the layer answers at every word, head after head, while the other heads hand on nothing."""
    others = [frozenset((0, other) for other in range(HEADS) if other != head) for head in range(HEADS)]
    return tuple(tuple(model.answers(model.run(tokens, Settings(ablated=each)))) for each in others)


def focus(spelling: str, reading: Reading) -> int:
    """The word in focus: the one that is named (from 1), else the first pronoun, else the last word."""
    n = len(reading.words)
    if spelling.isascii() and spelling.isdigit() and len(spelling) < 4 and 1 <= int(spelling) <= n:
        return int(spelling) - 1
    return reading.pronouns[0] if reading.pronouns else n - 1


def untrained(config: Pronoun) -> Trained:
    """The layer before its first step."""
    return Trained(config, config.build())


def finished(run: Run | None) -> dict[str, Trained]:
    """The layers of a run that came to their end, by variant."""
    found: dict[str, Trained] = {}
    for name, config in run.experiments.items() if run else ():
        records = run.records(name) if run else ()
        if isinstance(config, Pronoun) and records and records[-1].state:
            network = config.build()
            network.load_state_dict(dict(records[-1].state))
            found[name] = Trained(config, network)
    return found


def survey(model: Trained) -> tuple[int, Float[Tensor, "pronouns h"]]:
    """On SURVEYED fresh sentences with noun pairs that never met in training: how often the answer is right, and the
    mean weight of every head from each pronoun to the noun it stands for.
    """
    made = sentences(stream(model.config.seed, "survey"), SURVEYED, "unseen", TRAINED_FILLERS)
    right, sums, counts = 0, torch.zeros(len(PRONOUNS), HEADS), torch.zeros(len(PRONOUNS), 1)
    for ids, place, answer in zip(made.tokens, made.pronoun.tolist(), made.answer.tolist(), strict=True):
        kept = tuple(number for number in ids.tolist() if WORDS[number] != PAD)
        found = read(model, Tokens(strings=tuple(WORDS[number] for number in kept), ids=kept))
        right += found.answers[place][0] == WORDS[answer]
        kind = PRONOUNS.index(found.words[place])
        sums[kind] += found.weights[:, place, kept.index(answer)]
        counts[kind] += 1
    return right, sums / counts.clamp(min=1)


def sentence_films(reading: Reading) -> list[Film]:
    """Every weight, head after head."""
    return [Film("weights", reading.weights.flatten().numpy())]


def sentence_plots(reading: Reading, row: int, page: Words) -> list[Plot]:
    """The map of every head, and beside them the row of the word in focus."""
    n, names = len(reading.words), reading.words
    maps: list[Plot] = [
        Map(
            name=f"map_{head}", span=3, height=356, film="weights", start=head * n * n, rows=n, cols=n, names=names,
            marked=row, marked_col=-1, alike="heads", title=page.data("head", number=head + 1),
            note=page["map.note"], says=page["map.says"],
        )
        for head in range(HEADS)
    ]  # fmt: skip
    bars: list[Plot] = [
        Bars(
            name=f"row_{head}", stack="row", span=6, height=170, film="weights", start=head * n * n + row * n, count=n,
            names=names, marked=int(reading.weights[head, row].argmax()), digits=2,
            title=page.data("row", number=head + 1, word=names[row]), note=page["row_note"],
        )
        for head in range(HEADS)
    ]  # fmt: skip
    return [*maps, *bars]


def answer(reading: Reading, row: int, page: Words) -> tuple[str, str]:
    """What the layer says at the word in focus, and what to make of it: Markdown."""
    asked = reading.words[row]
    if asked not in PRONOUNS:
        return page.format("answer.other", word=asked), page["answer.other_note"]
    said, chance = reading.answers[row]
    title = page.format("answer.said", word=asked, answer=said, chance=chance)
    fitting = reading.candidates(row)
    if len(fitting) == 1:
        key = "right" if said == fitting[0] else "wrong"
        return title, page.format(f"answer.{key}", word=asked, noun=fitting[0])
    if fitting:
        return title, page.format("answer.several", word=asked, nouns=", ".join(fitting))
    return title, page.format("answer.none", word=asked)


def heads(reading: Reading, alone: Sequence[Answers], row: int, page: Words) -> str:
    """Where each head looks from a pronoun, what it answers alone, and which carries the answer: Markdown."""
    if row not in reading.pronouns:
        return ""
    said, carry = [], []
    answered, _ = reading.answers[row]
    for head, (weights, answers) in enumerate(zip(reading.weights[:, row], alone, strict=True), start=1):
        word, chance = answers[row]
        most = int(weights.argmax())
        weight = float(f"{weights[most]:.3g}")
        values = {"word": reading.words[most], "weight": weight, "answer": word, "chance": chance}
        said.append(page.format("heads.each", number=head, **values))
        if word == answered:
            carry.append(head)
    key = "none" if not carry else "all" if len(carry) == len(alone) else "some"
    verdict = page.format(f"heads.{key}", number=carry[0] if carry else 0, answer=answered)
    return "  \n".join([*said, verdict])


def extended(text: str, word: str) -> str:
    """The sentence with one more word."""
    return f"{text.rstrip()} {word}".strip()


def shortened(text: str) -> str:
    """The sentence without its last word."""
    return " ".join(text.split()[:-1])


# --- the training ---


def race(rules: Sequence[str], *, d_k: int, lr: float, steps: int, drawn: int) -> dict[str, Experiment]:
    """The variants by their rule: one seed, so the same sentences and the same other initial weights."""
    every = max(1, math.ceil(steps / STOPS))
    return {rule: Pronoun(rule=rule, d_k=d_k, lr=lr, steps=steps, every=every, seed=drawn) for rule in rules}


def known(config: Experiment) -> bool:
    """Whether this page can show a run of this configuration."""
    return (
        isinstance(config, Pronoun)
        and config.rule in RULES
        and config.d_k in D_K
        and 1 <= config.steps <= MOST_STEPS
        and config.every >= 1
        and config.seed >= 0
        and 0 < config.batch <= 256
        and 64 <= config.evaluated <= 2000
        and replace(config, rule="none", d_k=32, lr=3e-3, steps=1200, every=50, seed=0, batch=64, evaluated=500)
        == Pronoun(rule="none")
    )


def name_of(config: Experiment) -> str:
    """The name of the variant."""
    assert isinstance(config, Pronoun)
    return config.rule


def hue(name: str) -> str:
    """The colour of a variant, also of a second one with the same rule."""
    return RULE_HUES[name.partition(" ")[0]]


def label(name: str, page: Words) -> str:
    """What a variant is called."""
    rule, _, number = name.partition(" ")
    return page[f"rule.{rule}"] + (f" ({number})" if number else "")


def distance(run: Run, shipped: Trained) -> float | None:
    """How far the weights of the variant that has the recipe of the shipped layer are from it; None without one."""
    for name, model in finished(run).items():
        config = run.experiments[name]
        assert isinstance(config, Pronoun) and isinstance(shipped.config, Pronoun)
        if replace(config, every=shipped.config.every) == shipped.config:
            tokens = model.tokenize(EXAMPLE)
            pairs = [(one.run(tokens).layers[0].projections, one.run(tokens).output) for one in (model, shipped)]
            (ours, out), (theirs, other) = pairs
            apart = [(getattr(ours, matrix), getattr(theirs, matrix)) for matrix in (*MATRICES, "W_V", "W_O")]
            return max(float((one - two).abs().max()) for one, two in [*apart, (out, other)])
    return None


def sliders(made: History, at: int, view: int, head: int, page: Words) -> list[Slider]:
    """The scrubber, what is shown of the matrices, which head."""
    return [
        step_slider(made, at, page["step"]),
        Slider(
            name="view", label=page["matrices"], readings=tuple(page[f"view.{each}"] for each in VIEWS), at=view,
            kind="switch",
        ),
        Slider(
            name="head", label=page["which_head"], readings=tuple(str(head + 1) for head in range(HEADS)), at=head,
            kind="switch",
        ),
    ]  # fmt: skip


def films(made: History, *, all_steps: bool) -> list[Film]:
    """Curves along the steps; maps at every step, or at the newest while it trains."""
    n = len(PROBE)
    law = [made.frames(name, _on_law, (HEADS,), all_steps=True)[0] for name in made.names]
    out = [
        Film("curves", made.table(MEASURES), ("step",)),
        Film("law", np.concatenate(law, axis=1), ("step",)),
    ]
    wide = width(made)
    size = len(VIEWS), HEADS, wide * SIDE
    for name in made.names:
        weights = made.frames(name, _weights, (HEADS, n * n), all_steps=all_steps)
        out.append(film(f"weights {name}", weights, ("head",)))
        kept = [record for _, record in sorted(made.records[name].items()) if record.arrays]
        for matrix in MATRICES:
            before = kept[0].arrays[f"{matrix}.0"] if kept else torch.empty(0)
            frames = made.frames(name, _values(matrix, before, wide), size, all_steps=all_steps)
            out.append(film(f"{matrix} {name}", frames, ("view", "head")))
    return out


def width(made: History) -> int:
    """Columns of W_Q and W_K in the widest variant: they are drawn as rows, so a matrix lies and fills its place."""
    shapes = [
        record.arrays[f"{matrix}.0"].shape[-1]
        for records in made.records.values()
        for record in records.values()
        if record.arrays
        for matrix in MATRICES
    ]
    return min(SIDE, max(shapes, default=Pronoun().d_k))


def plots(made: History, sent: Sequence[Film], page: Words) -> list[Plot]:
    """The scrubber and the curves; for every variant the map of the probe, the row of its, W_Q and W_K."""
    names = made.names
    hues, labels = {name: hue(name) for name in names}, {name: label(name, page) for name in names}
    by_name = {film.name: film.values for film in sent}
    drawn = {
        measure.key: curves(
            made, by_name["curves"], MEASURES, index, hues=hues, labels=labels, title=page[f"curve.{measure.key}"],
            note=page[f"curve.{measure.key}_note"], stack="left" if measure.key == "loss" else "second", height=150,
        )
        for index, measure in enumerate(MEASURES)
    }  # fmt: skip
    law = replace(
        drawn["loss"],
        name="curve_law",
        film="law",
        lines=tuple(
            Line(
                start=place * HEADS + head,
                hue=hues[name],
                dash=head > 0,
                name=page.data("law_line", variant=labels[name], number=head + 1),
            )
            for place, name in enumerate(names)
            for head in range(HEADS)
        ),
        low=0.0,
        high=1.0,
        title=page["curve.law"],
        note=page["curve.law_note"],
    )
    out: list[Plot] = [
        Controls(name="controls", stack="left", span=3, sliders=("step", "head", "view")),
        Heading(name="legend", stack="left", legend=tuple((hues[name], labels[name]) for name in names)),
        law,
        drawn["loss"],
        drawn["accuracy"],
        drawn["unseen"],
        drawn["far"],
    ]
    largest = _largest([by_name[f"{matrix} {name}"] for name in names for matrix in MATRICES])
    for name in names:
        out += _column(name, labels[name], width(made), largest, page)
    return out


def _column(name: str, told: str, wide: int, largest: float, page: Words) -> list[Plot]:
    """One variant: what the chosen head does with the probe, and its W_Q and W_K, turned."""
    n = len(PROBE)
    matrices: list[Plot] = [
        Map(
            name=f"map_{matrix}_{name}", stack=f"matrix {name}", span=3, narrow=4, height=46 + 5 * wide,
            film=f"{matrix} {name}", rows=wide, cols=SIDE, scale="signed", low=-largest, high=largest,
            title=page.data("map.matrix", variant=told, matrix=matrix), note=page["map.matrix_note"],
            missing=page["map.no_column"], says=page["map.cell"],
        )
        for matrix in MATRICES
    ]  # fmt: skip
    return [
        Map(
            name=f"map_weights_{name}", stack=f"sentence {name}", span=3, narrow=4, height=318, film=f"weights {name}",
            rows=n, cols=n, names=PROBE, marked=ASKS, title=told, note=page["map.probe"], says=page["map.says"],
        ),
        Bars(
            name=f"bars_{name}", stack=f"sentence {name}", narrow=4, height=178, film=f"weights {name}",
            start=ASKS * n, count=n, names=PROBE, marked=LAW, hue=hue(name), title=page["probe_row"],
        ),
        *matrices,
    ]  # fmt: skip


def _weights(record: Record) -> np.ndarray:
    return record.arrays["weights"].float().flatten(1).numpy()


def _on_law(record: Record) -> np.ndarray:
    return record.arrays["weights"][:, ASKS, LAW].float().numpy()


def _values(matrix: str, before: Tensor, wide: int) -> Callable[[Record], np.ndarray]:
    """(views, heads, cells): the matrix, and what has been added to it since `before`."""

    def read(record: Record) -> np.ndarray:
        now = record.arrays[f"{matrix}.0"].float()
        views = [each.mT.numpy() for each in (now, now - before.float())]
        return np.stack([[fitted(each[head], wide, SIDE).reshape(-1) for head in range(HEADS)] for each in views])

    return read


def _largest(values: Sequence[np.ndarray]) -> float:
    return max((float(np.abs(each[np.isfinite(each)]).max(initial=0.0)) for each in values), default=0.0) or 1.0


# --- what is taken away ---


def reading_arrays(reading: Reading) -> dict[str, np.ndarray]:
    """The weights, the words, and what is answered at every word."""
    return {
        "weights": reading.weights.numpy(),
        "words": np.array(reading.words),
        "answer": np.array([word for word, _ in reading.answers]),
        "probability": np.array([chance for _, chance in reading.answers]),
    }


def reading_snippet(text: str, row: int, which: str, config: Pronoun) -> str:
    """A script that reads the same sentence with the same layer and prints the row in focus and the answer."""
    lines = {
        "shipped": ("from attention_core.models import load_pronoun", "model = load_pronoun()"),
        "untouched": (
            "from attention_core.experiments.pronoun import Pronoun\nfrom attention_core.models import Trained",
            f"config = {config!r}\nmodel = Trained(config, config.build())",
        ),
    }
    trained = (
        "from attention_core.experiments.pronoun import Pronoun\nfrom attention_core.models import Trained",
        f"config = {config!r}\n*_, last = config.records()\nnetwork = config.build()\n"
        "network.load_state_dict(dict(last.state))\nmodel = Trained(config, network)",
    )
    imports, made = lines.get(which, trained)
    return f"""# In the folder of Headlight: PYTHONPATH=. .venv/bin/python the_name_of_this_file.py
import torch

{imports}

torch.set_num_threads(1)
{made}
tokens = model.tokenize({text!r})
run = model.run(tokens)
row = {row}
for head, weights in enumerate(run.layers[0].attention.weights[:, row], start=1):
    print(f"head {{head}}", *(f"{{word}} {{weight:.6f}}" for word, weight in zip(tokens.strings, weights.tolist())))
word, chance = model.answers(run)[row]
print(tokens.strings[row], "->", word, f"{{chance:.6f}}")
"""


def arrays(run: Run) -> dict[str, np.ndarray]:
    """Every measure of every record, and the weights on the probe."""
    out: dict[str, np.ndarray] = {"words": np.array(PROBE)}
    for name in run.experiments:
        records = run.records(name)
        out |= measured(name, records)
        kept = [record.arrays["weights"].float() for record in records if record.arrays]
        if kept:
            out[f"{stem_of(name)}_weights"] = torch.stack(kept).numpy()
    return out


def snippet(run: Run) -> str:
    """A script that trains the same variants and prints what was recorded, and the fingerprints."""
    configs = ",\n    ".join(repr(config) for config in run.experiments.values())
    return f"""# In the folder of Headlight: PYTHONPATH=. .venv/bin/python the_name_of_this_file.py
import torch

from attention_core.experiments.pronoun import Pronoun
from attention_core.experiments.store import fingerprint

torch.set_num_threads(1)
for config in [
    {configs},
]:
    records = list(config.records())
    for record in records:
        print(
            f"{{config.rule}} {{record.step}} loss {{record.loss:.6f}} accuracy {{record.accuracy:.6f}}",
            f"unseen {{record.measures['unseen']:.6f}} far {{record.measures['far']:.6f}}",
        )
    print(config.rule, "fingerprint", fingerprint(records))
"""
