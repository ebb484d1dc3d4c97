"""A model of which only some layers have attention: its own numbers stand on the page, in the link, NPZ and script.
And what cannot be shown is one sentence, with the built-in model under it.
"""

import ast
import json
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from tests.harness.scripts import printed
from tests.harness.tiny import saved
from tests.harness.training import captions, opened


@pytest.fixture
def taken(monkeypatch) -> dict[str, Any]:
    """What the menu under the page gives away: arrays and script."""
    given: dict[str, Any] = {}
    monkeypatch.setattr("ui.evidence.take_away", lambda name, **rest: given.update(rest))
    return given


def offered(folder: Path, kind: str, monkeypatch, **own: Any) -> None:
    monkeypatch.setenv("HEADLIGHT_MODELS", str(saved(folder / kind, kind, **own)))


def of_layers(app: AppTest) -> tuple[str, list[str]]:
    """The label of the row of layers, and what stands in it."""
    (row,) = [one for one in app.get("button_group") if one.proto.label.startswith("Layer")]
    return row.proto.label, [option.content for option in row.proto.options]


@pytest.mark.parametrize(("kind", "numbers", "of"), [("jamba", ["3"], 4), ("zamba", ["3", "6"], 6)])
def test_page_link_arrays_and_script_have_the_models_own_number(
    kind, numbers, of, tmp_path, monkeypatch, taken
) -> None:
    offered(tmp_path, kind, monkeypatch)
    last = numbers[-1]
    app = opened("heads", model=kind, text="the law w1 w2 w3", layer=last, off=f"{last}.2,1.1", lang="en")
    assert of_layers(app) == (f"Layer (of {of})", numbers)
    assert f"Of the {of} layers of this model, those with attention to show: {len(numbers)}." in captions(app)
    assert app.query_params["layer"] == last
    assert app.query_params["off"] == f"{last}.2"
    arrays = taken["arrays"]()
    assert {name for name in arrays if name.startswith("weights_")} == {f"weights_{number}" for number in numbers}
    assert arrays["layer"] == int(last)
    assert (arrays[f"weights_{last}"][0].sum(axis=-1) - 1 < 1e-5).all()
    assert f"layer = {len(numbers) - 1}  # " in taken["snippet"] and f"layer {last} of {of}" in taken["snippet"]


def test_its_only_layer_stands_in_the_link_of_every_page(tmp_path, monkeypatch, taken) -> None:
    offered(tmp_path, "jamba", monkeypatch)
    app = opened("pipeline", model="jamba", text="the law w1 w2 w3", lang="en")
    assert app.query_params["layer"] == "3"
    assert of_layers(app) == ("Layer (of 4)", ["3"])
    script = taken["snippet"].replace("models.load('jamba')", f"models.load({str(tmp_path / 'jamba')!r})")
    assert "weights (5, 5)" in printed(script)
    ast.parse(taken["snippet"])


def test_two_maps_in_a_layer_are_said(tmp_path, monkeypatch) -> None:
    offered(tmp_path, "diffllama", monkeypatch)
    app = opened("heads", model="diffllama", text="the law w1", lang="en")
    assert of_layers(app) == ("Layer", ["1", "2"])
    assert "2 maps a head" in captions(app)


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize(
    ("kind", "spoil", "named"),
    [
        ("gpt_neo", {}, "gpt_neo"),
        ("clip", {}, "pixel_values"),
        ("bert", {"hidden_size": "24"}, "hidden_size"),
        ("bert", {"quantization_config": {"quant_method": "gptq"}}, "gptq"),
    ],
)
def test_a_model_that_cannot_be_used_is_one_sentence_over_the_built_in_one(
    kind, spoil, named, language, tmp_path, monkeypatch
) -> None:
    offered(tmp_path, kind, monkeypatch)
    config = tmp_path / kind / "config.json"
    config.write_text(json.dumps(json.loads(config.read_text()) | spoil))
    app = opened("pipeline", model=kind, lang=language)
    (warning,) = app.warning
    assert named in warning.value and kind in warning.value
    assert {"en": "You see the built-in model instead.", "zh": "现在显示的是内置模型。"}[language] in warning.value
    assert str(tmp_path) not in warning.value
