// One bar per number; editable ones the reader pulls.
import { SMALL, frameOf, hatch, label, rule } from "../marks.js";
import { significant, tellingDigits, ticksOf } from "../maths.js";
import { extremes } from "../summaries.js";
import { ellipsis, inscribe, measuring, visible, widthOf } from "../text.js";
import { INK, polyline } from "./axes.js";
import { nameOf, readingIn, sharesOf } from "./cells.js";

const FOOT = { upright: 20, lean: 58 }; // what the names below bars take
const NAME = 11; // pixels that a name takes at least

const leaning = ({ count, names }, w) => w / count < 34 && !!names?.some((name) => name.length > 2);

/**
 * Where the number of a bar stands: past its end, and past that of an outline which would strike it through.
 * @param {number} end
 * @param {number | null} outline
 * @param {boolean} below
 */
export function numberLine(end, outline, below) {
  const far = outline === null ? 0 : below ? outline - end : end - outline;
  const past = far > 1 && far < 16 ? outline : end;
  return below ? past + 13 : past - 5;
}

const valuesOf = (lab, { start, count }, film) => (film ? lab.films.frame(film).subarray(start, start + count) : null);

// The ends of the axis: those of the picture, or those of the numbers, 0 included.
function endsOf(panel, values, ghost) {
  if (!panel.fit) return [panel.low, panel.high];
  const numbers = [...values, ...(ghost ?? [])].filter((v) => v === v);
  const [least, most] = [Math.min(0, ...numbers), Math.max(0, ...numbers)];
  const flat = ghost ? most === least : Math.min(...numbers) === 0;
  return [least, flat ? Math.max(1, most) : most];
}

function drawTicks(pen, lab, { box, ticks, scales: { y } }) {
  for (const tick of ticks) {
    rule(pen, lab, box.x, y(tick), box.x + box.w, y(tick));
    label(pen, lab, significant(tick), box.x - 5, y(tick) + 4, { align: "right", quiet: true });
  }
}

function drawNames(pen, lab, panel) {
  const { names, count, box, under, lean, lit, marked } = panel;
  const step = box.w / count;
  for (let i = 0; i < count; i++) {
    const strong = i === lit || i === marked;
    if (step < NAME && i % Math.ceil(NAME / step) && !strong) continue;
    pen.font = `${strong ? "600 " : ""}${SMALL}px ${lab.font()}`;
    pen.fillStyle = strong ? lab.colour.ink : lab.colour.quiet;
    pen.save();
    pen.translate(box.x + (i + 0.5) * step, box.y + box.h + under + 12);
    if (lean) pen.rotate(-Math.PI / 4);
    pen.textAlign = lean ? "right" : "center";
    pen.fillText(ellipsis(pen, visible(names[i]), lean ? 62 : step - 2), 0, 2);
    pen.restore();
    pen.textAlign = "left";
  }
}

function drawBar(pen, lab, panel, i) {
  const { box, count, values, outline: ghost, lit, marked, texts, narrowBars } = panel;
  const { y } = panel.scales;
  const step = box.w / count;
  const [x, value, strong] = [box.x + i * step, values[i], i === lit || i === marked];
  const there = value === value;
  if (!there) hatch(pen, { x, y: box.y, w: step, h: box.h }, lab.colour);
  pen.globalAlpha = strong ? 1 : 0.75;
  pen.fillStyle = lab.colour[panel.hue] ?? lab.colour.ink;
  const [top, bottom] = [y(Math.max(value, 0)), y(Math.min(value, 0))];
  if (there) pen.fillRect(x + step * 0.12, top, step * 0.76, Math.max(bottom - top, 0.8));
  pen.globalAlpha = 1;
  if (ghost && ghost[i] === ghost[i]) {
    const [high, low] = [y(Math.max(ghost[i], 0)), y(Math.min(ghost[i], 0))];
    frameOf(pen, { x: x + step * 0.06, y: high, w: step * 0.88, h: low - high }, lab.colour.ink, 1);
  }
  if (panel.editable) pen.fillRect(x + step * 0.06, y(value) - 2, step * 0.88, 4);
  if (texts && there && (!narrowBars || strong)) drawNumber(pen, lab, panel, i, x + step / 2);
}

