// A laboratory: sliders, and pictures that follow them. Python sends every film once; a slider only chooses the frame.
import { describe, element } from "../dom.js";
import { asked, expose } from "../exposed.js";
import { figuresOfLab } from "../figure/laboratory.js";
import { fill } from "../text.js";
import { powerOfTen, significant } from "../maths.js";
import { SUMMARY_WORDS } from "../page/words.js";
import { PLOTS } from "../plots/plots.js";
import { View, mounting } from "../view.js";
import { Stage } from "./stage.js";
import { Editing } from "./editing.js";
import { Films } from "./films.js";
import { Painter } from "./painter.js";
import { LabPointing } from "./pointing.js";
import { Positions } from "./positions.js";
import { Sight } from "./sight.js";

const NARROW = 700; // pixels: a telephone

export class Lab extends View {
  /** @param {any} parent */
  constructor(parent) {
    super(parent);
    this.narrow = false;
    /** @type {Plot[]} */
    this.panels = [];
    this.positions = new Positions();
    this.films = new Films(this.positions);
    this.editing = new Editing(this);
    this.pointing = new LabPointing(this);
    this.painter = new Painter(this);
    this.sight = new Sight(this);
    this.page = new Stage(this);
    this.stage = this.page.node;
    this.tools = { save: this.saver() };
    // Below the pictures: what slides and what follows it keep the first screen.
    this.bar = element(
      "div",
      { class: "bar" },
      element("span", { class: "tools" }, ...Object.values(this.tools), this.saving.node),
    );
    this.furnish([this.stage, this.bar], [this.stage, this.bar]);
    expose(this, {
      panels: asked(() => ({})),
      frame: asked(() => (/** @type {string} */ name) => Array.from(this.films.frame(name))),
      at: asked(() => () => ({ ...this.at })),
      boxes: asked(() => () => Object.fromEntries(this.panels.map(({ name, box, cells }) => [name, { box, cells }]))),
    });
  }

  stop() {
    super.stop();
    this.painter.stop();
    this.sight.stop();
    this.editing.stop();
  }

  get at() {
    return this.positions.at;
  }

  /** @param {string} name */
  slider(name) {
    return this.films.slider(name);
  }

  /** @param {Frame} frame */
  accept({ meta, arrays }) {
    const edited = this.editing.held();
    this.films.accept(meta, arrays);
    this.editing.keep(edited);
    this.meta = meta;
    this.positions.put(meta.sliders, meta.puts);
    const before = new Map(this.panels.map((panel) => [panel.name, panel]));
    this.panels = meta.panels.map((/** @type {Sent} */ panel) => adopt(panel, before.get(panel.name)));
    this.pointing.accept();
    this.root.setAttribute("aria-label", meta.summary);
    this.nameTools();
    this.page.build();
    this.painter.accept();
    this.sight.watch(meta.seen);
  }

  /** @param {Record<string, number>} change */
  move(change) {
    this.positions.move(change);
    this.films.forget();
    this.painter.moved(Object.keys(change));
  }

  release() {
    this.send.setStateValue("at", this.positions.release());
  }

  /**
   * @param {Plot} panel
   * @param {{ row: number, col: number }} cell
   */
  pick(panel, cell) {
    this.send.setTriggerValue("pick", { panel: panel.name, ...cell });
  }

  layout() {
    if (!this.ready()) return;
    this.narrow = this.width < NARROW;
    this.stage.style.setProperty("--columns", this.narrow ? "4" : "12");
    this.stage.dataset.narrow = String(this.narrow);
    this.painter.layout();
    this.draw();
  }

  // Nothing is measured here: a slider draws sixty times a second.
  draw() {
    if (!this.width || !this.error.hidden) return;
    this.painter.draw();
    this.frames += 1;
    this.rest();
    this.pointing.retell();
  }

  /** @returns {Figure[]} */
  figures() {
    return figuresOfLab(this);
  }

  describe() {
    for (const panel of this.panels)
      if (panel.canvas && panel.painted) describe(panel.canvas, PLOTS[panel.kind].sum(this, panel, SUMMARY_WORDS));
  }

  /**
   * What is too small for float32, and not 0 anyway, is said to be.
   * @param {number} log
   */
  lost(log) {
    return log < this.meta.underflow && log > -Infinity ? ` (${this.meta.words.underflow})` : "";
  }

  /**
   * A number that may have travelled as its logarithm.
   * @param {number} v
   * @param {"plain" | "log10" | "log2"} [value]
   */
  spelled(v, value) {
    if (value === "log10") return powerOfTen(v) + this.lost(v);
    return significant(value === "log2" ? 2 ** v : v);
  }

  /**
   * A share of so many: 3 of 13 (23 %). How many may be what a slider reads.
   * @param {number} share
   * @param {number | string} of
   */
  counted(share, of) {
    const whole = typeof of === "string" ? +this.slider(of).readings[this.at[of]] : of;
    const percent = significant(100 * share, 2);
    return fill(this.meta.words.share, { part: Math.round(share * whole), whole, percent });
  }
}

/**
 * A picture of the same name keeps its place on the page; and what is lit, where it has the same cells.
 * @param {any} panel
 * @param {any} [before]
 * @returns {Plot}
 */
function adopt(panel, before) {
  const same = ["kind", "rows", "cols", "count"].every((name) => before?.[name] === panel[name]);
  const { figure, pen, canvas } = before ?? {};
  return { ...panel, figure, pen, canvas, lit: same ? before.lit : null, box: null, cells: null };
}

export const lab = mounting(Lab);
