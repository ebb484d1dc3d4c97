"""The menu: one row per page."""

import re
from copy import copy
from dataclasses import dataclass
from functools import cache
from typing import Literal
from urllib.parse import unquote

import streamlit as st
from streamlit.runtime.pages_manager import PagesManager
from streamlit.runtime.scriptrunner import get_script_run_ctx

from ui.state import OF_ANY, arrive, follow_link
from ui.text import LANGUAGE, LANGUAGES, words

Section = Literal["explore", "saturation", "mechanisms", "training", "lessons"]

MISSING = "missing"  # the page that says that there is none
SECTIONS: tuple[Section, ...] = ("explore", "saturation", "mechanisms", "training", "lessons")


@dataclass(frozen=True)
class PageEntry:
    """One page: its section and its name (the folder `pages/<section>/<name>`, the key of its words), its icon, and its
    address.
    """

    section: Section
    name: str
    icon: str
    url_path: str

    @property
    def path(self) -> str:
        """Its script."""
        return f"pages/{self.section}/{self.name}/page.py"


PAGES = (
    PageEntry("explore", "start", ":material/home:", "start"),
    PageEntry("explore", "pipeline", ":material/conversion_path:", "pipeline"),
    PageEntry("explore", "heads", ":material/grid_view:", "heads"),
    PageEntry("saturation", "softmax", ":material/biotech:", "softmax"),
    PageEntry("saturation", "why_sqrt", ":material/square_foot:", "why-sqrt"),
    PageEntry("saturation", "vanishing", ":material/trending_down:", "vanishing"),
    PageEntry("saturation", "remedies", ":material/healing:", "remedies"),
    PageEntry("mechanisms", "bench", ":material/compare:", "bench"),
    PageEntry("mechanisms", "hard_soft", ":material/casino:", "hard-soft"),
    PageEntry("mechanisms", "local", ":material/center_focus_strong:", "local"),
    PageEntry("mechanisms", "order", ":material/shuffle:", "order"),
    PageEntry("mechanisms", "two_sentences", ":material/compare_arrows:", "two-sentences"),
    PageEntry("training", "scaling_race", ":material/flag:", "scaling-race"),
    PageEntry("training", "induction", ":material/content_copy:", "induction"),
    PageEntry("training", "pronoun", ":material/account_balance:", "its-law"),
    PageEntry("training", "long_range", ":material/straighten:", "long-range"),
    PageEntry("training", "alignment", ":material/join_inner:", "alignment"),
    PageEntry("training", "time_series", ":material/timeline:", "time-series"),
    PageEntry("lessons", "lesson", ":material/school:", "lesson"),
)


# One way through all pages: the story first, then what else there is. Lessons are ways of their own.
STORY = (
    *("start", "heads", "pipeline", "why_sqrt", "softmax", "vanishing", "scaling_race", "remedies", "induction"),
    *("pronoun", "bench", "hard_soft", "local", "order", "two_sentences", "long_range", "alignment", "time_series"),
)
# What a link to the first page can say; the page on every step stood there before, and its links open there still.
OF_START = {"text", "focus", "shown", "soft_dk", "soft_scale", *OF_ANY}


def navigation() -> st.Page:
    """The page the reader asked for, and the menu above it; the first row of PAGES is the landing page."""
    follow_link(LANGUAGE)
    pages = _pages()
    missed = pages is not None and _missed(pages)
    if pages is not None and not missed:
        _find(pages)
    common = words("common")
    menu: dict[str, list[st.Page]] = {}
    for section in SECTIONS:
        entries = [entry for entry in PAGES if entry.section == section]
        if entries:
            menu[common[f"section.{section}"]] = [_page(entry, common.language) for entry in entries]
    menu[common["section.explore"]].append(copy(_missing_page(common.language)))
    page = st.navigation(menu, position="top")
    if missed:
        st.html("<script>location.reload()</script>", unsafe_allow_javascript=True)
        st.stop()
    if page.url_path == "" and not OF_START.issuperset(st.query_params):
        st.switch_page(entry_of("pipeline").path, query_params=st.query_params.to_dict())
    arrive(page.url_path)
    return page


def entry_of(name: str) -> PageEntry:
    """The row of PAGES with this name."""
    return next(entry for entry in PAGES if entry.name == name)


