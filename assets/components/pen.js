// What draws: a canvas on the page (here) or a file (figure/recorder.js), with one interface, the `Pen` of components.d.ts.
import { tint } from "./colour.js";

/** The part of a matrix that is drawn, in cells; without one, all of it. @type {(image: Bitmap) => View} */
export const wholeOf = (image) => ({ r: 0, c: 0, h: image.height, w: image.width });

const BENCH = document.createElement("canvas"); // where cells smaller than a pixel are averaged

/** A canvas, in CSS pixels, crisp on any screen. @implements {Pen} */
export class CanvasPen {
  /** @param {HTMLCanvasElement} canvas */
  constructor(canvas) {
    this.canvas = canvas;
    this.context = canvas.getContext("2d");
    this.width = this.height = this.ratio = 0;
  }

  /**
   * Whether its size or the screen has changed, and with it everything is gone.
   * @param {number} width
   * @param {number} height
   */
  resize(width, height) {
    const ratio = window.devicePixelRatio || 1;
    if (width === this.width && height === this.height && ratio === this.ratio) return false;
    const [w, h] = [Math.round(width * ratio), Math.round(height * ratio)];
    Object.assign(this.canvas, { width: w, height: h });
    Object.assign(this.canvas.style, { width: `${width}px`, height: `${height}px` });
    Object.assign(this, { width, height, ratio });
    this.context.setTransform(w / width, 0, 0, w / width, 0, 0);
    return true;
  }

  clear() {
    this.context.clearRect(0, 0, this.width, this.height + 1);
  }

  /**
   * What another canvas of this size shows, and nothing else.
   * @param {CanvasPen} other
   */
  copy(other) {
    const { context, canvas } = this;
    context.save();
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.globalCompositeOperation = "copy";
    context.drawImage(other.canvas, 0, 0, canvas.width, canvas.height);
    context.restore();
  }

  /**
   * Cells smaller than a pixel are averaged, along the axis where they are small only: rows of tokens stay sharp.
   * @param {Bitmap} image
   * @param {Box} box
   * @param {View} [view]
   * @param {boolean} [fine] average carefully, which is worth its time only where much is averaged
   */
  cells(image, box, view = wholeOf(image), fine = false) {
    const { context } = this;
    const [across, down] = [box.w / view.w < 1, box.h / view.h < 1];
    if (across === down) {
      context.imageSmoothingEnabled = across;
      context.imageSmoothingQuality = fine && box.w / view.w < 0.5 ? "high" : "low";
      context.drawImage(image.canvas, view.c, view.r, view.w, view.h, box.x, box.y, box.w, box.h);
      return;
    }
    const w = across ? Math.ceil(box.w) : Math.ceil(view.w);
    const h = down ? Math.ceil(box.h) : Math.ceil(view.h);
    Object.assign(BENCH, { width: w, height: h });
    const bench = BENCH.getContext("2d");
    bench.imageSmoothingQuality = "high";
    bench.drawImage(image.canvas, view.c, view.r, view.w, view.h, 0, 0, w, h);
    context.imageSmoothingEnabled = false;
    context.drawImage(BENCH, 0, 0, w, h, box.x, box.y, box.w, box.h);
  }

  get fillStyle() {
    return this.context.fillStyle;
  }
  set fillStyle(colour) {
    this.context.fillStyle = colour;
  }
  get strokeStyle() {
    return this.context.strokeStyle;
  }
  set strokeStyle(colour) {
    this.context.strokeStyle = colour;
  }
  get lineWidth() {
    return this.context.lineWidth;
  }
  set lineWidth(width) {
    this.context.lineWidth = width;
  }
  get font() {
    return this.context.font;
  }
  set font(font) {
    this.context.font = font;
  }
  get textAlign() {
    return this.context.textAlign;
  }
  set textAlign(side) {
    this.context.textAlign = side;
  }
  get globalAlpha() {
    return this.context.globalAlpha;
  }
  set globalAlpha(share) {
    this.context.globalAlpha = share;
  }
  save() {
    this.context.save();
  }
  restore() {
    this.context.restore();
  }
  translate(x, y) {
    this.context.translate(x, y);
  }
  rotate(angle) {
    this.context.rotate(angle);
  }
  measureText(text) {
    return this.context.measureText(text);
  }
  fillText(text, x, y) {
    this.context.fillText(text, x, y);
  }
  fillRect(x, y, w, h) {
    this.context.fillRect(x, y, w, h);
  }
  strokeRect(x, y, w, h) {
    this.context.strokeRect(x, y, w, h);
  }
  beginPath() {
    this.context.beginPath();
  }
  moveTo(x, y) {
    this.context.moveTo(x, y);
  }
  lineTo(x, y) {
    this.context.lineTo(x, y);
  }
  circle(x, y, r) {
    this.context.moveTo(x + r, y);
    this.context.arc(x, y, r, 0, 2 * Math.PI);
  }
  stroke() {
    this.context.stroke();
  }
  fill() {
    this.context.fill();
  }
  dash(pattern) {
    this.context.setLineDash(pattern);
  }
}

/** A small picture of numbers, one pixel a cell; pens draw it at any size. */
export class Bitmap {
  /**
   * @param {number} width
   * @param {number} height
   */
  constructor(width, height) {
    this.width = width;
    this.height = height;
    this.canvas = Object.assign(document.createElement("canvas"), { width, height });
    this.context = this.canvas.getContext("2d", { willReadFrequently: true });
    this.data = width && height ? this.context.createImageData(width, height) : null;
    this.pixels = this.data ? new Uint32Array(this.data.data.buffer) : new Uint32Array(0);
  }

  /**
   * Colour all of it, or `length` pixels from `start`; `show` then brings it up to date.
   * @param {Numbers} values
   * @param {Ramp} ramp
   * @param {Mode} mode
   */
  tint(values, ramp, mode, start = 0, length = this.pixels.length) {
    return tint(values, this.pixels.subarray(start, start + length), ramp, mode);
  }

  show() {
    if (this.data) this.context.putImageData(this.data, 0, 0);
  }

  /** The pixels of a part, four bytes each. */
  read(left, top, width, height) {
    return this.context.getImageData(left, top, width, height);
  }
}
