// Bars the reader pulls: the film itself changes, and all that is computed from it here; Python gets the numbers.
import { clamp } from "../maths.js";

const HELD = 200; // milliseconds: one message for a key held down

export class Editing {
  /** @param {Lab} lab */
  constructor(lab) {
    this.lab = lab;
    /** @type {string | null} the film under the finger */
    this.film = null;
    /** @type {string | null} the film whose numbers Python has not answered yet */
    this.stale = null;
    this.edits = 0;
    this.timer = 0;
  }

  stop() {
    clearTimeout(this.timer);
  }

  /** The numbers under the finger. */
  held() {
    return this.film ? this.lab.films.sent[this.film]?.values : null;
  }

  /**
   * What is being edited stays under the finger; what else is edited was news to Python, and comes back from it.
   * @param {Numbers | null} edited
   */
  keep(edited) {
    const film = edited && this.film ? this.lab.films.sent[this.film] : null;
    if (film && film.values.length === edited?.length) film.values.set(edited);
    else this.stale = null;
  }

  /**
   * @param {Plot} panel
   * @param {number} index
   * @param {number} value
   */
  edit(panel, index, value) {
    const { lab } = this;
    const step = panel.step || 0.01;
    const film = lab.films.sent[panel.film];
    const original = (film.original ??= Float32Array.from(film.values));
    this.film = panel.film;
    const numbers = lab.films.frame(panel.film);
    numbers[panel.start + index] = clamp(panel.low, Math.round(value / step) * step, panel.high);
    this.stale = original.some((number, i) => number !== film.values[i]) ? panel.film : null;
    panel.lit = index;
    lab.films.forget();
    lab.painter.all();
  }

  /**
   * The same numbers twice are news when Python has changed them in between.
   * @param {Plot} panel
   */
  send(panel) {
    clearTimeout(this.timer);
    this.film = null;
    this.edits += 1;
    const values = Array.from(this.lab.films.frame(panel.film));
    this.lab.send.setStateValue("edited", { panel: panel.name, values, edits: this.edits });
  }

  /** @param {Plot} panel */
  sendSoon(panel) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.send(panel), HELD);
  }
}