def name_of(address: str) -> str:
    """The name of the page with this address, without its slash; empty for the page that says there is none."""
    return next((entry.name for entry in PAGES if _address(entry) == f"/{address}"), "")


def link_to(name: str, label: str) -> None:
    """A link to another page. What both can say, the sentence and where the reader looks, goes with the session."""
    st.page_link(entry_of(name).path, label=label)


def tab_title(page: st.Page) -> str:
    """What the browser's tab says: the page, then the product."""
    product = words("common")["product"]
    return product if page.title == product else f"{page.title} · {product}"


def onward(page: st.Page) -> None:
    """At the foot of every page: which one comes next, and why."""
    name = name_of(page.url_path)
    if name not in STORY:
        return
    following, common = STORY[(STORY.index(name) + 1) % len(STORY)], words("common")
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="onward"):
        link_to(following, common.data("next.label", page=common[f"page.{following}.title"]))
        st.caption(common[f"next.{following}"], width="stretch")


def address_of(path: str) -> str | None:
    """The address of the page that a path means, in any spelling: its name, its title, that of a section for the first
    page of it, a section before a page. None where there is no such page.
    """
    first, *rest = [part for part in unquote(path).split("/") if part] or [""]
    if rest and first.casefold() in SECTIONS:
        first, *rest = rest
    signs_alone = bool(first) and not _bare(first)  # no letter of it is left: not the address of the first page
    return None if rest or signs_alone else _addresses().get(_bare(first))


@cache
def _addresses() -> dict[str, str]:
    """The address of every page, by all that it may be called."""
    first = {section: next(entry for entry in PAGES if entry.section == section) for section in SECTIONS}
    called = {"": PAGES[0], "index.html": PAGES[0], **first}
    for entry in PAGES:
        titles = (words("common", language)[f"page.{entry.name}.title"] for language in LANGUAGES)
        called |= dict.fromkeys((*titles, entry.name, entry.url_path), entry)
    return {_bare(name): _address(entry) for name, entry in called.items()}


def _address(entry: PageEntry) -> str:
    """Of the landing page, the root; of any other its own."""
    return "/" if entry == PAGES[0] else f"/{entry.url_path}"


def _bare(name: str) -> str:
    """Letters and digits alone: Two_sentences and two-sentences are one."""
    return re.sub(r"[\W_]+", "", name.casefold())


def _pages() -> PagesManager | None:
    run = get_script_run_ctx()
    return None if run is None else run.pages_manager


def _missed(pages: PagesManager) -> bool:
    """Whether the browser has just been told "Page not found" about a link to a page.

    Until st.navigation has run once in a process, Streamlit takes app.py for the only page. Whoever arrives by a link
    meanwhile, one reader or a class, has to load the page again.
    """
    alone = [page.get("url_pathname") for page in pages.get_pages().values()] == [""]
    return alone and bool(pages.intended_page_name) and not pages.intended_page_script_hash


def _find(pages: PagesManager) -> None:
    """Where a link names no page: the one it means, or the sentence that there is none. Streamlit shows English."""
    name = pages.intended_page_name
    if name and not pages.intended_page_script_hash:
        meant = address_of(name)
        pages.set_script_intent("", MISSING if meant is None else meant.removeprefix("/"))


def _page(entry: PageEntry, language: str) -> st.Page:
    """A copy for this run: a page that has run cannot run again."""
    return copy(_checked(entry, language))


@cache
def _checked(entry: PageEntry, language: str) -> st.Page:
    """Streamlit looks for the file of a page whenever it is made: once a language is enough."""
    common = words("common", language)
    return st.Page(
        entry.path,
        title=common[f"page.{entry.name}.title"],
        help=common[f"page.{entry.name}.help"],
        icon=entry.icon,
        url_path=entry.url_path,
        default=entry == PAGES[0],
    )


@cache
def _missing_page(language: str) -> st.Page:
    title = words("server", language)["missing.title"]
    return st.Page(_say_missing, title=title, url_path=MISSING, visibility="hidden")


def _say_missing() -> None:
    """That there is no page at this address, and the way to one."""
    texts, common = words("server"), words("common")
    st.title(texts["missing.title"], anchor=False)
    st.markdown(texts.data("missing.text", page=common[f"page.{PAGES[0].name}.title"]))
    st.page_link(_page(PAGES[0], common.language), label=texts["missing.way"], icon=":material/home:")
