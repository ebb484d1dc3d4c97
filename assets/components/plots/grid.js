// Matrices as thumbnails; a click picks one.
import { frameOf, label } from "../marks.js";
import { Bitmap } from "../pen.js";
import { largestCell } from "../summaries.js";
import { drawCells, rampOf } from "./cells.js";

const [GAP, CAPTION, HEAD] = [6, 18, 20]; // pixels between thumbnails, of a title above one, above all of them

/**
 * How many stand side by side, how large, and where the last line of them ends.
 * @param {{ count: number, drop: number }} panel
 * @param {Room} room
 */
export function gridRoom({ count, drop }, { w, h }) {
  const sideOf = (across) => {
    const down = Math.ceil(count / across);
    return Math.min((w - GAP * (across - 1)) / across, (h - drop - HEAD - CAPTION * down) / down);
  };
  let across = 1;
  for (let wider = 2; wider <= count; wider++) if (sideOf(wider) > Math.max(0, sideOf(across))) across = wider;
  const side = Math.max(8, sideOf(across));
  return { across, side, bottom: 18 + drop + Math.ceil(count / across) * (side + CAPTION) };
}

/** @type {PlotKind} */
export const grid = {
  walk: true,
  moves: () => false,

  height: (lab, panel, room) => Math.min(room.h, Math.ceil(gridRoom(panel, room).bottom + 2)),

  place(lab, panel, room) {
    const { across, side } = gridRoom(panel, room);
    panel.across = across;
    panel.cells = Array.from({ length: panel.count }, (_, i) => ({
      x: (i % across) * (side + GAP),
      y: 36 + panel.drop + Math.floor(i / across) * (side + CAPTION),
      w: side,
      h: side,
    }));
  },

  still(pen, lab, { cells, titles, chosen }) {
    cells.forEach(({ x, y }, i) => label(pen, lab, titles[i], x, y - 4, { strong: i === chosen }));
  },

  moving(pen, lab, panel) {
    const { rows, cols, count, cells, chosen, lit } = panel;
    const bitmap = (panel.bitmap ??= new Bitmap(cols, rows * count));
    bitmap.tint(lab.films.frame(panel.film), rampOf(panel), lab.mode);
    bitmap.show();
    cells.forEach((box, i) => {
      drawCells(pen, lab, bitmap, box, { r: i * rows, c: 0, h: rows, w: cols });
      if (i === chosen) frameOf(pen, box, lab.colour.focus, 2);
      else if (i === lit) frameOf(pen, box, lab.colour.ink, 1);
    });
  },

  hit(lab, panel, { x, y }) {
    const inside = (cell) => x >= cell.x && x < cell.x + cell.w && y >= cell.y && y < cell.y + cell.h;
    const index = (panel.cells ?? []).findIndex(inside);
    return index < 0 ? null : grid.tell(lab, panel, index);
  },

  tell: (lab, { titles }, lit) => ({ lit, lines: [titles[lit]], pick: { row: lit, col: 0 } }),

  sum(lab, { film, rows, cols, titles }, words) {
    const values = lab.films.frame(film);
    const matrix = (i) => values.subarray(i * rows * cols, (i + 1) * rows * cols);
    return titles.map((title, i) => `${title}: ${largestCell(matrix(i), cols, words)}.`).join(" ");
  },

  cell: ({ cells }, lit) => cells[lit],

  home: ({ chosen }) => chosen,

  beside({ across, count }, lit, [down, right]) {
    const next = lit + right + down * across;
    return next >= 0 && next < count ? next : lit;
  },
};
