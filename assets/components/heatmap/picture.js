// Matrices on canvases: one head large, many heads as thumbnails, or operands and result side by side as in a paper.
import { busListen, busSend, busState, placeOn } from "../bus.js";
import { describe, element } from "../dom.js";
import { asked, expose } from "../exposed.js";
import { figuresOfMatrices } from "../figure/matrices.js";
import { softmaxRows } from "../maths.js";
import { SUMMARY_WORDS } from "../page/words.js";
import { CanvasPen } from "../pen.js";
import { strongestCells } from "../summaries.js";
import { visible } from "../text.js";
import { View, mounting } from "../view.js";
import { drawBody, drawMatrix, drawPanel } from "./draw.js";
import { answerHead, numbersOf, offerHeads, pooled, sameHead, standIn, watchHeads } from "./heads.js";
import { TOKENS, layoutRow } from "./layout.js";
import { keysOf } from "./legend.js";
import { adopt, colourPanel, crowded, panelOf } from "./panels.js";
import { Pointing } from "./pointing.js";
import { watchReading } from "./reading.js";
import { namePanel, rowOf } from "./rows.js";
import { Strip } from "./strip.js";
import { headingOf, layoutGrid, tagThumbnails } from "./thumbnails.js";
import { Tools } from "./tools.js";
import { whole } from "./zoom.js";

const LEAST_BAR = 440; // pixels

export class Picture extends View {
  constructor(parent) {
    super(parent);
    /** @type {Panel[]} */
    this.panels = [];
    /** @type {Panel[][]} */
    this.rows = [];
    this.shape = "";
    this.ahead = false;
    /** @type {Panel | null} */
    this.active = null;
    /** @type {string} */
    this.group = "";
    this.watched = false;
    /** @type {(() => void) | null} what ends that Python is told when it is read */
    this.unread = null;
    this.known = { chosen: null, offers: null }; // of the chosen head, when it was painted last
    this.pointing = new Pointing(this);
    this.strip = new Strip(this);
    this.bar = new Tools(this);
    this.stage = element("div", { class: "stage" });
    this.sheet = new CanvasPen(element("canvas", { class: "sheet", "aria-hidden": "true" }));
    this.legend = element("div", { class: "legend" });
    this.furnish([this.strip.node, this.bar.node, this.stage, this.legend], [this.bar.node, this.stage, this.legend]);
    this.root.addEventListener("pointerleave", (event) => this.pointing.leave(event));
    expose(this, {
      panels: asked(() => Object.fromEntries(this.panels.map(({ name, values }) => [name, values]))),
      head: asked(() => String(this.standing()?.head ?? this.meta.shown?.head)),
      exact: asked(() => !this.standing()),
    });
  }

  stop() {
    this.unlisten?.();
    this.unread?.();
    super.stop();
    if (this.group) busSend(this.group, { hover: null, locked: false }); // nobody is left to unlock it
  }

  get locked() {
    return busState(this.group).locked === true;
  }

  get grid() {
    return this.meta.layout === "grid";
  }

  // The thumbnail that stands for a matrix until Python has sent it.
  standing() {
    return this.panels.find((panel) => panel.thumbnail)?.thumbnail;
  }

  restyle() {
    for (const panel of this.panels) colourPanel(panel, this.mode);
    this.legends();
    this.layout();
  }

  accept({ meta, arrays }) {
    const read = meta.panels.map((row) => row.map((spec) => panelOf(spec, arrays)));
    this.meta = meta;
    this.words = meta.words;
    /** @type {Record<string, string[]>} */
    this.tokens = { query: meta.queries, key: meta.keys };
    this.join(meta.group);
    const kept = new Map(this.panels.map((panel) => [panel.name, panel]));
    this.rows = read.map((row) => row.map((panel) => adopt(panel, kept.get(panel.name))));
    this.panels = this.rows.flat();
    this.build();
    this.ahead = false;
    if (meta.read) this.unread ??= watchReading(this);
    if (meta.offers) offerHeads(this.group, meta.offers, this.panels);
    if (meta.offers) this.watched ||= watchHeads(this);
    if (meta.shown) answerHead(this.group, meta.shown);
    this.lookAhead();
    this.temper(meta.live ? meta.live.value : 1);
    if (meta.focus) busSend(this.group, { focus: meta.focus });
  }

  /** @param {string} group */
  join(group) {
    if (group === this.group) return;
    this.unlisten?.();
    this.group = group;
    this.unlisten = busListen(group, () => this.follow());
  }

  // The DOM: rows of figures. Rebuilt only when the set of panels changes, so that nothing flickers on new data.
  build() {
    const { meta } = this;
    const names = this.rows.map((row) => row.map(({ name, operator }) => [name, operator]));
    const shape = JSON.stringify([meta.layout, meta.row_titles, meta.col_titles, names]);
    this.root.dataset.layout = meta.layout;
    if (shape !== this.shape) {
      this.shape = shape;
      const heading = this.grid ? [this.sheet.canvas, ...headingOf(meta)] : [];
      this.stage.replaceChildren(...heading, ...this.rows.map((row, i) => rowOf(this, row, meta.row_titles?.[i])));
    }
    for (const panel of this.panels) namePanel(this, panel);
    if (this.grid) tagThumbnails(this);
    this.bar.furnish();
    this.strip.furnish();
  }

