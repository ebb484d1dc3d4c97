// Which part of a matrix is shown: all of it, or what the reader has zoomed into.
import { clamp } from "../maths.js";

const LEAST = 4; // cells across

/**
 * All of a matrix.
 * @param {[number, number]} shape
 * @returns {View}
 */
export const whole = ([rows, cols]) => ({ r: 0, c: 0, h: rows, w: cols });

/** @param {Panel} panel */
export const zoomed = ({ view, shape }) => view.h < shape[0] || view.w < shape[1];

/**
 * Show more or fewer cells; what is under a place stays there.
 * @param {Panel} panel
 * @param {number} factor
 * @param {{ x: number, y: number }} place
 */
export function zoom(panel, factor, place) {
  const { box, view, shape } = panel;
  const h = Math.min(shape[0], Math.max(LEAST, view.h * factor));
  const w = Math.min(shape[1], Math.max(LEAST, view.w * factor));
  const fx = (place.x - box.x) / box.w;
  const fy = (place.y - box.y) / box.h;
  panel.view = { h, w, c: view.c + fx * (view.w - w), r: view.r + fy * (view.h - h) };
  panel.canvas.style.touchAction = zoomed(panel) ? "none" : ""; // now a finger moves the picture, not the page
  pan(panel, 0, 0);
}

/**
 * Move what is shown by so many pixels, no further than the matrix goes.
 * @param {Panel} panel
 * @param {number} dx
 * @param {number} dy
 */
export function pan({ box, view, shape }, dx, dy) {
  view.c = Math.min(shape[1] - view.w, Math.max(0, view.c + (dx / box.w) * view.w));
  view.r = Math.min(shape[0] - view.h, Math.max(0, view.r + (dy / box.h) * view.h));
}

/**
 * Bring the cursor into what is shown.
 * @param {Panel} panel
 */
export function reveal({ view, cursor, shape }) {
  view.r = shifted(view.r, view.h, cursor.r, shape[0]);
  view.c = shifted(view.c, view.w, cursor.c, shape[1]);
}

/**
 * Where a window of `length` cells begins so that cell `at` of `total` is in it.
 * @param {number} start
 * @param {number} length
 * @param {number} at
 * @param {number} total
 */
export function shifted(start, length, at, total) {
  const wanted = at < start ? at : at + 1 > start + length ? at + 1 - length : start;
  return Math.min(total - length, Math.max(0, wanted));
}

/**
 * The cell under a place in CSS pixels, if there is one.
 * @param {Panel} panel
 * @param {{ x: number, y: number }} place
 * @returns {Cell | null}
 */
export function cellAt({ box, view, shape }, { x, y }) {
  const c = Math.floor(view.c + ((x - box.x) / box.w) * view.w);
  const r = Math.floor(view.r + ((y - box.y) / box.h) * view.h);
  const inside = x >= box.x && y >= box.y && x < box.x + box.w && y < box.y + box.h;
  return inside && r < shape[0] && c < shape[1] ? { r, c } : null;
}

/**
 * The cell so many steps on, within the matrix.
 * @param {[number, number]} shape
 * @param {Cell} from
 * @param {[number, number]} step
 * @returns {Cell}
 */
export const stepped = ([rows, cols], from, [down, across]) => ({
  r: clamp(0, from.r + down, rows - 1),
  c: clamp(0, from.c + across, cols - 1),
});
