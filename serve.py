"""Headlight for many: the same pages behind routes, headers, admission and an orderly end. Start it with `make serve`.

The operator's settings are environment variables: PORT, HEADLIGHT_ADDRESS, HEADLIGHT_VISITORS, HEADLIGHT_HOSTS,
HEADLIGHT_FRAME_ANCESTORS, HEADLIGHT_METRICS, HEADLIGHT_GRACE; ui/server/settings.py says what each may be.
"""

import asyncio
import logging
import os
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import TypeAlias

import streamlit as st
import uvicorn
from starlette.types import ASGIApp
from streamlit import config, file_util
from streamlit.runtime import get_instance

from ui.navigation import PAGES, address_of
from ui.server import logs, plain, waiting
from ui.server.addresses import Addresses
from ui.server.admission import House
from ui.server.doors import Doors
from ui.server.draining import Draining, leave
from ui.server.gate import Gate
from ui.server.guards import PROCESS_UPLOADS, protect, uploaded
from ui.server.headers import Headers, security_headers
from ui.server.metrics import Gauges, Watch
from ui.server.settings import SettingError, Settings, settings
from ui.server.static import Compressed
from ui.text import words

SCRIPT = Path(__file__).with_name("app.py")
LAST_ANSWERS = 3  # seconds that answers under way have when the process ends
TRY_AGAIN = 5  # seconds after the first page did not run
WIDGETS = 1024 * 1024  # bytes a megabyte of server.maxWidgetStateSize stands for

Load: TypeAlias = Callable[[], Gauges]

_log = logging.getLogger("headlight")


def load_model() -> Gauges:
    """The imports and the model every page needs; what they, and the files visitors sent, have to report."""
    from ui.compute import gauges  # imports torch, so it waits until the server listens
    from ui.runtime import warm_up
    from ui.session import embedded, prepare_examples

    warm_up(embedded, prepare_examples)
    return lambda: gauges() | {"uploads_bytes": uploaded(), "uploads_limit_bytes": PROCESS_UPLOADS}


def apologise(error: Exception) -> bool:
    """What nobody caught stands in the log, and becomes one sentence like everything else that fails. The session's
    own choice of language may be what is broken: the browser's counts.
    """
    language = waiting.reader_language(st.context.headers.get("accept-language", ""), b"")
    st.error(words("common", language)["error.unexpected"], icon=":material/error:")
    return True


def application(asked: Settings, house: House, script: Path, load: Load) -> ASGIApp:
    """Streamlit's app, and around it whatever a request passes first: the outermost layer comes last."""
    figures: Counter[str] = Counter()
    watch = Watch(house, figures, open_metrics=asked.open_metrics)

    @asynccontextmanager
    async def warming(app: st.App) -> AsyncIterator[None]:
        task = asyncio.create_task(warm(house, watch, load))
        yield
        task.cancel()

    bundle = Path(file_util.get_static_dir())
    pages = ((bundle / "index.html").read_text(encoding="utf-8"), plain.page(waiting.PAGE))
    app: ASGIApp = st.App(script, routes=watch.routes(), lifespan=warming, on_script_error=apologise)
    app = Compressed(app, bundle / "static")
    app = Gate(app, house, figures, framed=asked.framed)
    app = Addresses(app, address_of)
    app = Doors(app, asked.hosts)
    app = Headers(app, security_headers(pages, asked.frame_ancestors))
    return logs.AccessLog(app, frozenset(f"/{page.url_path}" for page in PAGES))


async def warm(house: House, watch: Watch, load: Load) -> None:
    """Load the model, then be the first visitor: until the menu has been drawn once, links to pages find nothing.

    Nobody is let in before: what the collector is told to leave alone for ever is then nobody's page.
    """
    while True:
        try:
            watch.gauges = await asyncio.to_thread(load)
            break
        except Exception:
            _log.exception("What every page needs cannot be loaded")
            await asyncio.sleep(TRY_AGAIN)
    while not (outcome := await get_instance().does_script_run_without_error())[0]:
        _log.error("The first page does not run: %s", outcome[1])
        await asyncio.sleep(TRY_AGAIN)
    if house.state == "warming":
        house.state = "open"


def uvicorn_config(app: ASGIApp, asked: Settings) -> uvicorn.Config:
    """How uvicorn runs it. It believes no forwarding header: who asks is whoever is connected."""
    ping = config.get_option("server.websocketPingInterval") or 30
    return uvicorn.Config(
        app,
        host=asked.address,
        port=asked.port,
        loop="uvloop",
        ws="websockets-sansio",
        ws_max_size=config.get_option("server.maxWidgetStateSize") * WIDGETS,
        ws_ping_interval=ping,
        ws_ping_timeout=ping,
        ws_per_message_deflate=config.get_option("server.enableWebsocketCompression"),
        proxy_headers=False,
        server_header=False,
        access_log=False,
        log_config=None,
        timeout_graceful_shutdown=LAST_ANSWERS,
    )


def main(script: Path = SCRIPT, load: Load = load_model) -> int:
    """Serve `script` until told to stop; the exit status."""
    try:
        asked = settings(os.environ)
    except SettingError as error:
        print(error, file=sys.stderr)
        return 2
    protect()
    house = House(asked.visitors)
    house.state = "warming"
    app = application(asked, house, script, load)
    logs.configure()
    if asked.framed:  # a frame of another site keeps only cookies that are marked for it
        config.set_option("server.xsrfCookieSameSite", "none")
    server = Draining(uvicorn_config(app, asked), house, asked.grace)
    _log.info("Listening on %s, port %d, for %d readers", asked.address, asked.port, asked.visitors)
    with suppress(KeyboardInterrupt):
        server.run()
    return 0 if server.started else 3


if __name__ == "__main__":
    leave(main())
