// A pen that remembers: as much of a canvas as the pictures use, for files (svg.js, pdf.js).
import { wholeOf } from "../pen.js";
import { measuring, widthOf } from "../text.js";
import { outlinesOf } from "./outlines.js";

const MOST_RECTANGLES = 4096; // a larger matrix is one picture
const ROUND = 0.5522847; // a quarter of a circle as a curve

/** @implements {Pen} */
export class Recorder {
  /** @type {Mark[]} */
  marks = [];
  /** @type {[number[], string][]} */
  kept = [];
  /** @type {number[]} */
  matrix = [1, 0, 0, 1, 0, 0];
  /** @type {Stroke[]} */
  path = [];
  font = "";
  fillStyle = "#000";
  strokeStyle = "#000";
  lineWidth = 1;
  textAlign = "left";
  globalAlpha = 1;
  /** @type {number[]} */
  dashes = [];

  save() {
    this.kept.push([this.matrix, this.textAlign]);
  }
  restore() {
    [this.matrix, this.textAlign] = this.kept.pop();
  }
  dash(pattern) {
    this.dashes = pattern;
  }
  translate(x, y) {
    const [a, b, c, d, e, f] = this.matrix;
    this.matrix = [a, b, c, d, e + a * x + c * y, f + b * x + d * y];
  }
  rotate(angle) {
    const [a, b, c, d, e, f] = this.matrix;
    const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
    this.matrix = [a * cos + c * sin, b * cos + d * sin, c * cos - a * sin, d * cos - b * sin, e, f];
  }
  measureText(text) {
    return measuring(this.font).measureText(text);
  }
  /** @param {Partial<Mark>} mark */
  put(mark) {
    const { matrix, globalAlpha: alpha } = this;
    this.marks.push(/** @type {Mark} */ ({ matrix, alpha, fill: "", stroke: "", ...mark }));
  }
  fillText(text, x, y) {
    const width = widthOf(this, text);
    const left = x - { left: 0, center: width / 2, right: width }[this.textAlign];
    const path = outlinesOf(this.font, text).flatMap((loop) => strokesOf(loop, left, y));
    const size = parseFloat(/([\d.]+)px/.exec(this.font)[1]);
    const written = { text: text.replace(/[\u2060\u2068\u2069]/g, ""), x: left, y, width, size };
    this.put({ kind: "text", path, fill: this.fillStyle, written });
  }
  fillRect(x, y, w, h) {
    this.put({ kind: "rect", box: { x, y, w, h }, fill: this.fillStyle });
  }
  strokeRect(x, y, w, h) {
    const path = [
      stroke("M", x, y),
      stroke("L", x + w, y),
      stroke("L", x + w, y + h),
      stroke("L", x, y + h),
      stroke("Z"),
    ];
    this.line(path);
  }
  beginPath() {
    this.path = [];
  }
  moveTo(x, y) {
    this.path.push(stroke("M", x, y));
  }
  lineTo(x, y) {
    this.path.push(stroke(this.path.length ? "L" : "M", x, y));
  }
  circle(x, y, r) {
    const k = r * ROUND;
    this.path.push(
      stroke("M", x + r, y),
      stroke("C", x + r, y + k, x + k, y + r, x, y + r),
      stroke("C", x - k, y + r, x - r, y + k, x - r, y),
      stroke("C", x - r, y - k, x - k, y - r, x, y - r),
      stroke("C", x + k, y - r, x + r, y - k, x + r, y),
      stroke("Z"),
    );
  }
  stroke() {
    this.line(this.path);
  }
  /** @param {Stroke[]} path */
  line(path) {
    const { strokeStyle, lineWidth: width, dashes } = this;
    this.put({ kind: "path", path, stroke: strokeStyle, width, dashes });
  }
  fill() {
    this.put({ kind: "path", path: this.path, fill: this.fillStyle });
  }

  /**
   * One rectangle a cell, so that every cell can be taken up by itself; a large matrix is one picture.
   * @param {Bitmap} image
   * @param {Box} box
   * @param {View} [view]
   */
  cells(image, box, view = wholeOf(image)) {
    const [top, left] = [Math.floor(view.r), Math.floor(view.c)];
    const rows = Math.min(image.height, Math.ceil(view.r + view.h)) - top;
    const cols = Math.min(image.width, Math.ceil(view.c + view.w)) - left;
    const pixels = image.read(left, top, cols, rows);
    if (rows * cols > MOST_RECTANGLES) return this.put({ kind: "picture", box, pixels });
    const edge = (i, start, length, origin, room) =>
      origin + Math.min(room, Math.max(0, ((i - start) * room) / length));
    for (let i = 0; i < rows * cols; i++) {
      const [r, c] = [top + Math.floor(i / cols), left + (i % cols)];
      const [x, y] = [edge(c, view.c, view.w, box.x, box.w), edge(r, view.r, view.h, box.y, box.h)];
      const [right, bottom] = [edge(c + 1, view.c, view.w, box.x, box.w), edge(r + 1, view.r, view.h, box.y, box.h)];
      const [red, green, blue, opaque] = pixels.data.subarray(4 * i, 4 * i + 4);
      const fill = opaque ? `rgb(${red},${green},${blue})` : "none";
      this.put({ kind: "rect", box: { x, y, w: right - x, h: bottom - y }, fill, crisp: true });
    }
  }
}

/**
 * @param {Stroke["to"]} to
 * @param {...number} at
 * @returns {Stroke}
 */
const stroke = (to, ...at) => ({ to, at });

/**
 * @param {number[]} loop
 * @param {number} left
 * @param {number} base
 */
function strokesOf(loop, left, base) {
  const path = [];
  for (let i = 0; i < loop.length; i += 2) path.push(stroke(i ? "L" : "M", left + loop[i], base + loop[i + 1]));
  return [...path, stroke("Z")];
}
