// A laboratory: sliders, and pictures that follow them. Python sends every film once; a slider only chooses the frame.
const LABS = new WeakMap();

function lab({ data, parentElement, setStateValue, setTriggerValue }) {
  let view = LABS.get(parentElement);
  if (!view) LABS.set(parentElement, (view = new Lab(parentElement)));
  view.send = { setStateValue, setTriggerValue };
  view.show(data);
  return () => {
    view.stop();
    LABS.delete(parentElement);
  };
}

class Lab {
  constructor(parent) {
    this.host = parent.host ?? parent;
    this.root = parent.querySelector(".root");
    this.error = element("p", { class: "error", role: "alert", hidden: "" });
    this.stage = element("div", { class: "lab" });
    this.live = element("div", { class: "sr", "aria-live": "polite" });
    this.tip = element("div", { class: "tip", hidden: "" });
    this.root.append(this.error, this.stage, this.live, this.tip);
    this.at = {};
    this.panels = [];
    this.cache = {};
    // For tests: what is painted, and where.
    this.host.__headlight = {
      panels: {},
      frames: 0,
      frame: (name) => Array.from(this.frame(name)),
      at: () => ({ ...this.at }),
      boxes: () => Object.fromEntries(this.panels.map(({ name, box, cells, canvas }) => [name, { box, cells: canvas ? cells : null }])),
    };
    this.observer = new ResizeObserver(() => {
      if (this.root.clientWidth !== this.width) this.later();
    });
    this.observer.observe(this.root);
    // What is scrolled out of sight is drawn when it comes back, not while a slider moves.
    this.watch = new IntersectionObserver((entries) => {
      for (const { target, isIntersecting } of entries) target.__away = !isIntersecting;
      this.later();
    }, { rootMargin: "100px" });
  }

  stop() {
    this.observer.disconnect();
    this.watch.disconnect();
    clearTimeout(this.sending);
    cancelAnimationFrame(this.waiting);
  }

  later() {
    cancelAnimationFrame(this.waiting);
    this.waiting = requestAnimationFrame(() => this.draw());
  }

  font() {
    return (this.family ??= getComputedStyle(this.root).fontFamily);
  }

  // New bytes, or a new theme. What cannot be read becomes a sentence; the next good frame brings the picture back.
  show(data) {
    try {
      const frame = decodeFrame(data);
      if (frame.meta.stamp !== this.meta?.stamp || !this.error.hidden) this.accept(frame);
      this.error.hidden = true;
      this.stage.hidden = false;
    } catch (problem) {
      if (!(problem instanceof FrameError)) console.error(problem);
      this.error.textContent = this.meta?.words?.damaged ?? this.root.dataset.damaged;
      this.error.hidden = false;
      this.stage.hidden = true;
      return;
    }
    this.mode = themeOf(this.host);
    this.family = null;
    this.root.dataset.mode = this.mode;
    this.colour = Object.fromEntries(Object.entries(PALETTE.hues).map(([name, hue]) => [name, hue[this.mode]]));
    for (const [name, value] of Object.entries(this.colour)) this.root.style.setProperty(`--${name}`, value);
    this.draw();
  }

  accept({ meta, arrays }) {
    const sliders = new Map(meta.sliders.map((slider) => [slider.name, slider]));
    const films = {};
    for (const film of meta.films) {
      const values = arrays[film.array];
      const size = film.shape.reduce((a, b) => a * b, 1);
      const steps = film.axes.map((name) => sliders.get(name)?.readings.length ?? NaN);
      if (!values || values.length !== size * steps.reduce((a, b) => a * b, 1)) throw new FrameError("film");
      films[film.name] = { ...film, values, size, steps };
    }
    // What is being edited stays under the finger; what else is edited was news to Python, and comes back from it.
    const edited = this.editing && this.films?.[this.editing];
    if (edited && films[this.editing]?.values.length === edited.values.length) films[this.editing].values.set(edited.values);
    else this.stale = null;
    this.meta = meta;
    this.sliders = sliders;
    this.films = films;
    this.cache = {};
    this.shown = {};
    const echo = this.answers();
    for (const [name, slider] of sliders) if (this.held !== name && !echo) this.at[name] = slider.at;
    const old = new Map(this.panels.map((panel) => [panel.name, panel]));
    this.panels = meta.panels.map((panel) => {
      const { canvas, figure, pictures } = old.get(panel.name) ?? {};
      return { ...panel, canvas, figure, pictures };
    });
    this.build();
  }

