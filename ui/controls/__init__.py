"""Widgets that return core objects. Every value stands in the link, stays from page to page, and is checked here.

The room by subject: `table` (what makes a study, key by key), `widgets` (one setting each), `sentence`, `facts`,
`models`, `settings`, `sizes`, and `bar`, which puts them together.
"""

from ui.controls.bar import Bar, Choice, layer_label, study_bar
from ui.controls.facts import cut_off, facts, remarks
from ui.controls.models import absent_notice, loaded, model_label, model_menu, show
from ui.controls.sentence import MAX_CHARS, sentence_bar, unreadable, untaught
from ui.controls.settings import switch_heads_off
from ui.controls.table import DEFAULT_SENTENCE, SOURCES, model_names
from ui.controls.widgets import choose, dropdown, switch, whole_number
from ui.focus import DEFAULT_HEAD, DEFAULT_LAYER, TEMPERATURES, focus, look, set_focus, set_temperature, temperature

__all__ = [
    "DEFAULT_HEAD",
    "DEFAULT_LAYER",
    "DEFAULT_SENTENCE",
    "MAX_CHARS",
    "SOURCES",
    "TEMPERATURES",
    "Bar",
    "Choice",
    "absent_notice",
    "choose",
    "cut_off",
    "dropdown",
    "facts",
    "focus",
    "layer_label",
    "loaded",
    "look",
    "model_label",
    "model_menu",
    "model_names",
    "remarks",
    "sentence_bar",
    "set_focus",
    "set_temperature",
    "show",
    "study_bar",
    "switch",
    "switch_heads_off",
    "temperature",
    "unreadable",
    "untaught",
    "whole_number",
]
