"""The browser's side of the components. Scripts and style travel once a page, not with every change of data."""

import json
import posixpath
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from streamlit.components.v2 import component as register

from ui.palette import SOURCE
from ui.text import words

FOLDER = Path(__file__).parents[2] / "assets" / "components"
ENTRY = "library.js"
IMPORT = re.compile(r'^import \{[\w\s,]+\} from "(\.[^"]+)";\n', re.MULTILINE)
EXPORT = re.compile(r"^export (?=(?:const|function|class) (\w+))", re.MULTILINE)
DOCS = re.compile(r"^ */\*\*(?:(?!\*/).)*\*/\n", re.MULTILINE | re.DOTALL)  # types, which no browser reads
DAMAGED = "The picture did not arrive whole. Reload the page. / 图未能完整送达，请刷新页面。"
MOUNT = """export default function mount(component) {
  const hub = (window.__headlight ??= { waiting: [] });
  if (hub.NAME) return hub.NAME(component);
  let stop;
  // Streamlit may have taken the place off the page meanwhile: what mounted there would listen for ever.
  hub.waiting.push(() => {
    if (component.parentElement.isConnected) stop = hub.NAME(component);
  });
  return () => stop?.();
}
"""


def component(name: str) -> Callable[..., Any]:
    """Register the component whose function `name` stands in the library. Once per name, when a module is imported."""
    return register(
        f"headlight_{name}",
        html=f'<div class="root" role="group" translate="no" data-damaged="{DAMAGED}"></div>\n',
        js=MOUNT.replace("NAME", name),
    )


def library() -> None:
    """Send the scripts of all components. Once per run of a page; unchanged, it is not sent again."""
    _LIBRARY(key="library", height="content")


def reader() -> None:
    """Tell the browser the language of the page, and what it says by itself."""
    common, canvas = words("common"), words("canvas")
    summaries = {name.removeprefix("sum."): canvas[name] for name in canvas if name.startswith("sum.")}
    data = {"language": common.language, "copying": common["copying"], "summaries": summaries}
    _READER(key="reader", height="content", data=data)


def script() -> str:
    """All modules as one script: each after those it imports, in a scope of its own that gives what it exports."""
    style = json.dumps((FOLDER / "style.css").read_text(encoding="utf-8"))
    modules = [_scoped(source) for source in _in_order(ENTRY, set())]
    return "\n".join([f"const PALETTE = {' '.join(SOURCE.split())};", f"const STYLE = {style};", *modules])


def _in_order(name: str, met: set[str]) -> Iterator[str]:
    """The source of a module, after the sources of what it imports and has not been `met` yet."""
    met.add(name)
    source = (FOLDER / name).read_text(encoding="utf-8")
    for address in IMPORT.findall(source):
        other = posixpath.normpath(posixpath.join(posixpath.dirname(name), address))
        if other not in met:
            yield from _in_order(other, met)
    yield source


def _scoped(module: str) -> str:
    exports, body = ", ".join(EXPORT.findall(module)), EXPORT.sub("", IMPORT.sub("", DOCS.sub("", module)))
    other = re.search(r"^(import|export)\b.*", body, re.MULTILINE)
    if other and not other[0].startswith("export default function "):
        raise ValueError(f"modules of components import and export plain names only; not {other[0]!r}")
    return f"const {{ {exports} }} = (() => {{\n{body}return {{ {exports} }};\n}})();" if exports else body


def caption(place: str, study: str) -> None:
    """Tell the browser what the figures of the page are of, plain text: the layer and the head, and all else."""
    _CAPTION(key="caption", height="content", data={"place": place, "study": study})


_LIBRARY = register("headlight_library", html="<span></span>\n", js=script())
_READER = component("reader")
_CAPTION = component("caption")
