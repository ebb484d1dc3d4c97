// A pen that writes SVG: as much of a canvas as the pictures use.
import { wholeOf } from "./pen.js";
import { measuring, widthOf } from "./text.js";

const MOST_RECTANGLES = 4096; // a larger matrix is one picture
const ANCHORS = { left: "start", right: "end", center: "middle" };
// XML has no word for control characters and halves of characters.
const UNWRITABLE =
  // eslint-disable-next-line no-control-regex
  /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]|[\0-\b\v\f\x0e-\x1f\ufffe\uffff]/g;

/** @param {unknown} raw */
const escaped = (raw) => String(raw).replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`);

/** @implements {Pen} */
export class SvgPen {
  /** @type {string[]} */
  parts = [];
  /** @type {[string, string][]} */
  kept = [];
  place = "";
  path = "";
  font = "";
  fillStyle = "";
  strokeStyle = "";
  lineWidth = 1;
  textAlign = "left";
  globalAlpha = 1;
  /** @type {number[]} */
  dashes = [];

  save() {
    this.kept.push([this.place, this.textAlign]);
  }
  restore() {
    [this.place, this.textAlign] = this.kept.pop();
  }
  dash(pattern) {
    this.dashes = pattern;
  }
  translate(x, y) {
    this.place += ` translate(${x} ${y})`;
  }
  rotate(angle) {
    this.place += ` rotate(${(angle * 180) / Math.PI})`;
  }
  measureText(text) {
    return measuring(this.font).measureText(text);
  }
  put(tag, attributes, text = "") {
    const all = Object.entries({ ...attributes, ...(this.place && { transform: this.place.trim() }) });
    const names = all.map(([name, value]) => `${name}="${escaped(value)}"`).join(" ");
    this.parts.push(`<${tag} ${names}>${escaped(text).replace(UNWRITABLE, "\ufffd")}</${tag}>`);
  }
  // As wide as here, also where the font of the page is not at hand.
  fillText(text, x, y) {
    const wide = { textLength: Math.max(1, widthOf(this, text)).toFixed(1), lengthAdjust: "spacingAndGlyphs" };
    const style = { style: `font:${this.font}`, "text-anchor": ANCHORS[this.textAlign] };
    this.put("text", { x, y, ...this.filling(), ...style, ...wide }, text.replace(/[\u2068\u2069]/g, ""));
  }
  fillRect(x, y, width, height) {
    this.put("rect", { x, y, width, height, ...this.filling() });
  }
  strokeRect(x, y, w, h) {
    this.path = `M${x} ${y}h${w}v${h}h${-w}z`;
    this.stroke();
  }
  beginPath() {
    this.path = "";
  }
  moveTo(x, y) {
    this.path += `M${x} ${y}`;
  }
  lineTo(x, y) {
    this.path += `${this.path ? "L" : "M"}${x} ${y}`;
  }
  circle(x, y, r) {
    this.path += `M${x - r} ${y}a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0 ${-2 * r} 0z`;
  }
  stroke() {
    const dash = this.dashes.length ? { "stroke-dasharray": this.dashes.join(" ") } : {};
    const line = { stroke: this.strokeStyle, "stroke-width": this.lineWidth, "stroke-opacity": this.globalAlpha };
    this.put("path", { d: this.path, fill: "none", ...line, ...dash });
  }
  fill() {
    this.put("path", { d: this.path, ...this.filling() });
  }
  filling() {
    return { fill: this.fillStyle, ...(this.globalAlpha < 1 && { "fill-opacity": this.globalAlpha }) };
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
    if (rows * cols > MOST_RECTANGLES) return this.picture(pixels, box);
    const edge = (i, start, length, origin, room) =>
      origin + Math.min(room, Math.max(0, ((i - start) * room) / length));
    for (let i = 0; i < rows * cols; i++) {
      const [r, c] = [top + Math.floor(i / cols), left + (i % cols)];
      const [x, y] = [edge(c, view.c, view.w, box.x, box.w), edge(r, view.r, view.h, box.y, box.h)];
      const [right, bottom] = [edge(c + 1, view.c, view.w, box.x, box.w), edge(r + 1, view.r, view.h, box.y, box.h)];
      const [red, green, blue, opaque] = pixels.data.subarray(4 * i, 4 * i + 4);
      const fill = opaque ? `rgb(${red},${green},${blue})` : "none";
      this.put("rect", { x, y, width: right - x, height: bottom - y, fill, "shape-rendering": "crispEdges" });
    }
  }

  /**
   * @param {ImageData} pixels
   * @param {Box} box
   */
  picture(pixels, { x, y, w, h }) {
    const part = Object.assign(document.createElement("canvas"), { width: pixels.width, height: pixels.height });
    part.getContext("2d").putImageData(pixels, 0, 0);
    this.put("image", { x, y, width: w, height: h, preserveAspectRatio: "none", href: part.toDataURL() });
  }
}