  slider(name) {
    return this.sliders.get(name);
  }

  // --- films ---

  // Where a frame begins when sliders stand at `at`.
  place(film, at) {
    return film.axes.reduce((index, name, i) => index * film.steps[i] + at[name], 0) * film.size;
  }

  // Whether the sliders that a film does not follow stand where they stood when it was made.
  current({ axes, at: made }) {
    return Object.entries(made).every(([name, index]) => axes.includes(name) || this.at[name] === index);
  }

  // New films may answer a release that another has followed since: then the sliders stay where the reader has them.
  answers() {
    if (!this.forked()) return false;
    const asked = JSON.stringify(Object.fromEntries(this.meta.sliders.map(({ name, at }) => [name, at])));
    const found = (this.asked ??= []).indexOf(asked);
    this.asked = found < 0 ? [] : this.asked.slice(found + 1);
    return this.asked.length > 0;
  }

  forked() {
    return this.meta.computed.some(({ kind }) => kind === "fork");
  }

  fork(name, { films }) {
    const candidates = films.map((one) => this.films[one]);
    const fresh = candidates.filter((film) => this.current(film));
    const best = fresh.find(({ axes }) => axes.includes(this.last)) ?? fresh[0];
    if (best) return (this.shown[name] = this.frame(best.name));
    return (this.shown[name] ??= this.frame(candidates[0].name, { ...this.at, ...candidates[0].at }));
  }

  // The numbers of a film at the sliders' position. Computed here: shifted and scaled scores, softmax over rows, its Jacobian.
  frame(name, at = this.at) {
    const film = this.films[name];
    if (film) {
      const start = this.place(film, at);
      const values = film.values.subarray(start, start + film.size);
      return film.codes ? decoded(values, film.codes) : values;
    }
    if (this.cache[name]) return this.cache[name];
    const { kind, ...made } = this.meta.computed.find((one) => one.name === name);
    if (kind === "fork") return (this.cache[name] = this.fork(name, made));
    const out = ((this.kept ??= {})[name] = this.kept[name]?.length === made.size ? this.kept[name] : new Float32Array(made.size));
    if (kind === "softmax") softmaxRows(this.frame(made.scores), out, made.size / made.cols, made.cols, made.factor ? this.frame(made.factor)[0] : 1);
    else if (kind === "scaled") {
      const [shift, factor] = [made.shift ? this.frame(made.shift)[0] : 0, made.factor ? this.frame(made.factor)[0] : 1];
      const scores = this.frame(made.scores);
      for (let i = 0; i < made.size; i++) out[i] = (scores[i] + shift) * factor;
    } else jacobianOf(this.frame(made.of).subarray(made.start, made.start + made.n), out, made.n);
    return (this.cache[name] = out);
  }

  // How far apart the frames of neighbouring stops of a slider are; 0 where the film does not depend on it.
  stride(film, name) {
    const axis = film.axes.indexOf(name);
    return axis < 0 ? 0 : film.steps.slice(axis + 1).reduce((product, count) => product * count, film.size);
  }

  // One number along a slider, the others as they stand or as `fixed` holds them.
  along(name, along, { fixed = {}, start = 0 }) {
    const film = this.films[name];
    const first = this.place(film, { ...this.at, ...fixed, [along]: 0 }) + start;
    const stride = this.stride(film, along);
    const out = new Float32Array(this.slider(along).readings.length);
    for (let i = 0; i < out.length; i++) out[i] = film.values[first + i * stride];
    return out;
  }

