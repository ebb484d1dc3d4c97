"""A cold server and links to its pages, over the WebSocket as browsers speak it."""

import asyncio

from tests.harness.client import Reply, elements, visit
from tests.harness.serving import serve

LINKS = ("vanishing", "heads", "softmax", "long-range")


async def arrive(url: str, page: str) -> Reply:
    async with visit(url, page) as session:
        session.complains = False
        return await session.rerun()


async def all_at_once(url: str) -> list[Reply]:
    return await asyncio.gather(*(arrive(url, page) for page in LINKS))


def kinds(reply: Reply) -> list[str | None]:
    return [message.WhichOneof("type") for message in reply.messages]


def loads_again(reply: Reply) -> bool:
    return any("location.reload()" in html.body for html in elements(reply, "html"))


def test_whoever_is_told_that_a_page_is_not_there_loads_it_again_and_gets_it() -> None:
    with serve("app.py") as server:
        first = asyncio.run(all_at_once(server.url))
        assert "page_not_found" in kinds(first[0]), "this Streamlit knows the pages at once: ui/navigation.py can go"
        assert [loads_again(reply) for reply in first] == ["page_not_found" in kinds(reply) for reply in first]
        again = asyncio.run(all_at_once(server.url))
    for page, reply in zip(LINKS, again, strict=True):
        assert "page_not_found" not in kinds(reply) and not loads_again(reply)
        opened = next(message.navigation for message in reply.messages if message.WhichOneof("type") == "navigation")
        chosen = {entry.page_script_hash: entry.url_pathname for entry in opened.app_pages}[opened.page_script_hash]
        assert chosen == page
