"""The menu: one row per page."""

from dataclasses import dataclass
from typing import Literal

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from ui.link import arrive
from ui.text import words

Section = Literal["explore", "saturation", "mechanisms", "training"]

SECTIONS: tuple[Section, ...] = ("explore", "saturation", "mechanisms", "training")


@dataclass(frozen=True)
class PageEntry:
    """One page: its script, the key of its words, where it stands in the menu and in the address."""

    path: str
    words: str
    section: Section
    icon: str
    url_path: str


PAGES = (
    PageEntry("pages/explore/pipeline.py", "pipeline", "explore", ":material/conversion_path:", "pipeline"),
    PageEntry("pages/explore/heads.py", "heads", "explore", ":material/grid_view:", "heads"),
    PageEntry("pages/saturation/softmax.py", "softmax", "saturation", ":material/biotech:", "softmax"),
    PageEntry("pages/saturation/why_sqrt.py", "why_sqrt", "saturation", ":material/square_foot:", "why-sqrt"),
    PageEntry("pages/saturation/vanishing.py", "vanishing", "saturation", ":material/trending_down:", "vanishing"),
    PageEntry("pages/saturation/remedies.py", "remedies", "saturation", ":material/healing:", "remedies"),
    PageEntry("pages/mechanisms/bench.py", "bench", "mechanisms", ":material/compare:", "bench"),
    PageEntry("pages/mechanisms/hard_soft.py", "hard_soft", "mechanisms", ":material/casino:", "hard-soft"),
    PageEntry("pages/mechanisms/local.py", "local", "mechanisms", ":material/center_focus_strong:", "local"),
    PageEntry("pages/mechanisms/order.py", "order", "mechanisms", ":material/shuffle:", "order"),
    PageEntry(
        "pages/mechanisms/two_sentences.py", "two_sentences", "mechanisms", ":material/compare_arrows:", "two-sentences"
    ),
    PageEntry("pages/training/scaling_race.py", "scaling_race", "training", ":material/flag:", "scaling-race"),
    PageEntry("pages/training/induction.py", "induction", "training", ":material/content_copy:", "induction"),
    PageEntry("pages/training/pronoun.py", "pronoun", "training", ":material/account_balance:", "its-law"),
    PageEntry("pages/training/long_range.py", "long_range", "training", ":material/straighten:", "long-range"),
    PageEntry("pages/training/alignment.py", "alignment", "training", ":material/join_inner:", "alignment"),
    PageEntry("pages/training/time_series.py", "time_series", "training", ":material/timeline:", "time-series"),
)


def navigation() -> st.Page:
    """The page the reader asked for, and the menu above it; the first row of PAGES is the landing page."""
    missed = _missed()
    common = words("common")
    menu: dict[str, list[st.Page]] = {}
    for section in SECTIONS:
        entries = [entry for entry in PAGES if entry.section == section]
        if entries:
            menu[common[f"section.{section}"]] = [_page(entry) for entry in entries]
    page = st.navigation(menu, position="top")
    if missed:
        st.html("<script>location.reload()</script>", unsafe_allow_javascript=True)
        st.stop()
    arrive(page.url_path)
    return page


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


def _page(entry: PageEntry) -> st.Page:
    common = words("common")
    return st.Page(
        entry.path,
        title=common[f"page.{entry.words}.title"],
        help=common[f"page.{entry.words}.help"],
        icon=entry.icon,
        url_path=entry.url_path,
        default=entry == PAGES[0],
    )
