"""The header, until the page is written."""

from ui.layout import page_header
from ui.text import words

page_header(words("pipeline"))
