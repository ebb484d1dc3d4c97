"""Words in the reader's language, from assets/text/<language>/<page>.toml."""

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import streamlit as st

from ui.numbers import significant
from ui.state import Setting

LANGUAGES = {"en": "EN", "zh": "中文"}
LANGUAGE = "language"  # the key of the switch
FOLDER = Path(__file__).parents[1] / "assets" / "text"

Value = str | int | float


@dataclass(frozen=True)
class Words(Mapping[str, str]):
    """The words of one page in one language. Keys are dotted paths into the TOML file: `words["stage.scores"]`.

    A missing key is a KeyError that names the file, never a silent fall-back to another language.
    """

    page: str
    language: str
    entries: Mapping[str, str | tuple[str, ...]]

    def __getitem__(self, key: str) -> str:
        match self.entries.get(key):
            case str() as text:
                return text
            case None:
                raise KeyError(f"{key} is missing from assets/text/{self.language}/{self.page}.toml")
            case _:
                raise KeyError(f"{key} in assets/text/{self.language}/{self.page}.toml is a list: use many()")

    def __iter__(self) -> Iterator[str]:
        return iter(self.entries)

    def __len__(self) -> int:
        return len(self.entries)

    def many(self, key: str) -> tuple[str, ...]:
        """A list of texts, e.g. `words.many("try")`."""
        match self.entries.get(key):
            case tuple() as texts:
                return texts
            case _:
                raise KeyError(f"{key} is not a list in assets/text/{self.language}/{self.page}.toml")

    def format(self, key: str, **values: Value) -> str:
        """Markdown with `{name}` filled in: numbers to 4 significant digits, strings as inert inline code.

        For whatever Streamlit renders as Markdown, labels included. A string may be anything a visitor typed.
        """
        return self[key].format_map({name: self._markdown(value) for name, value in values.items()})

    def data(self, key: str, **values: Value) -> str:
        """Plain text with `{name}` filled in, strings as they are: for canvases, `st.text`, alt texts; not Markdown."""
        return self[key].format_map({name: self._plain(value) for name, value in values.items()})

    def _markdown(self, value: Value) -> str:
        return inline_code(value) if isinstance(value, str) else self._plain(value)

    def _plain(self, value: Value) -> str:
        if not isinstance(value, float):
            return str(value)
        return significant(value, undefined=_load("common", self.language)["undefined"])


def words(page: str, language: str | None = None) -> Words:
    """The words of `page`, in the reader's language unless one is given."""
    return _load(page, language or reader_language())


def reader_language() -> str:
    """The reader's choice, else the link's `lang`, else what the browser asks for, else English."""
    chosen = st.session_state.get(LANGUAGE)
    return chosen if isinstance(chosen, str) and chosen in LANGUAGES else _language().peek()


def language_switch() -> None:
    """EN / 中文, kept from page to page, and in the link where it differs from what the browser asks for."""
    language = _language()
    language.seed()
    st.segmented_control(
        words("common")["language"],
        list(LANGUAGES),
        format_func=LANGUAGES.__getitem__,
        required=True,
        label_visibility="collapsed",
        key=language.name,
    )
    language.value()


def _language() -> Setting[str]:
    return Setting(key="lang", widget=LANGUAGE, default=_browser_language(), parse=str, options=tuple(LANGUAGES))


def _browser_language() -> str:
    language = (st.context.locale or "").partition("-")[0].lower()
    return language if language in LANGUAGES else "en"


def inline_code(text: str) -> str:
    """`text` as Markdown inline code: whatever it contains (links, images, HTML, `$`, `:red[…]`) stays inert."""
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * (longest + 1)
    return f"{fence} {' '.join(text.split())} {fence}" if text.strip() else "` `"


@lru_cache(maxsize=64)
def _load(page: str, language: str) -> Words:
    tables = tomllib.loads((FOLDER / language / f"{page}.toml").read_text(encoding="utf-8"))
    return Words(page, language, dict(_flatten(tables)))


def _flatten(table: Mapping[str, object], prefix: str = "") -> Iterator[tuple[str, str | tuple[str, ...]]]:
    for key, value in table.items():
        if isinstance(value, dict):
            yield from _flatten(value, f"{prefix}{key}.")
        elif isinstance(value, list):
            yield f"{prefix}{key}", tuple(str(item) for item in value)
        else:
            yield f"{prefix}{key}", str(value).strip()