function drawNumber(pen, lab, { box, values, outline: ghost, scales: { y }, texts }, i, centre) {
  pen.font = `${SMALL}px ${lab.font()}`;
  const half = widthOf(pen, texts[i]) / 2;
  const middle = Math.max(box.x + half, Math.min(box.x + box.w - half, centre));
  const line = numberLine(y(values[i]), ghost && y(ghost[i]), values[i] < 0);
  pen.fillStyle = lab.colour.paper; // no line of the scale through a number
  if (!ghost) pen.fillRect(middle - half - 1, line - 9, 2 * half + 2, 11);
  pen.fillStyle = lab.colour.ink;
  inscribe(pen, texts[i], middle, line, "center");
}

/** @type {PlotKind} */
export const bars = {
  walk: true,
  moves: ({ editable }) => editable,

  height: (lab, panel, { w, h }) => h + (leaning(panel, w) ? FOOT.lean - FOOT.upright : 0),

  place() {},

  // Everything follows the numbers: the axis, and with it the room for its names.
  prepare(lab, panel, { w, h }) {
    const { count, names, digits } = panel;
    const values = valuesOf(lab, panel, panel.film);
    const ghost = valuesOf(lab, panel, panel.ghost);
    const [low, high] = endsOf(panel, values, ghost);
    const lean = leaning(panel, w);
    const pen = measuring(`${SMALL}px ${lab.font()}`);
    const telling = digits && tellingDigits(values, digits);
    const texts = digits ? Array.from(values, (v) => (v === v ? significant(v, telling) : "")) : null;
    const ticksIn = (tall) => ticksOf(low, high, Math.max(2, Math.floor(tall / 34)));
    const left = Math.max(34, ...ticksIn(h).map((tick) => 8 + widthOf(pen, significant(tick))));
    const widest = texts ? Math.max(...texts.map((text) => widthOf(pen, text))) : 0;
    const top = panel.drop + (digits ? 44 : 30); // room for a number on the highest bar, and below the lowest
    const under = digits && low < 0 ? 12 : 0;
    const foot = names ? FOOT[lean ? "lean" : "upright"] : 6;
    const box = { x: left, y: top, w: w - left - 2, h: h - top - foot - under };
    const y = (v) => box.y + box.h * (1 - (Math.max(low, Math.min(high, v)) - low) / (high - low));
    const narrowBars = texts !== null && box.w / count < widest + 2; // no room: only the number of the chosen bar
    const ticks = ticksIn(box.h);
    Object.assign(panel, { box, values, outline: ghost, lean, texts, under, narrowBars, ticks, scales: { y } });
  },

  key: (lab, { box, ticks, lit }) => [box, ticks, lit],

  still(pen, lab, panel) {
    drawTicks(pen, lab, panel);
    if (panel.names) drawNames(pen, lab, panel);
  },

  moving(pen, lab, panel) {
    const { box, count } = panel;
    for (let i = 0; i < count; i++) drawBar(pen, lab, panel, i);
    if (!panel.over) return;
    const line = lab.films.frame(panel.over);
    const x = (i) => box.x + (box.w * i) / (line.length - 1);
    polyline(pen, line, x, (v) => box.y + box.h * (1 - v), lab.colour.k, INK.curve);
  },

  hit(lab, panel, place) {
    const shares = sharesOf(panel.box, place);
    return shares && bars.tell(lab, panel, Math.floor(shares.fx * panel.count));
  },

  tell(lab, panel, lit) {
    const { start, names, ghost_name } = panel;
    const value = readingIn(lab, panel, lab.films.frame(panel.film)[start + lit]);
    const outline = panel.ghost ? lab.films.frame(panel.ghost)[start + lit] : NaN;
    const beside = outline === outline ? [`${ghost_name}: ${significant(outline)}`] : [];
    return { lit, lines: [nameOf(names, lit), ...beside, value], pick: { row: lit, col: 0 } };
  },

  sum(lab, { names, film, start, count }, words) {
    const values = lab.films.frame(film).subarray(start, start + count);
    const place = (i) => (names ? visible(names[i]) : `${i + 1}`);
    return extremes(values, place, words);
  },

  cell: ({ box, count }, lit) => ({ x: box.x + (lit * box.w) / count, y: box.y, w: box.w / count, h: box.h }),

  home: ({ marked }) => Math.max(0, marked),

  beside: ({ count }, lit, [, right]) => (lit + right >= 0 && lit + right < count ? lit + right : lit),
};
