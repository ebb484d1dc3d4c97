"""The page on √d_k runs in both languages, under every assumption, with anything typed."""

import json
import os
import re
import runpy
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from streamlit.testing.v1 import AppTest
from torch.testing import assert_close
from transformers import AutoConfig, AutoModel, BertTokenizer

from attention_core.variance import D_K_OCTAVES, EVEN_MOMENTS
from tests.harness.training import arrived, fine
from ui.session import SCRATCH
from ui.text import words

ROOT = Path(__file__).parents[3]
PAGE = words("why_sqrt", "en")
FALSE = PAGE["derivation.false"]
LINES = ("product", "zero", "definition", "squares", "ones", "sum_mean", "sum_variance", "d_k", "scaled")


def opened(**link: str) -> AppTest:
    return fine(arrived("why_sqrt", **link))


def text_of(app: AppTest) -> str:
    return "\n".join(
        element.value for kind in ("markdown", "caption", "text", "info", "warning") for element in getattr(app, kind)
    )


def verdicts(app: AppTest) -> list[bool]:
    """For each line of the derivation, whether the page calls it true."""
    return [FALSE not in text.value for text in app.markdown if text.value.startswith(PAGE["derivation.left"])]


def read_outs(app: AppTest) -> dict[str, list[str]]:
    """The table beside the sliders: name of a row → claimed, theory, measured."""
    table = next(text.value for text in app.markdown if text.value.startswith(f"| {PAGE['table.name']} |"))
    rows = [[cell.strip(" *") for cell in line.strip("|").split("|")] for line in table.splitlines()[2:]]
    return {name: numbers for name, *numbers in rows}


