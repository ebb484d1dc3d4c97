"""The page on one row of softmax runs in both languages, with any row, and its numbers are torch's and decimal's."""

import re
from decimal import Decimal, localcontext
from pathlib import Path

import pytest
import torch
from streamlit.testing.v1 import AppTest
from torch.testing import assert_close

from tests.harness.scripts import printed
from tests.harness.training import arrived, number
from ui.text import words

ROOT = Path(__file__).parents[3]
PAGE = words("softmax", "en")
SIXTEEN = "0.5,-1.25,2,0,-0.75,1.5,-2,0.25,3,-0.5,1,-1.5,0.75,-0.25,1.25,-1"


def opened(**link: str) -> AppTest:
    return fine(arrived("softmax", **link))


def fine(app: AppTest) -> AppTest:
    assert not app.exception
    assert not app.error
    assert not app.warning
    return app


def table(app: AppTest, heading: str) -> list[list[str]]:
    """The cells of the table whose first line holds this heading."""
    lines = next(
        text.value for text in app.markdown if text.value.startswith("|") and heading in text.value
    ).splitlines()
    return [[cell.strip(" `*") for cell in line.strip("|").split("|")] for line in lines[2:]]


def last_of(latex: str) -> float:
    """The number in bold at the end of a line of TeX."""
    bold = re.search(r"\\mathbf\{(.*)\}\s*\$*\s*$", latex.strip())
    assert bold
    return float(re.sub(r"\\cdot10\^\{(-?\d+)\}", r"e\1", bold[1]))


def script(app: AppTest) -> str:
    return next(code.value for code in app.code if "attention_core.softmax" in code.value)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_page_runs_in_both_languages(language) -> None:
    app = opened(lang=language, sm_x=SIXTEEN, sm_n="16", sm_beta="2", sm_c="-7", sm_a="40", sm_max="0", sm_gap="20")
    page = words("softmax", language)
    assert [header.value for header in app.header] == [page["own"], page["precision"]]


def test_english_and_chinese_say_the_same_things_with_the_same_numbers() -> None:
    english, chinese = words("softmax", "en"), words("softmax", "zh")
    assert set(english) == set(chinese)
    for key in english:
        if key != "try":
            assert set(re.findall(r"{(\w+)}", english[key])) == set(re.findall(r"{(\w+)}", chinese[key])), key
    assert len(english.many("try")) == len(chinese.many("try")) == 3


def test_the_printed_values_stand_beside_the_true_ones() -> None:
    rows = table(opened(lang="en"), PAGE["printed.article"])
    assert [row[:2] for row in rows] == [["1", "0.5761168847658291"], ["10", "0.9999092083843412"], ["100", "1.0"]]
    with localcontext(prec=120):
        for a, printed, true, torchs, written in rows:
            y = Decimal(2 * int(a)).exp() / (2 * Decimal(int(a)).exp() + Decimal(2 * int(a)).exp())
            if true.startswith("1 − "):
                assert_close(number(true[4:]), float(1 - y), rtol=1e-3, atol=0)
            else:
                assert abs(Decimal(true) - y) <= Decimal(10) ** -24
            for shown in (printed, torchs, written):
                assert abs(float(shown) - float(y)) <= 1e-15
            row = torch.tensor([int(a), int(a), 2 * int(a)], dtype=torch.float64)
            assert float(torchs) == float(torch.softmax(row, dim=-1)[2])


def test_the_thresholds_are_those_of_the_formats() -> None:
    rows = {name: list(map(number, rest)) for name, *rest in table(opened(lang="en"), PAGE["loss.zero"])}
    measured = {
        "fp16": (2**-10, 8.32, 8.32, 17.34, 11.09),
        "bf16": (2**-7, 6.24, 6.24, 92.75, 88.72),
        "fp32": (2**-23, 16.64, 16.64, 103.98, 88.72),
        "fp64": (2**-52, 36.74, 36.74, 745.14, 709.78),
    }
    assert set(rows) == set(measured)
    for name, expected in measured.items():
        assert_close(rows[name], list(expected), rtol=1e-3, atol=0)


