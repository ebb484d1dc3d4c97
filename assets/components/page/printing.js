// On paper: a page of one width, whatever the window's, and every picture drawn in light colours at that width.
import { themeOf } from "../colour.js";

export const PAPER = { now: false };
const PRINTING = "headlightPrinting";
const HOST = ".stBidiComponent"; // of any of our components: Streamlit tells it the theme

/** @param {Window} view */
export function watchPrinter(view) {
  const { documentElement } = view.document;
  const turn = (now) => () => {
    if (PAPER.now === now) return;
    PAPER.now = now;
    if (now) documentElement.dataset.printing = themeOf(view.document.querySelector(HOST) ?? documentElement);
    else delete documentElement.dataset.printing;
    view.dispatchEvent(new Event(PRINTING));
  };
  view.addEventListener("beforeprint", turn(true));
  view.addEventListener("afterprint", turn(false));
}

/**
 * @param {() => void} draw at once: a printer does not wait for the next frame
 * @param {AbortSignal} signal
 */
export function whenPrinting(draw, signal) {
  window.addEventListener(PRINTING, draw, { signal });
}
