// Where everything stands, in CSS pixels: a panel's box is its matrix (x, y, w, h) and the room left of and above it.
import { measuring, spread, visible, widthOf } from "../text.js";

export const LABEL_FONT = 12;
export const AXIS_FONT = 11;
export const HEAD = 22; // the line above a panel: its name and its shape
export const TOKENS = new Set(["query", "key"]);
const AXIS = 16; // the line that names an axis
const GAP = 8;
const SIGN_FONT = { sign: 26, word: 15 }; // an operator of one character, and a longer one

/**
 * One cell size for the whole row: the largest with which operands and result stand side by side, their rows level.
 * @param {Picture} picture
 * @param {Panel[]} row
 * @param {number} width
 */
export function layoutRow(picture, row, width) {
  const measure = measurer(picture, Math.min(row.length === 1 ? 720 : 340, width - 140));
  const longest = Math.max(picture.tokens.query.length, picture.tokens.key.length, 1);
  const least = Math.min(10.5, (row.length > 3 ? 100 : 190) / longest); // many maps stay in one line, to be compared
  const tallest = Math.max(300, Math.min(620, window.innerHeight * 0.6));
  const signs = row.reduce((sum, panel) => sum + signWidth(picture, panel), 0);
  const level = (many, tight) => {
    for (let cell = Math.min(44, Math.max(30, 400 / longest)); cell >= least; cell *= 0.96) {
      const tried = row.map((panel) => measure(panel, cell, tight));
      const wide = tried.map((box) => box.left + box.w + box.right);
      const widest = Math.max(...wide);
      const total = many < row.length ? many * (widest + GAP) : wide.reduce((sum, one) => sum + one + GAP, signs);
      if (total > width || Math.max(...tried.map((box) => box.h)) > tallest) continue;
      const [top, low] = [Math.max(...tried.map((box) => box.top)), Math.min(...tried.map((box) => box.h))];
      const right = (i) => (many < row.length ? widest - tried[i].left - tried[i].w : tried[i].right); // columns of equal width
      return tried.map((box, i) => ({ ...box, right: right(i), top, middle: top + Math.min(low, 240) / 2 }));
    }
    return null;
  };
  // Many maps that one line cannot hold stand in lines of equally many, their titles above the whole of them if need be.
  let boxes = row.length > 1 ? level(row.length, false) : null;
  for (let lines = 2; !boxes && row.length > 3 && !signs && lines < row.length; lines++) {
    const many = Math.ceil(row.length / lines);
    if (many > 1) boxes = level(many, false) ?? level(many, true);
  }
  row.forEach((panel, i) => {
    const room = width - signWidth(picture, panel);
    const box = boxes?.[i] ?? alone(panel, room, measure);
    panel.box = { ...box, x: box.left, y: box.top };
    panel.pen.resize(Math.min(room, Math.ceil(box.left + box.w + box.right)), Math.ceil(box.top + box.h + 4));
    if (panel.sign) panel.sign.style.marginTop = `${box.middle - 20}px`;
  });
}

// What an operator takes, with the gap after it.
function signWidth(picture, { operator }) {
  if (!operator) return 0;
  const probe = measuring(`${SIGN_FONT[signKind(operator)]}px ${picture.font()}`);
  return Math.max(26, Math.ceil(widthOf(probe, operator))) + GAP;
}

/** @param {string} operator */
export const signKind = (operator) => (operator.length > 1 ? "word" : "sign");

// A panel with a line of its own: as large as fits, and no taller than half a screen, so that cause and effect fit on it.
function alone(panel, width, measure) {
  const square = TOKENS.has(panel.rows) && TOKENS.has(panel.cols);
  const tall = Math.max(260, Math.min(640, window.innerHeight * 0.5));
  const start = square ? Math.min(44, Math.max(34, 400 / Math.max(...panel.shape))) : 20;
  let box;
  for (let cell = start; cell > 0.2; cell *= 0.96) {
    box = measure(panel, cell);
    if (box.left + box.w + box.right <= width && box.h <= tall) break;
  }
  return { ...box, middle: box.top + Math.min(box.h, 240) / 2 };
}

// measure(panel, cell, tight) -> box, when a token takes `cell` pixels and a feature axis at most `most`; tight: the title
// begins above the names of the rows.
function measurer(picture, most) {
  const family = picture.font();
  const wide = (text, font = `${LABEL_FONT}px`, width = widthOf) => width(measuring(`${font} ${family}`), text);
  const widest = (tokens, bound) => Math.max(0, ...tokens.map((token) => Math.min(bound, wide(visible(token)))));
  // How far the turned names of the last columns stand out on the right.
  const overhang = (tokens, cell) => {
    const out = (token, i, last) => Math.min(86, wide(visible(token))) * 0.71 + 4 - (last.length - i - 0.5) * cell;
    return Math.max(4, ...tokens.slice(-12).map(out));
  };
  return (panel, cell, tight = false) => {
    const [rows, cols] = panel.shape;
    const [down, across] = [TOKENS.has(panel.rows), TOKENS.has(panel.cols)];
    const heading = wide(panel.title, "600 14px", spread) + (panel.note ? 8 + wide(panel.note) : 0);
    const name = wide(picture.axis(panel.called || panel.rows, "↓"), `${AXIS_FONT}px`, spread);
    const columns = across && panel.labels ? widest(picture.tokens[panel.cols], 92) : 0;
    const turned = columns > Math.max(0, cell - 4);
    const left = 8 + Math.max(name, down && panel.labels ? widest(picture.tokens[panel.rows], 96) : 0);
    const top = HEAD + AXIS + (!columns ? 0 : turned ? Math.min(70, columns * 0.72 + 12) : 18);
    const w = across ? cell * cols : thickness(cols, cell, most);
    const h = down ? cell * rows : thickness(rows, cell, 260);
    const start = tight ? 2 - left : 0; // of the title, from the cells
    const right = Math.max(turned ? overhang(picture.tokens[panel.cols], cell) : 4, heading + start - w + 2);
    return { left, top, own: top, start, w, h, right, turned, cell };
  };
}

// How thick a feature axis is drawn: a third of a token cell, within bounds.
const thickness = (count, cell, most) =>
  Math.max(Math.min(count * 14, 60), Math.min(most, count * Math.max(1, cell / 3)));
