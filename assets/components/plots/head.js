// What stands above a picture: its title, its note beside it, or below it in as many lines as it takes, and at the right
// what its colours stand for.
import { SMALL, label } from "../marks.js";
import { decadeName } from "../maths.js";
import { Bitmap } from "../pen.js";
import { inscribe, measuring, spread, wrapped } from "../text.js";
import { drawCells, rampOf } from "./cells.js";

const LINE = 15; // pixels from a title to its note, and from one line of the note to the next
const TITLE = 13;
const [BAR, SHADES] = [64, 128]; // pixels of a bar of colours, and how many it has

const endsOf = (lab, { low, high, value }) =>
  [low, high].map((end) => (value === "log10" ? decadeName(end) : lab.spelled(end, value)));

/**
 * @param {string} note
 * @param {string} hint
 */
export const noteOf = (note, hint) => [note, hint].filter(Boolean).join(" · ");

const headOf = (lab, panel, w) => {
  const { title } = panel;
  const beside = title ? spread(measuring(`600 ${TITLE}px ${lab.font()}`), title) + 8 : 0;
  const note = noteOf(panel.note, panel.hint);
  const pen = measuring(`${SMALL}px ${lab.font()}`);
  const [left, right] = panel.key ? endsOf(lab, panel).map((text) => spread(pen, text) + 5) : [0, 0];
  const room = panel.key ? w - left - BAR - right - 10 : w; // 10: from a note to the bar
  return { beside, right, note, lines: note && beside + spread(pen, note) > room ? wrapped(pen, note, w) : [] };
};

// A number's place on the bar is its place between the ends, also where colours go by its root.
function drawKey(pen, lab, panel, w, right) {
  const { low, high } = panel;
  const [least, most] = endsOf(lab, panel);
  const box = { x: w - right - BAR, y: TITLE - 8, w: BAR, h: 8 };
  const shades = new Bitmap(SHADES, 1);
  const values = Float32Array.from({ length: SHADES }, (_, i) => low + ((high - low) * i) / (SHADES - 1));
  shades.tint(values, rampOf(panel), lab.mode);
  shades.show();
  drawCells(pen, lab, shades, box);
  label(pen, lab, least, box.x - 5, TITLE, { align: "right", quiet: true });
  label(pen, lab, most, w, TITLE, { align: "right", quiet: true });
}

/**
 * How far down the lines of a note push what is below them.
 * @param {Lab} lab
 * @param {Plot} panel
 * @param {number} w
 */
export const dropOf = (lab, panel, w) => headOf(lab, panel, w).lines.length * LINE;

/**
 * @param {Pen} pen
 * @param {Lab} lab
 * @param {Plot} panel
 * @param {number} w
 */
export function drawHead(pen, lab, panel, w) {
  const { beside, right, note, lines } = headOf(lab, panel, w);
  pen.font = `600 ${TITLE}px ${lab.font()}`;
  pen.fillStyle = lab.colour.ink;
  if (panel.title) inscribe(pen, panel.title, 0, TITLE);
  pen.font = `${SMALL}px ${lab.font()}`;
  pen.fillStyle = lab.colour.quiet;
  lines.forEach((line, i) => inscribe(pen, line, 0, TITLE + (i + 1) * LINE));
  if (note && !lines.length) inscribe(pen, note, beside, TITLE);
  if (panel.key) drawKey(pen, lab, panel, w, right);
}
