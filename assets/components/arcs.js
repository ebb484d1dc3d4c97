// One sentence: arcs from the chosen word to what it reads, thicker where the weight is larger. On a telephone the words
// stand one under the other. Other heads of the group are painted from the bytes of their thumbnails.
import { busListen, busSend, busState } from "./bus.js";
import { describe, element } from "./dom.js";
import { asked, expose } from "./exposed.js";
import { FrameError } from "./frame.js";
import { chooseHead, sameHead, valueAt } from "./heatmap/heads.js";
import { significant } from "./maths.js";
import { SUMMARY_WORDS } from "./page/words.js";
import { CanvasPen } from "./pen.js";
import { strongestCells } from "./summaries.js";
import { ellipsis, fill, visible, widthOf } from "./text.js";
import { View, mounting } from "./view.js";

const NARROW = 520; // pixels: below, words stand one under the other
const TALL = 206; // pixels, of arcs beside each other
const LINE = 26; // pixels of a word
const GAP = { least: 5, most: 44 }; // pixels between two words
const FAINTEST = 0.02; // a smaller weight is no arc
const THICKEST = 13; // pixels, of a weight of 1
const SAID = 3; // weights that are written

class Arcs extends View {
  constructor(parent) {
    super(parent);
    this.choices = element("div", { class: "tags", role: "group" });
    this.canvas = element("canvas", { class: "arcs", tabindex: 0, role: "application" });
    this.pen = new CanvasPen(this.canvas);
    this.window = element("div", { class: "arcs-window", onscroll: () => (this.tip.hidden = true) }, this.canvas);
    this.caption = element("p", { class: "arcs-caption", "aria-live": "polite" });
    const parts = [this.choices, this.window, this.caption];
    this.furnish(parts, parts);
    this.canvas.onpointermove = (event) => this.light(this.wordAt(event));
    this.canvas.onpointerleave = () => this.light(-1);
    this.canvas.onclick = (event) => this.choose(this.wordAt(event));
    this.canvas.onkeydown = (event) => this.walk(event);
    this.canvas.onblur = () => this.light(-1);
    this.lit = -1; // the word under the pointer
    this.query = 0;
    document.fonts.ready.then(() => this.later("draw")); // words are as wide as the font that has arrived
    expose(this, {
      head: asked(() => String(this.head())),
      query: asked(() => this.asking()),
      row: asked(() => this.row()),
    });
  }

  stop() {
    super.stop();
    this.unlisten?.();
  }

  accept({ meta, arrays }) {
    const n = meta.tokens.length;
    if (arrays.weights?.length !== n * n || !(meta.query < n)) throw new FrameError("panel");
    const moved = meta.query !== this.meta?.query || String(meta.tokens) !== String(this.meta?.tokens);
    if (moved) this.query = meta.query;
    this.meta = meta;
    this.weights = arrays.weights;
    this.canvas.setAttribute("aria-label", meta.summary);
    this.choices.setAttribute("aria-label", meta.words.tags);
    this.choices.replaceChildren(...meta.tags.map((tag) => this.tagOf(tag)));
    if (meta.group !== this.group) {
      this.unlisten?.();
      this.group = meta.group;
      this.unlisten = busListen(meta.group, () => this.follow());
    }
    if (moved) this.later("reveal");
    busSend(meta.group, { tags: new Map(meta.tags.map(({ head, number }) => [String(head), String(number)])) });
    this.follow();
  }

  // A head that was tagged by measurement: what it does, and how much.
  tagOf({ head, number, title, share }) {
    const pick = () => {
      chooseHead(this.group, head);
      this.send.setTriggerValue("pick", { panel: "tag", row: number - 1, col: 0 });
    };
    const peek = (shown) => () => busSend(this.group, { peek: shown });
    const button = element(
      "button",
      { type: "button", class: "tag", onclick: pick, onpointerenter: peek(head), onpointerleave: peek(null) },
      element("b", { text: String(number) }),
      element("span", { text: title }),
      element("i", { text: share }),
    );
    button.dataset.head = String(head);
    return button;
  }

  follow() {
    const head = String(this.head());
    for (const button of this.choices.children)
      button.setAttribute("aria-pressed", String(/** @type {HTMLElement} */ (button).dataset.head === head));
    this.later("draw");
  }

