"""The Heads page runs in both languages, with every tab, every model and anything typed."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from streamlit.testing.v1 import AppTest
from transformers import AutoConfig, AutoModel, BertTokenizer

from pages.explore.heads.large import LIVE_TOKENS
from tests.harness.training import arrived, fine
from ui.session import SCRATCH
from ui.text import words

TABS = ("lines", "measures", "compare", "rollout", "other", "off")
PLAIN = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")
SHOWS = ("head", "all", "mean", "norm")


def opened(**link: str) -> AppTest:
    return fine(arrived("heads", **link))


def through_the_tabs(app: AppTest) -> list[str]:
    """What each tab says, one after the other."""
    heard = []
    for tab in TABS:
        app.session_state["tab"] = tab
        heard.append(text_of(fine(app.run())))
    return heard


def measured(app: AppTest) -> pd.DataFrame:
    """The table of measures; another one ranks the heads for a pair of words."""
    return next(table.value for table in app.dataframe if "Peak" in table.value)


def text_of(app: AppTest) -> str:
    return "\n".join(
        element.value for kind in ("markdown", "caption", "text", "info") for element in getattr(app, kind)
    )


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("tab", TABS)
def test_every_tab_runs_in_both_languages(tab: str, language: str) -> None:
    app = opened(tab=tab, lang=language, off="2.3", show=SHOWS[TABS.index(tab) % 4])
    assert not app.warning
    page = words("heads", language)
    assert [control.label for control in app.segmented_control if control.key == "tab"] == [page["tabs"]]


@pytest.mark.parametrize("show", SHOWS)
@pytest.mark.parametrize("model", ["all-MiniLM-L6-v2", SCRATCH])
def test_every_way_to_show_a_layer_runs(show: str, model: str) -> None:
    page = words("heads", "en")
    app = opened(show=show, model=model, lang="en")
    assert ("It is not a head" in text_of(app)) == (show == "mean")
    assert (page["untrained"] in text_of(app)) == (model == SCRATCH)


@pytest.mark.parametrize(
    "text",
    ["<script>alert(1)</script>", "#000001 <a href=x>", "\U0001f468\u200d\U0001f469", "مرحبا", "$x^2$ :red[c]", "  "],
)
def test_anything_can_be_typed(text: str) -> None:
    through_the_tabs(opened(text=text, off="1.1"))


def test_one_token_is_enough() -> None:
    app = opened(text="x", model=SCRATCH, source="digest", off="1.1", n_head="2", show="all", lang="en")
    through_the_tabs(app)
    app.session_state["tab"] = "measures"
    table = measured(fine(app.run()))
    assert table["Previous token"].isna().all()  # a single token has none
    assert table["Same token"].eq(1).all()


@pytest.mark.parametrize(
    "link",
    [
        {"mask": "window", "radius": "0", "where": "all", "off": "1.1", "show": "mean"},
        {"normalizer": "hard", "mask": "causal", "show": "all"},
    ],
)
def test_masked_cells_and_hard_weights_run(link: dict[str, str]) -> None:
    through_the_tabs(opened(**link))


def test_long_text_says_how_it_is_pooled() -> None:
    app = opened(text="cat " * 150, show="all", lang="en")
    assert "150" not in text_of(app)
    assert "152 tokens a thumbnail shows the largest weight" in text_of(app)
    assert f"More than {LIVE_TOKENS} tokens" in text_of(app)
    assert "thumbnail shows" not in text_of(opened(lang="en"))


def test_the_link_restores_tab_layer_head_and_b() -> None:
    link = {
        "tab": "compare",
        "layer": "5",
        "head": "7",
        "b_text": "Thinking Machines",
        "b_layer": "2",
        "b_head": "9",
        "b_settings": "own",
        "b_temperature": "0.5",
        "b_mask": "causal",
        "b_scaling": "none",
        "measure": "peak",
    }
    app = opened(**link)
    expected = link | {"layer": 4, "head": 6, "b_layer": 2, "b_head": 9, "b_temperature": 0.5}
    del expected["measure"]  # its widget is on another tab
    assert {name: app.session_state[name] for name in expected} == expected


@pytest.mark.parametrize(
    "link",
    [
        {"tab": "nonsense"},
        {"tab": "compare", "b_layer": "99", "b_head": "x", "b_model": "../etc", "b_settings": "?", "b_text": "<b>&"},
        {"tab": "compare", "b_settings": "own", "b_temperature": "nan", "b_mask": "?", "b_scaling": "?"},
        {"tab": "compare", "b_model": SCRATCH, "b_seed": "-1"},
        {"tab": "rollout", "residual": "1e9"},
        {"tab": "measures", "measure": "<script>"},
        {"tab": "off", "off": "99.99,x"},
        {"show": "?"},
    ],
)
def test_nonsense_in_a_link_falls_back_to_the_default(link: dict[str, str]) -> None:
    opened(**link)


def test_compare_begins_with_another_head_and_says_what_differs() -> None:
    app = opened(tab="compare", lang="en", layer="4", head="12")
    assert app.session_state["b_head"] == 1
    assert "B has another head." in text_of(app)
    app.number_input(key="b_head").set_value(12)
    assert words("heads", "en")["compare.same"] in text_of(fine(app.run()))
    app.text_input(key="b_text").set_value("Thinking Machines")
    fine(app.run())
    assert "B has another sentence." in text_of(app)
    assert "there is nothing to subtract" in text_of(app)
    app.text_input(key="b_text").set_value("The animal didn't cross the road because it was too tired")
    fine(app.run())
    assert "1 tokens are not the same" in text_of(app)
    labels = [metric.label for metric in app.metric]
    assert words("heads", "en")["compare.number.cosine"] in labels


def test_outputs_of_two_models_are_not_compared() -> None:
    app = opened(tab="compare", lang="en", b_model=SCRATCH, b_head="2", d_model="384")
    assert words("heads", "en")["compare.number.cosine"] not in [metric.label for metric in app.metric]


def test_a_head_is_switched_off_and_on_again() -> None:
    app = opened(tab="off", lang="en", layer="2", head="3")
    assert words("heads", "en")["off.none"] in text_of(app)
    fine(app.button(key="switch_head").click().run())
    assert app.session_state["off"] == [(1, 2)]
    assert app.multiselect(key="off").value == [(1, 2)]
    assert "Off: 2.3" in text_of(app)
    fine(app.button(key="switch_head").click().run())
    assert app.session_state["off"] == []


def test_the_table_holds_every_head() -> None:
    app = opened(tab="measures", lang="en")
    table = measured(app)
    assert len(table) == 72
    assert table["Peak"].between(0, 1).all()
    assert (np.log(table["Effective support (tokens)"]) >= table["Entropy (nats)"] - 1e-6).all()  # Jensen


def saved(folder: Path, family: str, **config: int) -> str:
    """A tiny model of that family on disk, with a word-piece tokenizer of seven words."""
    torch.manual_seed(7)
    AutoModel.from_config(AutoConfig.for_model(family, vocab_size=37, **config)).save_pretrained(folder)
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "the", "law"]
    (folder / "vocab.txt").write_text("\n".join(vocabulary))
    (folder / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": BertTokenizer.__name__}))
    return folder.name


BART = {"d_model": 24, "encoder_layers": 2, "decoder_layers": 2, "encoder_attention_heads": 3,
        "decoder_attention_heads": 3, "encoder_ffn_dim": 29, "decoder_ffn_dim": 29}  # fmt: skip
GPT2 = {"n_embd": 20, "n_layer": 2, "n_head": 5}


@pytest.mark.parametrize(("family", "config"), [("bart", BART), ("gpt2", GPT2)])
def test_other_architectures_run(family: str, config: dict[str, int], tmp_path, monkeypatch) -> None:
    name = saved(tmp_path, family, **config)
    monkeypatch.setenv("HEADLIGHT_MODELS", str(tmp_path))
    app = opened(model=name, text="the law the", off="1.2", lang="en", show="all")
    assert not app.warning
    rollout = through_the_tabs(app)[TABS.index("rollout")]
    assert (words("heads", "en")["rollout.cross"] in rollout) == (family == "bart")


def test_a_long_sentence_has_other_weights_with_the_same_context_and_a_short_one_says_why_not() -> None:
    page = words("heads", "en")
    app = opened(tab="other", text="one two three", lang="en")
    assert page.format("other.none", n=5, d_v=32, least=33) in text_of(app)  # with [CLS] and [SEP]
    assert page["other.number.free"] not in [metric.label for metric in app.metric]
    app.button(key="other_longer").click().run()
    shown = {metric.label: metric.value for metric in fine(app).metric}
    keys = len(app.session_state["text"].split()) + 2
    assert shown[page["other.number.free"]] == str(keys - 32 - 1)
    assert shown[page["other.number.keys"]] == f"{keys} → 33"
    digits, _, power = shown[page["other.number.context"]].partition("·10")
    assert float(digits) * 10 ** int(power.translate(PLAIN)) < 1e-12


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("measure", ["duplicate", "induction"])
def test_a_text_without_repetitions_says_that_repetitions_are_not_defined(measure: str, language: str) -> None:
    missing = words("heads", language)["measures.no_repeats"]
    app = opened(tab="measures", measure=measure, lang=language, text="one two three")
    assert missing in text_of(app)
    assert missing not in text_of(opened(tab="measures", measure=measure, lang=language, text="a fox and a hen"))
    title = words("heads", language)[f"measure.{measure}.title"]
    assert next(table.value for table in app.dataframe if title in table.value)[title].isna().all()


def test_the_wall_says_which_heads_stand_out_and_the_map_why_its_first_column_is_strong() -> None:
    page = words("heads", "en")
    text, reason = "The fox saw the hen and it ran", page.format("large.resting", token="[CLS]")
    app = opened(text=text, layer="5", head="6", lang="en")
    tags = [page[f"tag.{kind}"] for kind in ("previous", "copy", "first")]
    assert " · ".join(f"{number} {tag}" for number, tag in enumerate(tags, start=1)) in text_of(app)
    assert reason in text_of(app)
    assert reason not in text_of(opened(text=text, layer="1", head="3", lang="en"))
    assert reason not in text_of(opened(text=text, layer="5", head="6", show="norm", lang="en"))