  // One number over two sliders, rows along y. Kept until another slider moves.
  plane(panel) {
    const { film: name, x, y, start } = panel;
    const film = this.films[name];
    const first = this.place(film, { ...this.at, [x]: 0, [y]: 0 }) + start;
    if (panel.plane?.film === film && panel.plane.first === first) return panel.plane.values;
    const [cols, rows] = [this.slider(x).readings.length, this.slider(y).readings.length];
    const [across, down] = [this.stride(film, x), this.stride(film, y)];
    const values = new Float32Array(rows * cols);
    for (let r = 0; r < rows; r++) for (let c = 0; c < cols; c++) values[r * cols + c] = film.values[first + r * down + c * across];
    panel.plane = { film, first, values };
    return values;
  }

  // --- the page ---

  build() {
    const { meta } = this;
    this.root.setAttribute("aria-label", meta.summary);
    const shape = JSON.stringify([meta.panels.map(({ name, kind }) => [name, kind]), [...this.sliders.values()].map(({ name, kind }) => [name, kind])]);
    if (shape !== this.shape) {
      this.shape = shape;
      const stacks = new Map();
      for (const panel of this.panels) stacks.set(panel.stack || panel.name, [...(stacks.get(panel.stack || panel.name) ?? []), panel]);
      this.watch.disconnect();
      this.stage.replaceChildren(
        ...[...stacks.values()].map((panels) => {
          const stack = element("div", { class: "stack" }, ...panels.map((panel) => this.figure(panel)));
          stack.style.setProperty("--span", panels[0].span);
          stack.style.setProperty("--narrow", panels[0].narrow);
          return stack;
        }),
      );
      for (const panel of this.panels) this.watch.observe(panel.figure);
    }
    for (const panel of this.panels) {
      if (panel.canvas) this.listen(panel);
      if (panel.canvas) panel.canvas.setAttribute("aria-label", [panel.title, panel.note].filter(Boolean).join(". "));
      if (panel.kind === "readouts") this.readoutsOf(panel);
      if (panel.kind === "controls") this.controls(panel);
    }
  }

  figure(panel) {
    panel.figure = element("figure", { class: `plot ${panel.kind}`, "data-name": panel.name });
    panel.canvas = null;
    if (panel.kind === "controls") {
      for (const name of panel.sliders) panel.figure.append(this.control(this.slider(name)));
    } else if (panel.kind !== "readouts") {
      panel.canvas = element("canvas", { role: "img", tabindex: panel.kind === "grid" || panel.kind === "bars" ? 0 : -1 });
      panel.figure.append(panel.canvas);
    }
    return panel.figure;
  }

  control(slider) {
    const name = slider.name;
    if (slider.kind === "switch") {
      const buttons = slider.readings.map((_, index) =>
        element("button", { type: "button", class: "choice", onclick: () => this.move({ [name]: index }, true) }));
      return element("div", { class: "control", "data-slider": name, role: "group" }, element("span", { class: "control-name" }), element("span", { class: "choices" }, ...buttons));
    }
    const input = element("input", { type: "range", class: "slider", min: 0, step: 1 });
    input.oninput = () => {
      this.held = name;
      this.move({ [name]: +input.value });
    };
    input.onchange = () => this.release();
    return element("label", { class: "control", "data-slider": name }, element("span", { class: "control-name" }), element("output", {}), input);
  }

  controls(panel) {
    for (const node of panel.figure.querySelectorAll("[data-slider]")) {
      const slider = this.slider(node.dataset.slider);
      node.querySelector(".control-name").replaceChildren(...written(slider.label));
      if (slider.help) node.title = slider.help;
      const input = node.querySelector("input");
      if (input) {
        input.max = slider.readings.length - 1;
        input.setAttribute("aria-label", slider.label);
      } else {
        node.setAttribute("aria-label", slider.label);
        [...node.querySelectorAll("button")].forEach((button, index) => button.replaceChildren(...written(slider.readings[index])));
      }
    }
  }

