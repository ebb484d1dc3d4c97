// One matrix, named beside it and above.
import { SMALL, frameOf, hatch, rule } from "../marks.js";
import { clamp, significant } from "../maths.js";
import { Bitmap } from "../pen.js";
import { extremes, strongestCells } from "../summaries.js";
import { ellipsis, inscribe, measuring, visible, widthOf } from "../text.js";
import { drawCells, nameOf, rampOf, readingIn, sentenceOn, sharesOf } from "./cells.js";
import { dropOf } from "./head.js";

const LONGEST = 74; // pixels of a name
const LEAN = 0.72; // how far a name that leans rises, per pixel of its length

// What the names of a map leave for its cells.
function roomIn(pen, { rows, cols, names, col_names }, { w, h }) {
  const longest = (list) => Math.max(...list.map((text) => Math.min(LONGEST, widthOf(pen, visible(text)))));
  const short = names?.every((name) => name.length < 3); // numbers stand upright, tokens lean
  const left = names ? longest(names) + 10 : 0;
  const across = names && longest(col_names ?? names);
  const top = short ? 46 : names ? 34 + across * LEAN : 32;
  const lean = !names ? 2 : short ? 6 : across * LEAN + 8; // the last name leans out, or is wider than its cell
  const side = Math.max(1, Math.min((w - left - lean) / cols, (h - top - 2) / rows)); // 2: the frame
  return { short, left, top, side };
}

// Where the cells of a map begin and how large they are: as small as those of the maps it is compared with.
function placeOf(lab, panel, w) {
  const alone = (map) => {
    const h = map.height - (lab.narrow ? 0 : dropOf(lab, map, w));
    return roomIn(measuring(`${SMALL}px ${lab.font()}`), map, { w, h });
  };
  const own = alone(panel);
  const alike = panel.alike ? lab.panels.filter((other) => other.alike === panel.alike) : [];
  return { ...own, top: own.top + panel.drop, side: Math.min(own.side, ...alike.map((other) => alone(other).side)) };
}

// Lines between cells, so that equal neighbours stay two; in a few large cells the numbers themselves.
function drawRules(pen, lab, { rows, cols, box, side, high }, values) {
  for (let i = 1; i < cols; i++) rule(pen, lab, box.x + i * side, box.y, box.x + i * side, box.y + box.h);
  for (let i = 1; i < rows; i++) rule(pen, lab, box.x, box.y + i * side, box.x + box.w, box.y + i * side);
  if (rows > 4 || side < 34) return;
  pen.font = `${SMALL}px ${lab.font()}`;
  for (let i = 0; i < values.length; i++) {
    let text = significant(values[i]);
    for (let fewer = 3; fewer && widthOf(pen, text) > side - 4; fewer--) text = significant(values[i], fewer);
    const strong = Math.sqrt(Math.abs(values[i]) / high) > 0.6;
    pen.fillStyle = strong ? lab.colour.paper : lab.colour.ink;
    const [x, y] = [box.x + ((i % cols) + 0.5) * side, box.y + (Math.floor(i / cols) + 0.5) * side + 4];
    inscribe(pen, text, x, y, "center");
  }
}

// Tokens beside a map: all that fit.
function drawTokens(pen, lab, panel) {
  const { names, rows, side, box, marked, lit } = panel;
  pen.font = `${SMALL}px ${lab.font()}`;
  const every = Math.max(1, Math.ceil(11 / side));
  pen.textAlign = "right";
  for (let i = 0; i < rows; i += every) {
    pen.fillStyle = i === marked || i === lit?.r ? lab.colour.ink : lab.colour.quiet;
    pen.fillText(ellipsis(pen, visible(names[i]), box.x - 8), box.x - 5, box.y + (i + 0.5) * side + 4);
  }
  drawAbove(pen, lab, panel);
  pen.textAlign = "left";
}

