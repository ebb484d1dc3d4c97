"""Files of a lesson read back: whatever a teacher types stays text."""

import json
import re
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attention_core.lessons import Answer, Item, Question, gift, moodle, notebook

HOSTILE = '</text><script>alert(1)</script> ]]> & {=a~b#c:d} \\ "q" \n\n ::title:: 它读谁？'
ADDRESS = "https://example.org/pipeline?text=a&layer=4#there"


def item(answer: Answer | None, text: str = HOSTILE) -> Item:
    return Item(name=text, text=text, address=ADDRESS, question=Question(kind="weight", text=text), answer=answer)


CHOICE = Answer(value=1, choices=("1 the", "2 {animal}", "3 ~it"))
NUMBER = Answer(value=0.6418, tolerance=0.01)


def test_moodle_reads_back_names_texts_answers_and_tolerances() -> None:
    quiz = ET.fromstring(moodle([item(CHOICE), item(NUMBER), item(None)]).encode())
    choice, number, essay = quiz.findall("question")
    assert [question.get("type") for question in quiz] == ["multichoice", "numerical", "essay"]
    assert all(question.findtext("name/text") == HOSTILE for question in quiz)
    assert all(question.findtext("questiontext/text") == f"{HOSTILE}\n{ADDRESS}" for question in quiz)
    assert not quiz.findall(".//script")
    right = [each.findtext("text") for each in choice.findall("answer") if each.get("fraction") == "100"]
    assert right == ["2 {animal}"] and len(choice.findall("answer")) == 3
    assert number.findtext("answer/text") == "0.6418" and number.findtext("answer/tolerance") == "0.01"
    assert essay.findtext("answer/text") == ""


@given(st.text())
def test_any_text_makes_a_file_that_an_xml_reader_takes(text) -> None:
    quiz = ET.fromstring(moodle([item(CHOICE, text)]).encode("utf-8", "replace"))
    assert len(quiz) == 1 and len(quiz[0].findall("answer")) == 3


def blocks(text: str) -> list[re.Match[str]]:
    """Questions as GIFT defines them: title, text and answers between signs that no backslash stands before."""
    inside = r"(?:[^\\~=#{}:]|\\.)*"
    form = re.compile(rf"::({inside})::\[plain\]({inside}) {{(.*)}}", re.DOTALL)
    matches = [form.fullmatch(part) for part in text.split("\n\n")]
    assert None not in matches
    return [match for match in matches if match]


def bare(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text)


def test_gift_reads_back_and_nothing_typed_is_a_sign_of_its_own() -> None:
    choice, number, essay = blocks(gift([item(CHOICE), item(NUMBER), item(None)]))
    for block in (choice, number, essay):
        assert bare(block[1]) == " ".join(HOSTILE.split())
        assert bare(block[2]) == " ".join(f"{HOSTILE} {ADDRESS}".split())
    assert [bare(line.strip()) for line in choice[3].strip().splitlines()] == ["~1 the", "=2 {animal}", "~3 ~it"]
    assert number[3] == "#0.6418:0.01" and essay[3] == ""


@given(st.text(st.characters(exclude_categories=("Cs",))))
def test_any_text_is_one_question_of_gift(text) -> None:
    (block,) = blocks(gift([item(NUMBER, text)]))
    assert bare(block[1]) == " ".join(text.split())


@pytest.mark.parametrize("answer", [CHOICE, NUMBER, None])
def test_a_notebook_gets_every_field_of_the_question(answer) -> None:
    read = json.loads(notebook(HOSTILE, [item(answer)]))
    (own,) = read["items"]
    assert Question(**own["question"]) == Question(kind="weight", text=HOSTILE)
    assert read["title"] == HOSTILE and own["address"] == ADDRESS
    if answer is None:
        assert own["answer"] is None
    else:
        assert Answer(**{**own["answer"], "choices": tuple(own["answer"]["choices"])}) == answer