  readoutsOf(panel) {
    const heading = panel.title ? [element("div", { class: "plot-title" }, ...written(panel.title))] : [];
    panel.cells = panel.items.map(() => element("output", {}));
    panel.figure.replaceChildren(
      ...heading,
      ...panel.items.map((item, i) =>
        element("div", { class: "reading", ...(item.help ? { title: item.help } : {}) }, element("span", {}, ...written(item.label)), panel.cells[i])),
    );
  }

  // --- moving ---

  move(change, commit = false) {
    Object.assign(this.at, change);
    [this.last] = Object.keys(change);
    this.cache = {};
    this.later();
    if (commit) this.release();
  }

  release() {
    this.held = null;
    if (this.forked()) (this.asked ??= []).push(JSON.stringify(Object.fromEntries(this.meta.sliders.map(({ name }) => [name, this.at[name]]))));
    this.turn = (this.turn ?? 0) + 1; // a second release at one place is news when Python has moved the slider in between
    this.send.setStateValue("at", { ...this.at, turn: this.turn });
  }

  // --- drawing ---

  draw() {
    const width = (this.width = this.root.clientWidth);
    if (!width || !this.meta || !this.error.hidden) return;
    this.stage.style.setProperty("--columns", width < 700 ? 4 : 12);
    this.stage.dataset.narrow = width < 700;
    for (const panel of this.panels) {
      // While a bar is pulled, what Python computed still belongs to the old numbers: it fades until the new ones come.
      panel.figure.style.opacity = this.stale && this.films[panel.film] && panel.film !== this.stale ? 0.3 : "";
      if (panel.kind === "controls") this.showControls(panel);
      else if (panel.kind === "readouts") this.showReadouts(panel);
      else {
        if (panel.figure.__away && panel.canvas.width) continue;
        const [w, h] = [panel.figure.clientWidth, panel.height];
        size(panel.canvas, w, h);
        const context = pen(panel.canvas);
        context.clearRect(0, 0, w, h);
        this.drawPlot(context, panel, w, h);
      }
    }
    this.host.__headlight.frames += 1;
  }

  drawPlot(context, panel, w, h) {
    context.textBaseline = "alphabetic";
    context.textAlign = "left";
    context.font = `600 13px ${this.font()}`;
    context.fillStyle = this.colour.ink;
    const wide = panel.title ? inscribe(context, panel.title, 0, 13) + 8 : 0;
    if (panel.note) {
      context.font = `${SMALL}px ${this.font()}`;
      context.fillStyle = this.colour.quiet;
      const below = wide + spread(context, panel.note) > w;
      inscribe(context, panel.note, below ? 0 : wide, below ? 26 : 13);
    }
    PLOTS[panel.kind](context, this, panel, { w, h });
  }

  showControls(panel) {
    for (const node of panel.figure.querySelectorAll("[data-slider]")) {
      const slider = this.slider(node.dataset.slider);
      const at = this.at[slider.name];
      const input = node.querySelector("input");
      if (input) {
        input.value = at;
        input.setAttribute("aria-valuetext", slider.readings[at]);
        node.querySelector("output").textContent = slider.readings[at];
      } else [...node.querySelectorAll("button")].forEach((button, index) => button.setAttribute("aria-pressed", String(index === at)));
    }
  }

  showReadouts(panel) {
    const values = this.frame(panel.film);
    panel.items.forEach((item, i) => {
      const v = values[item.start];
      const text = v !== v ? "–" : (item.log ? powerOfTen(v) : significant(v)) + (item.unit ? ` ${item.unit}` : "");
      const lost = item.log && item.lost && v < this.meta.underflow ? ` (${this.meta.words.underflow})` : "";
      if (panel.cells[i].textContent !== text + lost) panel.cells[i].textContent = text + lost;
    });
  }

  // --- pointer and keyboard ---

