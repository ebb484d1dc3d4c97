// What is painted when: only pictures in sight, only those whose numbers the moved slider changes, and of these only what
// moves. What stays still under the finger (names, axes, curves) is kept as a picture of its own and copied.
import { element } from "../dom.js";
import { FrameError } from "../frame.js";
import { PAPER } from "../page/printing.js";
import { CanvasPen } from "../pen.js";
import { dropOf, drawHead } from "../plots/head.js";
import { PLOTS } from "../plots/plots.js";

const FADED = "0.3"; // of what still belongs to the numbers before the reader pulled a bar
const MARGIN = "100px"; // how far out of sight a picture is painted

const SHOWN = new Set(["controls", "readouts", "remark", "gauge"]); // what the page itself shows, without a canvas

export class Painter {
  /** @param {Lab} lab */
  constructor(lab) {
    this.lab = lab;
    this.epoch = 0;
    /** @type {Set<Element>} figures out of sight: they are painted when they come back, not while a slider moves */
    this.away = new Set();
    this.observer = new IntersectionObserver((entries) => this.scrolled(entries), { rootMargin: MARGIN });
    const refont = () => lab.later("layout");
    document.fonts.addEventListener("loadingdone", refont, { signal: lab.gone.signal });
  }

  stop() {
    this.observer.disconnect();
  }

  /** @param {Element[]} figures */
  watch(figures) {
    this.observer.disconnect();
    this.away.clear();
    for (const figure of figures) this.observer.observe(figure);
  }

  /** @param {IntersectionObserverEntry[]} entries */
  scrolled(entries) {
    for (const { target, isIntersecting } of entries) this.away[isIntersecting ? "delete" : "add"](target);
    this.lab.later("draw");
  }

  accept() {
    for (const panel of this.lab.panels) panel.follows = this.follows(panel);
  }

  /**
   * The sliders whose movement changes a picture.
   * @param {{ film?: string, ghost?: string, over?: string, order?: string, along?: string, x?: string, y?: string,
   *   sliders?: string[], lines?: Line[], items?: { whole?: string }[] }} panel
   * @returns {Set<string>}
   */
  follows({ film, ghost, over, order, along, x, y, sliders = [], lines = [], items = [] }) {
    const { films } = this.lab;
    const shown = [film, ghost, over, order, ...lines.map((line) => line.film)].flatMap((name) => name || []);
    const fixed = lines.flatMap((line) => Object.keys(line.fixed ?? {}));
    const names = [along, x, y, ...sliders, ...fixed, ...items.map(({ whole }) => whole)];
    return new Set([...names.flatMap((name) => name || []), ...shown.flatMap((name) => films.follows(name))]);
  }

  /** @param {string[]} names the sliders that have moved */
  moved(names) {
    for (const panel of this.lab.panels) if (names.some((name) => panel.follows.has(name))) panel.dirty = true;
    this.lab.later("draw");
  }

  /** @param {Plot} panel */
  touch(panel) {
    panel.dirty = true;
    this.lab.later("draw");
  }

  /** Numbers have changed, not only positions. */
  all() {
    this.epoch += 1;
    for (const panel of this.lab.panels) panel.dirty = true;
    this.lab.later("draw");
  }

  // How large every picture is. Nothing is measured while a slider moves.
  layout() {
    const { lab } = this;
    this.epoch += 1;
    for (const panel of lab.panels) if (panel.pen) panel.w = panel.figure.clientWidth;
    for (const panel of lab.panels) {
      panel.dirty = true;
      if (!panel.pen) continue;
      panel.h = this.height(panel);
      if (panel.w) panel.pen.resize(panel.w, panel.h);
      PLOTS[panel.kind]?.place(lab, panel, panel);
    }
  }

  /**
   * On a telephone a picture grows by its note and by names that lean, and a map that its width makes small leaves nothing
   * empty below it; side by side with others a picture keeps its height, so that rows stay level.
   * @param {Plot} panel
   * @returns {number}
   */
  height(panel) {
    const { w, height } = panel;
    panel.drop = dropOf(this.lab, panel, w);
    if (!this.lab.narrow) return height;
    const h = height + panel.drop;
    return PLOTS[panel.kind]?.height?.(this.lab, panel, { w, h }) ?? h;
  }

  draw() {
    const { panels, editing, films, page } = this.lab;
    for (const panel of panels) {
      // While a bar is pulled, what Python computed still belongs to the old numbers: it fades until the new ones come.
      const old = editing.stale && films.sent[panel.film] && panel.film !== editing.stale;
      panel.figure.style.opacity = old ? FADED : "";
      if (!panel.dirty) continue;
      if (SHOWN.has(panel.kind)) page.show(panel);
      else if (panel.pen) {
        if (!panel.w || (panel.painted && this.away.has(panel.figure) && !PAPER.now)) continue;
        this.paint(/** @type {Drawn} */ (panel));
      }
      panel.dirty = false;
    }
  }

  /**
   * A picture that the keyboard has reached before it came into sight.
   * @param {Drawn} panel
   */
  paintNow(panel) {
    if (panel.dirty && panel.w) this.paint(panel);
  }

  /** @param {Drawn} panel */
  paint(panel) {
    const { lab } = this;
    const { pen } = panel;
    const kind = this.prepared(panel);
    const key = JSON.stringify([this.epoch, kind.key?.(lab, panel)]);
    if (panel.stillKey === key) pen.copy(panel.still);
    else this.paintStill(panel, kind);
    panel.stillKey = key;
    kind.moving(pen, lab, panel);
    panel.painted = true;
  }

  /**
   * @param {Drawn} panel
   * @param {PlotKind} kind
   */
  paintStill(panel, kind) {
    const { pen } = panel;
    pen.clear();
    drawHead(pen, this.lab, panel, panel.w);
    kind.still?.(pen, this.lab, panel);
    panel.still ??= new CanvasPen(element("canvas"));
    panel.still.resize(panel.w, panel.h);
    panel.still.copy(pen);
  }

  /**
   * @param {Plot} panel
   * @returns {PlotKind}
   */
  prepared(panel) {
    const kind = PLOTS[panel.kind];
    if (!kind) throw new FrameError("panel");
    kind.prepare?.(this.lab, panel, panel);
    return kind;
  }
}