  // The head whose arcs are drawn: the one that is pointed at, else the one chosen last.
  head() {
    const { peek, chosen } = busState(this.group);
    return peek ?? chosen ?? this.meta.head;
  }

  asking() {
    return this.lit >= 0 ? this.lit : this.query;
  }

  // The weights of the asking word: torch's own, or those of a thumbnail until they arrive.
  row() {
    const { tokens, head } = this.meta;
    const n = tokens.length;
    const query = this.asking();
    const panel = this.thumbnail();
    if (sameHead(this.head(), head) || !panel) return [...this.weights.subarray(query * n, (query + 1) * n)];
    const standing = /** @type {any} */ ({ thumbnail: panel, shape: [n, n] });
    return tokens.map((_, key) => valueAt(standing, { r: query, c: key }));
  }

  thumbnail() {
    const { offers } = busState(this.group);
    return offers.find(({ run }) => run === this.meta.run)?.thumbnails.get(String(this.head())) ?? null;
  }

  describe() {
    const { tokens } = this.meta;
    const [row, col] = [() => visible(tokens[this.query]), (c) => visible(tokens[c])];
    describe(this.canvas, strongestCells(this.row(), tokens.length, { row, col }, SUMMARY_WORDS));
  }

  // Where words stand, one after the other or one under the other: `along` the middle of each.
  geometry() {
    const { meta, pen } = this;
    const room = this.root.clientWidth;
    const narrow = room < NARROW;
    pen.font = `15px ${this.font()}`;
    const widths = meta.tokens.map((word) => Math.min(150, pen.measureText(visible(word)).width)); // the font may be new
    const total = widths.reduce((sum, width) => sum + width, 0);
    if (narrow) {
      const gutter = Math.min(130, Math.max(...widths)) + 14;
      const along = meta.tokens.map((_, i) => (i + 0.5) * LINE);
      return {
        narrow,
        along,
        widths,
        gutter,
        width: room,
        height: meta.tokens.length * LINE,
        depth: room - gutter - 60,
      };
    }
    const gap = Math.max(GAP.least, Math.min(GAP.most, (room - total - 8) / Math.max(1, widths.length - 1)));
    let left = 4;
    const along = widths.map((width) => {
      const middle = left + width / 2;
      left += width + gap;
      return middle;
    });
    return {
      narrow,
      along,
      widths,
      gutter: 0,
      width: Math.max(room, left - gap + 4),
      height: TALL,
      depth: TALL - LINE - 26,
    };
  }

  draw() {
    if (!this.ready()) return;
    const { pen, colour, meta } = this;
    const geometry = (this.place = this.geometry());
    pen.resize(geometry.width, geometry.height);
    pen.clear();
    const row = this.row();
    const query = this.asking();
    const order = row.map((_, key) => key).sort((a, b) => row[a] - row[b]);
    for (const key of order) if (row[key] > FAINTEST) this.arc(geometry, query, key, row[key]);
    pen.context.globalAlpha = 1;
    const strongest = order.filter((key) => row[key] > FAINTEST && !meta.special[key]).reverse();
    meta.tokens.forEach((word, i) => this.write(geometry, word, i, i === query, strongest[0] === i));
    for (const key of strongest.slice(0, SAID)) this.weigh(geometry, query, key, row[key]);
    pen.fillStyle = colour.ink;
    this.tell(row, query, strongest);
    this.frames += 1;
    this.rest();
  }

  // A half ellipse over the words (on a telephone beside them), as high as they are far apart.
  arc({ narrow, along, gutter, height, depth }, query, key, weight) {
    const { context } = this.pen;
    const base = narrow ? gutter : height - LINE;
    const [from, to] = [along[query], along[key]];
    const rise = this.rise(depth, from, to, narrow);
    context.globalAlpha = this.meta.special[key] ? 0.28 : 0.3 + 0.7 * Math.min(1, weight);
    context.strokeStyle = this.meta.special[key] ? this.colour.quiet : this.colour.q;
    context.lineWidth = 0.8 + THICKEST * weight;
    context.beginPath();
    const reach = query === key ? 9 : 0;
    const ends = [from - reach, to + reach];
    if (narrow) {
      context.moveTo(base, ends[0]);
      context.bezierCurveTo(base + rise, ends[0], base + rise, ends[1], base, ends[1]);
    } else {
      context.moveTo(ends[0], base);
      context.bezierCurveTo(ends[0], base - rise, ends[1], base - rise, ends[1], base);
    }
    context.stroke();
  }

