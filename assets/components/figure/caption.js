// What the figures of a page are of, as Python says it: the layer and the head, the model and the sentence, the settings.
const NOTHING = { place: "", typed: /** @type {string[]} */ ([]), settings: "" };
const SAID = { ...NOTHING };

/** @param {{ data: typeof NOTHING }} component */
export function caption({ data }) {
  Object.assign(SAID, data);
  return () => Object.assign(SAID, NOTHING);
}

/**
 * What somebody has typed or named: an underscore in it lowers nothing. The joiner behind it takes no room.
 * @param {string} text
 */
const verbatim = (text) => text.replaceAll("_", "_\u2060");

/**
 * One line of what a reader of the figure has to know, the page last.
 * @param {string[]} own what it shows, and at which values
 * @param {string} place
 */
export function captionOf(own, place = SAID.place) {
  const { typed, settings } = SAID;
  return [...own, place, ...typed.map(verbatim), settings, document.title].filter(Boolean).join(" · ");
}
