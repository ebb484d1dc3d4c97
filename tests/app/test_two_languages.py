"""Readers of both languages at the same moment, on one server: the menu and the page of each are in their own."""

import asyncio
import tomllib
from pathlib import Path

from tests.harness.client import Reply, visit
from tests.harness.serving import serve

TEXT = Path(__file__).parents[2] / "assets" / "text"
PAGES = ("", "softmax", "bench", "its-law")


def menu(language: str) -> set[bytes]:
    """What the menu says about the pages: a sentence each."""
    common = tomllib.loads((TEXT / language / "common.toml").read_text(encoding="utf-8"))
    return {page["help"].encode() for page in common["page"].values()}


async def read(url: str, page: str, language: str) -> tuple[str, list[Reply]]:
    async with visit(url, page, f"lang={language}") as session:
        return language, [await session.rerun() for _ in range(3)]


async def class_of(url: str) -> list[tuple[str, list[Reply]]]:
    await read(url, "", "en")  # the model is loaded before they come
    return await asyncio.gather(*(read(url, page, language) for page in PAGES for language in ("en", "zh")))


def test_eight_readers_of_two_languages_at_once_get_no_word_of_the_other() -> None:
    own = {language: menu(language) for language in ("en", "zh")}
    with serve("app.py") as server:
        read_by = asyncio.run(class_of(server.url))
    for language, replies in read_by:
        other = own["zh" if language == "en" else "en"]
        for reply in replies:
            sent = b"".join(message.SerializeToString() for message in reply.messages)
            assert all(sentence in sent for sentence in own[language])
            assert not [sentence for sentence in other if sentence in sent]
