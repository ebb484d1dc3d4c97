// Lines over numbers, and the axes they stand on.
import { label, rule } from "../marks.js";
import { decadeName, decades, significant, ticksOf } from "../maths.js";
import { spread } from "../text.js";

export const INK = { line: 1, curve: 2 };

/**
 * A line over numbers. It ends in an arrow where it leaves an axis of powers of ten, whose lowest is `low`; it breaks
 * where there is no number, and where the number is exactly 0: that is drawn by itself, at the height `zero`.
 * @param {Pen} pen
 * @param {Numbers} values
 * @param {(i: number) => number} x
 * @param {(v: number) => number} y
 * @param {string} colour
 * @param {number} width
 * @param {{ dash?: boolean, low?: number, zero?: number | null }} [style]
 */
export function polyline(pen, values, x, y, colour, width, { dash = false, low = -Infinity, zero = null } = {}) {
  pen.strokeStyle = pen.fillStyle = colour;
  pen.lineWidth = width;
  pen.dash(dash ? [5, 4] : []);
  pen.beginPath();
  const leaving = []; // where it leaves the axis
  const inside = (v) => v >= low && v > -Infinity;
  for (let i = 0; i < values.length; i++) {
    const [before, v] = [i ? values[i - 1] : NaN, values[i]];
    const edge = () => x(i - 1) + ((x(i) - x(i - 1)) * (before - low)) / (before - v);
    if (v === -Infinity) {
      if (zero === null) continue;
      pen.moveTo(before === v ? x(i - 1) : x(i) - 1.5, zero);
      pen.lineTo(x(i) + 1.5, zero);
    } else if (inside(v)) {
      if (inside(before)) pen.lineTo(x(i), y(v));
      else if (before > -Infinity) {
        pen.moveTo(edge(), y(low));
        pen.lineTo(x(i), y(v));
      } else pen.moveTo(x(i), y(v));
    } else if (v === v && inside(before)) {
      leaving.push(edge());
      pen.lineTo(leaving.at(-1), y(low));
    }
  }
  pen.stroke();
  pen.dash([]);
  for (const place of leaving) arrowDown(pen, place, y(low), 2 + width);
}

/**
 * Where a line leaves the axis downwards, the number is smaller still.
 * @param {Pen} pen
 * @param {number} x
 * @param {number} y
 * @param {number} half
 */
export function arrowDown(pen, x, y, half) {
  pen.beginPath();
  pen.moveTo(x - half, y - half * 0.6);
  pen.lineTo(x + half, y - half * 0.6);
  pen.lineTo(x, y + half);
  pen.fill();
}

/**
 * @param {Pen} pen
 * @param {Lab} lab
 * @param {Plot} panel
 * @param {{ x: (i: number) => number, y: (v: number) => number }} scales
 */
export function drawAxes(pen, lab, panel, { x, y }) {
  const { low, high, logs, box } = panel;
  const slider = lab.slider(panel.along);
  const wanted = Math.max(2, Math.floor(box.h / 30));
  for (const tick of logs ? decades(low, high, wanted) : ticksOf(low, high, wanted)) {
    const text = logs ? decadeName(tick) : significant(tick, 3);
    rule(pen, lab, box.x, y(tick), box.x + box.w, y(tick));
    label(pen, lab, text, box.x - 5, y(tick) + 4, { align: "right", quiet: true });
  }
  drawStops(pen, lab, panel, slider.ticks, x);
  label(pen, lab, slider.label, box.x + box.w, box.y + box.h + 27, { align: "right", quiet: true });
}

// At true distances ticks may crowd: what would touch the one before is left out.
function drawStops(pen, lab, { box, places }, ticks, x) {
  const every = Math.ceil(ticks.length / Math.max(2, Math.floor(box.w / 44)));
  let free = -Infinity;
  ticks.forEach(([index, text], i) => {
    const half = spread(pen, text) / 2 + 3;
    if (places && x(index) - half < free) return;
    free = x(index) + half;
    const most = box.x + box.w + 10 - half; // the last keeps within the picture, and clear of names beside it
    if (!places && i % every) return;
    label(pen, lab, text, Math.min(x(index), most), box.y + box.h + 14, { align: "center", quiet: true });
  });
}
