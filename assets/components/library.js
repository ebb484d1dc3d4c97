// The scripts of all components, sent once a page: a component itself is a few lines that find its script here.
import { arcs } from "./arcs.js";
import { caption } from "./figure/caption.js";
import { heatmap } from "./heatmap/picture.js";
import { lab } from "./lab/lab.js";
import { lines } from "./lines.js";
import { reader, watchReader } from "./page/reader.js";

export default function library() {
  const hub = (window.__headlight ??= { waiting: [] });
  if (hub.heatmap) return;
  Object.assign(hub, { arcs, caption, heatmap, lines, lab, reader });
  watchReader();
  document.addEventListener("input", bounded, true);
  document.addEventListener("click", closeDrawer, true);
  history.pushState = stepping(history.pushState, history.replaceState);
  hub.waiting.splice(0).forEach((mount) => mount());
}

// Each gesture of a reader that changes the address is one step of the Back button: a click, a drag, a burst of typing.
// Streamlit would make a step of every value that changes, and of those that a page puts right by itself.
const PAUSE = 1000; // ms without a key or an input that end a burst

function stepping(push, replace) {
  let [gesture, stepped, latest, pointed] = [0, 0, -PAUSE, false];
  const listen = (kinds, listener) => kinds.forEach((kind) => window.addEventListener(kind, listener, true));
  listen(["pointerdown", "keydown", "input"], ({ type, timeStamp }) => {
    const other = type === "pointerdown" || (type === "keydown" && pointed); // keys after a click are a burst of their own
    if (other || timeStamp - latest > PAUSE) gesture += 1;
    latest = timeStamp;
    if (type !== "input") pointed = type === "pointerdown";
  });
  listen(["popstate"], () => (stepped = gesture)); // what a page still says afterwards must not cut off the way forward
  /** @this {History} */
  return function (state, title, url) {
    const elsewhere = new URL(url ?? location.href, location.href).pathname !== location.pathname;
    const step = elsewhere || gesture !== stepped;
    stepped = gesture;
    return (step ? push : replace).call(this, state, title, url);
  };
}

// On a telephone the menu is a drawer over the page: who has chosen wants to see the page.
function closeDrawer({ target }) {
  const chosen = target.closest?.("[data-testid=stSidebarNavLink]");
  if (!chosen || !matchMedia("(max-width: 768px)").matches) return;
  const close = document.querySelector("[data-testid=stSidebarCollapseButton] button");
  setTimeout(() => /** @type {HTMLElement | null} */ (close)?.click()); // the link has been followed by then
}

// What would break the connection that carries it: half of a character (a lone surrogate), which has no UTF-8, and a text
// of megabytes. The page says that a text is cut long before (ui/controls/sentence.py).
const MOST = 100_000; // UTF-16 units of one box

function bounded({ target }) {
  if (typeof target?.value !== "string") return;
  const { value } = target;
  if (value.length <= MOST && value.isWellFormed()) return;
  const kind = target instanceof HTMLTextAreaElement ? HTMLTextAreaElement : HTMLInputElement;
  Object.getOwnPropertyDescriptor(kind.prototype, "value").set.call(target, value.slice(0, MOST).toWellFormed());
}
