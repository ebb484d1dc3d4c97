// What the figures of a page are of, as Python says it: the layer and the head, and all else (ui/controls/captions.py).
const NOTHING = { place: "", study: "" };
const SAID = { ...NOTHING };

/** @param {{ data: typeof NOTHING }} component */
export function caption({ data }) {
  Object.assign(SAID, data);
  return () => Object.assign(SAID, NOTHING);
}

/**
 * One line of what a reader of the figure has to know, the page last.
 * @param {string[]} own what it shows, and at which values
 * @param {{ placed?: boolean, about?: string }} [of] whether it shows that layer and that head; or what it is of instead
 */
export function captionOf(own, { placed = true, about = "" } = {}) {
  const of = about ? [about] : [placed ? SAID.place : "", SAID.study];
  return [...own, ...of, document.title].filter(Boolean).join(" · ");
}
