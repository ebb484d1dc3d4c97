// What pictures of both kinds are made of: frames, rules, labels, hatching.
import { inscribe } from "./text.js";

export const SMALL = 11; // pixels of the font of labels

/**
 * @param {Pen} pen
 * @param {Box} box
 * @param {string} stroke
 * @param {number} width
 */
export function frameOf(pen, { x, y, w, h }, stroke, width) {
  pen.strokeStyle = stroke;
  pen.lineWidth = width;
  pen.strokeRect(x, y, w, h);
}

/**
 * @param {Pen} pen
 * @param {string} stroke
 * @param {number} width
 * @param {...[number, number]} points
 */
export function segment(pen, stroke, width, ...points) {
  pen.strokeStyle = stroke;
  pen.lineWidth = width;
  pen.beginPath();
  points.forEach(([x, y], i) => (i ? pen.lineTo(x, y) : pen.moveTo(x, y)));
  pen.stroke();
}

/**
 * A line of a scale, sharp on any screen.
 * @param {Pen} pen
 * @param {Painted} view
 */
export function rule(pen, view, x0, y0, x1, y1) {
  segment(pen, view.colour.line, 1, [x0, Math.round(y0) + 0.5], [x1, Math.round(y1) + 0.5]);
}

/**
 * @param {Pen} pen
 * @param {Painted} view
 * @param {string} text
 * @param {number} x
 * @param {number} y
 * @param {{ align?: "left" | "center" | "right", quiet?: boolean, strong?: boolean }} [style]
 */
export function label(pen, view, text, x, y, { align = "left", quiet = false, strong = false } = {}) {
  pen.font = `${strong ? "600 " : ""}${SMALL}px ${view.font()}`;
  pen.fillStyle = quiet ? view.colour.quiet : view.colour.ink;
  inscribe(pen, text, x, y, align);
}

/**
 * What a masked cell looks like.
 * @param {Pen} pen
 * @param {Box} box
 * @param {Colours} colour
 */
export function hatch(pen, { x, y, w, h }, colour) {
  pen.strokeStyle = colour.quiet;
  pen.globalAlpha = 0.45;
  pen.lineWidth = 1;
  pen.beginPath();
  for (let d = 6 - h; d < w; d += 6) {
    const [from, to] = [Math.max(d, 0), Math.min(d + h, w)];
    pen.moveTo(x + from, y + h - (from - d));
    pen.lineTo(x + to, y + h - (to - d));
  }
  pen.stroke();
  pen.globalAlpha = 1;
}