  rise(depth, from, to, narrow) {
    const far = Math.abs(to - from) / (narrow ? this.place.height : this.place.width);
    return (4 / 3) * Math.min(depth, 22 + depth * 1.25 * far);
  }

  write({ narrow, along, widths, height, gutter }, word, i, asking, strongest) {
    const { pen, colour, meta } = this;
    pen.font = `${asking || strongest ? "600 " : ""}15px ${this.font()}`;
    pen.fillStyle = asking ? colour.q : strongest ? colour.k : meta.special[i] ? colour.quiet : colour.ink;
    pen.textAlign = narrow ? "right" : "center";
    const text = ellipsis(pen, visible(word), Math.max(widths[i] + 6, 24));
    if (narrow) pen.fillText(text, gutter - 8, along[i] + 5);
    else pen.fillText(text, along[i], height - 7);
    if (i !== this.lit) return;
    pen.strokeStyle = colour.quiet;
    pen.lineWidth = 1;
    const half = widths[i] / 2 + 3;
    if (narrow) pen.strokeRect(gutter - 8 - widths[i] - 4, along[i] - 11, widths[i] + 8, 22);
    else pen.strokeRect(along[i] - half, height - LINE + 2, 2 * half, LINE - 4);
  }

  // The weight, on the top of its arc.
  weigh({ narrow, along, gutter, height, depth }, query, key, weight) {
    const { pen, colour } = this;
    const top = (3 / 4) * this.rise(depth, along[query], along[key], narrow);
    const middle = (along[query] + along[key]) / 2;
    pen.font = `600 12px ${this.font()}`;
    const text = significant(weight, 2);
    const width = widthOf(pen, text) + 6;
    const [x, y] = narrow ? [gutter + top + 6 + width / 2, middle] : [middle, height - LINE - top - 9];
    pen.fillStyle = colour.paper;
    pen.globalAlpha = 0.82;
    pen.fillRect(x - width / 2, y - 8, width, 15);
    pen.globalAlpha = 1;
    pen.fillStyle = colour.ink;
    pen.textAlign = "center";
    pen.fillText(text, x, y + 4);
  }

  // In words, for who does not see the arcs, and below them.
  tell(row, query, strongest) {
    const { tokens, words } = this.meta;
    const shown = strongest.slice(0, SAID).map((key) => `${tokens[key]} ${significant(row[key], 2)}`);
    const rest = row.reduce((sum, weight, key) => sum + (this.meta.special[key] ? weight || 0 : 0), 0);
    const parts = [`${tokens[query]} → ${shown.join(", ") || "–"}`];
    if (rest > FAINTEST) parts.push(`${words.resting} ${significant(rest, 2)}`);
    const [layer, head] = this.head();
    const text = `${fill(words.head, { layer: layer + 1, head: head + 1 })}: ${parts.join(" · ")}`;
    if (this.caption.textContent !== text) this.caption.textContent = text;
  }

  reveal() {
    if (!this.place || this.place.narrow) return;
    const middle = this.place.along[this.query] ?? 0;
    this.window.scrollLeft = middle - this.window.clientWidth / 2;
  }

  wordAt(event) {
    if (!this.place) return -1;
    const frame = this.canvas.getBoundingClientRect();
    const { narrow, along, widths } = this.place;
    const at = narrow ? event.clientY - frame.top : event.clientX - frame.left;
    const half = (i) => (narrow ? LINE / 2 : widths[i] / 2 + GAP.least);
    return along.findIndex((middle, i) => Math.abs(at - middle) <= half(i));
  }

  light(word) {
    this.canvas.style.cursor = word >= 0 ? "pointer" : "default";
    if (word === this.lit) return;
    this.lit = word;
    this.later("draw");
  }

  choose(word) {
    if (word < 0) return;
    this.query = word;
    this.later("draw");
    this.send.setTriggerValue("pick", { panel: "word", row: word, col: 0 });
  }

  walk(event) {
    const step = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1 }[event.key];
    if (step) this.light(Math.max(0, Math.min(this.meta.tokens.length - 1, this.asking() + step)));
    else if (event.key === "Enter" || event.key === " ") this.choose(this.asking());
    else if (event.key === "Escape") this.light(-1);
    else return;
    event.preventDefault();
  }
}

export const arcs = mounting(Arcs);
