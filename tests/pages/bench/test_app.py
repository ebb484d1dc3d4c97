"""The Bench page runs in both languages, with every mechanism, any memory, anything typed, any link."""

import importlib
import sys
from textwrap import dedent

import pytest
import torch
import torch.nn.functional as F
from streamlit.testing.v1 import AppTest
from torch.testing import assert_close

from attention_core.mechanisms import MECHANISMS
from attention_core.models import load_embedded
from pages.mechanisms.bench.numbers import MAX_TOKENS, MOST, one_per_axis, three
from pages.mechanisms.bench.wording import formula, subscripts
from tests.harness.training import arrived, fine
from ui.controls import DEFAULT_SENTENCE
from ui.session import SCRATCH
from ui.text import words

KEYS = list(MECHANISMS)
PAGE = words("bench", "en")


def opened(**link: str) -> AppTest:
    return fine(arrived("bench", **({"lang": "en"} | link)))


def table(app: AppTest):
    return app.dataframe[0].value.set_index(PAGE["mechanism_label"])


def text_of(app: AppTest) -> str:
    return "\n".join(element.value for kind in ("markdown", "caption", "text") for element in getattr(app, kind))


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("start", range(0, len(KEYS), MOST))
def test_every_mechanism_has_its_formula_its_source_and_its_gradient(start: int, language: str) -> None:
    keys = (KEYS[start : start + MOST] * 2)[:MOST]
    keys = list(dict.fromkeys(keys))
    app = opened(bench=",".join(keys), lang=language)
    page, text = words("bench", language), text_of(app)
    assert not app.warning
    assert app.multiselect(key="bench").value == keys
    assert [element.value.strip("$\n ") for element in app.latex] == [formula(MECHANISMS[key], page) for key in keys]
    for key in keys:
        assert page[f"mechanism.{key}.title"] in text and subscripts(page[f"mechanism.{key}.gradient"]) in text
        number = MECHANISMS[key].reference.partition("arXiv:")[2].partition(",")[0]
        assert f"https://arxiv.org/abs/{number})" in text


def test_the_table_is_torchs_on_the_trained_model() -> None:
    app = opened(bench="scaled_dot,dot,hard", layer="3", head="5")
    model = load_embedded()
    trace = model.run(model.tokenize(DEFAULT_SENTENCE)).layers[2].attention
    eye = torch.eye(trace.k.shape[-2]).expand(trace.k.shape[0], -1, -1)
    scaled, dot = (F.scaled_dot_product_attention(trace.q, trace.k, eye, scale=scale)[4] for scale in (None, 1.0))
    shown = table(app)
    entropies = [float(torch.distributions.Categorical(weights).entropy().mean()) for weights in (scaled, dot)]
    assert_close(shown[PAGE["column.entropy"]].tolist(), [*entropies, 0.0], rtol=1e-4, atol=1e-6)
    assert_close(
        float(shown[PAGE["column.apart"]].iloc[1]), float(((dot - scaled) @ trace.v[4]).norm()), rtol=1e-4, atol=1e-5
    )
    assert shown[PAGE["column.d_q"]].iloc[2] == 0
    assert shown[PAGE["moved_label"]].tolist()[:2] == ["nothing", "scaling"]


def test_the_seed_d_the_reference_and_the_mask_are_kept_in_the_link() -> None:
    app = opened(
        bench="dot,local_p,general", bench_reference="general", bench_D="3", bench_seed="7", bench_mask="causal"
    )
    assert app.selectbox(key="bench_reference").value == "general"
    assert app.slider(key="bench_D").value == 3 and app.number_input(key="bench_seed").value == 7
    before = table(app)[PAGE["column.entropy"]].tolist()
    fine(app.number_input(key="bench_seed").set_value(8).run())
    after = table(app)[PAGE["column.entropy"]].tolist()
    assert before[0] == after[0] and before[2] != after[2]
    fine(app.slider(key="bench_D").set_value(9).run())
    wider = table(app)[PAGE["column.entropy"]].tolist()
    assert wider[0] == after[0] and wider[1] > after[1]
    link = {name: value if isinstance(value, str) else value[0] for name, value in app.query_params.items()}
    assert (link["bench_D"], link["bench_seed"], link["bench"]) == ("9", "8", "dot,local_p,general")
    again = opened(**link)
    assert table(again)[PAGE["column.entropy"]].tolist() == wider


@pytest.mark.parametrize(
    "link",
    [
        {"bench": "", "bench_D": "nan", "bench_seed": "-1"},
        {"bench": "?,??", "bench_reference": "no", "bench_mask": "x", "bench_memory": "y"},
        {"bench": "dot,dot,dot,scaled_dot", "bench_width": "٣", "bench_D": "1e9"},
    ],
)
def test_nonsense_in_a_link_falls_back(link: dict[str, str]) -> None:
    app = opened(**link)
    assert not app.warning
    expected = ["dot", "scaled_dot"] if "dot" in link["bench"] else three(MECHANISMS)
    assert app.multiselect(key="bench").value == expected


def test_the_bench_opens_with_three_mechanisms_and_its_link_says_so() -> None:
    app = opened(text="The cat sat")
    assert app.multiselect(key="bench").value == three(MECHANISMS) and len(three(MECHANISMS)) == 3
    assert app.query_params["bench"] == ",".join(three(MECHANISMS))