  listen(panel) {
    const { canvas } = panel;
    const place = (event) => {
      const { left, top } = canvas.getBoundingClientRect();
      return { x: event.clientX - left, y: event.clientY - top };
    };
    canvas.onpointerleave = () => this.point(panel, null);
    canvas.onpointermove = (event) => (canvas.hasPointerCapture(event.pointerId) ? this.dragged(panel, place(event)) : this.point(panel, this.hit(panel, place(event)), event));
    canvas.onpointerdown = (event) => {
      if (event.pointerType === "touch" && panel.kind !== "bars") return;
      if (!this.moves(panel) || !this.hit(panel, place(event))) return;
      canvas.setPointerCapture(event.pointerId);
      this.dragged(panel, place(event));
    };
    canvas.onpointerup = (event) => {
      const found = this.hit(panel, place(event));
      if (canvas.hasPointerCapture(event.pointerId)) {
        canvas.releasePointerCapture(event.pointerId);
        if (panel.editable) this.sendEdit(panel);
        else this.release();
      } else if (found?.pick) this.send.setTriggerValue("pick", { panel: panel.name, ...found.pick });
    };
    canvas.style.cursor = this.moves(panel) ? "pointer" : panel.kind === "histogram" ? "default" : "crosshair";
    canvas.style.touchAction = panel.editable ? "none" : "pan-y";
    canvas.onkeydown = (event) => this.walk(event, panel);
  }

  moves(panel) {
    return panel.kind === "curves" || panel.kind === "phase" || panel.editable;
  }

  // What the pointer is on: what to say, and what a click would pick.
  hit(panel, { x, y }) {
    const box = panel.box;
    if (panel.kind === "grid") {
      const index = (panel.cells ?? []).findIndex((cell) => x >= cell.x && x < cell.x + cell.w && y >= cell.y && y < cell.y + cell.h);
      return index < 0 ? null : { lit: index, lines: [panel.titles[index]], pick: { row: index, col: 0 } };
    }
    if (!box || x < box.x || x >= box.x + box.w || y < box.y || y >= box.y + box.h) return null;
    const fx = (x - box.x) / box.w;
    const fy = (y - box.y) / box.h;
    if (panel.kind === "map") {
      const [r, c] = [Math.floor(fy * panel.rows), Math.floor(fx * panel.cols)];
      const value = this.frame(panel.film)[panel.start + r * panel.cols + c];
      const names = panel.names ? [`${r + 1}: ${visible(panel.names[r])}`, `${c + 1}: ${visible(panel.names[c])}`] : [`${r + 1}, ${c + 1}`];
      return { lit: { r, c }, lines: [...names, value !== value ? this.meta.words.masked : significant(value)], pick: { row: r, col: c } };
    }
    if (panel.kind === "bars") {
      const i = Math.floor(fx * panel.count);
      return { lit: i, lines: [`${i + 1}${panel.names ? `: ${visible(panel.names[i])}` : ""}`, significant(this.frame(panel.film)[panel.start + i])], pick: { row: i, col: 0 } };
    }
    if (panel.kind === "curves") {
      const slider = this.slider(panel.along);
      const i = nearestStop(panel, slider, fx);
      const told = panel.lines.map((line) => {
        const value = this.along(panel.film, panel.along, line)[i];
        return value !== value ? null : `${line.name || panel.title}: ${panel.logs ? powerOfTen(value) : significant(value)}`;
      });
      return { lines: [`${slider.label} = ${slider.readings[i]}`, ...told.filter(Boolean)], to: { [panel.along]: i } };
    }
    if (panel.kind === "phase") {
      const [across, down] = [this.slider(panel.x), this.slider(panel.y)];
      const c = Math.min(across.readings.length - 1, Math.floor(fx * across.readings.length));
      const r = Math.min(down.readings.length - 1, Math.floor((1 - fy) * down.readings.length));
      const value = this.plane(panel)[r * across.readings.length + c];
      return { lines: [`${across.label} = ${across.readings[c]}`, `${down.label} = ${down.readings[r]}`, panel.logs ? powerOfTen(value) : significant(value)], to: { [panel.x]: c, [panel.y]: r } };
    }
    return { lines: [] };
  }

  dragged(panel, { x, y }) {
    const { box } = panel;
    const inside = { x: Math.min(box.x + box.w - 0.01, Math.max(box.x, x)), y: Math.min(box.y + box.h - 0.01, Math.max(box.y, y)) };
    if (!panel.editable) return this.move(this.hit(panel, inside).to);
    const i = Math.floor(((inside.x - box.x) / box.w) * panel.count);
    return this.edit(panel, i, panel.high - ((inside.y - box.y) / box.h) * (panel.high - panel.low));
  }

