// A laboratory: sliders, and pictures that follow them. Python sends every film once; a slider only chooses the frame.
class Lab extends View {
  constructor(parent) {
    super(parent);
    this.stage = element("div", { class: "lab" });
    this.tools = this.savers();
    // Below the pictures: what slides and what follows it keep the first screen.
    this.bar = element("div", { class: "bar" }, element("span", { class: "tools" }, ...Object.values(this.tools)));
    this.furnish([this.stage, this.bar], [this.stage, this.bar]);
    this.at = {};
    this.panels = [];
    this.cache = {};
    // For tests: what is painted, and where.
    Object.assign(this.host.__headlight, {
      frame: (name) => Array.from(this.frame(name)),
      at: () => ({ ...this.at }),
      boxes: () => Object.fromEntries(this.panels.map(({ name, box, cells, canvas }) => [name, { box, cells: canvas ? cells : null }])),
    });
    // What is scrolled out of sight is drawn when it comes back, not while a slider moves.
    this.watch = new IntersectionObserver((entries) => {
      for (const { target, isIntersecting } of entries) target.__away = !isIntersecting;
      this.later("draw");
    }, { rootMargin: "100px" });
    // What a finger has read stays until it touches something else.
    const elsewhere = (event) => event.composedPath().includes(this.pointed?.canvas) || this.point(this.pointed, null);
    window.addEventListener("pointerdown", elsewhere, { capture: true, signal: this.gone.signal });
  }

  stop() {
    super.stop();
    this.watch.disconnect();
    this.look(null);
    clearTimeout(this.sending);
  }

