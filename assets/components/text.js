// Words on a canvas: how wide they are, where they are cut, what stands below the line.
import { element } from "./dom.js";

const GRAPHEMES = new Intl.Segmenter();
/** @type {Map<string, number>} */
const WIDTHS = new Map();
const MOST_WIDTHS = 5000;
/** @type {Pen | null} */
let probe = null;

/**
 * A context to measure text with.
 * @param {string} font
 * @returns {any}
 */
export function measuring(font) {
  probe ??= /** @type {any} */ (document.createElement("canvas").getContext("2d"));
  probe.font = font;
  return probe;
}

/**
 * A token as a person can see it: blanks and breaks get a sign of their own.
 * @param {string} token
 */
export const visible = (token) =>
  token
    .replace(/ /g, "␣")
    .replace(/[\n\r]/g, "↵")
    .replace(/\t/g, "⇥") || "␣";

/**
 * @param {Measurer} pen
 * @param {string} text
 * @returns {number}
 */
export function widthOf(pen, text) {
  const key = pen.font + text;
  let width = WIDTHS.get(key);
  if (width === undefined) {
    if (WIDTHS.size > MOST_WIDTHS) WIDTHS.clear();
    width = pen.measureText(text).width;
    WIDTHS.set(key, width);
  }
  return width;
}

/**
 * Isolated (U+2068 … U+2069): the direction of a token is its own, so that Arabic keeps its full stop on the left.
 * @param {Measurer} pen
 * @param {string} text
 * @param {number} room
 */
export function ellipsis(pen, text, room) {
  if (widthOf(pen, text) <= room) return `\u2068${text}\u2069`;
  const letters = [...GRAPHEMES.segment(text)].map((part) => part.segment);
  while (letters.length > 1 && widthOf(pen, letters.join("") + "…") > room) letters.pop();
  return `\u2068${letters.join("")}…\u2069`;
}

/**
 * "W_Q", "d_model": a letter and what stands below it, as papers write it. For our own words, never for a reader's.
 * @param {string} text
 */
const subscripts = (text) => text.split(/_([A-Za-z]+)/).map((part, i) => ({ part, below: i % 2 === 1 }));

/** @param {string} font */
const lowered = (font) => font.replace(/([\d.]+)px/, (_, size) => `${size * 0.74}px`);

/**
 * The same as nodes.
 * @param {string} text
 */
export const written = (text) =>
  subscripts(text).map(({ part, below }) => (below ? element("sub", { text: part }) : part));

/**
 * How wide a text with subscripts is.
 * @param {Measurer} pen
 * @param {string} text
 */
export function spread(pen, text) {
  const { font } = pen;
  const width = subscripts(text).reduce((sum, { part, below }) => {
    pen.font = below ? lowered(font) : font;
    return sum + widthOf(pen, part);
  }, 0);
  pen.font = font;
  return width;
}

/**
 * Write text with subscripts; return how wide it is.
 * @param {Pen} pen
 * @param {string} text
 * @param {number} x
 * @param {number} y
 * @param {"left" | "center" | "right"} [align]
 */
export function inscribe(pen, text, x, y, align = "left") {
  const width = spread(pen, text);
  const { font } = pen;
  let left = x - { left: 0, center: width / 2, right: width }[align];
  pen.textAlign = "left";
  for (const { part, below } of subscripts(text)) {
    pen.font = below ? lowered(font) : font;
    pen.fillText(part, left, y + (below ? 3 : 0));
    left += widthOf(pen, part);
  }
  pen.font = font;
  return width;
}

/**
 * Lines no wider than `w`. A line ends between words, or after any Chinese character, but never before a sign.
 * @param {Measurer} pen
 * @param {string} text
 * @param {number} w
 */
export function wrapped(pen, text, w) {
  const lines = [""];
  for (const piece of text.match(/[（“]*\p{Script=Han}[，。；：、！？）”]*|[^\s\p{Script=Han}]+\s*|\s+/gu) ?? []) {
    if (lines.at(-1) && spread(pen, (lines.at(-1) + piece).trimEnd()) > w) lines.push("");
    lines.push(lines.pop() + piece);
  }
  return lines.map((line) => line.trimEnd());
}

/**
 * @param {string} template
 * @param {Record<string, any>} values
 */
export const fill = (template, values) => template.replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
