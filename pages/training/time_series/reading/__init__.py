"""A reader's own CSV → numbers that can be forecast, or the key of the sentence that says why not.

`decoded` (bytes → text), `rows` (what separates cells), `table` (header, units, notes), `spelling` and `numbers` (cells
→ numbers), `dates`, `stamps` and `clock` (which columns tell the time), `several` (series below each other), `sheet`
puts them together; `chosen` and `order` make a series of what the reader chooses. Nothing in a file is run.
"""

from pages.training.time_series.reading.chosen import MOST, Choice, Usable, of_column, usable
from pages.training.time_series.reading.numbers import Column, column
from pages.training.time_series.reading.order import distinct, likeliest
from pages.training.time_series.reading.refused import Note, Refused
from pages.training.time_series.reading.sheet import LARGEST, Sheet, read

__all__ = [
    "LARGEST",
    "MOST",
    "Choice",
    "Column",
    "Note",
    "Refused",
    "Sheet",
    "Usable",
    "column",
    "distinct",
    "likeliest",
    "of_column",
    "read",
    "usable",
]
