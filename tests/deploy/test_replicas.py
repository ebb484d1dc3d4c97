"""Three replicas of the real app behind the shipped proxy: three hundred readers, a browser, and one that is killed."""

import asyncio
import functools
import signal
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlencode

import psutil
import pytest

from deploy.proxy import ADVICE, find_nginx
from deploy.trial.__main__ import REPLICAS, ROOM, trial
from deploy.trial.cluster import cluster
from deploy.trial.reader import COOKIE, Reader
from tests.harness.browser import WATCHING, launch, wait_idle

pytestmark = [pytest.mark.skipif(find_nginx() is None, reason=ADVICE), pytest.mark.slow]
READERS = 300
SENTENCE = "The lamp lit the road because it was dark"


def in_a_thread(test):
    """The browser of other tests keeps a running event loop in this one, beside which none can be started."""

    @functools.wraps(test)
    def run(*args, **options):
        with ThreadPoolExecutor(1) as pool:
            pool.submit(test, *args, **options).result()

    return run


@pytest.fixture(scope="module")
def replicas():
    with cluster(REPLICAS, ROOM) as started:
        yield started
        family = started.process.children()
    _, alive = psutil.wait_procs(family, timeout=30)
    assert len(family) >= REPLICAS and not alive, "when they are told to end, all end"


@in_a_thread
def test_nobody_loses_their_page_when_a_replica_is_killed(replicas):
    outcome, uploads = asyncio.run(killed(replicas))
    assert outcome.fewest > READERS / 6, "newcomers are spread over all replicas"
    assert outcome.on_killed >= READERS / 3
    assert (outcome.lost, outcome.elsewhere_lost) == (0, 0)
    assert uploads == [204] * 12
    printed = replicas.printed()
    assert "it starts again" in printed
    assert not [line for line in printed.splitlines() if "counts" in line], "a log holds what a reader typed"


async def killed(replicas):
    """The outcome, and what readers are answered who upload once the killed replica is there again."""
    async with trial(replicas, READERS) as (outcome, moved, others):
        await until_ready(replicas)
        return outcome, [await reader.upload(b"12345") for reader in (*moved[:6], *others[:6])]


async def until_ready(replicas):
    for port in replicas.ports:
        probe = Reader(f"http://127.0.0.1:{port}", 0)
        for _ in range(300):
            try:
                await probe.get("/readyz")
                break
            except OSError:
                await asyncio.sleep(0.2)


@in_a_thread
def test_a_browser_comes_back_by_itself_with_the_same_sentence(replicas):
    with launch() as browser, browser.new_page() as page:
        page.add_init_script(WATCHING)
        page.goto(f"{replicas.url}/?{urlencode({'text': SENTENCE})}")
        field = page.get_by_role("textbox", name="Your sentence")
        field.wait_for(timeout=60_000)
        wait_idle(page)
        page.evaluate("window.opened = 'once'")
        first = replica_of(page)
        replicas.replica(first).send_signal(signal.SIGKILL)
        page.locator("[data-test-connection-state]:not([data-test-connection-state=CONNECTED])").wait_for(
            timeout=20_000
        )
        wait_idle(page)
        assert replica_of(page) != first
        assert field.input_value() == SENTENCE
        assert page.evaluate("window.opened") == "once", "the page was not loaded again"
        assert "text=" in page.url


def replica_of(page) -> int:
    return next(int(cookie["value"]) for cookie in page.context.cookies() if cookie["name"] == COOKIE)
