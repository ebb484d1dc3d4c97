"""The trained model under strain: what is sent to its laboratory is what the settings ask for, and nothing invented."""

import math
from dataclasses import replace

import pytest
import torch
from torch.testing import assert_close

from attention_core.models import EMBEDDED, Settings, load_embedded
from attention_core.models.strain import HEAD_MEASURES, Strain, strain
from pages.saturation.vanishing.trained.numbers import RULES, SCALES, first_dead, stops
from pages.saturation.vanishing.trained.pictures import films, plots, rules, sliders
from pages.saturation.vanishing.trained.section import notes, script
from tests.harness.families import GROUPED, MLA, OPT, SMALL, T5, TOKENS, traced
from ui.components.lab import Map
from ui.components.lab.component import _film, _plot
from ui.controls import Choice
from ui.session import Study
from ui.text import words

LAYERS, HEADS = 6, 5  # as many layers as the model has
BUILT = Settings()
OWN = Settings(
    scaling="inverse", temperature=2.0, mask="causal", normalizer="hard", layers=(1,), ablated=frozenset({(0, 3)})
)


def choice(settings: Settings = BUILT) -> Choice:
    model = load_embedded()
    tokens = model.tokenize("The law saw the king")
    study = Study(text="The law saw the king", model=EMBEDDED, settings=settings)
    return Choice(study=study, model=model, tokens=tokens, layer=1, head=2)


def invented() -> list[Strain]:
    """Numbers that tell every measure, stop and head apart."""
    shape = (len(RULES), len(SCALES), len(HEAD_MEASURES), LAYERS, HEADS)
    heads = torch.arange(math.prod(shape), dtype=torch.float32).reshape(shape) / math.prod(shape)
    return [Strain(measures, index / 100) for index, measures in enumerate(heads.flatten(0, 1))]


def test_every_stop_keeps_what_the_reader_has_set_and_moves_only_the_sliders() -> None:
    strained_as = stops(OWN, (2,))
    assert len(strained_as) == len(RULES) * len(SCALES)
    for index, one in enumerate(strained_as):
        rule, scale = divmod(index, len(SCALES))
        scaling = ("inverse", "none")[rule]
        assert one == replace(OWN, scaling=scaling, input_scale=SCALES[scale], layers=(2,))
    assert stops(Settings(), None)[SCALES.index(1.0)] == Settings()


def test_the_first_rule_is_called_what_it_is() -> None:
    page = words("vanishing", "en")
    assert rules(choice(), page) == (page["strained.as_built"], page["strained.none"])
    assert rules(choice(OWN), page)[0] == "1/d_k"
    assert sliders(choice(OWN), 1.0, "none", page)[1].readings == ("1/d_k", page["strained.none"])


@pytest.mark.parametrize("target", [None, 3])
def test_the_script_holds_the_settings_and_the_loss(target: int | None) -> None:
    code = script(choice(OWN), stops(OWN, None), target)
    assert "mask='causal'" in code and "normalizer='hard'" in code and "temperature=2.0" in code
    assert "frozenset({(0, 3)})" in code and "scalings = ('inverse', 'none')\n" in code
    assert f"target = {target}\n" in code
    compile(code, "script", "exec")


@pytest.mark.parametrize(
    ("family", "config", "expected"),
    [
        ("llama", GROUPED, []),
        ("opt", OPT, []),  # it scales, though before the product
        ("deepseek_v3", MLA, ["no_W_Q"]),
        ("albert", SMALL | {"embedding_size": 11}, ["shared_W_Q"]),
        ("t5", T5, ["unscaled"]),
    ],
)
def test_what_a_reader_has_to_know_of_a_layer_is_said(family: str, config: dict, expected: list[str]) -> None:
    study = Study(text="seven tokens", model=f"a tiny {family}")
    one = Choice(study=study, model=traced(family, config), tokens=TOKENS, layer=1, head=0)
    assert notes(one) == expected
    for language in ("en", "zh"):
        assert all(words("vanishing", language)[f"strained.{note}"] for note in expected)
    under_a_rule = replace(one, study=replace(study, settings=Settings(scaling="inverse")))
    assert "unscaled" not in notes(under_a_rule)


def test_a_mask_changes_what_the_model_under_strain_shows() -> None:
    chosen = choice()
    free, masked = (
        next(strain(load_embedded(), chosen.tokens, [stops(settings, None)[SCALES.index(1.0)]])).heads[:, 0]
        for settings in (Settings(), Settings(mask="causal"))
    )
    peak = HEAD_MEASURES.index("peak")  # of fewer keys the largest has more
    assert bool((masked[peak] > free[peak]).all())


def test_the_films_hold_the_numbers_as_they_are() -> None:
    strains = invented()
    strains[7].heads[HEAD_MEASURES.index("log_gain"), 1, 2] = -math.inf
    strains[8].heads[HEAD_MEASURES.index("log_gain"), 1, 2] = math.nan
    values = {film.name: torch.from_numpy(film.values) for film in films(choice(), strains)}
    for name, measure in (("gain", "log_gain"), ("peak", "peak")):
        expected = torch.stack([one.heads[HEAD_MEASURES.index(measure)].flatten() for one in strains])
        assert_close(values[name].flatten(0, 1), expected, equal_nan=True)
    assert_close(values["head"].flatten(0, 1), torch.stack([one.heads[:, 1, 2] for one in strains]), equal_nan=True)
    assert_close(values["cosine"].flatten(), torch.tensor([one.cosine for one in strains]))


def test_the_first_scale_at_which_half_of_the_rows_are_dead() -> None:
    """Head h dies at the h-th stop after 1 (half of its rows), the last one never; below 1 nothing counts."""
    heads = torch.zeros(len(RULES), len(SCALES), len(HEAD_MEASURES), 1, HEADS)
    one = SCALES.index(1.0)
    heads[:, :one, HEAD_MEASURES.index("dead")] = 0.9
    for head in range(HEADS - 1):
        heads[0, one + head :, HEAD_MEASURES.index("dead"), 0, head] = 0.5
        heads[1, one + head :, HEAD_MEASURES.index("dead"), 0, head] = 0.49
    first = torch.from_numpy(first_dead(heads))
    expected = torch.tensor([math.log2(SCALES[one + head]) for head in range(HEADS - 1)] + [math.nan])
    assert_close(first[0], expected, equal_nan=True)
    assert bool(first[1].isnan().all())


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_atlas_shows_its_own_measure_and_says_it_in_its_own_unit(language: str) -> None:
    page, chosen, strains = words("vanishing", language), choice(), invented()
    maps = {plot.name: plot for plot in plots(chosen, strains, page) if isinstance(plot, Map)}
    titles = {"gain": "strained.atlas", "peak": "strained.peak_atlas", "first": "strained.first"}
    assert {name: plot.title for name, plot in maps.items()} == {name: page[key] for name, key in titles.items()}
    assert {name: plot.value for name, plot in maps.items()} == {"gain": "log10", "peak": "plain", "first": "log2"}
    assert all(plot.missing for plot in maps.values())
    assert maps["first"].missing == page["strained.never"]
    counts = {slider.name: len(slider.readings) for slider in sliders(chosen, 1.0, "none", page)}
    sent = {film.name: _film(film, counts, {}) for film in films(chosen, strains)}
    for plot in maps.values():
        assert plot.film == plot.name
        assert sent[plot.film]["shape"] == [plot.rows * plot.cols]
        assert _plot(plot, {})["value"] == plot.value