def test_a_link_of_a_view_with_the_six_of_old_opens_with_them() -> None:
    assert opened(bench_mask="causal", layer="2").multiselect(key="bench").value == one_per_axis(MECHANISMS)


def test_more_than_six_in_a_link_are_six() -> None:
    assert opened(bench=",".join(KEYS[:9])).multiselect(key="bench").value == KEYS[:MOST]


def test_fewer_than_two_are_one_sentence_and_the_last_picture_stays() -> None:
    app = opened(bench="dot,general")
    fine(app.multiselect(key="bench").set_value(["cosine"]).run())
    assert [warning.value for warning in app.warning] == [PAGE.format("too_few", least=2)]
    assert len(table(app)) == 2


def test_an_empty_second_sentence_is_one_sentence() -> None:
    app = opened(bench_memory="other")
    assert [warning.value for warning in app.warning] == [PAGE["empty_memory"]]
    alone = table(app)
    fine(app.text_input(key="bench_text").set_value("You and me are students").run())
    assert not app.warning
    assert table(app)[PAGE["column.entropy"]].iloc[0] != alone[PAGE["column.entropy"]].iloc[0]


def test_the_same_sentence_as_memory_is_self_attention() -> None:
    own = table(opened(bench="scaled_dot,additive"))
    typed = table(opened(bench="scaled_dot,additive", bench_memory="other", bench_text=DEFAULT_SENTENCE))
    columns = [PAGE[f"column.{name}"] for name in ("entropy", "apart", "d_q", "d_k")]
    assert_close(typed[columns].to_dict("list"), own[columns].to_dict("list"))


@pytest.mark.parametrize("start", range(0, len(KEYS), MOST))
def test_one_token_is_no_accident(start: int) -> None:
    app = opened(text="x", model=SCRATCH, bench=",".join(KEYS[start : start + MOST]))
    assert PAGE["one_key"] in text_of(app)


def test_d_larger_than_the_sentence_says_that_windows_forbid_nothing() -> None:
    app = opened(text="cat sat", bench="scaled_dot,window", bench_D="60")
    assert PAGE.format("covers", radius=60) in text_of(app)
    assert table(app)[PAGE["column.apart"]].iloc[1] == 0


@pytest.mark.slow
@pytest.mark.parametrize("start", range(0, len(KEYS), MOST))
def test_512_tokens_attending_to_512_are_cut_and_said_to_be(start: int) -> None:
    text = "cat " * 600
    app = opened(text=text, bench_memory="other", bench_text=text, bench=",".join(KEYS[start : start + MOST]))
    assert PAGE.format("shortened", shown=MAX_TOKENS, n_q=512, n_k=512) in text_of(app)


@pytest.mark.parametrize("text", ["<script>alert(1)</script>", "\U0001f468\u200d\U0001f469", "مرحبا", "$x$ :red[c]"])
def test_anything_can_be_typed(text: str) -> None:
    app = opened(text=text, bench_memory="other", bench_text=text)
    assert not any(text in element.value for element in app.markdown)


def test_a_new_mechanism_is_one_file_and_one_row(tmp_path, monkeypatch) -> None:
    """A package that is not ours adds a row; nothing else knows its name."""
    package = tmp_path / "somebodys_attention"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "manhattan.py").write_text(
        dedent(
            '''
            """Scores are minus the sum of absolute differences."""
            from dataclasses import replace

            import torch

            from attention_core.mechanisms.base import Parts
            from attention_core.mechanisms.multiplicative import DOT

            MANHATTAN = replace(
                DOT,
                title="Manhattan",
                formula=r"e_{ij} = -\\lVert q_i - k_j\\rVert_1",
                reference="Nobody (2026), arXiv:2611.00001",
                score="manhattan",
                gradient="A sign per component.",
                prepare=lambda call: Parts(score=lambda q, k: -torch.cdist(q, k, p=1)),
            )
            '''
        )
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setitem(MECHANISMS, "manhattan", importlib.import_module("somebodys_attention.manhattan").MANHATTAN)
    try:
        app = opened(lang="zh", bench="scaled_dot,manhattan", layer="3", head="5")
        page = words("bench", "zh")
        assert "Manhattan" in app.multiselect(key="bench").options
        assert app.latex[1].value.strip("$\n ") == r"e_{ij} = -\lVert q_i - k_j\rVert_1"
        assert "A sign per component." in text_of(app) and "https://arxiv.org/abs/2611.00001" in text_of(app)
        assert f"{page['axis.score']}：{page['value.dot']} → manhattan" in text_of(app)
        shown = app.dataframe[0].value.set_index(page["mechanism_label"])
        model = load_embedded()
        trace = model.run(model.tokenize(DEFAULT_SENTENCE)).layers[2].attention
        apart = (trace.q[4][:, None] - trace.k[4][None]).abs().sum(-1)
        expected = torch.distributions.Categorical(logits=-apart).entropy().mean()
        assert_close(float(shown.loc["Manhattan", page["column.entropy"]]), float(expected), rtol=1e-4, atol=1e-6)
    finally:
        for name in [name for name in sys.modules if name.startswith("somebodys_attention")]:
            del sys.modules[name]
