"""The Remedies page runs in both languages, with every remedy, anything typed and any link."""

import math
import re

import pytest
from streamlit.testing.v1 import AppTest

from attention_core.remedies import REMEDIES
from tests.harness.training import arrived
from ui.text import words


def opened(**link: str) -> AppTest:
    app = arrived("remedies", **link)
    assert not app.exception
    assert not app.error
    return app


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_remedy_has_its_words(language: str) -> None:
    page = words("remedies", language)
    wanted = [f"remedy.{key}.{word}" for key in REMEDIES for word in ("name", "short", "helps", "costs")]
    missing = [word for word in wanted if word not in page]
    assert not missing, f"assets/text/{language}/remedies.toml lacks them"


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("key", REMEDIES)
def test_every_remedy_has_its_formula_its_source_and_its_words(key: str, language: str) -> None:
    app = opened(remedy=key, lang=language)
    page = words("remedies", language)
    assert app.selectbox(key="remedy").value == key
    assert REMEDIES[key].formula in app.latex[0].value
    text = "\n".join(element.value for element in app.markdown)
    assert all(page[side].partition("{")[0] in text for side in ("helps", "costs"))
    if "arXiv:" in REMEDIES[key].reference:
        number = REMEDIES[key].reference.partition("arXiv:")[2][:10]
        assert f"https://arxiv.org/abs/{number})" in text
    elif not REMEDIES[key].reference:
        assert page["no_paper"] in text


def test_the_table_holds_every_remedy_and_what_can_be_checked_without_us() -> None:
    page = words("remedies", "en")
    app = opened(lang="en", dk="64")
    table = app.dataframe[0].value.set_index(page["remedy_label"])
    assert list(table.index) == [page[f"remedy.{key}.name"] for key in REMEDIES]
    assert table[page["column.peak"]].between(0, 1).all()
    assert (table[page["column.entropy"]] <= math.log(13) + 1e-6).all()
    same = [table.loc[page[f"remedy.{key}.name"]].tolist() for key in ("inverse_sqrt", "inverse_sqrt_d_model")]
    assert same[0] == same[1]  # 64 is the width of the layer
    assert table.loc[page["remedy.none.name"], page["column.dead"]] > 0
    for column in ("log_gain", "log_d_scores"):  # as read-outs are written, never 7.6e-05
        written = table[page[f"column.{column}"]].tolist()
        assert all(re.fullmatch(r"\d+(\.\d+)?(·10⁻?[⁰¹²³⁴⁵⁶⁷⁸⁹]+)?", number) for number in written), written


def test_the_trust_line_names_both_oracles_and_a_small_difference() -> None:
    """The largest over all remedies of their gradients, and of the baseline's context."""
    line = next(caption.value for caption in opened(lang="en", dk="256").caption if "torch SDPA" in caption.value)
    assert "torch.autograd" in line and "float64 → float32" in line
    residual = re.search(r"at most ([\d.]+)·10⁻([⁰¹²³⁴⁵⁶⁷⁸⁹]+)", line)
    assert residual
    assert float(residual[1]) * 10.0 ** -int(residual[2].translate(str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789"))) < 1e-4


def test_the_number_a_remedy_learns_is_set_and_kept_in_the_link() -> None:
    page = words("remedies", "en")
    app = opened(lang="en", remedy="temperature", remedy_T="4")
    assert app.select_slider(key="remedy_T").value == 4.0
    peak = app.dataframe[0].value[page["column.peak"]]
    app.select_slider(key="remedy_T").set_value(1.0).run()
    colder = app.dataframe[0].value[page["column.peak"]]
    index = list(REMEDIES).index("temperature")
    assert peak[index] < colder[index] == colder[list(REMEDIES).index("inverse_sqrt")]
    app.selectbox(key="remedy").set_value("none").run()
    assert not app.exception and not app.select_slider


@pytest.mark.parametrize(
    "link",
    [
        {"dk": "nan", "scale": "-1", "tokens": "0"},
        {"dk": "1e9", "scale": "x", "tokens": "99999"},
        {"dk": "٣", "scale": "", "tokens": "all"},
        {"remedy": "?", "remedy_T": "x", "remedy_c": "7", "probe_head": "13", "seed": "-1"},
    ],
)
def test_nonsense_in_a_link_falls_back_to_the_default(link: dict[str, str]) -> None:
    assert not opened(**link).warning


@pytest.mark.parametrize("text", ["<script>alert(1)</script>", "\U0001f468\u200d\U0001f469", "مرحبا", "$x$ :red[c]"])
def test_anything_can_be_typed(text: str) -> None:
    opened(text=text)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_one_token_is_one_clear_sentence(language: str) -> None:
    app = opened(text="x", lang=language)
    expected = words("controls", language)["one_token"]
    assert [warning.value for warning in app.warning] == [expected]
    assert len(app.dataframe) == 1  # the sentence before stays


def test_two_tokens_are_enough_and_long_texts_are_cut() -> None:
    assert len(opened(text="cat sat").dataframe) == 1
    app = opened(text="cat " * 60, lang="en")
    assert any("48" in caption.value for caption in app.caption)


def test_the_head_is_that_of_vanishing() -> None:
    app = opened(lang="en", probe_head="5")
    assert app.session_state["cure_head"] == 5
    app.switch_page("pages/saturation/vanishing/page.py").run()
    assert any("head = 4\n" in code.value and "sweep(" in code.value for code in app.code)