def number(text: str) -> float:
    """A number as the page writes it."""
    plain = (
        text.split("±")[0]
        .strip()
        .replace("−", "-")
        .replace("⁻", "-")
        .translate(str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789"))
    )
    return float(re.sub(r"·10(-?\d+)", r"e\1", plain))


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_page_runs_in_both_languages(language) -> None:
    app = opened(lang=language, mc_init="linear", mc_rho="0.3")
    assert not app.warning
    page = words("why_sqrt", language)
    sliders = [slider for slider in app.select_slider if not (slider.key or "").startswith("guess")]
    assert [slider.label for slider in sliders][:3] == [
        page[f"control.{name}"] for name in ("d_k", "mean", "correlation")
    ]
    assert [header.value for header in app.header] == [
        page[f"{part}.title"] for part in ("derivation", "trained", "correction")
    ]


def test_english_and_chinese_say_the_same_things_with_the_same_numbers() -> None:
    english, chinese = words("why_sqrt", "en"), words("why_sqrt", "zh")
    assert set(english) == set(chinese)
    for key in english:
        if key != "try":
            assert set(re.findall(r"{(\w+)}", english[key])) == set(re.findall(r"{(\w+)}", chinese[key])), key
    assert len(english.many("try")) == len(chinese.many("try")) == 3


@pytest.mark.parametrize("distribution", EVEN_MOMENTS)
@pytest.mark.parametrize("d_k", [D_K_OCTAVES[0], D_K_OCTAVES[-1]])
def test_with_the_assumptions_every_line_holds(distribution, d_k) -> None:
    app = opened(lang="en", mc_distribution=distribution, mc_d_k=str(d_k))
    assert verdicts(app) == [True] * len(LINES)
    claimed, theory, measured = read_outs(app)[PAGE["table.variance"]]
    assert number(claimed) == number(theory) == d_k
    assert abs(number(measured) / d_k - 1) < 0.05


@pytest.mark.parametrize(
    ("link", "wrong"),
    [
        ({"mc_rho": "0.5"}, {"product", "squares", "sum_mean", "d_k", "scaled"}),
        ({"mc_mean": "-1.0"}, {"zero", "ones", "sum_mean", "d_k", "scaled"}),
        ({"mc_init": "linear"}, {"ones", "d_k", "scaled"}),
        ({"mc_init": "linear", "mc_mean": "0.5", "mc_rho": "-1.0"}, {*LINES} - {"definition", "sum_variance"}),
    ],
)
def test_a_broken_assumption_makes_its_lines_say_so(link, wrong) -> None:
    app = opened(lang="en", **link)
    assert {line for line, true in zip(LINES, verdicts(app), strict=True) if not true} == wrong


def test_linear_layers_default_is_a_ninth_and_checked_with_real_layers() -> None:
    app = opened(lang="en", mc_init="linear", mc_d_k="256")
    assert number(read_outs(app)[PAGE["table.variance"]][1]) == pytest.approx(256 / 9, rel=1e-3)
    measured = re.search(r"Var\(q·k\) = ([\d.]+) ± ([\d.]+)", text_of(app))
    assert measured
    assert abs(float(measured[1]) - 256 / 9) < 5 * float(measured[2])


def test_heavy_tails_and_correlation_are_owned_up_to() -> None:
    assert PAGE["infinite"] in text_of(opened(lang="en", mc_distribution="student", mc_rho="0.5"))
    assert PAGE["infinite"] not in text_of(opened(lang="en", mc_distribution="student"))


def test_what_does_not_vary_is_said_not_divided_by() -> None:
    app = opened(lang="en", mc_distribution="rademacher", mc_rho="1.0")
    assert PAGE["false.scaled_zero"] in text_of(app)


def test_drawing_again_takes_the_next_seed_and_other_numbers() -> None:
    app = opened(lang="en", mc_seed="9999")
    before = read_outs(app)[PAGE["table.variance"]][2]
    fine(app.button(key="again").click().run())
    assert app.session_state["mc_seed"] == 0
    assert read_outs(app)[PAGE["table.variance"]][2] != before


def test_the_link_restores_every_slider() -> None:
    link = {"mc_d_k": "128", "mc_mean": "-0.3", "mc_rho": "0.25", "mc_distribution": "student", "mc_init": "linear"}
    app = opened(**link, mc_seed="77", layer="5", head="7")
    assert app.session_state["mc_d_k"] == 128
    assert (app.session_state["mc_mean"], app.session_state["mc_rho"]) == (-0.3, 0.25)
    assert (app.session_state["mc_distribution"], app.session_state["mc_init"]) == ("student", "linear")
    assert (app.session_state["mc_seed"], app.session_state["layer"], app.session_state["head"]) == (77, 4, 6)
    assert {name: app.query_params[name] for name in link} == link


@pytest.mark.parametrize(
    "link",
    [
        {"mc_d_k": "63", "mc_mean": "nan", "mc_rho": "2", "mc_distribution": "<b>", "mc_init": "?", "mc_seed": "-1"},
        {"mc_d_k": "1e999", "mc_mean": "inf", "mc_rho": "x", "mc_seed": "99999999999999999999"},
    ],
)
def test_nonsense_in_a_link_falls_back_to_the_default(link) -> None:
    app = opened(lang="en", **link)
    assert (app.session_state["mc_d_k"], app.session_state["mc_mean"], app.session_state["mc_rho"]) == (64, 0.0, 0.0)
    assert app.session_state["mc_seed"] == 0


@pytest.mark.parametrize(
    "text", ["<script>alert(1)</script>", "#000001 <a href=x>", "$x^2$ :red[c]", "مرحبا", "  ", "cat " * 400]
)
def test_anything_can_be_typed(text) -> None:
    app = opened(text=text, lang="en")
    assert "<script>" not in "\n".join(element.value for element in app.markdown)


def test_one_token_is_enough() -> None:
    app = opened(text="x", model=SCRATCH, source="digest", lang="en")
    numbers = {metric.label: metric.value for metric in app.metric}
    assert numbers[PAGE["trained.variance"]] == "0"
    assert numbers[PAGE["trained.excess"]] == words("common", "en")["undefined"]
    assert PAGE["trained.untrained"] in text_of(app)


@pytest.mark.parametrize("input_scale", [1.0, 2.0])
def test_the_trained_head_is_measured_on_transformers_own_q_and_k(input_scale) -> None:
    from attention_core.models.pretrained import embedded_folder, load_embedded  # loads the model: only here

    text = "The law didn't stop the king"
    app = opened(text=text, layer="2", head="5", lang="en", alpha=str(input_scale))
    model = AutoModel.from_pretrained(embedded_folder(), attn_implementation="eager", dtype=torch.float32).eval()
    ids = torch.tensor([load_embedded().tokenize(text).ids])
    with torch.no_grad():
        hidden = model(input_ids=ids, output_hidden_states=True).hidden_states[1][0]
        attention = model.encoder.layer[1].attention.self
        q, k = ((side(hidden) * input_scale)[:, 4 * 32 : 5 * 32].double() for side in (attention.query, attention.key))
    dots = (q @ k.T).numpy()
    numbers = {metric.label: number(metric.value) for metric in app.metric}
    expected = {"mean": dots.mean(), "variance": dots.var(), "std": np.std(dots / np.sqrt(32))}
    for name, value in expected.items():
        assert_close(numbers[PAGE[f"trained.{name}"]], float(value), rtol=1e-3, atol=0)


def saved(folder: Path) -> str:
    """A tiny BART on disk: layers of three stacks, cross-attention with keys of its own."""
    torch.manual_seed(7)
    sizes = {"d_model": 24, "encoder_layers": 1, "decoder_layers": 1, "encoder_attention_heads": 3}
    sizes |= {"decoder_attention_heads": 3, "encoder_ffn_dim": 29, "decoder_ffn_dim": 29}
    AutoModel.from_config(AutoConfig.for_model("bart", vocab_size=37, **sizes)).save_pretrained(folder)
    (folder / "vocab.txt").write_text("\n".join(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "the", "law"]))
    (folder / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": BertTokenizer.__name__}))
    return folder.name


def test_other_architectures_run(tmp_path, monkeypatch) -> None:
    name = saved(tmp_path)
    monkeypatch.setenv("HEADLIGHT_MODELS", str(tmp_path))
    app = opened(model=name, text="the law the", layer="3", lang="en")
    assert not app.warning
    assert "d_k = 8" in text_of(app)


OTHER = {"mc_rho": "0.5", "mc_mean": "0.2", "mc_init": "linear", "mc_distribution": "uniform", "mc_seed": "3"}


@pytest.mark.parametrize(("link", "process"), [({}, "fresh"), (OTHER, "ours")])
def test_the_script_prints_the_numbers_on_screen(link, process, tmp_path, capfd) -> None:
    app = opened(lang="en", mc_d_k="32", **link)
    script = next(element.value for element in app.code if "attention_core.variance" in element.value)
    assert script.startswith("# Needs attention_core: pip install . ")
    file = tmp_path / "why_sqrt.py"
    file.write_text(script, encoding="utf-8")
    if process == "fresh":
        subprocess.run([sys.executable, file], check=True, env=os.environ | {"PYTHONPATH": str(ROOT)})
    else:
        runpy.run_path(str(file))
    printed = {line.split()[0]: float(line.split()[1]) for line in capfd.readouterr().out.splitlines()}
    shown = read_outs(app)
    for name in ("variance", "scaled", "excess"):
        assert_close(number(shown[PAGE[f"table.{name}"]][2]), printed[name], rtol=5e-3, atol=5e-4)
    assert_close(number(shown[PAGE["table.mean"]][2]), printed["mean"], rtol=0, atol=5e-3)
    assert printed["d_k"] == 32


def test_the_script_runs_as_it_stands_in_the_repository(capsys) -> None:
    runpy.run_path(str(ROOT / "pages/saturation/why_sqrt/script.py"))
    assert capsys.readouterr().out.startswith("d_k 64\nmean ")
