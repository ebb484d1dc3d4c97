// A number over two sliders; the reader's place on it; a click goes there.
import { coloursOf } from "../colour.js";
import { frameOf, label } from "../marks.js";
import { decadeName, decades, powerOfTen, significant, ticksOf } from "../maths.js";
import { Bitmap } from "../pen.js";
import { extremes } from "../summaries.js";
import { spread } from "../text.js";
import { drawCells, rampOf, sharesOf } from "./cells.js";

const SHADES = 48; // of the bar of colours

// What the colours stand for; beyond its lower end they stay the same.
function drawColours(pen, lab, { low, high, logs, scale }, box) {
  const table = coloursOf(scale, lab.mode);
  for (let i = 0; i < SHADES; i++) {
    const word = table[Math.round((255 * (i + 0.5)) / SHADES)];
    pen.fillStyle = `rgb(${word & 255}, ${(word >> 8) & 255}, ${(word >> 16) & 255})`;
    pen.fillRect(box.x, box.y + box.h * (1 - (i + 1) / SHADES), box.w, box.h / SHADES + 0.6);
  }
  frameOf(pen, box, lab.colour.line, 1);
  for (const tick of (logs ? decades : ticksOf)(low, high, 4)) {
    const text = (tick === low && logs ? "≤ " : "") + (logs ? decadeName(tick) : significant(tick, 3));
    const y = box.y + box.h * (1 - (tick - low) / (high - low)) + 4;
    label(pen, lab, text, box.x + box.w + 5, y, { quiet: true });
  }
}

const holds = (lab, { fixed }) => Object.entries(fixed ?? {}).every(([name, index]) => lab.at[name] === index);

// A line across the map, through the places of every row that has one.
function drawContour(pen, lab, line, { box, cols, rows, x, y }) {
  const points = lab.films.frame(line.film);
  const inside = (row) => points[row] >= 0 && points[row] <= cols - 1;
  const path = (stroke, width) => {
    pen.strokeStyle = stroke;
    pen.lineWidth = width;
    pen.beginPath();
    for (let row = 0; row < rows; row++) {
      if (!inside(row)) continue;
      if (row && inside(row - 1)) pen.lineTo(x(points[row]), y(row));
      else pen.moveTo(x(points[row]), y(row));
    }
    pen.stroke();
  };
  path(lab.colour.paper, 3.5);
  path(lab.colour.ink, 1.5);
  const crossed = [...points.keys()].filter(inside);
  if (!line.name || !crossed.length) return;
  const row = crossed[Math.floor(crossed.length * 0.85)];
  nameContour(pen, lab, line.name, x(points[row]), y(row), box);
}

function nameContour(pen, lab, name, x, y, box) {
  const wide = spread(pen, name);
  const start = x + (x > box.x + box.w / 2 ? -8 - wide : 8);
  pen.fillStyle = lab.colour.paper;
  pen.globalAlpha = 0.8;
  pen.fillRect(start - 3, y - 9, wide + 6, 15);
  pen.globalAlpha = 1;
  label(pen, lab, name, start, y + 3);
}

function drawNames(pen, lab, across, down, { box, x, y }) {
  const [bottom, left] = [box.y + box.h, box.x - 5];
  for (const [i, text] of across.ticks) label(pen, lab, text, x(i), bottom + 13, { align: "center", quiet: true });
  for (const [i, text] of down.ticks) label(pen, lab, text, left, y(i) + 4, { align: "right", quiet: true });
  label(pen, lab, `${across.label} →`, box.x + box.w, bottom + 27, { align: "right", quiet: true });
  label(pen, lab, `${down.label} ↑`, left, box.y - 6, { align: "right", quiet: true });
}

// The lowest row stands at the bottom.
function tintUpwards(panel, mode) {
  const { cols, rows, values } = panel;
  const bitmap = (panel.bitmap ??= new Bitmap(cols, rows));
  for (let r = 0; r < rows; r++)
    bitmap.tint(values.subarray(r * cols, (r + 1) * cols), rampOf(panel), mode, (rows - 1 - r) * cols, cols);
  bitmap.show();
}

/** @type {PlotKind} */
export const phase = {
  moves: () => true,
  stands: true,

  place(lab, panel, { w, h }) {
    const [cols, rows] = [lab.films.count(panel.x), lab.films.count(panel.y)];
    const box = { x: 46, y: 46 + panel.drop, w: w - 46 - 66, h: h - 46 - panel.drop - 32 };
    const x = (i) => box.x + ((i + 0.5) * box.w) / cols;
    const y = (i) => box.y + box.h - ((i + 0.5) * box.h) / rows;
    Object.assign(panel, { box, cols, rows, scales: { box, cols, rows, x, y } });
  },

  key: (lab, panel) => [
    lab.films.planeBeginning(panel),
    panel.lines.map((line) => holds(lab, line) && Array.from(lab.films.frame(line.film))),
  ],

  still(pen, lab, panel) {
    const { box, scales } = panel;
    panel.values = lab.films.plane(panel);
    tintUpwards(panel, lab.mode);
    drawCells(pen, lab, panel.bitmap, box);
    drawNames(pen, lab, lab.slider(panel.x), lab.slider(panel.y), scales);
    drawColours(pen, lab, panel, { x: box.x + box.w + 14, y: box.y, w: 10, h: box.h });
    for (const line of panel.lines) if (holds(lab, line)) drawContour(pen, lab, line, scales);
  },

  moving(pen, lab, panel) {
    const { x, y } = panel.scales;
    const circle = (stroke, width) => {
      pen.strokeStyle = stroke;
      pen.lineWidth = width;
      pen.beginPath();
      pen.circle(x(lab.at[panel.x]), y(lab.at[panel.y]), 6);
      pen.stroke();
    };
    circle(lab.colour.paper, 4.5);
    circle(lab.colour.focus, 2.5);
  },

  hit(lab, panel, place) {
    const shares = sharesOf(panel.box, place);
    if (!shares || !panel.values) return null;
    const { cols, rows, values } = panel;
    const [across, down] = [lab.slider(panel.x), lab.slider(panel.y)];
    const c = Math.min(cols - 1, Math.floor(shares.fx * cols));
    const r = Math.min(rows - 1, Math.floor((1 - shares.fy) * rows));
    const value = values[r * cols + c];
    const places = [`${across.label} = ${across.readings[c]}`, `${down.label} = ${down.readings[r]}`];
    const reading = panel.logs ? powerOfTen(value) : significant(value);
    return { lit: null, lines: [...places, reading], to: { [panel.x]: c, [panel.y]: r } };
  },

  sum(lab, panel, words) {
    const [across, down] = [lab.slider(panel.x), lab.slider(panel.y)];
    const { length } = across.readings;
    const place = (i) =>
      `${across.label} = ${across.readings[i % length]}, ${down.label} = ${down.readings[Math.floor(i / length)]}`;
    return extremes(lab.films.plane(panel), place, words, (v) => (panel.logs ? powerOfTen(v, 2) : significant(v, 2)));
  },
};
