// The panels of a picture: read from what Python sent, given a canvas, coloured.
import { coloursOf, signedRamp } from "../colour.js";
import { element } from "../dom.js";
import { exposeBox } from "../exposed.js";
import { FrameError } from "../frame.js";
import { Bitmap, CanvasPen } from "../pen.js";
import { MASKED, codeColours } from "./heads.js";
import { TOKENS } from "./layout.js";
import { whole } from "./zoom.js";

const CROWDED = 10; // pixels of a token: closer, not all of their names are written

/**
 * A panel as Python sent it, with its numbers. Raises a FrameError where they do not fit.
 * @returns {Panel}
 */
export function panelOf(spec, arrays) {
  const source = arrays[spec.array];
  if (!source || source.length !== spec.shape[0] * spec.shape[1]) throw new FrameError("panel");
  const bias = spec.bias ? arrays[spec.bias] : null;
  if (bias && bias.length !== source.length) throw new FrameError("bias");
  return { ...spec, bias, source, values: spec.live ? new Float32Array(source.length) : source };
}

/**
 * A panel of the same name and shape keeps its canvas, its zoom and its cursor.
 * @param {Panel} panel
 * @param {Panel} [before]
 */
export function adopt(panel, before) {
  const [rows, cols] = panel.shape;
  const same = before?.shape[0] === rows && before.shape[1] === cols;
  panel.view = same ? before.view : whole(panel.shape);
  panel.cursor = same ? before.cursor : null;
  panel.box = same ? before.box : null;
  panel.button = before?.button;
  panel.sign = before?.sign;
  panel.pen = before?.pen ?? new CanvasPen(element("canvas", { role: "img" }));
  panel.canvas = panel.pen.canvas;
  panel.bitmap = same ? before.bitmap : new Bitmap(cols, rows);
  exposeBox(panel.canvas, () => panel.box && { ...panel.box, view: panel.view, rows, cols });
  return panel;
}

/**
 * Are tokens so close that not all of their names are written?
 * @param {Panel} panel
 */
export const crowded = ({ box, shape, rows, cols }) =>
  (TOKENS.has(rows) && box.h / shape[0] < CROWDED) || (TOKENS.has(cols) && box.w / shape[1] < CROWDED);

/**
 * How the numbers of a panel are coloured: weights by their root, as in the overview, so that 1/n stays visible where n is
 * large.
 * @param {Panel} panel
 * @returns {Ramp}
 */
export function rampOfPanel({ scale, limit, values }) {
  const high = values instanceof Uint8Array ? 1 : limit;
  return { scale, low: signedRamp(scale) ? -limit : 0, high, root: scale === "weights" };
}

/**
 * Values → one pixel a cell. Masked cells stay transparent, so that the hatching behind them shows.
 * @param {Panel} panel
 * @param {Mode} mode
 */
export function colourPanel(panel, mode) {
  const { values, scale, bitmap } = panel;
  if (values instanceof Uint8Array) {
    const colours = codeColours(coloursOf(scale, mode));
    for (let i = 0; i < values.length; i++) bitmap.pixels[i] = colours[values[i]];
    panel.masked = values.includes(MASKED);
  } else {
    panel.masked = bitmap.tint(values, rampOfPanel(panel), mode);
  }
  bitmap.show();
}
