// Two columns of tokens, queries left and keys right, a curve for every pair; its opacity is the weight.
class Lines extends View {
  constructor(parent) {
    super(parent);
    this.slider = element("input", { type: "range", min: 0, max: 1, step: 0.01, class: "slider", oninput: () => this.later("draw") });
    this.reading = element("output", {});
    this.name = element("span", { class: "sliding-name" });
    this.empty = element("span", { class: "badge" });
    this.bar = element("div", { class: "bar" }, element("label", { class: "sliding" }, this.name, this.slider, this.reading), this.empty);
    this.canvas = element("canvas", { class: "pairs", tabindex: 0, role: "application" });
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
    this.host.__headlight.panels = { weights: this.weights };
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
      const { row, top } = this.geometry();
      const place = top + index * row - this.window.scrollTop;
      const room = this.window.clientHeight;
      if (place < top || place + row > room) this.window.scrollTop += place - room / 2;
    }
    this.later("draw");
  }

  geometry() {
    const { queries, keys } = this.meta;
    const most = Math.max(queries.length, keys.length, 1);
    const row = Math.max(12, Math.min(26, 560 / most));
    const height = 24 + most * row + 6;
    const seen = Math.min(height, 600);
    const width = Math.min(this.root.clientWidth - (seen < height ? 16 : 0), 760); // a scroll bar needs its room
    return { width, row, top: 24, gutter: Math.min(150, width * 0.3), height, seen };
  }

  draw() {
    if (!this.ready()) return;
    const { meta, weights, colour } = this;
    const { width, row, top, gutter, height, seen } = this.geometry();
    const scroll = this.window.scrollTop;
    size(this.canvas, width, seen);
    this.roll.style.height = `${height}px`;
    this.roll.style.width = `${width}px`;
    const context = pen(this.canvas);
    context.clearRect(0, 0, width, seen);
    const threshold = +this.slider.value;
    this.reading.textContent = significant(threshold, 2);
    const { hover, focus } = busState(this.group);
    const state = hover ?? {};
    const query = state.query ?? -1;
    const key = state.key ?? -1;
    const [n, m] = [meta.queries.length, meta.keys.length];
    const y = (i) => top + (i + 0.5) * row - scroll;
    const faintest = query >= 0 || key >= 0 ? 0.25 : 0.08; // what is drawn is seen, in a crowd and alone
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
    const family = this.font();
    const column = (tokens, side, kind, chosen) =>
      tokens.forEach((token, i) => {
        const lit = chosen === i || focus?.[kind] === i;
        if (y(i) < top - row || y(i) > seen + row) return;
        const at = side === "left" ? gutter - 6 : width - gutter + 6;
        context.textAlign = side === "left" ? "right" : "left";
        context.fillStyle = lit ? colour[kind === "query" ? "q" : "k"] : colour.ink;
        context.font = `${lit ? "600 " : ""}${Math.min(13, row - 1)}px ${family}`;
        let text = ellipsis(context, visible(token), gutter - 12);
        const other = kind === "key" && query >= 0 ? weights[query * m + i] : kind === "query" && query < 0 && key >= 0 ? weights[i * m + key] : NaN;
        if (other >= threshold && other > 0) text = kind === "key" ? `${ellipsis(context, visible(token), gutter - 58)} ${significant(other, 3)}` : `${significant(other, 3)} ${ellipsis(context, visible(token), gutter - 58)}`;
        context.fillText(text, at, y(i) + 4);
      });
    column(meta.queries, "left", "query", query);
    column(meta.keys, "right", "key", key);
    context.clearRect(0, 0, width, top); // the names of the columns stay above what scrolls
    context.font = `11px ${family}`;
    context.fillStyle = colour.quiet;
    context.textAlign = "right";
    context.fillText(meta.words.query, gutter - 6, 13);
    context.textAlign = "left";
    context.fillText(meta.words.key, width - gutter + 6, 13);
    const largest = drawn ? 0 : weights.reduce((most, w) => (w > most ? w : most), 0);
    this.empty.textContent = drawn || hover ? "" : fill(meta.words.nothing, { largest: significant(largest, 3) });
    this.host.__headlight.frames += 1;
    this.host.__headlight.drawn = drawn;
  }

  tokenAt(event) {
    const frame = this.canvas.getBoundingClientRect();
    const { width, row, top, gutter } = this.geometry();
    const x = event.clientX - frame.left;
    const i = Math.floor((event.clientY - frame.top + this.window.scrollTop - top) / row);
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

const lines = mounting(Lines);
