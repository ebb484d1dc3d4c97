// Lines over the stops of one slider, everything else as it stands; a click moves that slider.
import { SMALL, label, segment } from "../marks.js";
import { nearestStop, powerOfTen, significant } from "../maths.js";
import { course } from "../summaries.js";
import { inscribe, spread } from "../text.js";
import { INK, arrowDown, drawAxes, polyline } from "./axes.js";
import { sharesOf } from "./cells.js";

const NAME = 14; // pixels between names where lines end
const LEGEND = 12; // pixels of a line of names above
const SUMMED = 6; // lines that are told of
const SUNK = 15; // pixels of the band below the axis, where numbers are 0

const hueOf = (lab, line) => lab.colour[line.hue] ?? line.hue;

// The lines of a curve and of its band, where the sliders that it does not follow stand.
function numbersOf(lab, { film, along }, line) {
  const numbers = (start) => lab.films.along(film, along, { ...line, start });
  return { values: numbers(line.start), band: line.band?.map(numbers) ?? null };
}

// An axis that reaches as far as the numbers in sight, on both sides of 0.
function fitted(panel) {
  const numbers = panel.series.flatMap(({ values }) => Array.from(values, Math.abs)).filter((v) => v === v);
  panel.high = Math.max(0, ...numbers) || 1;
  panel.low = -panel.high;
}

function scalesOf(lab, panel) {
  const { box, low, high, places, below } = panel;
  const count = lab.films.count(panel.along);
  const tall = box.h - (below ? SUNK : 0);
  const across = (place) => (box.w * (place - places[0])) / (places.at(-1) - places[0]);
  const at = (place) => box.x + (places ? across(place) : (box.w * place) / Math.max(1, count - 1));
  const y = (v) => box.y + tall * (1 - (Math.max(low, Math.min(high, v)) - low) / (high - low || 1));
  const zero = below ? box.y + box.h - SUNK / 2 : null;
  return {
    at,
    y,
    tall,
    zero,
    x: (i) => at(places ? places[i] : i),
    level: (v) => (v === -Infinity && zero ? zero : y(v)),
  };
}

// Places with a name of their own: each name beside its line, on the left where the next line stands too close, and clear
// of all of them.
function drawMarks(pen, lab, { box, marks, scales }) {
  const named = (marks ?? []).map(([place, text]) => [scales.at(place), text]);
  pen.dash([2, 3]);
  for (const [x] of named) segment(pen, lab.colour.quiet, 1, [x, box.y], [x, box.y + box.h]);
  pen.dash([]);
  for (const [i, [x, text]] of named.entries()) {
    pen.font = `${SMALL}px ${lab.font()}`;
    const wide = spread(pen, text);
    const close = (named[i + 1]?.[0] ?? Infinity) - x < wide + 8 && x - (named[i - 1]?.[0] ?? box.x) > wide + 5;
    const y = box.y + scales.tall - 4 - (i % 4) * 12;
    label(pen, lab, text, close ? x - 3 : x + 3, y, { quiet: true, align: close ? "right" : "left" });
  }
}

function drawBelow(pen, lab, { box, below, scales }) {
  pen.globalAlpha = 0.14;
  pen.fillStyle = lab.colour.quiet;
  pen.fillRect(box.x, box.y + scales.tall, box.w, SUNK);
  pen.globalAlpha = 1;
  label(pen, lab, below, box.x + 4, box.y + box.h - 4, { quiet: true });
}

function drawBand(pen, colour, [least, most], { x, y }) {
  pen.fillStyle = colour;
  pen.globalAlpha = 0.16;
  pen.beginPath();
  for (let i = 0; i < least.length; i++) pen.lineTo(x(i), y(least[i]));
  for (let i = most.length; i--;) pen.lineTo(x(i), y(most[i]));
  pen.fill();
}

function drawLines(pen, lab, panel) {
  const { scales, current } = panel;
  const { x, y, zero } = scales;
  const low = panel.logs ? panel.low : -Infinity;
  panel.lines.forEach((line, i) => {
    const { values, band } = panel.series[i];
    if (band) drawBand(pen, hueOf(lab, line), band, scales);
    pen.globalAlpha = (line.pale ? 0.5 : 1) * (current ? 1 : 0.35); // out of date while another slider moves
    const width = line.pale ? INK.line : INK.curve;
    polyline(pen, values, x, y, hueOf(lab, line), width, { dash: line.dash, low, zero });
    pen.globalAlpha = 1;
  });
  if (!panel.ends) return;
  const lit = panel.lines[panel.lit];
  const colour = lit && (lit.pale ? lab.colour.ink : hueOf(lab, lit));
  if (lit) polyline(pen, panel.series[panel.lit].values, x, y, colour, INK.curve + 0.5, { low, zero });
  drawEnds(pen, lab, panel, lit);
}

