"""The recordings are what their seeds give: trained again they agree bit for bit on the same kind of machine."""

import json
import math
from hashlib import sha256
from itertools import takewhile
from pathlib import Path

import pytest
import torch
from torch.testing import assert_close

from attention_core.experiments import recorded
from attention_core.experiments.base import stream
from attention_core.experiments.recorded import FACTS, RECIPES
from attention_core.experiments.store import fingerprint, load_records, load_weights

ROOT = Path(__file__).parents[3]
FOLDER = ROOT / "assets" / "recorded"
TOLD = json.loads((FOLDER / FACTS).read_text(encoding="utf-8"))
FILES = [(name, stem) for name, recipe in RECIPES.items() for stem in recipe.experiments]
WHOLE = [  # short ones, trained to their end
    ("scaling_race", "none"),
    ("scaling_race_transition", "inverse_sqrt_4"),
    ("time_series", "frequency_0"),
    ("time_series_many", "linear_0_3"),
]
FIRST = 30  # steps of every other
MOST = 6 * 2**20  # bytes of all files
CLOCK = "seconds"  # a measure that depends on who else uses the machine


def alike(name: str) -> bool:
    """Whether this is the kind of machine, and the torch, that recorded it."""
    own = recorded.processor(), torch.backends.cpu.get_cpu_capability(), torch.__version__
    return own == tuple(TOLD[name][key] for key in ("processor", "instructions", "torch"))


def kept(name: str, stem: str):
    return load_records((FOLDER / name / f"{stem}.npz").read_bytes())


def test_what_there_is_is_what_the_recipes_say_and_no_more() -> None:
    assert list(TOLD) == [name for name in TOLD if name in RECIPES] and set(TOLD) == set(RECIPES)
    expected = {
        f"{name}/{stem}.{ending}": own[ending]
        for name, recipe in RECIPES.items()
        for stem, own in TOLD[name]["files"].items()
        if stem in recipe.experiments
        for ending in ("npz", "safetensors")
        if ending in own
    }
    files = {file for file in FOLDER.rglob("*") if file.is_file() and file.name != FACTS}
    assert {file.relative_to(FOLDER).as_posix(): sha256(file.read_bytes()).hexdigest() for file in files} == expected
    assert sum(file.stat().st_size for file in files) <= MOST


@pytest.mark.parametrize(("name", "stem"), FILES)
def test_a_recording_begins_as_its_training_begins(name: str, stem: str) -> None:
    config, records = kept(name, stem)
    recipe = RECIPES[name]
    assert config == recipe.experiments[stem]
    again = list(takewhile(lambda record: record.step <= FIRST, recipe.record(config)))
    same(name, records[: len(again)], again)


def same(name: str, records, again) -> None:
    exact = {"rtol": 0, "atol": 0} if alike(name) else {"rtol": 1e-2, "atol": 1e-3}
    assert [record.step for record in records] == [record.step for record in again]
    for record, other in zip(records, again, strict=True):
        measures = {key: value for key, value in other.measures.items() if key != CLOCK and not math.isnan(value)}
        assert_close({key: record.measures[key] for key in measures}, measures, **exact)
        assert_close((record.loss, record.accuracy), (other.loss, other.accuracy), equal_nan=True, **exact)
        assert_close(dict(record.arrays), {key: other.arrays[key] for key in record.arrays}, equal_nan=True, **exact)


@pytest.mark.parametrize(("name", "stem"), WHOLE)
def test_a_whole_training_gives_every_record_and_the_fingerprint(name: str, stem: str) -> None:
    config, records = kept(name, stem)
    again = list(RECIPES[name].record(config))
    same(name, records, again)
    if alike(name):
        assert fingerprint(again) == TOLD[name]["files"][stem]["fingerprint"]


@pytest.mark.parametrize(("name", "stem"), FILES)
def test_curves_keep_every_step_and_arrays_the_first_and_the_last(name: str, stem: str) -> None:
    _, records = kept(name, stem)
    recipe = RECIPES[name]
    steps = [record.step for record in records]
    every = recipe.experiments[stem].every
    assert steps[0] == 0 and all(step % every == 0 for step in steps[:-1])
    with_arrays = [record.step for record in records if record.arrays]
    assert with_arrays[:1] == [0][: len(recipe.arrays)]
    if recipe.arrays and getattr(recipe.experiments[stem], "seconds", None) is None:  # the clock may end it at any step
        assert with_arrays[-1] == steps[-1]
    assert len(with_arrays) <= recipe.kept + 1


def test_weights_are_those_that_the_accuracy_was_measured_with() -> None:
    config, records = kept("long_range", "attention")
    other, state = load_weights((FOLDER / "long_range" / "attention.safetensors").read_bytes())
    assert other == config
    model = config.build()
    model.load_state_dict(state)
    tokens, answer = config.draw(stream(config.seed, "held out"), config.evaluated)
    right = float((model(tokens)[0].argmax(dim=-1) == answer).double().mean())
    assert_close(records[-1].accuracy, right, rtol=0, atol=1e-6)


PUBLISHED = [  # mean and how far one seed may be from it
    ("scaling_race", "none", 0.40, 0.03),
    ("scaling_race", "inverse_sqrt", 0.79, 0.03),
    ("induction", "none", 0.09, 0.02),
    ("induction", "inverse_sqrt", 0.99, 0.02),
    ("pronoun", "inverse_sqrt", 0.969, 0.054),
    ("alignment", "global", 0.963, 0.034),
    ("long_range", "attention", 1.0, 0.01),
    ("long_range", "lstm", 0.125, 0.12),
]


@pytest.mark.parametrize(("name", "stem", "mean", "apart"), PUBLISHED)
def test_a_recording_ends_where_it_was_measured_to_end_before(name: str, stem: str, mean: float, apart: float) -> None:
    assert abs(kept(name, stem)[1][-1].accuracy - mean) <= apart


def test_local_attention_that_looks_around_the_same_place_cannot_reverse() -> None:
    assert kept("alignment", "local_m")[1][-1].accuracy < 0.7 < 0.85 < kept("alignment", "local_p")[1][-1].accuracy
