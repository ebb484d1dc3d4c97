// What every picture of a page is: one view per host, a sentence where its bytes cannot be read, colours, a tip, tools.
import { themeOf } from "./colour.js";
import { element } from "./dom.js";
import { SaveMenu } from "./figure/menu.js";
import { FrameError, decodeFrame, sameBytes } from "./frame.js";
import { PAPER, whenPrinting } from "./page/printing.js";

/** @type {WeakMap<Element, any>} */
const VIEWS = new WeakMap();
const REST = 250; // ms
const SHEET = new CSSStyleSheet(); // one for all, with the scripts: a component's own would be sent with every change
SHEET.replaceSync(STYLE);

/**
 * The function Streamlit calls with new bytes or a new theme; what it returns is called when the component goes.
 * @param {any} Kind
 */
export const mounting =
  (Kind) =>
  ({ data, parentElement, setStateValue, setTriggerValue }) => {
    let view = VIEWS.get(parentElement);
    if (!view) VIEWS.set(parentElement, (view = new Kind(parentElement)));
    view.send = { setStateValue, setTriggerValue };
    view.show(data);
    return () => {
      view.stop();
      VIEWS.delete(parentElement);
    };
  };

/**
 * A kind of view has `accept(frame)`, which throws a FrameError where numbers do not fit, and `draw()`.
 * @abstract
 */
export class View {
  /** @param {any} parent a shadow root, or where there is none the element itself */
  constructor(parent) {
    /** @type {HTMLElement} */
    this.host = parent.host ?? parent;
    parent.adoptedStyleSheets = [SHEET];
    /** @type {HTMLElement} */
    this.root = parent.querySelector(".root");
    this.error = element("p", { class: "error", role: "alert", hidden: "" });
    this.live = element("div", { class: "sr", "aria-live": "polite" });
    this.tip = element("div", { class: "tip", hidden: "" });
    this.frames = 0;
    this.width = 0;
    this.waiting = {};
    this.resting = 0;
    /** @type {any} */
    this.meta = null;
    /** @type {Uint8Array | null} */
    this.data = null;
    /** @type {HTMLElement[]} */
    this.parts = [];
    /** @type {Record<string, HTMLElement>} */
    this.tools = {};
    /** @type {Colours} */
    this.colour = {};
    /** @type {SaveMenu} */
    this.saving = null;
    /** @type {{ setStateValue: (name: string, value: any) => void, setTriggerValue: (name: string, value: any) => void }} */
    this.send = null;
    this.gone = new AbortController();
    this.observer = new ResizeObserver(() => {
      if (this.root.clientWidth !== this.width) this.later("layout");
    });
    this.observer.observe(this.root);
    this.watchRatio();
    const passing = { capture: true, passive: true, signal: this.gone.signal };
    window.addEventListener("scroll", () => this.scrolled(), passing);
    whenPrinting(() => this.redraw(), this.gone.signal);
  }

  /**
   * What stands on the page, from top to bottom; `parts` give way to a sentence where bytes cannot be read. Streamlit may
   * take a component away and mount it again in the same place: what the view before has left there goes.
   * @param {HTMLElement[]} all
   * @param {HTMLElement[]} parts
   */
  furnish(all, parts) {
    this.parts = parts;
    this.root.replaceChildren(this.error, ...all, this.live, this.tip);
  }

  stop() {
    this.observer.disconnect();
    this.gone.abort();
    Object.values(this.waiting).forEach(cancelAnimationFrame);
    clearTimeout(this.resting);
  }

  /**
   * Once in the next frame, whatever asks for it how often; one job never displaces another.
   * @param {string} name
   */
  later(name, job = () => this[name]()) {
    cancelAnimationFrame(this.waiting[name]);
    this.waiting[name] = requestAnimationFrame(job);
  }