// Upright names stand apart, leaning ones overlap.
function drawAbove(pen, lab, { names, col_names, cols, side, box, short, marked, marked_col, lit }) {
  const across = col_names ?? names;
  const wide = short ? Math.max(...across.map((text) => widthOf(pen, visible(text)))) + 4 : 15;
  const focus = col_names ? marked_col : marked;
  for (let i = 0; i < cols; i += Math.max(1, Math.ceil(wide / side))) {
    pen.fillStyle = i === focus || i === lit?.c ? lab.colour.ink : lab.colour.quiet;
    pen.save();
    pen.translate(box.x + (i + 0.5) * side + (short ? 0 : 3), box.y - 5);
    if (!short) pen.rotate(-Math.PI / 4);
    pen.textAlign = short ? "center" : "left";
    pen.fillText(ellipsis(pen, visible(across[i]), 70), 0, 0);
    pen.restore();
  }
}

/** @type {PlotKind} */
export const map = {
  walk: true,
  moves: () => false,

  height(lab, panel, { w, h }) {
    const { top, side } = placeOf(lab, panel, w);
    return Math.min(h, Math.ceil(top + side * panel.rows + 2));
  },

  place(lab, panel, { w }) {
    const { short, left, top, side } = placeOf(lab, panel, w);
    panel.box = { x: left, y: top, w: side * panel.cols, h: side * panel.rows };
    Object.assign(panel, { short, side });
  },

  // The names, where a film says which of them stands where.
  prepare(lab, panel) {
    if (!panel.order) return;
    panel.written ??= panel.names;
    panel.names = Array.from(lab.films.frame(panel.order), (i) => panel.written[i]);
  },

  key: (lab, { lit, order }) => [lit, order && Array.from(lab.films.frame(order))],

  still(pen, lab, panel) {
    if (panel.names) drawTokens(pen, lab, panel);
  },

  moving(pen, lab, panel) {
    const { rows, cols, box, side, start, marked, lit } = panel;
    const { focus, paper, ink } = lab.colour;
    const values = lab.films.frame(panel.film).subarray(start, start + rows * cols);
    const bitmap = (panel.bitmap ??= new Bitmap(cols, rows));
    bitmap.tint(values, rampOf(panel), lab.mode);
    bitmap.show();
    if (panel.hatched) hatch(pen, box, lab.colour);
    drawCells(pen, lab, bitmap, box);
    if (panel.ruled && side > 4) drawRules(pen, lab, panel, values);
    if (marked >= 0) frameOf(pen, { x: box.x, y: box.y + marked * side, w: box.w, h: side }, focus, 1.6);
    if (!lit) return;
    frameOf(pen, map.cell(panel, lit), paper, 3); // readable on dark cells and on light ones
    frameOf(pen, map.cell(panel, lit), ink, 1.4);
  },

  hit(lab, panel, place) {
    const shares = sharesOf(panel.box, place);
    if (!shares) return null;
    return map.tell(lab, panel, { r: Math.floor(shares.fy * panel.rows), c: Math.floor(shares.fx * panel.cols) });
  },

  tell(lab, panel, lit) {
    const { names, col_names, cols, start } = panel;
    const value = readingIn(lab, panel, lab.films.frame(panel.film)[start + lit.r * cols + lit.c]);
    const pick = { row: lit.r, col: lit.c };
    if (panel.says) return { lit, lines: [sentenceOn(panel, lit, value)], pick };
    const [row, col] = [nameOf(names, lit.r), nameOf(col_names ?? names, lit.c)];
    return { lit, lines: names ? [row, col, value] : [`${row}, ${col}`, value], pick };
  },

  sum(lab, panel, words) {
    const { names, col_names, rows, cols, start, film, marked, value } = panel;
    const values = lab.films.frame(film).subarray(start, start + rows * cols);
    const row = (r) => (names ? visible(names[r]) : `${r + 1}`);
    const across = col_names ?? names;
    const col = (c) => (across ? visible(across[c]) : `${c + 1}`);
    if (value === "plain") return strongestCells(values, cols, { row, col, focus: marked }, words);
    const place = (i) => `${row(Math.floor(i / cols))} → ${col(i % cols)}`;
    return extremes(values, place, words, (v) => lab.spelled(v, value));
  },

  cell: ({ box, side }, { r, c }) => ({ x: box.x + c * side, y: box.y + r * side, w: side, h: side }),

  home: ({ marked }) => ({ r: Math.max(0, marked), c: 0 }),

  beside: ({ rows, cols }, { r, c }, [down, right]) => ({
    r: clamp(0, r + down, rows - 1),
    c: clamp(0, c + right, cols - 1),
  }),
};