  // A bar the reader pulls: the film itself changes, and all that is computed from it here.
  edit(panel, index, value) {
    const step = panel.step || 0.01;
    const film = this.films[panel.film];
    film.sent ??= Float32Array.from(film.values);
    this.editing = panel.film;
    this.frame(panel.film)[panel.start + index] = Math.max(panel.low, Math.min(panel.high, Math.round(value / step) * step));
    this.stale = film.values.some((value, i) => value !== film.sent[i]) ? panel.film : null;
    panel.lit = index;
    this.cache = {};
    this.later();
  }

  sendEdit(panel) {
    clearTimeout(this.sending);
    this.editing = null;
    this.turn = (this.turn ?? 0) + 1;
    this.send.setStateValue("edited", { panel: panel.name, values: Array.from(this.frame(panel.film)), turn: this.turn });
  }

  point(panel, found, event) {
    const lit = found?.lit ?? null;
    if (JSON.stringify(panel.lit ?? null) !== JSON.stringify(lit)) {
      panel.lit = lit;
      this.later();
    }
    this.tip.hidden = !found?.lines.length;
    if (this.tip.hidden) return;
    this.tip.replaceChildren(...found.lines.map((text) => element("div", { dir: "auto", text })));
    const { offsetWidth: w, offsetHeight: h } = this.tip;
    this.tip.style.left = `${Math.max(4, Math.min(event.clientX + 14, innerWidth - w - 4))}px`;
    this.tip.style.top = `${event.clientY + 16 + h > innerHeight ? event.clientY - h - 10 : event.clientY + 16}px`;
  }

  walk(event, panel) {
    const count = panel.kind === "grid" || panel.kind === "bars" ? panel.count : 0;
    const side = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    const height = { ArrowUp: 1, ArrowDown: -1 }[event.key];
    if (!count || !(side || height || event.key === "Enter")) return;
    const from = typeof panel.lit === "number" ? panel.lit : panel.chosen ?? Math.max(0, panel.marked ?? 0);
    if (side) panel.lit = Math.max(0, Math.min(count - 1, from + side));
    else if (height && panel.editable) {
      this.edit(panel, from, this.frame(panel.film)[panel.start + from] + height * (panel.high - panel.low) / 40);
      clearTimeout(this.sending);
      this.sending = setTimeout(() => this.sendEdit(panel), 200); // once for a key held down
    } else if (event.key === "Enter" && !panel.editable) this.send.setTriggerValue("pick", { panel: panel.name, row: from, col: 0 });
    else return;
    event.preventDefault();
    this.later();
  }
}

// Bytes c for the numbers (c/m)²; what is larger than m is no number.
const DECODED = {};
function decoded(bytes, most) {
  const table = (DECODED[most] ??= Float32Array.from({ length: 256 }, (_, code) => (code > most ? NaN : (code / most) ** 2)));
  const numbers = new Float32Array(bytes.length);
  for (let i = 0; i < bytes.length; i++) numbers[i] = table[bytes[i]];
  return numbers;
}

// ∂p_i/∂x_j = p_i (δ_ij − p_j).
function jacobianOf(p, out, n) {
  for (let i = 0; i < n; i++) {
    let others = 0; // 1 − p_i, which the subtraction would round to 0
    for (let j = 0; j < n; j++) {
      if (i !== j) others += p[j];
      out[i * n + j] = -p[i] * p[j];
    }
    out[i * n + i] = p[i] * others;
  }
}

// The stop of a curve's slider at this share of its axis.
function nearestStop({ places }, { readings }, share) {
  if (!places) return Math.round(share * (readings.length - 1));
  const wanted = places[0] + share * (places.at(-1) - places[0]);
  return places.reduce((best, place, i) => (Math.abs(place - wanted) < Math.abs(places[best] - wanted) ? i : best), 0);
}