// Names where lines end: of what is chosen, of what is pointed at, and of a pale line that ends apart from all others.
function drawEnds(pen, lab, { lines, series, box, scales }, lit) {
  const ends = lines
    .map((line, i) => ({ line, at: scales.level(series[i].values.at(-1)), place: 0 }))
    .filter(({ line, at }) => line.name && at === at)
    .sort((a, b) => a.at - b.at);
  const alone = (end) => ends.every((other) => other === end || Math.abs(other.at - end.at) >= NAME);
  const names = ends.filter((end) => !end.line.pale || end.line === lit || (!lit && alone(end)));
  let least = box.y + 2;
  for (const name of names) least = (name.place = Math.max(name.at, least)) + NAME;
  let most = box.y + box.h - 4;
  for (const name of names.toReversed()) most = (name.place = Math.min(name.place, most)) - NAME;
  const edge = box.x + box.w;
  for (const { line, at, place } of names) {
    pen.globalAlpha = 0.6;
    segment(pen, lab.colour.line, INK.line, [edge + 1, at], [edge + 9, place]);
    pen.globalAlpha = 1;
    pen.font = `${line.pale && line !== lit ? "" : "600 "}${SMALL}px ${lab.font()}`;
    pen.fillStyle = line === lit && line.pale ? lab.colour.ink : hueOf(lab, line);
    inscribe(pen, line.name, edge + 11, place + 4);
  }
}

// The names of the lines above them: in one line where there are many, else one below the other.
function drawLegend(pen, lab, { titled, box }) {
  const beside = titled.length > 2;
  let end = box.x + box.w;
  for (const [i, line] of [...titled.entries()].reverse()) {
    pen.fillStyle = hueOf(lab, line);
    pen.font = `${SMALL}px ${lab.font()}`;
    const y = box.y - 6 - (beside ? 0 : (titled.length - 1 - i) * LEGEND);
    const wide = inscribe(pen, line.name, end, y, "right");
    if (beside) end -= wide + 12;
  }
}

/** @type {PlotKind} */
export const curves = {
  moves: () => true,
  stands: true,

  place(lab, panel, { w, h }) {
    const titled = panel.ends || !panel.legend ? [] : panel.lines.filter((line) => line.name);
    const under = panel.drop ? titled.length - 1 : titled.length; // lines of names between the note and the axis
    const lines = titled.length > 2 ? Math.min(1, under) : under;
    const top = 32 + panel.drop + ((panel.note || panel.hint) && titled.length ? LEGEND * lines : 0);
    const right = panel.ends ? 40 + Math.min(88, w * 0.3) : 48;
    panel.box = { x: 40, y: top, w: w - right, h: h - top - 30 };
    panel.titled = titled;
  },

  key: (lab, { film, along, lines, lit }) => [
    lit,
    lab.films.current(lab.films.sent[film]),
    ...lines.map((line) => lab.films.beginning(film, along, line)),
  ],

  still(pen, lab, panel) {
    panel.current = lab.films.current(lab.films.sent[panel.film]);
    panel.series = panel.lines.map((line) => numbersOf(lab, panel, line));
    if (panel.fit) fitted(panel);
    panel.scales = scalesOf(lab, panel);
    if (panel.below) drawBelow(pen, lab, panel);
    drawMarks(pen, lab, panel);
    drawAxes(pen, lab, panel, panel.scales);
    drawLines(pen, lab, panel);
    drawLegend(pen, lab, panel);
  },

  // Where the slider stands: a line, and on every curve a dot.
  moving(pen, lab, panel) {
    const { box, lines, series, current, logs, low } = panel;
    const { x, y, level } = panel.scales;
    const at = lab.at[panel.along];
    segment(pen, lab.colour.focus, 1.5, [x(at), box.y], [x(at), box.y + box.h]);
    lines.forEach((line, i) => {
      const value = series[i].values[at];
      if (Number.isNaN(value) || line.pale || !current) return;
      const held = Object.entries(line.fixed ?? {}).every(([name, index]) => lab.at[name] === index);
      pen.fillStyle = hueOf(lab, line);
      if (logs && value < low && value > -Infinity) return arrowDown(pen, x(at), y(low), held ? 6 : 4.5);
      pen.beginPath();
      pen.circle(x(at), level(value), held ? 4.5 : 3);
      pen.fill();
    });
  },

  // Of many lines the nearest is lit, and it alone is told of.
  hit(lab, panel, place) {
    const shares = sharesOf(panel.box, place);
    if (!shares || !panel.series) return null;
    const { low, high, lines, series, along } = panel;
    const slider = lab.slider(along);
    const i = nearestStop(shares.fx, slider.readings.length, panel.places);
    const wanted = high - shares.fy * (high - low);
    const values = series.map((line) => line.values[i]);
    const away = values.map((value) => (value !== value ? Infinity : Math.abs(Math.max(low, value) - wanted)));
    const lit = panel.ends ? away.indexOf(Math.min(...away)) : null;
    const spelled = (value) => (panel.logs ? powerOfTen(value) + lab.lost(value) : significant(value));
    const tale = lines
      .map((line, n) => ({ n, value: values[n], name: line.name || panel.title }))
      .filter(({ n, value }) => value === value && (lit === null || n === lit))
      .map(({ name, value }) => `${name}: ${spelled(value)}`);
    return { lit, lines: [`${slider.label} = ${slider.readings[i]}`, ...tale], to: { [along]: i } };
  },

  sum(lab, panel, words) {
    const { label: axis, readings } = lab.slider(panel.along);
    const places = readings.map((reading) => `${axis} = ${reading}`);
    const strong = panel.lines.filter(({ pale }) => !pale).slice(0, SUMMED);
    return strong
      .map((line) => course(line.name || panel.title, numbersOf(lab, panel, line).values, places, words, panel.logs))
      .join(" ");
  },
};
