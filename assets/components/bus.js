// What the canvases of one page share without the server: the tokens in focus, what the pointer is on, and the chosen
// head (see heatmap/heads.js).
const BUS = (window.__headlightBus ??= { state: {}, target: new EventTarget() });
const QUIET = {
  focus: null,
  hover: null,
  locked: false,
  chosen: null,
  answered: null,
  pending: null,
  peek: null,
  tags: null,
};

/** @param {string} group */
export function busState(group) {
  return (BUS.state[group] ??= { ...QUIET, offers: [] });
}

/**
 * @param {string} group
 * @param {Partial<BusState>} change
 */
export function busSend(group, change) {
  Object.assign(busState(group), change);
  BUS.target.dispatchEvent(new CustomEvent(group));
}

/**
 * @param {string} group
 * @param {() => void} listener
 * @returns {() => void} what ends it
 */
export function busListen(group, listener) {
  BUS.target.addEventListener(group, listener);
  return () => BUS.target.removeEventListener(group, listener);
}

/**
 * What an axis shows of a state: the position of its own kind, if any.
 * @param {string} kind
 * @param {Record<string, number> | null} state
 */
export const placeOn = (kind, state) => state?.[kind] ?? -1;
