"""The light client does what a browser does: the same widget values and the same cached messages go to the server."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest
from playwright.sync_api import Page
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ClientState_pb2 import ClientState

from tests.harness.browser import WATCHING, launch, wait_idle
from tests.harness.client import visit
from tests.harness.serving import serve
from tests.harness.visitors import address

QUERY = "lang=en&text=The+light+client+is+no+browser"
HEADS = ("4", "7")


@pytest.fixture(scope="module")
def server():
    with serve() as server:
        yield server


@pytest.fixture(scope="module")
def page(server):
    with launch() as browser:
        page = browser.new_page(locale="en", viewport={"width": 1440, "height": 900})
        page.add_init_script(WATCHING)
        page.goto(server.url)
        wait_idle(page)
        yield page


async def sent_by_the_client(url: str, path: str) -> list[ClientState]:
    async with visit(url, address(path), QUERY) as session:
        sent, send = [], session.socket.send

        async def noted(message: bytes) -> None:
            sent.append(message)
            await send(message)

        session.socket.send = noted
        await session.rerun()
        for head in HEADS:
            await session.change("head", [head])
    return asked(sent)


def asked(sent: list[str | bytes]) -> list[ClientState]:
    messages = [BackMsg.FromString(message) for message in sent if isinstance(message, bytes)]
    return [message.rerun_script for message in messages if message.WhichOneof("type") == "rerun_script"]


def sent_by_the_browser(page: Page, url: str, path: str) -> list[ClientState]:
    sent = []
    page.once("websocket", lambda socket: socket.on("framesent", lambda message: sent.append(message)))
    page.goto(f"{url}/{address(path)}?{QUERY}")
    wait_idle(page)
    for head in HEADS:
        page.locator(".st-key-head").get_by_role("radio", name=head, exact=True).click()
        wait_idle(page)
    return asked(sent)


def payload(state: ClientState) -> dict[str, object]:
    """What goes to the server but for facts about the browser; the order does not matter."""
    values = {widget.id: str(widget) for widget in state.widget_states.widgets}
    place = (state.page_name, state.page_script_hash, state.fragment_id, state.query_string)
    return {"values": values, "cached": set(state.cached_message_hashes), "place": place}


@pytest.mark.browser
@pytest.mark.slow
@pytest.mark.parametrize("path", ["pipeline", "heads"])
def test_a_click_sends_the_widgets_and_the_cached_messages_that_a_browser_sends(server, page, path):
    _, *theirs = sent_by_the_browser(page, server.url, path)
    with ThreadPoolExecutor() as pool:  # the browser's event loop has this thread
        _, *ours = pool.submit(asyncio.run, sent_by_the_client(server.url, path)).result()
    assert [payload(state) for state in ours] == [payload(state) for state in theirs]
    assert all(state.cached_message_hashes for state in ours)
