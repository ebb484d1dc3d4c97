"""Every page runs from app.py, in both languages."""

from pathlib import Path

import pytest

from tests.harness.training import arrived
from ui.navigation import PAGES
from ui.text import words

APP = Path(__file__).parents[2] / "app.py"


def opened(entry, language):
    return arrived(entry.name, lang=language)


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("entry", PAGES, ids=lambda entry: entry.name)
def test_page_runs(entry, language):
    app = opened(entry, language)
    assert not app.exception and not app.error and not app.warning, (
        "what failed stands below, under “Captured log call”"
    )
    assert [title.value for title in app.title] == [words("common", language)[f"page.{entry.name}.title"]]


def test_every_page_under_pages_is_in_the_table():
    scripts = {file.relative_to(APP.parent).as_posix() for file in (APP.parent / "pages").rglob("page.py")}
    assert scripts == {entry.path for entry in PAGES}, "one row of PAGES in ui/navigation.py for every page.py"


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_failing_page_is_one_sentence_in_the_readers_language(language, monkeypatch):
    monkeypatch.setattr("ui.layout.page_header", lambda page: 1 / 0)
    app = opened(PAGES[0], language)
    assert not app.exception
    assert [error.value for error in app.error] == [words("common", language)["error.unexpected"]]
