// What stands on the page of a laboratory: figures in stacks, sliders and switches, headings, read-outs.
import { element } from "../dom.js";
import { powerOfTen, significant } from "../maths.js";
import { noteOf } from "../plots/head.js";
import { PLOTS } from "../plots/plots.js";
import { CanvasPen } from "../pen.js";
import { fill, written } from "../text.js";
import { controlOf, nameControls, showControls } from "./controls.js";

const WRITTEN = new Set(["readouts", "remark", "heading", "gauge"]); // what is no picture
const SILENT = { "aria-live": "off" }; // read-outs beside a gauge: read when asked for, not at every step

export class Stage {
  /** @param {Lab} lab */
  constructor(lab) {
    this.lab = lab;
    this.node = element("div", { class: "lab" });
    this.shape = "";
    /** @type {Set<string>} headings whose pictures the reader has asked for */
    this.unfolded = new Set();
  }

  // The DOM is rebuilt only when the set of pictures or sliders changes.
  build() {
    const { lab } = this;
    const sliders = [...lab.films.sliders.values()].map(({ name, kind }) => [name, kind]);
    const shape = JSON.stringify([lab.panels.map(({ name, kind }) => [name, kind]), sliders]);
    if (shape !== this.shape) this.furnish();
    this.shape = shape;
    for (const panel of lab.panels) {
      if (panel.pen) this.name(/** @type {Drawn} */ (panel));
      if (panel.kind === "heading") this.heading(panel);
      if (panel.kind === "readouts") furnishReadouts(panel);
      if (panel.kind === "gauge") furnishGauge(panel);
      if (panel.kind === "controls") nameControls(lab, panel);
    }
  }

  furnish() {
    const { panels, painter } = this.lab;
    /** @type {Map<string, Plot[]>} */
    const stacks = new Map();
    for (const panel of panels) {
      const name = panel.stack || panel.name;
      stacks.set(name, [...(stacks.get(name) ?? []), panel]);
    }
    this.node.replaceChildren(...[...stacks.values()].map((stack) => this.stack(stack)));
    // On a telephone a picture stands right below the sliders, and what is read after it.
    for (const panel of panels) panel.figure.style.setProperty("--narrow", String(panel.narrow));
    panels.find(({ pen }) => pen)?.figure.classList.add("first");
    this.fold();
    painter.watch(panels.map(({ figure }) => figure));
  }

  /** @param {Plot[]} panels */
  stack(panels) {
    const stack = element("div", { class: "stack" }, ...panels.map((panel) => this.figure(panel)));
    stack.style.setProperty("--span", panels[0].span);
    return stack;
  }

  /** @param {Plot} panel */
  figure(panel) {
    panel.figure = element("figure", { class: `plot ${panel.kind}`, "data-name": panel.name });
    panel.pen = panel.canvas = null;
    if (panel.kind === "controls")
      panel.figure.append(...panel.sliders.map((name) => controlOf(this.lab, this.lab.slider(name))));
    else if (!WRITTEN.has(panel.kind)) {
      const walked = PLOTS[panel.kind]?.walk;
      panel.pen = new CanvasPen(element("canvas", walked ? { role: "application", tabindex: 0 } : { role: "img" }));
      panel.canvas = panel.pen.canvas;
      panel.figure.append(panel.canvas);
    }
    return panel.figure;
  }

  /** @param {Drawn} panel */
  name(panel) {
    const { words } = this.lab.meta;
    const hint = PLOTS[panel.kind]?.walk && words[panel.editable ? "hint_pull" : "hint_walk"];
    this.lab.pointing.listen(panel);
    panel.canvas.setAttribute(
      "aria-label",
      [panel.title, noteOf(panel.note, panel.hint), hint].filter(Boolean).join(". "),
    );
  }

  /** @param {Plot} panel */
  heading(panel) {
    const attributes = { type: "button", class: "fold", "aria-expanded": this.unfolded.has(panel.name) };
    const title = panel.fold
      ? element("button", { ...attributes, onclick: () => this.fold(panel) }, ...written(panel.title))
      : element("div", { class: "plot-title" }, ...written(panel.title));
    const note = panel.note ? [element("p", {}, ...written(panel.note))] : [];
    const legend = panel.legend.length ? [element("div", { class: "legend" }, ...panel.legend.map(keyOf))] : [];
    panel.figure.replaceChildren(title, ...note, ...legend);
  }

