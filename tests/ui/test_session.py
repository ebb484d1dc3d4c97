"""What is kept between runs is bounded, and keyed by values."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from torch.testing import assert_close

from attention_core.models import EMBEDDED, FromScratch, ModelError, Settings, Sizes
from ui import session
from ui.session import SCRATCH, TAUGHT, Recent, Study

SIZES = Sizes(n_head=2, d_model=11, d_k=3, d_v=5, source="digest", positions="none")


def made(text: str):
    model = FromScratch(SIZES)
    return model.run(model.tokenize(text))


def test_the_same_question_is_computed_once_and_shared() -> None:
    recent = Recent(limit=10**6)
    calls = []

    def compute():
        calls.append(1)
        return made("one two")

    first = recent.get(Study(text="one two", sizes=SIZES), compute)
    second = recent.get(Study(text="one two", sizes=SIZES), compute)
    assert first is second
    assert len(calls) == 1
    recent.get(Study(text="one two", sizes=SIZES, settings=Settings(temperature=2.0)), compute)
    assert len(calls) == 2


def test_the_kept_runs_stay_below_the_limit_and_the_oldest_goes_first() -> None:
    size = made("one two three").bytes()
    recent = Recent(limit=3 * size)
    for word in ("five", "seven", "eleven", "thirteen"):
        recent.get(Study(text=word, sizes=SIZES), lambda: made("one two three"))
    assert recent.bytes() <= 3 * size
    calls = []
    recent.get(Study(text="thirteen", sizes=SIZES), lambda: calls.append(1) or made("one two three"))
    assert not calls
    recent.get(Study(text="five", sizes=SIZES), lambda: calls.append(1) or made("one two three"))
    assert calls


def test_the_catalogue_holds_what_the_operator_names(monkeypatch, tmp_path) -> None:
    monkeypatch.delenv(session.OPERATOR_SETTING, raising=False)
    assert list(session.catalogue()) == [EMBEDDED, SCRATCH, TAUGHT]
    monkeypatch.setenv(session.OPERATOR_SETTING, f" gpt2, {tmp_path} ,, ")
    named = {"gpt2": "gpt2", tmp_path.name: str(tmp_path)}
    assert session.catalogue() == {EMBEDDED: "", SCRATCH: "", TAUGHT: "", **named}


def test_a_name_outside_the_catalogue_is_not_loaded(monkeypatch) -> None:
    monkeypatch.delenv(session.OPERATOR_SETTING, raising=False)
    with pytest.raises(KeyError):
        session.model("some/other", Sizes())


def test_a_model_the_operator_named_but_nobody_can_load_says_why(monkeypatch, tmp_path) -> None:
    monkeypatch.setenv(session.OPERATOR_SETTING, str(tmp_path))
    with pytest.raises(ModelError) as caught:
        session.model(tmp_path.name, Sizes())
    assert caught.value.kind == "unknown"


def test_run_answers_the_study() -> None:
    study = Study(text="Thinking Machines", model=SCRATCH, sizes=SIZES)
    model = FromScratch(SIZES)
    assert_close(session.run(study).output, model.run(model.tokenize("Thinking Machines")).output)
    assert session.run(study).output.dtype == torch.float32


def test_many_who_ask_the_same_at_once_wait_for_one_computation() -> None:
    recent, begun = Recent(2**30), []
    made = FromScratch(Sizes(n_head=1, d_model=7, d_k=3, d_v=5, source="digest"))
    run = made.run(made.tokenize("law king"))

    def compute():
        begun.append(1)
        time.sleep(0.05)
        return run

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: recent.get("same", compute), range(24)))
    assert len(begun) == 1
    assert all(answer is run for answer in answers)


def test_who_waited_for_a_computation_that_failed_computes_it() -> None:
    recent = Recent(2**30)
    with pytest.raises(ModelError):
        recent.get("q", lambda: (_ for _ in ()).throw(ModelError("network", "x")))
    made = FromScratch(Sizes(n_head=1, d_model=7, d_k=3, d_v=5, source="digest"))
    run = made.run(made.tokenize("law king"))
    assert recent.get("q", lambda: run) is run
