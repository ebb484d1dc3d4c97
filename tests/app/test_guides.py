"""Every thing to try sets the state it speaks of."""

from importlib import import_module
from urllib.parse import parse_qsl

import pytest

from tests.harness.training import opened
from ui.navigation import PAGES


def guide_of(entry):
    return import_module(f"pages.{entry.section}.{entry.name}.guide").GUIDE


def spelled(app, entry):
    """What the link of this page can say, by its key: as it stands now, a default too."""
    settings = app.session_state["of_page"]["" if entry == PAGES[0] else entry.url_path]
    kept = app.session_state["kept"]
    return {setting.key: setting.spell(kept[name]) for name, setting in settings.items() if name in kept}


@pytest.mark.parametrize("entry", PAGES, ids=lambda entry: entry.name)
def test_each_thing_to_try_sets_known_settings_to_legal_values_and_changes_the_address(entry):
    tries = guide_of(entry).tries
    app = opened(entry.name, lang="en")
    assert [button.key for button in app.button if (button.key or "").startswith("try_")] == ["try_1", "try_2", "try_3"]
    for number, state in enumerate(tries, start=1):
        app = opened(entry.name, lang="en")
        before = dict(app.query_params)
        app.button(key=f"try_{number}").click().run()
        assert not app.exception and not app.error and not app.warning
        assert dict(app.query_params) != before
        wanted = dict(parse_qsl(state))
        assert {key: spelled(app, entry).get(key) for key in wanted} == wanted


@pytest.mark.parametrize("entry", PAGES, ids=lambda entry: entry.name)
def test_the_pages_that_a_guide_names_are_others_in_the_menu(entry):
    assert set(guide_of(entry).pages) <= {other.name for other in PAGES} - {entry.name}
