// Two columns of tokens, queries left and keys right, a curve for every pair; its opacity is the weight.
import { busListen, busSend, busState, placeOn } from "./bus.js";
import { describe, element } from "./dom.js";
import { asked, expose } from "./exposed.js";
import { FrameError } from "./frame.js";
import { significant } from "./maths.js";
import { SUMMARY_WORDS } from "./page/words.js";
import { CanvasPen } from "./pen.js";
import { strongestCells } from "./summaries.js";
import { ellipsis, fill, visible } from "./text.js";
import { View, mounting } from "./view.js";

const TOP = 24; // pixels of the names of the columns
const TALLEST = 600;

class Lines extends View {
  constructor(parent) {
    super(parent);
    this.slider = element("input", {
      type: "range",
      min: 0,
      max: 1,
      step: 0.01,
      class: "slider",
      oninput: () => this.later("draw"),
    });
    this.reading = element("output", { "aria-live": "off" });
    this.name = element("span", { class: "sliding-name" });
    this.empty = element("span", { class: "badge" });
    this.bar = element(
      "div",
      { class: "bar" },
      element("label", { class: "sliding" }, this.name, this.slider, this.reading),
      this.empty,
    );
    this.canvas = element("canvas", { class: "pairs", tabindex: 0, role: "application" });
    this.pen = new CanvasPen(this.canvas);
    // The canvas is as tall as the window and sticks to it; a long sentence scrolls the roll behind it.
    this.roll = element("div", { class: "pairs-roll" }, this.canvas);
    this.window = element("div", { class: "pairs-window", onscroll: () => this.later("draw") }, this.roll);
    this.furnish([this.bar, this.window], [this.bar, this.canvas]);
    this.canvas.onpointermove = (event) => this.hover(this.tokenAt(event));
    this.canvas.onpointerenter = () => (this.inside = true);
    this.canvas.addEventListener("pointerleave", () => (this.inside = false));
    this.canvas.onpointerleave = (event) => event.pointerType !== "touch" && this.hover(null);
    this.canvas.onclick = (event) => this.choose(this.tokenAt(event));
    this.canvas.onkeydown = (event) => this.walk(event);
    this.canvas.onblur = () => this.hover(null);
    this.drawn = 0;
    expose(this, { panels: asked(() => ({ weights: this.weights })), drawn: asked(() => this.drawn) });
  }

  stop() {
    super.stop();
    this.unlisten?.();
  }

  accept({ meta, arrays }) {
    if (arrays.weights?.length !== meta.queries.length * meta.keys.length) throw new FrameError("panel");
    if (meta.threshold !== this.meta?.threshold) this.slider.value = meta.threshold;
    this.meta = meta;
    this.weights = arrays.weights;
    this.name.textContent = meta.words.threshold;
    this.slider.setAttribute("aria-label", meta.words.threshold);
    this.canvas.setAttribute("aria-label", `${meta.summary} ${meta.words.hint_lines}`);
    if (meta.group !== this.group) {
      this.unlisten?.();
      this.group = meta.group;
      this.unlisten = busListen(meta.group, () => this.follow());
    }
  }

  // What another picture lights scrolls into sight; under the pointer nothing moves by itself.
  follow() {
    const { hover, focus } = busState(this.group);
    const index = (hover ?? focus)?.query ?? (hover ?? focus)?.key;
    if (index >= 0 && !this.inside && this.root.clientWidth) {
      const { row } = this.geometry();
      const place = TOP + index * row - this.window.scrollTop;
      const room = this.window.clientHeight;
      if (place < TOP || place + row > room) this.window.scrollTop += place - room / 2;
    }
    this.later("draw");
  }

  geometry() {
    const { queries, keys } = this.meta;
    const most = Math.max(queries.length, keys.length, 1);
    const row = Math.max(12, Math.min(26, 560 / most));
    const height = TOP + most * row + 6;
    const seen = Math.min(height, TALLEST);
    const width = Math.min(this.root.clientWidth - (seen < height ? 16 : 0), 760); // a scroll bar needs its room
    const scroll = this.window.scrollTop;
    const y = (i) => TOP + (i + 0.5) * row - scroll;
    return { width, row, gutter: Math.min(150, width * 0.3), height, seen, y };
  }

  draw() {
    if (!this.ready()) return;
    const { meta, colour, pen, slider } = this;
    const geometry = this.geometry();
    const { width, gutter, height, seen } = geometry;
    pen.resize(width, seen);
    pen.clear();
    this.roll.style.height = `${height}px`;
    this.roll.style.width = `${width}px`;
    this.reading.textContent = significant(+slider.value, 2);
    this.drawn = this.drawCurves(geometry);
    this.drawTokens(geometry, "query");
    this.drawTokens(geometry, "key");
    pen.context.clearRect(0, 0, width, TOP); // the names of the columns stay above what scrolls
    pen.font = `11px ${this.font()}`;
    pen.fillStyle = colour.quiet;
    pen.textAlign = "right";
    pen.fillText(meta.words.query, gutter - 6, 13);
    pen.textAlign = "left";
    pen.fillText(meta.words.key, width - gutter + 6, 13);
    this.sayNothing();
    this.frames += 1;
    this.rest();
  }

  describe() {
    const { queries, keys } = this.meta;
    const focus = placeOn("query", busState(this.group).focus);
    const names = { row: (r) => visible(queries[r]), col: (c) => visible(keys[c]), focus };
    describe(this.canvas, strongestCells(this.weights, keys.length, names, SUMMARY_WORDS));
  }

  // The token under the pointer: its place among the queries or among the keys, -1 in the other.
  lit() {
    const { hover } = busState(this.group);
    return { query: hover?.query ?? -1, key: hover?.key ?? -1 };
  }

