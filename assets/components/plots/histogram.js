// How often each value occurs, on an axis of powers of ten; what lies below the axis is counted in its first bar.
import { label, rule, segment } from "../marks.js";
import { powerOfTen } from "../maths.js";
import { largestPlaces } from "../summaries.js";
import { fill, spread } from "../text.js";

const SIDE = 8; // pixels

/** @type {PlotKind} */
export const histogram = {
  quiet: true,
  moves: () => false,

  place(lab, panel, { w, h }) {
    const box = { x: SIDE, y: 32 + panel.drop, w: w - 2 * SIDE, h: h - 32 - panel.drop - 30 };
    const x = (v) => box.x + (box.w * (v - panel.low)) / (panel.high - panel.low);
    Object.assign(panel, { box, scales: { x } });
  },

  still(pen, lab, { box, scales: { x }, ticks, axis }) {
    const bottom = box.y + box.h;
    rule(pen, lab, box.x, bottom, box.x + box.w, bottom);
    for (const [value, text] of ticks) {
      const half = spread(pen, text) / 2; // the first and the last keep within the picture
      const place = Math.max(half + 1, Math.min(box.w + 2 * SIDE - half - 1, x(value)));
      label(pen, lab, text, place, bottom + 14, { align: "center", quiet: true });
    }
    if (axis) label(pen, lab, axis, box.x + box.w, bottom + 28, { align: "right", quiet: true });
  },

  moving(pen, lab, { film, start, count, low, high, mark, hue, box, scales: { x } }) {
    const values = lab.films.frame(film).subarray(start, start + count);
    const most = Math.max(...values, 1e-9);
    const step = box.w / count;
    pen.fillStyle = lab.colour[hue] ?? lab.colour.ink;
    for (let i = 0; i < count; i++) {
      const tall = (box.h * values[i]) / most;
      pen.globalAlpha = mark !== null && low + ((i + 1) * (high - low)) / count <= mark + 1e-9 ? 0.9 : 0.5;
      pen.fillRect(box.x + i * step + 0.5, box.y + box.h - tall, Math.max(1, step - 1), tall);
    }
    pen.globalAlpha = 1;
    if (mark !== null) segment(pen, lab.colour.focus, 1.5, [x(mark), box.y - 2], [x(mark), box.y + box.h]);
  },

  hit: () => null,

  sum(lab, { film, start, count, low, high }, words) {
    const values = lab.films.frame(film).subarray(start, start + count);
    const [most] = largestPlaces(values, 1);
    if (most === undefined) return words.zeros;
    return fill(words.peak, { place: powerOfTen(low + ((most + 0.5) * (high - low)) / count, 2) });
  },
};
