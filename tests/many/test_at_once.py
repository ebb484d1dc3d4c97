"""The real server with one, two and four cores: two and eight people open every page at the same moment.

Nobody waits longer than a minute, nobody meets an error, everybody sees their own sentence and nobody else's. A server
that has failed once is not asked again, so that each failing page is named.
"""

import asyncio
import json
import os
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import count
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import AutoModel, AutoTokenizer

from attention_core.models.pretrained import embedded_folder
from tests.harness.client import visit
from tests.harness.crowd import Case, Visitor, together, visitors
from tests.harness.serving import ROOT, Server, serve
from ui.navigation import PAGES
from ui.text import words

CORES = Path(__file__).parent / "cores"
SENTENCES = {"two-sentences": "first", "its-law": "pr_text"}  # where the link of a page carries it, if not in "text"
NUMBERS = {  # pages without a sentence of the reader's: what else makes the question of a visitor their own
    "softmax": "sm_n",
    "scaling-race": "sr_seed",
    "induction": "in_seed",
    "alignment": "al_seed",
    "time-series": "ts_world",
}
RUNS = {  # pages that train, and what the keys of their runs begin with
    "scaling-race": "sr",
    "induction": "in",
    "its-law": "pr",
    "long-range": "lg",
    "alignment": "al",
    "time-series": "ts",
    "hard-soft": "race",
    "local": "align",
}
UNNAMED = ("why-sqrt", "long-range")
SAME = ("lesson",)  # pages that show everybody the same  # no picture names the tokens of the sentence
PARTS = (
    ("vanishing", {"loss": "token"}),
    ("vanishing", {"where_from": "trained"}),
    ("heads", {"show": "all", "tab": "measures"}),
    ("heads", {"show": "mean", "tab": "compare"}),
    ("heads", {"tab": "rollout"}),
    ("heads", {"tab": "other"}),
    ("heads", {"tab": "off"}),
    ("heads", {"links_by": "gradient"}),
    ("lesson", {"sheet": "answers", "lesson": "90"}),
    ("bench", {"bench_memory": "other", "bench_text": "a second sentence"}),
)


def case(page: str, asked: dict[str, str]) -> Case:
    if page in SAME:
        return Case(page, tuple(asked.items()))
    if page in NUMBERS:
        return Case(page, tuple(asked.items()), number=NUMBERS[page])
    shown = page not in UNNAMED and asked.get("where_from") != "trained"
    return Case(page, tuple(asked.items()), sentence=SENTENCES.get(page, "text"), shown=shown)


TRAINED = Case("induction", (("in_steps", "10"),), number="in_seed", press="in_start")
CASES = [*(case(entry.url_path, {}) for entry in PAGES), *(case(*part) for part in PARTS), TRAINED]


class Machine:
    """Servers that believe to have so many cores: one, and another once it has failed."""

    def __init__(self, cores: int) -> None:
        path = os.pathsep.join([str(CORES), str(ROOT)])
        self.env = {"PYTHONPATH": path, "CORES": str(cores)}
        self.turns = count(1)
        self.running = ExitStack()
        self.server: Server | None = None

    def start(self) -> Server:
        if self.server is None:
            self.server = self.running.enter_context(serve(env=self.env))
            asyncio.run(self._greet(self.server.url))
        return self.server

    def stop(self) -> None:
        self.server = None
        self.running.close()

    async def _greet(self, url: str) -> None:
        async with visit(url) as session:
            await session.rerun()

    def ask(self, case: Case, count: int, again: bool) -> list[Visitor]:
        """What so many visitors see, and that the server has nothing to complain about."""
        everybody, server = visitors(case, count, next(self.turns)), self.start()
        before = len(server.printed())
        try:
            asyncio.run(together(server.url, everybody, again))
        except BaseException:
            self.stop()
            raise
        assert 'File "' not in server.printed()[before:], server.printed()[before:]
        return everybody


@pytest.fixture(scope="module", params=[1, 2, 4], ids=lambda cores: f"{cores}-cores")
def machine(request) -> Iterator[Machine]:
    machine = Machine(request.param)
    yield machine
    machine.stop()


def check(everybody: list[Visitor]) -> None:
    for visitor in everybody:
        others = [other for other in everybody if other is not visitor]
        assert not [other.mark for other in others if other.sentence().encode() in visitor.received]
        assert not {other.mark for other in others} & visitor.pictures
        if visitor.case.sentence:
            assert visitor.sentence().encode() in visitor.received
        if visitor.case.shown:
            assert visitor.mark in visitor.pictures


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES, ids=str)
def test_two_people_open_a_page_at_once_and_then_write_another_sentence_at_once(machine, case):
    check(machine.ask(case, 2, again=True))


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES, ids=str)
def test_eight_people_open_a_page_at_once(machine, case):
    check(machine.ask(case, 8, again=False))


@pytest.mark.slow
@pytest.mark.parametrize(("page", "key"), RUNS.items(), ids=RUNS)
def test_eight_people_at_once_with_a_link_to_a_run_see_the_recording_and_train_nothing(machine, page, key):
    button, stop = words("training", "en")["train_yourself"].encode(), f"{key}_stop".encode()
    for visitor in machine.ask(Case(page, ((f"{key}_go", "1"),)), 8, again=False):
        assert button in visitor.received and stop not in visitor.received


@pytest.mark.slow
def test_eight_people_at_once_see_the_weights_that_transformers_computes_for_their_own_sentence(machine):
    eager = AutoModel.from_pretrained(embedded_folder(), attn_implementation="eager", dtype=torch.float32).eval()
    tokenizer = AutoTokenizer.from_pretrained(embedded_folder())
    for visitor in machine.ask(case("pipeline", {"layer": "3", "head": "5"}), 8, again=False):
        with torch.no_grad():
            theirs = eager(**tokenizer(visitor.sentence(), return_tensors="pt"), output_attentions=True).attentions
        shown = next(matrix("weights", part.bytes) for part in visitor.last if part.id.endswith("-canvas_context"))
        torch.testing.assert_close(torch.tensor(shown), theirs[2][0, 4], rtol=1e-5, atol=1e-6)


def matrix(name: str, frame: bytes) -> np.ndarray:
    """One panel of a frame, read as ARCHITECTURE.md describes it."""
    length = int.from_bytes(frame[8:12], "little")
    header = json.loads(frame[12 : 12 + length])
    panel = next(panel for row in header["meta"]["panels"] for panel in row if panel["name"] == name)
    place = header["arrays"][panel["array"]]
    return np.frombuffer(frame, "<f4", np.prod(place["shape"]), 12 + length + place["offset"]).reshape(place["shape"])
