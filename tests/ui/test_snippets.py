"""The Python script of the take-away menu runs and prints the numbers on screen."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch.testing import assert_close
from transformers import AutoModel

from attention_core.models import EMBEDDED, Settings, Sizes, load_embedded
from attention_core.models.pretrained import embedded_folder
from ui import session
from ui.session import SCRATCH, Study
from ui.snippets import snippet

ROOT = Path(__file__).parents[2]


def printed_row(study: Study, layer: int, head: int, query: int) -> torch.Tensor:
    output = subprocess.run(
        [sys.executable, "-c", snippet(study, layer, head, query)],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8:backslashreplace"},
    ).stdout
    tensor = output[output.rindex("tensor(") :]
    return torch.tensor([float(number) for number in re.findall(r"-?\d+\.\d*", tensor)])


def test_the_trained_models_script_prints_what_eager_attention_computes() -> None:
    text = 'The "law" isn\'t \\ perfect """ #\n{x} 🙂 مرحبا'
    tokens = load_embedded().tokenize(text)
    eager = AutoModel.from_pretrained(embedded_folder(), attn_implementation="eager", dtype=torch.float32).eval()
    with torch.no_grad():
        weights = eager(input_ids=torch.tensor([tokens.ids]), output_attentions=True).attentions
    assert_close(printed_row(Study(text=text), 3, 7, 5), weights[3][0, 7, 5], rtol=0, atol=2e-6)


@pytest.mark.parametrize("source", ["embeddings", "digest"])
def test_the_from_scratch_script_prints_the_same_numbers(source: str) -> None:
    study = Study(
        text="The law saw the king",
        model=SCRATCH,
        sizes=Sizes(n_head=3, d_model=22, d_k=7, d_v=5, seed=11, source=source),
        settings=Settings(mask="window", radius=1, temperature=0.5, ablated=frozenset({(0, 1)})),
    )
    expected = session.run(study).layers[0].attention.weights[2, 3]
    assert_close(printed_row(study, 0, 2, 3), expected, rtol=0, atol=2e-6)


def test_a_script_has_the_name_of_an_operators_folder_and_not_its_place(tmp_path, monkeypatch) -> None:
    folder = tmp_path / "secret" / "my-bert"
    folder.mkdir(parents=True)
    monkeypatch.setenv("HEADLIGHT_MODELS", f"gpt2,{folder}")
    script = snippet(Study(text="the law", model="my-bert"), 0, 0, 0)
    assert "model = models.load('my-bert')  # put the folder of your own copy" in script
    assert str(tmp_path) not in script and "secret" not in script
    assert "model = models.load('gpt2')\n" in snippet(Study(text="the law", model="gpt2"), 0, 0, 0)


@pytest.mark.parametrize(
    "spelling", ["~/secret/{}", "secret/{}", "./secret/{}", "~/secret/../secret/{}", "~/secret/none"]
)
@pytest.mark.parametrize("name", ["my-bert", EMBEDDED, "own-my-bert", "gpt2"])
def test_no_spelling_of_a_path_gets_into_a_script(tmp_path, monkeypatch, spelling, name) -> None:
    (tmp_path / "secret" / name).mkdir(parents=True)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HEADLIGHT_MODELS", f"gpt2,{spelling.format(name)}")
    *_, model = session.catalogue()
    script = snippet(Study(text="the law", model=model), 0, 0, 0)
    assert f"model = models.load({model!r})  # put the folder of your own copy" in script
    assert str(tmp_path) not in script
    assert "secret" not in script


def test_a_hub_model_that_shares_its_name_with_a_folder_is_loaded_from_the_hub(tmp_path, monkeypatch) -> None:
    (tmp_path / "gpt2").mkdir()
    monkeypatch.setenv("HEADLIGHT_MODELS", f"{tmp_path / 'gpt2'},gpt2")
    assert "model = models.load('gpt2')\n" in snippet(Study(text="the law", model="gpt2 2"), 0, 0, 0)