  accept({ meta, arrays }) {
    if (meta.stamp === this.meta?.stamp && this.error.hidden) return;
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
      const { canvas, figure, pictures, lit, ...before } = old.get(panel.name) ?? {};
      const same = ["kind", "rows", "cols", "count"].every((name) => before[name] === panel[name]);
      return { ...panel, canvas, figure, pictures, lit: same ? lit : null };
    });
    this.pointed = this.panels.find(({ name }) => name === this.pointed?.name);
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
    const out = ((this.kept ??= {})[name] = this.kept[name]?.length === made.size ? this.kept[name] : new Float64Array(made.size)); // 3.72·10⁻⁴⁴ is no number that float32 can hold
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
    this.nameTools();
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
          return stack;
        }),
      );
      // On a telephone a picture stands right below the sliders, and what is read after it.
      for (const panel of this.panels) panel.figure.style.setProperty("--narrow", panel.narrow);
      this.panels.find(({ canvas }) => canvas)?.figure.classList.add("first");
      this.fold();
      for (const panel of this.panels) this.watch.observe(panel.figure);
    }
    for (const panel of this.panels) {
      if (panel.canvas) this.listen(panel);
      if (panel.canvas) {
        const said = [panel.title, panel.note, WALKED.has(panel.kind) && meta.words[panel.editable ? "hint_pull" : "hint_walk"]];
        panel.canvas.setAttribute("aria-label", said.filter(Boolean).join(". "));
      }
      if (panel.kind === "heading") this.headingOf(panel);
      if (panel.kind === "readouts") this.readoutsOf(panel);
      if (panel.kind === "controls") this.controls(panel);
    }
    this.look(meta.seen);
  }

  // Python may ask to be told, once, that a picture has come into sight and stayed there; for another `ask`, once more.
  look(seen) {
    this.sight?.disconnect();
    clearTimeout(this.staying);
    if (!seen || this.answered === seen.ask) return;
    this.sight = new IntersectionObserver((entries) => {
      clearTimeout(this.staying);
      if (entries.at(-1).isIntersecting) this.staying = setTimeout(() => this.tell(seen), STAYS);
    });
    this.sight.observe(this.panels.find(({ name }) => name === seen.panel).figure);
  }

  tell(seen) {
    this.answered = seen.ask;
    this.look(null);
    this.send.setTriggerValue("seen", seen);
  }

  figure(panel) {
    panel.figure = element("figure", { class: `plot ${panel.kind}`, "data-name": panel.name });
    panel.canvas = null;
    if (panel.kind === "controls") {
      for (const name of panel.sliders) panel.figure.append(this.control(this.slider(name)));
    } else if (panel.kind !== "readouts" && panel.kind !== "heading") {
      panel.canvas = element("canvas", WALKED.has(panel.kind) ? { role: "application", tabindex: 0 } : { role: "img" });
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

  headingOf(panel) {
    const key = ([hue, name]) => {
      const line = element("i", {});
      line.style.borderTop = `3px solid var(--${hue})`;
      return element("span", { class: "key" }, line, element("span", {}, ...written(name)));
    };
    const title = panel.fold
      ? element("button", { type: "button", class: "fold", "aria-expanded": !!this.unfolded?.has(panel.name), onclick: () => this.fold(panel) }, ...written(panel.title))
      : element("div", { class: "plot-title" }, ...written(panel.title));
    const note = panel.note ? [element("p", {}, ...written(panel.note))] : [];
    const legend = panel.legend.length ? [element("div", { class: "legend" }, ...panel.legend.map(key))] : [];
    panel.figure.replaceChildren(title, ...note, ...legend);
  }

  // What stands below a heading that folds is there when the reader asks for it.
  fold(toggled) {
    const open = (this.unfolded ??= new Set());
    if (toggled) open[open.has(toggled.name) ? "delete" : "add"](toggled.name);
    let away = false;
    for (const panel of this.panels) {
      if (panel.kind === "heading") away = panel.fold && !open.has(panel.name);
      else panel.figure.parentElement.hidden = away;
      if (panel === toggled) panel.figure.querySelector("button").setAttribute("aria-expanded", !away);
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
    this.later("draw");
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
    if (!this.ready()) return;
    this.narrow = this.width < 700;
    this.stage.style.setProperty("--columns", this.narrow ? 4 : 12);
    this.stage.dataset.narrow = this.narrow;
    for (const panel of this.panels) {
      // While a bar is pulled, what Python computed still belongs to the old numbers: it fades until the new ones come.
      panel.figure.style.opacity = this.stale && this.films[panel.film] && panel.film !== this.stale ? 0.3 : "";
      if (panel.kind === "controls") this.showControls(panel);
      else if (panel.kind === "readouts") this.showReadouts(panel);
      else if (panel.canvas) {
        if (panel.figure.__away && panel.canvas.width) continue;
        const w = panel.figure.clientWidth;
        const h = plotHeight(PROBE, this, panel, w);
        size(panel.canvas, w, h);
        const context = pen(panel.canvas);
        context.clearRect(0, 0, w, h);
        this.drawPlot(context, panel, w, h);
      }
    }
    this.host.__headlight.frames += 1;
    this.retell();
  }

  // The tip of a pointer at rest, or of the keyboard, says what is painted now.
  retell() {
    const { pointed, heard } = this;
    if (!pointed?.canvas || !heard || this.tip.hidden || this.pressed) return;
    const { left, top } = pointed.canvas.getBoundingClientRect();
    const under = () => this.hit(pointed, { x: heard.clientX - left, y: heard.clientY - top });
    this.point(pointed, heard.pointerType ? under() : this.told(pointed, pointed.lit), heard);
  }

  // For the picture to keep: the plots, and what sliders and buttons look like.
  print(context, place) {
    for (const panel of this.panels.filter(({ canvas, figure }) => canvas && !figure.parentElement.hidden)) {
      const { x, y } = place(panel.canvas);
      context.save();
      context.translate(x, y);
      const w = panel.figure.clientWidth;
      this.drawPlot(context, panel, w, plotHeight(PROBE, this, panel, w));
      context.restore();
    }
    for (const input of this.stage.querySelectorAll("input")) {
      const { x, y, w, h } = place(input);
      context.fillStyle = this.colour.line;
      context.fillRect(x, y + h / 2 - 2, w, 4);
      context.fillStyle = this.colour.ink;
      context.beginPath();
      context.arc(x + 8 + ((w - 16) * input.value) / Math.max(1, input.max), y + h / 2, 8, 0, 7);
      context.fill();
    }
    for (const button of this.stage.querySelectorAll(".choice")) {
      const { x, y, w, h } = place(button);
      context.fillStyle = this.colour.ink;
      if (button.getAttribute("aria-pressed") === "true") context.fillRect(x, y, w, h);
      frameOf(context, { x, y, w, h }, this.colour.line, 1);
    }
  }

  drawPlot(context, panel, w, h) {
    context.textBaseline = "alphabetic";
    context.textAlign = "left";
    const { beside, lines } = headOf(context, this, panel, w);
    context.font = `600 13px ${this.font()}`;
    context.fillStyle = this.colour.ink;
    if (panel.title) inscribe(context, panel.title, 0, 13);
    context.font = `${SMALL}px ${this.font()}`;
    context.fillStyle = this.colour.quiet;
    lines.forEach((line, i) => inscribe(context, line, 0, 13 + (i + 1) * LINE));
    if (panel.note && !lines.length) inscribe(context, panel.note, beside, 13);
    if (!PLOTS[panel.kind]) throw new FrameError("panel");
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
      const number = item.log ? (v === -Infinity ? this.meta.words.exactly : powerOfTen(v)) : item.whole ? this.counted(v, item.whole) : significant(v, item.digits);
      const text = v !== v ? "–" : number + (item.unit ? ` ${item.unit}` : "");
      const lost = item.log && item.lost ? this.lost(v) : "";
      if (panel.cells[i].textContent !== text + lost) panel.cells[i].textContent = text + lost;
    });
  }

  // A share of so many: 3 of 13 (23 %). How many may be what a slider reads.
  counted(share, of) {
    const whole = typeof of === "string" ? +this.slider(of).readings[this.at[of]] : of;
    return fill(this.meta.words.share, { part: Math.round(share * whole), whole, percent: significant(100 * share, 2) });
  }

  // --- pointer and keyboard ---

  listen(panel) {
    const { canvas } = panel;
    const place = (event) => {
      const { left, top } = canvas.getBoundingClientRect();
      return { x: event.clientX - left, y: event.clientY - top };
    };
    canvas.onpointerdown = (event) => this.press(panel, place(event), event);
    canvas.onpointermove = (event) => this.glide(panel, place(event), event);
    canvas.onpointerup = canvas.onpointercancel = (event) => this.lift(panel, place(event), event);
    canvas.onpointerleave = (event) => event.pointerType !== "touch" && this.point(panel, null);
    canvas.style.cursor = this.moves(panel) ? "pointer" : panel.kind === "histogram" ? "default" : "crosshair";
    canvas.style.touchAction = panel.editable ? "none" : "pan-y";
    canvas.onkeydown = (event) => this.walk(event, panel);
    canvas.onfocus = () => canvas.matches(":focus-visible") && this.light(panel, panel.lit ?? this.home(panel));
    canvas.onblur = () => this.point(panel, null);
  }

  moves(panel) {
    return panel.kind === "curves" || panel.kind === "phase" || panel.editable;
  }

  // A mouse moves things as soon as it is down; a finger once it goes sideways, for up and down it scrolls the page.
  press(panel, { x, y }, event) {
    if (!this.hit(panel, { x, y })) return;
    const moving = this.moves(panel) && (panel.editable || event.pointerType !== "touch");
    this.pressed = { id: event.pointerId, name: panel.name, x, y, moving };
    if (!moving) return;
    panel.canvas.setPointerCapture(event.pointerId);
    this.dragged(panel, { x, y });
  }

  glide(panel, here, event) {
    const { pressed } = this;
    const mine = event.buttons > 0 && pressed?.id === event.pointerId && pressed.name === panel.name;
    if (mine && this.moves(panel)) pressed.moving ||= Math.abs(here.x - pressed.x) > SLACK;
    if (mine && pressed.moving) this.dragged(panel, here);
    else if (event.pointerType !== "touch") this.point(panel, this.hit(panel, here), event);
  }

  lift(panel, here, event) {
    const { pressed } = this;
    if (pressed?.id !== event.pointerId) return;
    this.pressed = null;
    if (pressed.moving && panel.editable) return void this.sendEdit(panel);
    if (pressed.moving) return void this.release();
    if (event.type === "pointercancel" || Math.hypot(here.x - pressed.x, here.y - pressed.y) > SLACK) return;
    const found = this.hit(panel, here);
    this.point(panel, found, event);
    if (found?.to) this.move(found.to, true);
    else if (found?.pick) this.send.setTriggerValue("pick", { panel: panel.name, ...found.pick });
  }

  // What the pointer is on: what to say, and what a click would pick or move.
  hit(panel, { x, y }) {
    const box = panel.box;
    if (panel.kind === "grid") {
      const index = (panel.cells ?? []).findIndex((cell) => x >= cell.x && x < cell.x + cell.w && y >= cell.y && y < cell.y + cell.h);
      return index < 0 ? null : this.told(panel, index);
    }
    if (!box || x < box.x || x >= box.x + box.w || y < box.y || y >= box.y + box.h) return null;
    const fx = (x - box.x) / box.w;
    const fy = (y - box.y) / box.h;
    if (panel.kind === "map") return this.told(panel, { r: Math.floor(fy * panel.rows), c: Math.floor(fx * panel.cols) });
    if (panel.kind === "bars") return this.told(panel, Math.floor(fx * panel.count));
    if (panel.kind === "curves") {
      const slider = this.slider(panel.along);
      const i = nearestStop(panel, slider, fx);
      const values = panel.lines.map((line) => this.along(panel.film, panel.along, line)[i]);
      const told = panel.lines.map((line, at) => {
        const value = values[at];
        return value !== value ? null : `${line.name || panel.title}: ${panel.logs ? powerOfTen(value) + this.lost(value) : significant(value)}`;
      });
      // Of many lines the nearest is lit, and it alone is told of.
      const wanted = panel.high - fy * (panel.high - panel.low);
      const away = values.map((value) => (value !== value ? Infinity : Math.abs(Math.max(panel.low, value) - wanted)));
      const lit = panel.ends ? away.indexOf(Math.min(...away)) : null;
      return { lit, lines: [`${slider.label} = ${slider.readings[i]}`, ...told.filter((text, at) => text && (lit === null || at === lit))], to: { [panel.along]: i } };
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

  // What is too small for float32, and not 0 anyway, is said to be.
  lost(log) {
    return log < this.meta.underflow && log > -Infinity ? ` (${this.meta.words.underflow})` : "";
  }

  // A number that may have travelled as its logarithm.
  spelled(v, value) {
    if (value === "log10") return powerOfTen(v) + this.lost(v);
    return significant(value === "log2" ? 2 ** v : v);
  }

  // What is said of a cell, which is a row and a column in a map, and a number among bars and thumbnails.
  told(panel, lit) {
    if (panel.kind === "grid") return { lit, lines: [panel.titles[lit]], pick: { row: lit, col: 0 } };
    const value = this.frame(panel.film)[panel.start + (panel.kind === "map" ? lit.r * panel.cols + lit.c : lit)];
    const reads = value !== value ? panel.missing || this.meta.words.masked : this.spelled(value, panel.value);
    const named = (names, i) => (names ? `${i + 1}: ${visible(names[i])}` : `${i + 1}`);
    if (panel.kind === "bars") {
      const beside = panel.ghost ? this.frame(panel.ghost)[panel.start + lit] : NaN;
      const also = beside === beside ? [`${panel.ghost_name}: ${significant(beside)}`] : [];
      return { lit, lines: [named(panel.names, lit), ...also, reads], pick: { row: lit, col: 0 } };
    }
    const told = { number: lit.r + 1, name: visible(panel.names?.[lit.r] ?? ""), key_number: lit.c + 1, key_name: visible((panel.col_names ?? panel.names)?.[lit.c] ?? ""), value: reads };
    if (panel.says) return { lit, lines: [fill(panel.says, told)], pick: { row: lit.r, col: lit.c } };
    const [row, col] = [named(panel.names, lit.r), named(panel.col_names ?? panel.names, lit.c)];
    return { lit, lines: panel.names ? [row, col, reads] : [`${row}, ${col}`, reads], pick: { row: lit.r, col: lit.c } };
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
    this.later("draw");
  }

  sendEdit(panel) {
    clearTimeout(this.sending);
    this.editing = null;
    this.turn = (this.turn ?? 0) + 1;
    this.send.setStateValue("edited", { panel: panel.name, values: Array.from(this.frame(panel.film)), turn: this.turn });
  }

  point(panel, found, event) {
    if (!panel) return;
    const lit = found?.lit ?? null;
    [this.pointed, this.heard] = [panel, found ? event : null];
    if (JSON.stringify(panel.lit ?? null) !== JSON.stringify(lit)) {
      panel.lit = lit;
      this.later("draw");
    }
    if (found?.lines.length) this.say(event, found.lines.map((text) => [text]));
    else this.tip.hidden = true;
  }

  // Where the keyboard begins: at what is chosen.
  home(panel) {
    if (panel.kind !== "map") return panel.chosen ?? Math.max(0, panel.marked);
    return { r: Math.max(0, panel.marked), c: 0 };
  }

  // What the keyboard reaches is said aloud, too.
  light(panel, lit) {
    if (!panel.box && !panel.cells) {
      panel.figure.__away = false; // it has only just been scrolled to
      this.draw();
    }
    const { left, top } = panel.canvas.getBoundingClientRect();
    const { box, rows, cols, count } = panel;
    const cell = {
      grid: () => panel.cells[lit],
      map: () => ({ x: box.x + (lit.c * box.w) / cols, y: box.y + (lit.r * box.h) / rows, w: box.w / cols, h: box.h / rows }),
      bars: () => ({ x: box.x + (lit * box.w) / count, y: box.y, w: box.w / count, h: box.h }),
    }[panel.kind]();
    const found = this.told(panel, lit);
    this.point(panel, found, { clientX: left + cell.x + cell.w, clientY: top + cell.y + cell.h });
    this.live.textContent = found.lines.join(", ");
  }

  // The cell one step on.
  beside(panel, lit, [down, across]) {
    if (panel.kind !== "map") return within(lit + across + down * (panel.across ?? 0), panel.count) ?? lit;
    return { r: within(lit.r + down, panel.rows) ?? lit.r, c: within(lit.c + across, panel.cols) ?? lit.c };
  }

  walk(event, panel) {
    const step = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
    const from = panel.lit ?? this.home(panel);
    if (step?.[0] && panel.editable) {
      this.edit(panel, from, this.frame(panel.film)[panel.start + from] - (step[0] * (panel.high - panel.low)) / 40);
      this.light(panel, from);
      clearTimeout(this.sending);
      this.sending = setTimeout(() => this.sendEdit(panel), 200); // once for a key held down
    } else if (step) this.light(panel, this.beside(panel, from, step));
    else if (event.key === "Escape") this.point(panel, null);
    else if ((event.key === "Enter" || event.key === " ") && !panel.editable) {
      this.send.setTriggerValue("pick", { panel: panel.name, ...this.told(panel, from).pick });
    } else return;
    event.preventDefault();
  }
}

const lab = mounting(Lab);

const WALKED = new Set(["grid", "map", "bars"]); // what the keyboard walks through; a curve has its slider
const STAYS = 300; // milliseconds in sight, so that what flies past is not seen
const SLACK = 6; // how far a finger may slip and still have touched one thing
const within = (i, count) => (i >= 0 && i < count ? i : null);

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