  // How many curves are drawn: those of weights that reach the threshold, of the token under the pointer if there is one.
  drawCurves({ width, gutter, seen, y }) {
    const { weights, colour, pen } = this;
    const { query, key } = this.lit();
    const [n, m] = [this.meta.queries.length, this.meta.keys.length];
    const threshold = +this.slider.value;
    const faintest = query >= 0 || key >= 0 ? 0.25 : 0.08; // what is drawn is seen, in a crowd and alone
    const { context } = pen;
    let drawn = 0;
    for (let i = 0; i < n; i++) {
      for (let j = 0; j < m; j++) {
        const w = weights[i * m + j];
        if (!(w >= threshold) || w === 0) continue;
        if ((query >= 0 && i !== query) || (query < 0 && key >= 0 && j !== key)) continue;
        drawn++;
        const [from, to] = [y(i), y(j)];
        if (Math.max(from, to) < 0 || Math.min(from, to) > seen) continue;
        context.globalAlpha = faintest + (1 - faintest) * Math.min(1, w);
        context.lineWidth = 0.7 + 2.6 * w;
        context.strokeStyle = query === i ? colour.q : key === j ? colour.k : colour.ink;
        context.beginPath();
        context.moveTo(gutter, from);
        context.bezierCurveTo(width * 0.45, from, width * 0.55, to, width - gutter, to);
        context.stroke();
      }
    }
    context.globalAlpha = 1;
    return drawn;
  }

  // A column of tokens; beside those that the token under the pointer is joined to, the weight.
  drawTokens({ width, row, gutter, seen, y }, kind) {
    const { meta, colour, pen } = this;
    const { focus } = busState(this.group);
    const [left, lit] = [kind === "query", this.lit()];
    (left ? meta.queries : meta.keys).forEach((token, i) => {
      if (y(i) < TOP - row || y(i) > seen + row) return;
      const chosen = lit[kind] === i || focus?.[kind] === i;
      pen.textAlign = left ? "right" : "left";
      pen.fillStyle = chosen ? colour[left ? "q" : "k"] : colour.ink;
      pen.font = `${chosen ? "600 " : ""}${Math.min(13, row - 1)}px ${this.font()}`;
      const weight = this.joined(kind, i);
      const shown = weight >= +this.slider.value && weight > 0;
      const text = ellipsis(pen, visible(token), gutter - (shown ? 58 : 12));
      const parts = shown ? [significant(weight, 3), text] : [text];
      pen.fillText((left ? parts : parts.reverse()).join(" "), left ? gutter - 6 : width - gutter + 6, y(i) + 4);
    });
  }

  // The weight between a token and the one under the pointer, on the other side; NaN where there is none.
  joined(kind, i) {
    const { query, key } = this.lit();
    const m = this.meta.keys.length;
    if (kind === "key" && query >= 0) return this.weights[query * m + i];
    return kind === "query" && query < 0 && key >= 0 ? this.weights[i * m + key] : NaN;
  }

  // Where the threshold leaves nothing, the largest weight is told.
  sayNothing() {
    const nothing = !this.drawn && !busState(this.group).hover;
    const largest = nothing ? this.weights.reduce((most, w) => (w > most ? w : most), 0) : 0;
    this.empty.textContent = nothing ? fill(this.meta.words.nothing, { largest: significant(largest, 3) }) : "";
  }

  tokenAt(event) {
    const frame = this.canvas.getBoundingClientRect();
    const { width, row, gutter } = this.geometry();
    const x = event.clientX - frame.left;
    const i = Math.floor((event.clientY - frame.top + this.window.scrollTop - TOP) / row);
    const kind = x < gutter + 12 ? "query" : x > width - gutter - 12 ? "key" : null;
    const count = kind === "query" ? this.meta.queries.length : this.meta.keys.length;
    return kind && i >= 0 && i < count ? { [kind]: i } : null;
  }

  hover(state) {
    this.canvas.style.cursor = state ? "pointer" : "default";
    if (busState(this.group).locked) return;
    if (JSON.stringify(state) !== JSON.stringify(busState(this.group).hover)) busSend(this.group, { hover: state });
  }

  choose(state) {
    if (!state) return;
    busSend(this.group, { focus: { ...busState(this.group).focus, ...state } });
    const [kind, index] = Object.entries(state)[0];
    this.send.setTriggerValue("pick", { panel: kind, row: index, col: 0 });
  }

  walk(event) {
    const at = busState(this.group).hover ?? { query: busState(this.group).focus?.query ?? 0 };
    const kind = "query" in at ? "query" : "key";
    const count = kind === "query" ? this.meta.queries.length : this.meta.keys.length;
    const next = {
      ArrowUp: () => ({ [kind]: Math.max(0, at[kind] - 1) }),
      ArrowDown: () => ({ [kind]: Math.min(count - 1, at[kind] + 1) }),
      ArrowLeft: () => ({ query: Math.min(at[kind], this.meta.queries.length - 1) }),
      ArrowRight: () => ({ key: Math.min(at[kind], this.meta.keys.length - 1) }),
    }[event.key];
    if (event.key === "Enter" || event.key === " ") this.choose(at);
    else if (event.key === "Escape") this.hover(null);
    else if (next) {
      const state = next();
      const [name, index] = Object.entries(state)[0];
      this.hover(state);
      this.live.textContent = `${this.meta.words[name]} ${index + 1}: ${(name === "query" ? this.meta.queries : this.meta.keys)[index]}`;
    } else return;
    event.preventDefault();
  }
}

export const lines = mounting(Lines);
