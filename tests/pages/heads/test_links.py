"""Which heads link two words, as the page says it: against transformers, and for whatever is chosen."""

import subprocess
import sys
from itertools import pairwise

import pytest
import torch
from streamlit.testing.v1 import AppTest
from transformers import AutoModel, AutoTokenizer

from attention_core.models import load_pronoun
from attention_core.models.pretrained import embedded_folder
from tests.harness.serving import ROOT
from tests.harness.training import opened
from ui.session import SCRATCH, TAUGHT
from ui.text import words


def buttons(app: AppTest) -> list[str]:
    return [button.label for button in app.button if button.key and button.key.startswith("link_")]


def texts(app: AppTest) -> str:
    return "\n".join(element.value for kind in ("markdown", "caption", "info") for element in getattr(app, kind))


def test_the_first_five_are_those_that_transformers_computes() -> None:
    text = "A fox saw the hen and it ran"
    eager = AutoModel.from_pretrained(embedded_folder(), attn_implementation="eager").eval()
    inputs = AutoTokenizer.from_pretrained(embedded_folder())(text, return_tensors="pt")
    with torch.no_grad():
        weights = torch.stack(eager(**inputs, output_attentions=True).attentions)[:, 0, :, 7, 2]
    places = [divmod(int(place), 12) for place in weights.flatten().argsort(descending=True)[:5]]
    app = opened("heads", text=text, focus="7,2", lang="en")
    assert [label.split("**")[1] for label in buttons(app)] == [f"{layer + 1}.{head + 1}" for layer, head in places]
    assert words("heads", "en").format("links.title", asking="it", read="fox") in texts(app)


def test_a_head_of_the_list_is_chosen_by_a_click() -> None:
    app = opened("heads", lang="en")
    name = buttons(app)[0].split("**")[1]
    app.button(key="link_0").click().run()
    assert f"{app.session_state['layer'] + 1}.{app.session_state['head'] + 1}" == name


@pytest.mark.parametrize("by", ["weight", "contribution", "gradient"])
@pytest.mark.parametrize("language", ["en", "zh"])
def test_all_heads_are_ranked_by_what_is_chosen(by: str, language: str) -> None:
    app = opened("heads", links_by=by, lang=language)
    table = next(table.value for table in app.dataframe if len(table.value) == 72)
    column = list(table[words("heads", language)[f"links.{by}"]])
    assert all(before >= after for before, after in pairwise(column))
    assert len(buttons(app)) == 5


@pytest.mark.parametrize("text", ["`**x**` :red[c] $x$", "<script>alert(1)</script> a"])
def test_anything_can_be_linked(text: str) -> None:
    opened("heads", text=text, focus="1,2", links_by="gradient")


def test_a_pair_that_the_mask_forbids_has_no_list() -> None:
    app = opened("heads", mask="causal", where="all", focus="2,9", lang="en")
    assert not buttons(app)
    assert words("heads", "en")["links.masked"] in texts(app)


def test_an_untrained_layer_ranks_its_own_heads() -> None:
    app = opened("heads", model=SCRATCH, n_head="3", links_by="gradient", lang="en")
    assert len(buttons(app)) == 3


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_menu_of_models_counts_the_words_of_the_shipped_layer(language: str) -> None:
    assert f"{len(load_pronoun().vocabulary)}" in words("controls", language)[TAUGHT]


def test_the_script_prints_the_list_on_screen() -> None:
    app = opened("heads", text="A fox saw the hen and it ran", focus="7,2", layer="2", lang="en")
    code = next(block.value for block in app.code if "gradient_rows" in block.value)
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT).stdout
    ranking = printed.split("by weight\n")[1].splitlines()
    assert [line.split()[0] for line in ranking[:5]] == [label.split("**")[1] for label in buttons(app)]
    on_screen = [float(label.split("** ")[1]) for label in buttons(app)]
    assert [round(float(line.split()[1]), 3) for line in ranking[:5]] == pytest.approx(on_screen, abs=1e-3)
