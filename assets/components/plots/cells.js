// Numbers as coloured cells, and what is said of one.
import { frameOf } from "../marks.js";
import { fill, visible } from "../text.js";

/**
 * @param {Pen} pen
 * @param {Lab} lab
 * @param {Bitmap} bitmap
 * @param {Box} box
 * @param {View} [view]
 */
export function drawCells(pen, lab, bitmap, box, view) {
  pen.cells(bitmap, box, view);
  frameOf(pen, { x: box.x - 0.5, y: box.y - 0.5, w: box.w + 1, h: box.h + 1 }, lab.colour.line, 1);
}

/**
 * How numbers of a picture are coloured.
 * @param {Plot} panel
 * @returns {Ramp}
 */
export const rampOf = ({ scale, low, high, root }) => ({ scale, low, high, root: root || scale === "weights" });

/**
 * Where a place lies in a box, as shares of its width and height, if it lies in it.
 * @param {Box | null} box
 * @param {{ x: number, y: number }} place
 */
export function sharesOf(box, { x, y }) {
  if (!box || x < box.x || x >= box.x + box.w || y < box.y || y >= box.y + box.h) return null;
  return { fx: (x - box.x) / box.w, fy: (y - box.y) / box.h };
}

/**
 * A number of a cell as it is told, or why there is none.
 * @param {Lab} lab
 * @param {Plot} panel
 * @param {number} value
 */
export const readingIn = (lab, panel, value) =>
  value !== value ? panel.missing || lab.meta.words.masked : lab.spelled(value, panel.value);

/**
 * @param {string[] | null} names
 * @param {number} i
 */
export const nameOf = (names, i) => (names ? `${i + 1}: ${visible(names[i])}` : `${i + 1}`);

/**
 * A sentence about a cell, with its number, name, key_number, key_name and value.
 * @param {Plot} panel
 * @param {Cell} cell
 * @param {string} value
 */
export function sentenceOn({ says, names, col_names }, { r, c }, value) {
  const [name, key_name] = [visible(names?.[r] ?? ""), visible((col_names ?? names)?.[c] ?? "")];
  return fill(says, { number: r + 1, name, key_number: c + 1, key_name, value });
}
