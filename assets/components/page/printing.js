// On paper: a page of one width, whatever the window's, and every picture drawn in light colours at that width.
import { themeOf } from "../colour.js";

export const PAPER = { now: false };
const PRINTING = "headlightPrinting";
const HOST = '[data-testid="stBidiComponentIsolated"]'; // any of our components: Streamlit tells it the theme

/**
 * A browser tells before it prints, and again when the page stands as wide as the paper.
 * @param {Window} view
 */
export function watchPrinter(view) {
  const { documentElement } = view.document;
  const turn = (now) => {
    PAPER.now = now;
    if (!now) delete documentElement.dataset.printing;
    else documentElement.dataset.printing ??= themeOf(view.document.querySelector(HOST) ?? documentElement);
    view.dispatchEvent(new Event(PRINTING));
  };
  view.addEventListener("beforeprint", () => turn(true));
  view.addEventListener("afterprint", () => turn(false));
  view.matchMedia("print").addEventListener("change", ({ matches }) => turn(matches));
}

/**
 * @param {() => void} draw at once: a printer does not wait for the next frame
 * @param {AbortSignal} signal
 */
export function whenPrinting(draw, signal) {
  window.addEventListener(PRINTING, draw, { signal });
}
