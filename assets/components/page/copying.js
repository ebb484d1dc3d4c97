// Copying where a browser keeps its clipboard from us: over plain http, and in frames that may not write to it.
import { element } from "../dom.js";

const SHOWN = 8000; // milliseconds that a sentence stays
const AWAY = "position: fixed; top: 0; left: 0; width: 1px; height: 1px; opacity: 0";
const NOTE =
  "position: fixed; z-index: 2147483647; inset: auto 1rem 2rem; margin: 0 auto; width: fit-content; max-width: 30rem;" +
  "padding: 0.6rem 1rem; border: 1px solid #8f8c84; border-radius: 3px; background: #181816; color: #fffffd;" +
  "font: 15px/1.4 sans-serif";
const BLOCK = '[data-testid="stCode"]';

/**
 * Copies as a key would: by selecting. Whether it did.
 * @param {string} text
 */
function copyBySelecting(text) {
  const active = /** @type {HTMLElement | null} */ (document.activeElement);
  const field = element("textarea", { style: AWAY, "aria-hidden": "true", tabindex: -1, readonly: "" });
  field.value = text;
  (active?.parentElement ?? document.body).append(field); // inside a menu: one that loses the focus may close
  field.select();
  try {
    return document.execCommand("copy");
  } catch {
    return false;
  } finally {
    field.remove();
    active?.focus({ preventScroll: true });
  }
}

/**
 * Leave it to the reader's own keys: select what the button stands beside, and say so.
 * @param {string} sentence
 */
function selectInstead(sentence) {
  const block = document.activeElement?.closest(BLOCK)?.querySelector("code, pre");
  if (block) getSelection()?.selectAllChildren(block);
  const note = element("div", { role: "status", style: NOTE, text: sentence });
  document.body.append(note);
  setTimeout(() => note.remove(), SHOWN);
}

/** @param {() => string} sentence what is said where nothing else helps */
export function letCopy(sentence) {
  const own = navigator.clipboard;
  const write = own?.writeText?.bind(own) ?? (() => Promise.reject(new Error("no clipboard")));
  const writeText = (text) =>
    write(text).catch((problem) => {
      if (copyBySelecting(text)) return;
      selectInstead(sentence());
      throw problem;
    });
  if (own) Object.defineProperty(own, "writeText", { value: writeText, configurable: true });
  else Object.defineProperty(navigator, "clipboard", { value: { writeText }, configurable: true });
}