  /**
   * What stands below a heading that folds is there when the reader asks for it: in its stack, or on the page.
   * @param {Plot} [toggled]
   */
  fold(toggled) {
    const { unfolded, lab } = this;
    if (toggled) unfolded[unfolded.has(toggled.name) ? "delete" : "add"](toggled.name);
    /** @type {Record<string, boolean>} what is folded away, by stack; "": on the page */
    const away = { "": false };
    for (const panel of lab.panels) {
      const { kind, stack, figure } = panel;
      if (kind === "heading") away[stack] = panel.fold && !unfolded.has(panel.name);
      else if (figure.parentElement) {
        figure.hidden = away[stack] ?? false;
        figure.parentElement.hidden = away[""];
      }
      if (panel === toggled) figure.querySelector("button")?.setAttribute("aria-expanded", String(!away[stack]));
    }
    if (toggled) lab.later("layout");
  }

  /** @param {Plot} panel */
  show(panel) {
    if (panel.kind === "controls") showControls(this.lab, panel);
    else if (panel.kind === "gauge") showGauge(this.lab, panel);
    else if (panel.kind === "remark") showRemark(this.lab, panel);
    else showReadouts(this.lab, panel);
  }
}

/**
 * What a colour of lines means.
 * @param {[string, string]} key
 */
function keyOf([hue, name]) {
  const line = element("i", {});
  line.style.borderTop = `3px solid var(--${hue})`;
  return element("span", { class: "key" }, line, element("span", {}, ...written(name)));
}

/** @param {Plot} panel */
function furnishReadouts(panel) {
  const heading = panel.title ? [element("div", { class: "plot-title" }, ...written(panel.title))] : [];
  panel.outputs = panel.items.map(() => element("output", SILENT));
  const lines = panel.items.map(({ help, label }, i) =>
    element(
      "div",
      { class: "reading", ...(help ? { title: help } : {}) },
      element("span", {}, ...written(label)),
      panel.outputs[i],
    ),
  );
  panel.figure.replaceChildren(...heading, ...lines);
}

/**
 * @param {Lab} lab
 * @param {Plot} panel
 */
function showReadouts(lab, panel) {
  const values = lab.films.frame(panel.film);
  panel.items.forEach((item, i) => {
    const text = readingOf(lab, item, values[item.start]);
    if (panel.outputs[i].textContent !== text) panel.outputs[i].textContent = text;
  });
}

/**
 * So many of so many, one mark each.
 * @param {Plot} panel
 */
function furnishGauge(panel) {
  panel.outputs = [element("output", {})];
  panel.dots = Array.from({ length: panel.count }, () => element("i", {}));
  const row = element("span", { class: "dots", "aria-hidden": "true" }, ...panel.dots);
  panel.figure.replaceChildren(element("div", { class: "gauge-name" }, ...written(panel.title)), panel.outputs[0], row);
  if (panel.note) panel.figure.append(element("p", {}, ...written(panel.note)));
}

/**
 * @param {Lab} lab
 * @param {Plot} panel
 */
function showGauge(lab, panel) {
  const count = Math.round(lab.films.frame(panel.film)[panel.start]);
  const text = count === count ? fill(panel.says, { count, all: panel.count }) : "–";
  if (panel.outputs[0].textContent === text) return;
  panel.outputs[0].textContent = text;
  panel.dots.forEach((mark, i) => (mark.dataset.on = String(i < count)));
}

/**
 * A sentence, where its first number is one.
 * @param {Lab} lab
 * @param {Plot} panel
 */
function showRemark(lab, panel) {
  const values = lab.films.frame(panel.film);
  const told = panel.items.map((item) => [item.label, readingOf(lab, item, values[item.start])]);
  const [{ start }] = panel.items;
  const holds = values[start] === values[start];
  panel.figure.replaceChildren(...(holds ? written(fill(panel.says, Object.fromEntries(told))) : []));
}

/**
 * @param {Lab} lab
 * @param {any} item what Python says of a read-out (ui/components/lab/plots.py)
 * @param {number} v
 */
function readingOf(lab, item, v) {
  if (v !== v) return "–";
  const unit = item.unit ? ` ${item.unit}` : "";
  if (item.log) {
    const number = v === -Infinity ? lab.meta.words.exactly : powerOfTen(v);
    return number + unit + (item.lost ? lab.lost(v) : "");
  }
  return (item.whole ? lab.counted(v, item.whole) : significant(v, item.digits)) + unit;
}