  // A head was chosen: its thumbnail is framed, and where a head stands large its bytes stand in for what Python will send.
  lookAhead() {
    const { chosen, offers } = busState(this.group);
    this.known = { chosen, offers };
    const { meta, words } = this;
    const pressed = this.panels.find(({ head }) => head && sameHead(head, chosen)) ?? null;
    this.root.setAttribute("aria-label", meta.summary || words.summary);
    for (const panel of this.panels) {
      panel.thumbnail = standIn(this, panel);
      const note = this.noted(panel);
      if (panel.thumbnail) this.root.setAttribute("aria-label", `${panel.thumbnail.title}, ${note}`);
      if (this.grid) {
        panel.button.setAttribute("aria-pressed", String(panel === pressed));
        panel.button.tabIndex = panel === (pressed ?? this.panels[0]) ? 0 : -1;
      } else {
        const name = panel.title || panel.name;
        panel.canvas.setAttribute("aria-label", `${name}${note ? `, ${note}` : ""}. ${words.hint_keys}`);
      }
    }
  }

  /**
   * What stands beside the name of a panel: its shape, or that it is painted from bytes.
   * @param {Panel} panel
   * @returns {string}
   */
  noted(panel) {
    if (!panel.thumbnail) return panel.note;
    return `≈ ${pooled(panel) ? this.words.from_blocks : this.words.from_bytes}`;
  }

  /**
   * The one piece of mathematics done here: softmax(scores / T) over each row, in 32-bit numbers as torch does it.
   * @param {number} temperature
   */
  temper(temperature, preview = false) {
    const live = this.panels.filter((panel) => panel.live);
    this.ahead = preview;
    if (live.length) this.bar.read(temperature, preview);
    for (const panel of live) {
      const [rows, cols] = panel.shape;
      softmaxRows(panel.source, panel.values, rows, cols, Math.fround(1 / temperature), panel);
      if (preview) colourPanel(panel, this.mode);
    }
    if (preview) this.drawLive();
    this.pointing.retell();
  }

  layout() {
    if (!this.ready()) return;
    if (this.grid) layoutGrid(this, this.width);
    else for (const row of this.rows) layoutRow(this, row, this.width);
    this.hint.hidden = this.grid || !this.panels.some(crowded);
    if (!this.grid) {
      const ends = this.panels.map(({ canvas }) => canvas.offsetLeft + canvas.offsetWidth);
      this.bar.node.style.maxWidth = `${Math.max(LEAST_BAR, ...ends)}px`; // above the picture, not at the edge of the page
    }
    this.draw();
  }

  /**
   * @param {string} kind
   * @param {string} arrow
   */
  axis(kind, arrow) {
    return `${this.words[`axis_${kind}`] ?? kind} ${arrow}`;
  }

  follow() {
    const { chosen, offers } = busState(this.group);
    if (chosen !== this.known.chosen || offers !== this.known.offers) {
      this.lookAhead();
      this.pointing.retell();
    }
    if (this.grid) tagThumbnails(this);
    else this.later("draw");
    this.strip.light();
    this.bar.showLock();
  }

  draw() {
    if (this.grid) this.sheet.clear();
    for (const panel of this.drawn()) {
      if (this.grid) drawMatrix(this.sheet, this, panel);
      else {
        panel.pen.clear();
        drawPanel(panel.pen, this, panel);
      }
    }
    this.frames += 1;
    this.rest();
  }

  // Under the finger only the cells of live panels change: names and frames stay.
  drawLive() {
    for (const panel of this.drawn()) {
      if (!panel.live) continue;
      const { x, y, w, h } = panel.box;
      const pen = this.grid ? this.sheet : panel.pen;
      pen.context.clearRect(x - 2, y - 2, w + 4, h + 4); // a frame and marks stand out by 2
      (this.grid ? drawMatrix : drawBody)(pen, this, panel);
    }
    this.frames += 1;
    this.rest();
  }

  /** @returns {Figure[]} */
  figures() {
    return figuresOfMatrices(this);
  }

  describe() {
    for (const panel of this.drawn()) describe(this.grid ? panel.button : panel.canvas, this.summed(panel));
  }

  /** @param {Panel} panel */
  summed(panel) {
    const { values, shape } = numbersOf(panel);
    const named = (kind, count) => (i) => this.nameOn(kind, i, count);
    const everyToken = shape[0] === this.tokens[panel.rows]?.length;
    const focus = everyToken ? placeOn(panel.rows, busState(this.group).focus) : -1;
    const names = { row: named(panel.rows, shape[0]), col: named(panel.cols, shape[1]), focus };
    return strongestCells(values, shape[1], names, SUMMARY_WORDS);
  }

  // A row or a column of so many by its token, or its number: of blocks of tokens no single one is meant.
  nameOn(kind, i, count) {
    const tokens = TOKENS.has(kind) ? this.tokens[kind] : null;
    return tokens?.length === count ? visible(tokens[i]) : `${i + 1}`;
  }

  drawn() {
    return this.panels.filter((panel) => panel.box && panel.shape[0] && panel.shape[1]);
  }

  legends() {
    this.hint = element("span", { class: "hint", text: this.words.hint_zoom, hidden: "" });
    this.legend.replaceChildren(...keysOf(this), this.hint);
  }

  scrolled() {
    this.pointing.scrolled();
  }

  reset() {
    for (const panel of this.panels) {
      panel.view = whole(panel.shape);
      panel.canvas.style.touchAction = "";
    }
    this.pointing.lock(false);
    this.draw();
  }
}

export const heatmap = mounting(Picture);
