"""The page of those who wait: a few kilobytes, no Streamlit, in the reader's language, trying again by itself."""

from urllib.parse import parse_qs

from starlette.datastructures import Headers
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.types import Scope

from ui.server import plain
from ui.server.admission import House, Waiting
from ui.text import LANGUAGES, words

PAGE = "waiting"
SOON, LATE = 3, 15  # seconds until it tries again: at the head of the line, and from PACE * LATE places on
PACE = 10  # places for each second more


def answer(waiting: Waiting | None, house: House, scope: Scope) -> Response:
    """What somebody who waits is told: as data where the page asks for itself, else the page."""
    headers = Headers(scope=scope)
    seconds = pause(waiting.place if waiting else None) if house.state == "open" else SOON
    headers_back = {"cache-control": "no-store", "retry-after": str(seconds), "vary": "accept, accept-language, cookie"}
    if headers.get("accept") == "application/json":
        place = waiting.place if waiting else 0
        content = {"open": waiting is None, "place": place, "wait": seconds}
        return JSONResponse(content, 200 if waiting is None else 503, headers_back)
    language = reader_language(headers.get("accept-language", ""), scope.get("query_string", b""))
    text = filled(language, waiting.place if waiting else None, house, seconds)
    return HTMLResponse(text, 503, headers_back | {"content-language": language})


def filled(language: str, place: int | None, house: House, seconds: int) -> str:
    """The page in one language."""
    texts = words("server", language)
    full = house.state == "open"
    kind = "full" if full else house.state
    values = {
        "title": texts.data(f"{kind}.title", readers=house.limit),
        "text": texts[f"{kind}.text"],
        "place": texts["full.place"] if full else "",
        "crowd": texts["full.crowd"] if full else "",
        "line": texts.data("full.place", place=place) if place else texts["full.crowd"] if full else "",
        "wait": str(seconds),
    }
    return plain.filled(PAGE, language, values)


def pause(place: int | None) -> int:
    """Seconds until the next try: the further back, the more patient, so that a long line costs little."""
    return LATE if place is None else min(LATE, SOON + place // PACE)


def reader_language(accepted: str, query: bytes) -> str:
    """The link's `lang`, else the first language we speak of those the browser accepts, else English."""
    named = parse_qs(query.decode("latin-1"), max_num_fields=100).get("lang", []) if len(query) < 8192 else []
    wanted = sorted(map(_preference, accepted[:500].split(",")), key=lambda choice: -choice[1])
    candidates = (*named, *(language for language, quality in wanted if quality > 0))
    return next((language for language in candidates if language in LANGUAGES), "en")


def _preference(part: str) -> tuple[str, float]:
    """ "zh-CN;q=0.8" → ("zh", 0.8)."""
    language, _, quality = part.partition(";q=")
    try:
        weight = float(quality or 1)
    except ValueError:
        weight = 0.0
    return language.strip().partition("-")[0].lower(), weight
