// A choice of a head is painted before Python answers: all heads are in the browser already, one byte a weight. What the
// canvases of a group share about it stands on the bus; a head is [layer, head], counted from 0:
//   chosen    what the reader chose last, else what Python last showed
//   answered  what Python last showed
//   pending   the run of whose heads one was chosen, until Python answers: what it shows meanwhile is an earlier choice
//   offers    thumbnails by head, of the newest two runs
import { busSend, busState } from "../bus.js";

export const MASKED = 255; // the code of a masked cell; a weight w has the code 254·√w
const MOST = 254;
const PATIENCE = 2000; // ms that Python is idle without having answered: it has refused the choice
const PARTS = ".st-key-layer [role=radio], .st-key-head [role=radio]"; // Streamlit's own controls, in this order

/** @type {(one: Head | null, other: Head | null) => boolean} */
export const sameHead = (one, other) => String(one) === String(other);
const weightOf = (code) => (code === MASKED ? NaN : (code / MOST) ** 2);

/**
 * @param {string} group
 * @param {string} run
 * @param {Panel[]} panels
 */
export function offerHeads(group, run, panels) {
  const earlier = busState(group).offers.filter((offer) => offer.run !== run);
  const thumbnails = new Map(panels.map((panel) => [String(panel.head), panel]));
  busSend(group, { offers: [{ run, thumbnails }, ...earlier].slice(0, 2) });
}

/**
 * @param {string} group
 * @param {Head} head
 */
export function chooseHead(group, head) {
  const { chosen, offers } = busState(group);
  if (!sameHead(head, chosen) && offers[0]?.thumbnails.has(String(head)))
    busSend(group, { chosen: head, pending: offers[0].run });
}

/**
 * The last choice wins: an answer to an earlier one does not displace it. Another run is the answer to something else.
 * @param {string} group
 * @param {{ head: Head, run: string }} shown
 */
export function answerHead(group, { head, run }) {
  const { chosen, pending } = busState(group);
  const late = pending === run && !sameHead(head, chosen);
  busSend(group, late ? { answered: head } : { answered: head, chosen: head, pending: null });
}

/**
 * The thumbnail that stands for a panel: of the chosen head, if that is another one and its bytes show what Python will.
 * @param {Picture} picture
 * @param {Panel} panel
 * @returns {Panel | null}
 */
export function standIn({ meta: { shown }, group, ahead }, panel) {
  const { chosen, offers } = busState(group);
  if (!shown || !chosen || sameHead(chosen, shown.head) || !shown.layers.includes(chosen[0])) return null;
  if (ahead && !panel.thumbnail) return null; // the bytes know the temperature that was last released, not the slider's
  return offers.find(({ run }) => run === shown.run)?.thumbnails.get(String(chosen)) ?? null;
}

/**
 * What is drawn of a panel: its own cells, or a thumbnail stretched to the size of the matrix.
 * @param {Panel} panel
 */
export function cellsOf(panel) {
  const { thumbnail, view, shape } = panel;
  if (!thumbnail) return panel;
  const [down, across] = thumbnail.shape.map((count, axis) => count / shape[axis]);
  const stretched = { r: view.r * down, h: view.h * down, c: view.c * across, w: view.w * across };
  return { bitmap: thumbnail.bitmap, masked: thumbnail.masked, view: stretched };
}

/**
 * The numbers of a panel: its own, or those of the bytes it is painted from.
 * @param {Panel} panel
 */
export function numbersOf({ thumbnail, values, shape }) {
  const shown = thumbnail ?? { values, shape };
  const numbers = shown.values instanceof Uint8Array ? Float32Array.from(shown.values, weightOf) : shown.values;
  return { values: numbers, shape: shown.shape };
}

/**
 * The value under a cell. The blocks of a pooled thumbnail begin at floor(i·n / blocks), see overview_codes.
 * @param {Panel} panel
 * @param {Cell} cell
 */
export function valueAt({ thumbnail, values, shape }, { r, c }) {
  if (!thumbnail) return values instanceof Uint8Array ? weightOf(values[r * shape[1] + c]) : values[r * shape[1] + c];
  const [i, j] = [r, c].map((at, axis) => Math.ceil(((at + 1) * thumbnail.shape[axis]) / shape[axis]) - 1);
  return weightOf(thumbnail.values[i * thumbnail.shape[1] + j]);
}

/**
 * The colour of every code.
 * @param {Uint32Array} table
 * @returns {Uint32Array}
 */
export const codeColours = (table) =>
  Uint32Array.from({ length: 256 }, (_, code) => (code === MASKED ? 0 : table[Math.round((code * 255) / MOST)]));

/** @param {Panel} panel */
export const pooled = ({ thumbnail, shape }) => thumbnail.shape.some((count, axis) => count < shape[axis]);

/**
 * While the thumbnails stand on a page: choices made with Streamlit's own controls, and the end of waiting.
 * @param {Picture} picture
 */
export function watchHeads(picture) {
  const { signal } = picture.gone;
  const choose = ({ target }) => chooseWith(picture.group, target);
  const pressed = (event) => (event.key === "Enter" || event.key === " ") && choose(event);
  document.addEventListener("click", choose, { capture: true, signal });
  document.addEventListener("keyup", pressed, { capture: true, signal });
  /** @type {HTMLElement | null} */
  const app = document.querySelector("[data-testid=stApp]");
  let waiting;
  let known;
  const idle = new MutationObserver(() => {
    const { chosen } = busState(picture.group);
    const state = app.dataset.testScriptState;
    clearTimeout(waiting);
    if (state === "running")
      known = chosen; // a run that began before a choice says nothing about it
    else if (state === "notRunning" && known === chosen) waiting = setTimeout(() => refused(picture.group), PATIENCE);
  });
  if (app) idle.observe(app, { attributeFilter: ["data-test-script-state"] });
  signal.addEventListener("abort", () => {
    idle.disconnect();
    clearTimeout(waiting);
    busSend(picture.group, { offers: [], pending: null, chosen: busState(picture.group).answered });
  });
  return true;
}

function chooseWith(group, target) {
  const radio = target.closest?.(PARTS);
  const { chosen } = busState(group);
  if (!radio || !chosen || radio.disabled || radio.ariaChecked === "true") return;
  const place = [...radio.parentElement.children].indexOf(radio);
  chooseHead(group, radio.closest(".st-key-layer") ? [place, chosen[1]] : [chosen[0], place]);
}

function refused(group) {
  const { pending, answered } = busState(group);
  if (pending) busSend(group, { pending: null, chosen: answered });
}
