// The figures of a laboratory: each picture by itself, without what is chosen; the values of the sliders in its caption.
import { decadeName, significant } from "../maths.js";
import { rampOf } from "../plots/cells.js";
import { dropOf, drawHead } from "../plots/head.js";
import { PLOTS } from "../plots/plots.js";
import { captionOf } from "./caption.js";
import { MODE, lightColours } from "./light.js";

const COLOURED = new Set(["map", "grid"]); // kinds whose colours need a bar; a phase map has its own
const NOTHING = {
  lit: null,
  marked: -1,
  marked_col: -1,
  chosen: -1,
  editable: false,
  legend: false,
  key: false, // the sheet has a larger one
  bitmap: null,
  hint: "",
};

/**
 * @param {Lab} lab
 * @returns {Figure[]}
 */
export function figuresOfLab(lab) {
  const still = Object.create(lab, { colour: { value: lightColours() }, mode: { value: MODE } });
  /** @type {Figure[]} */
  const figures = [];
  /** @type {Record<string, Plot>} the last heading of each stack; "": of the page */
  const headings = {};
  let legend = null;
  for (const panel of lab.panels) {
    if (panel.kind === "heading") headings[panel.stack] = panel;
    if (panel.kind === "heading" && panel.legend.length) legend = panel;
    else if (panel.canvas && panel.w && !panel.figure.hidden && !panel.figure.parentElement?.hidden)
      figures.push(plotOf(still, panel, (panel.stack && headings[panel.stack]) || headings[""], legend));
  }
  return figures;
}

function plotOf(still, panel, heading, legend) {
  const { name, title, w, h, kind } = panel;
  const copy = { ...panel, ...NOTHING };
  copy.drop = dropOf(still, copy, w);
  const { place, prepare, still: standing, moving, stands } = PLOTS[kind];
  place(still, copy, copy);
  return {
    name,
    title: title || heading?.title || name,
    w,
    h,
    painted: still,
    paint(pen) {
      prepare?.(still, copy, copy);
      drawHead(pen, still, copy, w);
      standing?.(pen, still, copy);
      if (!stands) moving(pen, still, copy);
    },
    scale: COLOURED.has(kind) ? scaleOf(still, copy) : null,
    keys: keysOfPlot(panel, legend),
    caption: captionOf([heading?.title, title, ...valuesOf(still, panel)], { about: still.meta.about }),
  };
}

/**
 * What sliders stand at: those that the picture follows, but not those that are its axes, nor those that all its lines fix.
 * @param {Lab} lab
 * @param {Plot} panel
 */
export function valuesOf({ films, at }, { follows, along, x, y, lines = [] }) {
  const fixed = (name) => lines.length > 0 && lines.every((line) => line.fixed && name in line.fixed);
  return [...films.sliders.values()]
    .filter(({ name }) => follows.has(name) && ![along, x, y].includes(name) && !fixed(name))
    .map(({ name, kind, label, readings }) => `${label}${kind === "switch" ? ": " : " = "}${readings[at[name]]}`);
}

/**
 * What strokes mean: the names of the lines, else what the heading above says of their colours.
 * @param {Plot} panel
 * @param {Plot | null} heading
 * @returns {Key[]}
 */
export function keysOfPlot({ kind, lines = [], ends, hue, ghost, ghost_name }, heading) {
  const outline = ghost && ghost_name ? [{ hue: "ink", name: ghost_name, outline: true }] : [];
  const named = kind === "curves" && !ends ? lines.filter(({ name }) => name) : [];
  if (named.length) return named.map(({ hue: of, name, dash, pale }) => ({ hue: of, name, dash, pale }));
  const used = new Set(kind === "curves" ? lines.map((line) => line.hue) : [hue]);
  const above = (heading?.legend ?? []).filter(([of]) => used.has(of)).map(([of, name]) => ({ hue: of, name }));
  return [...above, ...outline];
}

function scaleOf(lab, panel) {
  const { value } = panel;
  const logs = value === "log10";
  const text = (v) => (logs ? decadeName(v) : significant(value === "log2" ? 2 ** v : v, 3));
  const ramp = rampOf(panel);
  const { words } = lab.meta;
  const law = !ramp.root ? "" : ramp.scale === "weights" ? words.rooted : words.rooted_value;
  return { x: panel.box?.x ?? 0, ramp, text, law, masked: panel.hatched ? words.masked : "" };
}
