// What a test may ask of a view: where it is painted, and of which numbers. A page that wants it says so before it loads
// (`window.__headlightTests`); a reader's page has none of it.

/**
 * @param {any} view
 * @param {Record<string, PropertyDescriptor>} questions what its kind answers
 */
export function expose(view, questions) {
  if (!window.__headlightTests) return;
  const frames = { get: () => view.frames };
  view.host.__headlight = Object.defineProperties({}, { frames, ...questions });
}

/**
 * An answer that is looked up when it is asked for.
 * @param {() => any} get
 * @returns {PropertyDescriptor}
 */
export const asked = (get) => ({ get, enumerable: true });

/**
 * Where the cells of a canvas are.
 * @param {HTMLCanvasElement} canvas
 * @param {() => any} box
 */
export function exposeBox(canvas, box) {
  if (window.__headlightTests) Object.defineProperty(canvas, "__box", { get: box, configurable: true });
}