  // Another screen, another zoom of the browser: the same size in CSS pixels, other pixels to draw.
  watchRatio() {
    const ratio = matchMedia(`(resolution: ${window.devicePixelRatio}dppx)`);
    const changed = () => {
      this.watchRatio();
      this.later("layout");
    };
    ratio.addEventListener("change", changed, { once: true, signal: this.gone.signal });
  }

  /**
   * New bytes, or a new theme. What cannot be read becomes a sentence; the next good frame brings the picture back.
   * @param {Uint8Array} data
   */
  show(data) {
    try {
      if (!data || !this.data || !sameBytes(data, this.data)) this.accept(decodeFrame(data));
      this.data = data;
      this.uncover();
      this.paint();
      this.restyle();
    } catch (problem) {
      if (!(problem instanceof FrameError)) console.error(problem); // the reader gets the sentence, a test the error
      this.data = null;
      this.error.textContent = this.meta?.words?.damaged ?? this.root.dataset.damaged;
      this.uncover();
    }
  }

  /** @param {Frame} _frame */
  accept(_frame) {}

  draw() {}

  // What each picture shows, in words, once nothing has been drawn for a moment.
  describe() {}

  rest() {
    clearTimeout(this.resting);
    this.resting = setTimeout(() => this.data && this.describe(), REST);
  }

  // The colours of the page's theme.
  paint() {
    this.mode = PAPER.now ? "light" : themeOf(this.host);
    this.family = null;
    this.root.dataset.mode = this.mode;
    this.colour = Object.fromEntries(Object.entries(PALETTE.hues).map(([name, hue]) => [name, hue[this.mode]]));
    for (const [name, value] of Object.entries(this.colour)) this.root.style.setProperty(`--${name}`, value);
  }

  // The picture, or where it cannot be read or drawn the sentence that says so.
  uncover() {
    this.error.hidden = this.data !== null;
    for (const part of this.parts) part.hidden = this.data === null;
  }

  restyle() {
    this.layout();
  }

  redraw() {
    if (!this.meta || !this.error.hidden) return;
    this.paint();
    this.restyle();
  }

  layout() {
    this.draw();
  }

  // Is there something to draw, and room for it? Notes the room.
  ready() {
    this.width = this.root.clientWidth;
    return this.width > 0 && this.meta && this.error.hidden;
  }

  /** @returns {string} */
  font() {
    return (this.family ??= getComputedStyle(this.root).fontFamily);
  }

  /**
   * The tip beside a place on the screen; each line is a list of texts and nodes.
   * @param {{ clientX: number, clientY: number }} place
   * @param {(string | Node)[][]} lines
   */
  say({ clientX, clientY }, lines) {
    this.tip.replaceChildren(...lines.map((line) => element("div", { dir: "auto" }, ...line)));
    this.tip.hidden = false;
    const { offsetWidth: w, offsetHeight: h } = this.tip;
    this.tip.style.left = `${Math.max(4, Math.min(clientX + 14, innerWidth - w - 4))}px`;
    this.tip.style.top = `${clientY + 16 + h > innerHeight ? clientY - h - 10 : clientY + 16}px`;
  }

  // The tip stands on the screen, what it tells of on the page: a scroll parts them.
  scrolled() {
    this.tip.hidden = true;
  }

  /**
   * A small button beside a picture. Its name comes with the words, which change with the language.
   * @param {string} name
   * @param {string | Node} face
   * @param {() => void} action
   * @returns {HTMLButtonElement}
   */
  tool(name, face, action) {
    return element("button", { type: "button", class: `tool ${name}`, onclick: action }, face);
  }

  // What saves its figures, for a kind of view that has `figures()`.
  saver() {
    this.saving = new SaveMenu(/** @type {any} */ (this));
    return this.saving.button;
  }

  nameTools() {
    for (const [name, button] of Object.entries(this.tools)) {
      button.title = this.meta.words[name];
      button.setAttribute("aria-label", this.meta.words[name]);
    }
  }
}
