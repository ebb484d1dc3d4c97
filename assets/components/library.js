// The scripts of all components, sent once a page: a component itself is a few lines that find its script here.
import { heatmap } from "./heatmap/picture.js";
import { lab } from "./lab/lab.js";
import { lines } from "./lines.js";

export default function library() {
  const hub = (window.__headlight ??= { waiting: [] });
  if (hub.heatmap) return;
  Object.assign(hub, { heatmap, lines, lab });
  document.addEventListener("input", wholeCharacters, true);
  history.pushState = staying(history.pushState, history.replaceState);
  hub.waiting.splice(0).forEach((mount) => mount());
}

// What a reader sets changes the address in place. Streamlit would make each change a step of the Back button, and none of
// these steps would lead anywhere, since the session puts its own values back into the address.
const staying = (push, replace) =>
  function (state, title, url) {
    const here = new URL(url ?? location.href, location.href).pathname === location.pathname;
    return (here ? replace : push).call(this, state, title, url);
  };

// Half of a character (a lone surrogate) has no UTF-8: the message that carries it would break the connection.
function wholeCharacters({ target }) {
  if (typeof target?.value !== "string" || target.value.isWellFormed()) return;
  const kind = target instanceof HTMLTextAreaElement ? HTMLTextAreaElement : HTMLInputElement;
  Object.getOwnPropertyDescriptor(kind.prototype, "value").set.call(target, target.value.toWellFormed());
}
