"""Addresses that are nearly those of pages, and addresses of nothing: a page, or a sentence with the way home."""

import re

import pytest

from ui.navigation import PAGES, address_of
from ui.server.addresses import asks_for_page, elsewhere
from ui.text import words

PAGE = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
NEARLY = {
    "/Pipeline": "/pipeline",
    "/start": "/",
    "/Headlight": "/",
    "/heads/": "/heads",
    "/HEADS": "/heads",
    "/explore/heads": "/heads",
    "/explore/pipeline": "/pipeline",
    "/Saturation/Softmax": "/softmax",
    "/two_sentences": "/two-sentences",
    "/TwoSentences": "/two-sentences",
    "/two%20sentences": "/two-sentences",
    "/why_sqrt": "/why-sqrt",
    "/pronoun": "/its-law",
    "/注意力头": "/heads",
    "/explore": "/",
    "/training": "/scaling-race",
    "/index.html": "/",
}
NOWHERE = (
    "/heads/x",
    "/heads/heads/heads",
    "/nothing",
    "/explore/nothing",
    "/heads/x.html",
    "/explore/heads/x",
    "/中文",
    "/.../x",
    "/---",
    "/%20",
    "/!?",
    "/🙂",
    "/explore/_",
)


@pytest.mark.parametrize(("path", "address"), NEARLY.items())
def test_a_page_is_found_under_all_its_names(path, address):
    assert address_of(path) == address


@pytest.mark.parametrize("path", NOWHERE)
def test_what_is_no_page_is_none(path):
    assert address_of(path) is None


@pytest.mark.parametrize("entry", PAGES, ids=lambda entry: entry.name)
def test_every_page_is_found_under_its_own_address(entry):
    address = "/" if entry == PAGES[0] else f"/{entry.url_path}"
    assert address_of(address) == address == address_of(f"/{entry.section}/{entry.name}")


def scope(path, method="GET", root="", query=b"", **headers):
    raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return {"type": "http", "path": path, "root_path": root, "method": method, "headers": raw, "query_string": query}


@pytest.mark.parametrize(
    "path", ["/", "/heads", "/static/js/x.js", "/_stcore/health", "/media/a.csv", "/livez", "/robots.txt", "//evil"]
)
def test_pages_files_and_probes_are_left_alone(path):
    assert elsewhere(scope(path, **PAGE), address_of) is None


def test_what_a_page_loads_is_left_alone_and_so_is_what_is_sent():
    assert not asks_for_page(scope("/heads/static/js/x.js", accept="*/*"))
    assert not asks_for_page(scope("/nothing", "POST", **PAGE))
    assert not asks_for_page({"type": "websocket", "path": "/nothing"})


def test_a_way_to_a_page_keeps_the_question_and_the_place_where_the_app_is_mounted():
    answer = elsewhere(scope("/app/Pipeline", root="/app", query=b"text=a%20b&lang=zh", **PAGE), address_of)
    assert (answer.status_code, answer.headers["location"]) == (307, "/app/pipeline?text=a%20b&lang=zh")


@pytest.mark.parametrize(
    ("path", "address"),
    [("/PIPELINE", "/pipeline"), ("/explore/heads", "/heads"), ("/two_sentences", "/two-sentences")],
)
def test_a_browser_is_sent_to_the_page(either, path, address):
    answer = either.ask(f"{path}?text=law", **PAGE)
    assert (answer.status, answer.headers["location"]) == (307, f"{address}?text=law")


@pytest.mark.parametrize("path", ["/heads/x", "/nothing", "/heads/x.html", "/a/b/c/d", "/heads/%3Cscript%3E"])
@pytest.mark.parametrize(("language", "query"), [("en", ""), ("zh", ""), ("zh", "?lang=zh"), ("en", "?lang=en&text=x")])
def test_nothing_is_a_sentence_with_the_way_home_in_the_readers_language(either, path, language, query):
    accepted = "zh-CN,zh;q=0.9" if language == "zh" and not query else "fr"
    answer = either.ask(path + query, accept_language=accepted, **PAGE)
    assert answer.status == 404 and answer.headers["cache-control"] == "no-store"
    assert f'lang="{language}"' in answer.text and words("server", language)["missing.title"] in answer.text
    assert re.search(r'<a href="/\?lang=(\w+)">', answer.text)[1] == language
    assert "script" not in answer.text and "$" not in answer.text


def shown(messages) -> str:
    return b"".join(message.delta.SerializeToString() for message in messages).decode("utf-8", "replace")


@pytest.mark.parametrize("name", ["nothing", "heads.html", "<b>x</b>", "missing"])
def test_where_streamlit_alone_is_asked_nothing_is_a_sentence_too(either, name):
    messages = either.visited(name, "lang=zh")
    assert not [message for message in messages if message.HasField("page_not_found")]
    assert words("server", "zh")["missing.title"] in shown(messages)
    assert not [message for message in messages if message.delta.new_element.HasField("exception")]


@pytest.mark.parametrize("name", ["Pipeline", "Heads", "two_sentences", "index.html"])
def test_where_streamlit_alone_is_asked_a_page_is_found_under_its_names(either, name):
    messages = either.visited(name)
    assert not [message for message in messages if message.HasField("page_not_found")]
    address = (address_of(f"/{name}") or "").removeprefix("/")
    entry = next((page for page in PAGES if page.url_path == address), PAGES[0])
    assert words("common", "en")[f"page.{entry.name}.title"] in shown(messages)
    assert words("server", "en")["missing.title"] not in shown(messages)