@pytest.mark.parametrize(
    ("x", "beta", "c", "pair"),
    [
        ("1,1,2", "1", "0", "3,1"),
        ("0,0,1", "1", "100", "1,2"),
        (SIXTEEN, "2", "-100", "9,3"),
        ("5,-5", "32", "0", "1,2"),
        ("4,4,0,0", "4", "3", "2,2"),
    ],
)
def test_both_cases_end_in_autograds_numbers(x, beta, c, pair) -> None:
    app = opened(lang="en", sm_x=x, sm_n=str(x.count(",") + 1), sm_beta=beta, sm_c=c, sm_pair=pair)
    scores = torch.tensor([float(part) for part in x.split(",")], dtype=torch.float64)
    z = float(beta) * (scores + float(c))
    theirs = torch.autograd.functional.jacobian(lambda s: torch.softmax(s, dim=-1), z)
    i, j = (int(part) - 1 for part in pair.split(","))
    j = j if j != i else (i + 1) % len(scores)
    lines = [line.value for line in app.latex]
    # autograd's own diagonal is p·(1 − p) by subtraction: beside a p of 1 it is off by up to one rounding
    assert_close(last_of(lines[1]), float(theirs[i, i]), rtol=1e-3, atol=1e-16)
    assert_close(last_of(lines[3]), float(theirs[i, j]), rtol=1e-3, atol=0)


def test_the_link_restores_everything() -> None:
    link = {"sm_x": "3,-2.5,0.0625,1", "sm_n": "4", "sm_beta": "2.25", "sm_c": "42", "sm_pair": "2,4", "sm_a": "10"}
    link |= {"sm_h": "0.001", "sm_gap": "20", "sm_max": "0"}
    app = opened(lang="en", **link)
    assert {name: app.query_params[name] for name in link} == link
    assert "scores = [3.0, -2.5, 0.0625, 1.0]\nbeta = 2.25\nc = 42.0\n" in script(app)
    assert app.number_input(key="sm_n").value == 4


@pytest.mark.parametrize(
    "link",
    [
        {"sm_x": "<b>,nan,inf", "sm_n": "99", "sm_beta": "x", "sm_c": "1e999", "sm_pair": "0,77", "sm_a": "nan"},
        {"sm_x": "", "sm_n": "-1", "sm_beta": "-inf", "sm_pair": "²,³", "sm_h": "0", "sm_gap": "?", "sm_max": "maybe"},
        {"sm_x": "1e308,-1e308", "sm_n": "2", "sm_beta": "1e6", "sm_c": "100000"},
    ],
)
def test_nonsense_in_a_link_is_harmless(link) -> None:
    app = opened(lang="en", **link)
    assert 2 <= app.number_input(key="sm_n").value <= 16


def test_prepared_rows_show_differences_not_magnitudes() -> None:
    app = opened(lang="en")
    derivatives = []
    for name in ("small", "large"):
        fine(app.button(key=f"preset_{name}").click().run())
        derivatives.append([last_of(line.value) for line in list(app.latex)[1::2]])
    assert derivatives[0] == derivatives[1]
    assert "c = 100.0\n" in script(app)
    fine(app.button(key="preset_equal").click().run())
    assert_close(last_of(app.latex[1].value), 2 / 9, rtol=1e-3, atol=0)
    fine(app.button(key="preset_sixteen").click().run())
    assert app.number_input(key="sm_n").value == 16


@pytest.mark.parametrize("n", [2, 16])
def test_the_reader_chooses_how_many(n) -> None:
    app = opened(lang="en")
    fine(app.number_input(key="sm_n").set_value(n).run())
    assert re.search(r"scores = \[(.*)\]", script(app))[1].count(",") == n - 1


def test_the_script_prints_the_numbers_on_screen() -> None:
    app = opened(lang="en", sm_x="2,0.5,-1", sm_n="3", sm_beta="1.5")
    lines = [line.split() for line in printed(script(app)).splitlines()]
    numbers = {name: [float(value) for value in rest] for name, *rest in lines if name != "jacobian"}
    z = 1.5 * torch.tensor([2, 0.5, -1], dtype=torch.float64)
    theirs = torch.autograd.functional.jacobian(lambda s: torch.softmax(s, dim=-1), z)
    matrix = torch.tensor([[float(value) for value in rest] for name, *rest in lines if name == "jacobian"])
    assert_close(matrix.double(), theirs, rtol=0, atol=1e-7)
    assert_close(numbers["p"], torch.softmax(z, dim=-1).tolist(), rtol=1e-12, atol=0)
    assert_close(numbers["trace"], [float(theirs.trace())], rtol=1e-12, atol=0)
    assert_close(numbers["frobenius"], [float(torch.linalg.matrix_norm(theirs))], rtol=1e-12, atol=0)
    assert_close(numbers["spectral"], [float(torch.linalg.matrix_norm(theirs, ord=2))], rtol=1e-12, atol=0)


def test_the_script_as_it_stands_in_the_repository_is_that_of_the_page_as_it_opens() -> None:
    file = ROOT / "pages/saturation/softmax/script.py"
    assert script(opened(lang="en")) == file.read_text(encoding="utf-8").rstrip()
