"""The menu: one row per page."""

from copy import copy
from dataclasses import dataclass
from functools import cache
from typing import Literal

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from ui.state import arrive, follow_link
from ui.text import LANGUAGE, words

Section = Literal["explore", "saturation", "mechanisms", "training"]

SECTIONS: tuple[Section, ...] = ("explore", "saturation", "mechanisms", "training")


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
)


# One way through all pages: the story first, then what else there is.
STORY = (
    *("start", "heads", "pipeline", "why_sqrt", "softmax", "vanishing", "scaling_race", "remedies", "induction"),
    *("pronoun", "bench", "hard_soft", "local", "order", "two_sentences", "long_range", "alignment", "time_series"),
)
# What a link to the first page can say; the page on every step stood there before, and its links open there still.
OF_START = {"text", "focus", "shown", "soft_dk", "soft_scale", "lang", "embed", "embed_options"}


def navigation() -> st.Page:
    """The page the reader asked for, and the menu above it; the first row of PAGES is the landing page."""
    follow_link(LANGUAGE)
    missed = _missed()
    common = words("common")
    menu: dict[str, list[st.Page]] = {}
    for section in SECTIONS:
        entries = [entry for entry in PAGES if entry.section == section]
        if entries:
            menu[common[f"section.{section}"]] = [_page(entry, common.language) for entry in entries]
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


def link_to(name: str, label: str) -> None:
    """A link to another page. What both can say, the sentence and where the reader looks, goes with the session."""
    st.page_link(entry_of(name).path, label=label)


def tab_title(page: st.Page) -> str:
    """What the browser's tab says: the page, then the product."""
    product = words("common")["product"]
    return product if page.title == product else f"{page.title} · {product}"


def onward(page: st.Page) -> None:
    """At the foot of every page: which one comes next, and why."""
    name = next(entry.name for entry in PAGES if page.url_path == ("" if entry == PAGES[0] else entry.url_path))
    following, common = STORY[(STORY.index(name) + 1) % len(STORY)], words("common")
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="onward"):
        link_to(following, common.data("next.label", page=common[f"page.{following}.title"]))
        st.caption(common[f"next.{following}"], width="stretch")


def _missed() -> bool:
    """Whether the browser has just been told "Page not found" about a link to a page.

    Until st.navigation has run once in a process, Streamlit takes app.py for the only page. Whoever arrives by a link
    meanwhile, one reader or a class, has to load the page again.
    """
    run = get_script_run_ctx()
    if run is None:
        return False
    pages = run.pages_manager
    alone = [page.get("url_pathname") for page in pages.get_pages().values()] == [""]
    return alone and bool(pages.intended_page_name) and not pages.intended_page_script_hash


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
