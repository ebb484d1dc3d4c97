// Matrices on canvases: one head large, many heads as thumbnails, or operands and result side by side as in a paper.
class Picture extends View {
  constructor(parent) {
    super(parent);
    this.bar = element("div", { class: "bar" });
    this.strip = element("div", { class: "strip" });
    this.stage = element("div", { class: "stage" });
    // All thumbnails of a grid are drawn on one sheet behind their buttons: a canvas each would be a layer each.
    this.sheet = element("canvas", { class: "sheet", "aria-hidden": "true" });
    this.legend = element("div", { class: "legend" });
    this.furnish([this.strip, this.bar, this.stage, this.legend], [this.bar, this.stage, this.legend]);
    this.panels = [];
    this.frames = 0;
    this.root.addEventListener("pointerleave", (event) => this.leave(event));
  }

  stop() {
    this.unlisten?.();
    super.stop();
    if (this.group) busSend(this.group, { hover: null, locked: false }); // nobody is left to unlock it
  }

  get locked() {
    return busState(this.group).locked === true;
  }

  restyle() {
    this.panels.forEach((panel) => this.tint(panel));
    this.legends();
    this.layout();
  }

  accept({ meta, arrays }) {
    const { panels, words, queries, keys } = meta;
    const read = panels.map((row) =>
      row.map((spec) => {
        const values = arrays[spec.array];
        if (!values || values.length !== spec.shape[0] * spec.shape[1]) throw new FrameError("panel");
        const bias = spec.bias ? arrays[spec.bias] : null;
        if (bias && bias.length !== values.length) throw new FrameError("bias");
        return { ...spec, bias, source: values, values: spec.live ? new Float32Array(values.length) : values };
      }),
    );
    this.meta = meta;
    this.words = words;
    this.tokens = { query: queries, key: keys };
    if (meta.group !== this.group) {
      this.unlisten?.();
      this.group = meta.group;
      this.unlisten = busListen(meta.group, () => this.follow());
    }
    const kept = new Map(this.panels.map((panel) => [panel.name, panel]));
    this.rows = read.map((row) => row.map((panel) => this.adopt(panel, kept.get(panel.name))));
    this.panels = this.rows.flat();
    this.host.__headlight.panels = Object.fromEntries(this.panels.map((panel) => [panel.name, panel.values]));
    this.build();
    this.ahead = false;
    if (meta.offers) offerHeads(this.group, meta.offers, this.panels);
    if (meta.offers) this.watched ??= watchHeads(this);
    if (meta.shown) answerHead(this.group, meta.shown);
    this.lookAhead();
    this.temper(meta.live ? meta.live.value : 1);
    if (meta.focus) busSend(this.group, { focus: meta.focus });
  }

  // A panel of the same name and shape keeps its canvas, its zoom and its cursor.
  adopt(panel, old) {
    const same = old && old.shape[0] === panel.shape[0] && old.shape[1] === panel.shape[1];
    const [rows, cols] = panel.shape;
    panel.view = same ? old.view : { r: 0, c: 0, h: rows, w: cols };
    panel.cursor = same ? old.cursor : null;
    panel.box = same ? old.box : null;
    panel.button = old?.button;
    panel.sign = old?.sign;
    panel.canvas = old?.canvas ?? element("canvas", { role: "img" });
    panel.image = same ? old.image : Object.assign(document.createElement("canvas"), { width: cols, height: rows });
    return panel;
  }

  // The DOM: rows of figures. Rebuilt only when the set of panels changes, so that nothing flickers on new data.
  build() {
    const { words, meta } = this;
    this.root.dataset.layout = meta.layout;
    const shape = JSON.stringify([meta.layout, meta.row_titles, meta.col_titles, this.rows.map((row) => row.map((p) => [p.name, p.operator]))]);
    if (shape !== this.shape) {
      this.shape = shape;
      this.stage.replaceChildren(
        ...(meta.layout === "grid" ? [this.sheet, ...this.heading()] : []),
        ...this.rows.map((row, i) => {
          const line = element("div", { class: "row" });
          if (meta.row_titles?.[i]) line.append(element("div", { class: "row-title", text: meta.row_titles[i] }));
          for (const panel of row) {
            const figure = meta.layout === "grid" ? this.thumbnail(panel) : panel.canvas;
            const sign = panel.operator && element("div", { class: `operator ${signKind(panel.operator)}`, text: panel.operator });
            panel.sign = sign || null;
            line.append(sign ? element("div", { class: "term" }, sign, figure) : figure);
          }
          return line;
        }),
      );
    }
    for (const panel of this.panels) {
      this.listen(panel);
      if (meta.layout === "grid") panel.button.setAttribute("aria-label", panel.title || panel.name);
      else {
        panel.canvas.setAttribute("role", "application");
        panel.canvas.setAttribute("aria-roledescription", words.matrix);
        panel.canvas.tabIndex = 0;
      }
    }
    this.toolbar();
    this.chips();
  }

  // The line above the thumbnails: what each column is.
  heading() {
    const { row_titles, col_titles } = this.meta;
    if (!col_titles?.length) return [];
    const corner = row_titles.length ? [element("div", { class: "row-title" })] : [];
    return [element("div", { class: "row heading" }, ...corner, ...col_titles.map((text) => element("div", { class: "col-title", text })))];
  }

  thumbnail(panel) {
    panel.button = element("button", { type: "button", class: "thumb" });
    return panel.button;
  }

  toolbar() {
    const { meta } = this;
    const any = this.panels.length > 0;
    if (!this.tools) {
      this.tools = {
        lock: this.tool("lock", "", () => this.lock(!this.locked)),
        reset: this.tool("reset", icon("M3 3v4h4 M3.5 7a5.2 5.2 0 1 1-.6 3"), () => this.reset()),
        ...this.savers(),
      };
      this.slider = element("input", { type: "range", min: 0, step: 1, class: "slider" });
      this.reading = element("output", {});
      this.sliding = element("label", { class: "sliding" }, element("span", { class: "sliding-name" }), this.slider, this.reading);
      this.badge = element("span", { class: "badge" });
      this.slider.oninput = () => this.later("temper", () => this.temper(this.meta.live.stops[+this.slider.value], true));
      this.slider.onchange = () => this.send.setTriggerValue("temperature", this.meta.live.stops[+this.slider.value]);
      this.bar.append(this.sliding, element("span", { class: "tools" }, ...Object.values(this.tools)), this.badge);
    }
    this.bar.style.display = any ? "" : "none";
    this.nameTools();
    this.tools.lock.hidden = this.tools.reset.hidden = meta.layout === "grid";
    this.sliding.hidden = this.badge.hidden = !meta.live;
    if (meta.live) {
      const { stops, value, label } = meta.live;
      this.slider.max = stops.length - 1;
      this.sliding.firstChild.textContent = label;
      this.slider.setAttribute("aria-label", label);
      this.slider.value = stops.reduce((best, stop, i) => (Math.abs(stop - value) < Math.abs(stops[best] - value) ? i : best), 0);
    }
    this.showLock();
  }

  // A head was chosen: its thumbnail is framed, and where a head stands large its bytes stand in for what Python will send.
  lookAhead() {
    const { chosen, offers } = busState(this.group);
    Object.assign(this, { chosen, offers });
    const { meta, words } = this;
    const pressed = this.panels.find(({ head }) => head && sameHead(head, chosen)) ?? null;
    this.root.setAttribute("aria-label", meta.summary || words.summary);
    for (const panel of this.panels) {
      panel.thumbnail = standIn(this, panel);
      if (panel.thumbnail) this.root.setAttribute("aria-label", `${panel.thumbnail.title}, ${this.noted(panel)}`);
      if (meta.layout === "grid") {
        panel.button.setAttribute("aria-pressed", String(panel === pressed));
        panel.button.tabIndex = panel === (pressed ?? this.panels[0]) ? 0 : -1;
      } else {
        const note = this.noted(panel);
        panel.canvas.setAttribute("aria-label", `${panel.title || panel.name}${note ? `, ${note}` : ""}. ${words.hint_keys}`);
      }
    }
  }

  // What stands beside the name of a panel: its shape, or that it is painted from bytes.
  noted(panel) {
    if (!panel.thumbnail) return panel.note;
    return `≈ ${pooled(panel) ? this.words.from_blocks : this.words.from_bytes}`;
  }

  // The one piece of mathematics done here: softmax(scores / T) over each row, in 32-bit numbers as torch does it.
  temper(temperature, preview = false) {
    const live = this.panels.filter((panel) => panel.live);
    this.ahead = preview;
    if (live.length) {
      this.reading.textContent = significant(temperature);
      this.slider.setAttribute("aria-valuetext", significant(temperature));
      this.badge.textContent = preview ? this.words.preview : "";
      for (const panel of live) {
        softmaxRows(panel.source, panel.values, panel.shape[0], panel.shape[1], Math.fround(1 / temperature), panel);
        if (preview) this.tint(panel);
      }
    }
    if (preview) this.drawLive();
    this.retell();
  }

  // Values → one pixel a cell. Masked cells stay transparent, so that the hatching behind them shows.
  tint(panel) {
    const [rows, cols] = panel.shape;
    if (!rows || !cols) return;
    const context = panel.image.getContext("2d");
    const image = (panel.pixels ??= context.createImageData(cols, rows));
    const pixels = new Uint32Array(image.data.buffer);
    const table = lut(panel.scale, this.mode);
    const { values } = panel;
    panel.masked = false;
    if (values instanceof Uint8Array) {
      for (let i = 0; i < values.length; i++) pixels[i] = values[i] === MASKED ? 0 : table[Math.round((values[i] * 255) / 254)];
      panel.masked = values.includes(MASKED);
    } else {
      const low = signedRamp(panel.scale) ? -panel.limit : 0;
      const factor = 1 / (panel.limit - low || 1);
      const root = panel.scale === "weights"; // as in the overview: 1/n stays visible where n is large
      for (let i = 0; i < values.length; i++) {
        const x = values[i];
        if (x !== x) {
          pixels[i] = 0;
          panel.masked = true;
          continue;
        }
        const share = Math.max(0, Math.min(1, (x - low) * factor));
        pixels[i] = table[((root ? Math.sqrt(share) : share) * 255 + 0.5) | 0];
      }
    }
    context.putImageData(image, 0, 0);
  }

  layout() {
    if (!this.ready()) return;
    if (this.meta.layout === "grid") this.layoutGrid(this.width);
    else for (const row of this.rows) layoutRow(this, row, this.width);
    this.hint.hidden = this.meta.layout === "grid" || !this.panels.some((panel) => this.crowded(panel));
    if (this.meta.layout !== "grid") {
      const ends = this.panels.map(({ canvas }) => canvas.offsetLeft + canvas.offsetWidth);
      this.bar.style.maxWidth = `${Math.max(440, ...ends)}px`; // the tools stand above the picture, not at the edge of the page
    }
    this.draw();
  }

  layoutGrid(width) {
    const most = Math.max(...this.rows.map((row) => row.length), 1);
    const folded = width <= 420; // too narrow for all heads in one line: titles stand above, six heads in a line
    const title = this.meta.row_titles.length && !folded ? 72 : 0;
    const columns = folded ? Math.min(most, 6) : most;
    const side = Math.max(18, Math.min(132, Math.floor((width - title - 6 * columns) / columns)));
    this.root.dataset.folded = folded;
    this.root.style.setProperty("--columns", columns);
    this.root.style.setProperty("--lead", title ? `${title}px` : " ");
    for (const panel of this.panels) {
      const [rows, cols] = panel.shape;
      const part = (count) => Math.max(8, Math.round((side * count) / Math.max(rows, cols)));
      panel.button.style.width = `${part(cols)}px`;
      panel.button.style.height = `${part(rows)}px`;
    }
    for (const title of this.stage.querySelectorAll(".col-title")) title.style.width = `${side}px`;
    for (const panel of this.panels) {
      const { offsetLeft: x, offsetTop: y, offsetWidth: w, offsetHeight: h } = panel.button;
      panel.box = { x, y, w, h };
    }
    size(this.sheet, this.stage.clientWidth, this.stage.clientHeight);
  }

  axis(kind, arrow) {
    return `${this.words[`axis_${kind}`] ?? kind} ${arrow}`;
  }

  follow() {
    const { chosen, offers } = busState(this.group);
    if (chosen !== this.chosen || offers !== this.offers) {
      this.lookAhead();
      this.retell();
    }
    if (this.meta.layout !== "grid") this.later("draw");
    this.lightChips();
    this.showLock();
  }

  draw() {
    const drawn = this.drawn();
    if (this.meta.layout === "grid") {
      const context = pen(this.sheet);
      context.clearRect(0, 0, this.sheet.width, this.sheet.height);
      for (const panel of drawn) drawMatrix(context, this, panel);
    } else
      for (const panel of drawn) {
        const { box, view, canvas, shape } = panel;
        canvas.__box = { ...box, view, rows: shape[0], cols: shape[1] }; // where cells are, for tests
        const context = pen(canvas);
        context.clearRect(0, 0, canvas.width, canvas.height);
        drawPanel(context, this, panel);
      }
    this.counted();
  }

  // Under the finger only the cells of live panels change: names and frames stay.
  drawLive() {
    for (const panel of this.drawn()) {
      if (!panel.live) continue;
      const grid = this.meta.layout === "grid";
      const context = pen(grid ? this.sheet : panel.canvas);
      context.clearRect(panel.box.x - 2, panel.box.y - 2, panel.box.w + 4, panel.box.h + 4); // a frame and marks stand out by 2
      (grid ? drawMatrix : drawBody)(context, this, panel);
    }
    this.counted();
  }

  // For the picture to keep: each panel where it stands on the page.
  print(context, place) {
    const thumbnails = this.meta.layout === "grid";
    for (const panel of this.drawn()) {
      const { x, y } = place(thumbnails ? this.sheet : panel.canvas);
      context.save();
      context.translate(x, y);
      (thumbnails ? drawMatrix : drawPanel)(context, this, panel);
      context.restore();
    }
  }

  drawn() {
    return this.panels.filter((panel) => panel.box && panel.shape[0] && panel.shape[1]);
  }

  counted() {
    this.frames += 1;
    this.host.__headlight.frames = this.frames;
    const thumbnail = this.panels.find((panel) => panel.thumbnail)?.thumbnail;
    this.host.__headlight.head = String(thumbnail?.head ?? this.meta.shown?.head); // for tests: the head that is painted,
    this.host.__headlight.exact = !thumbnail; // and whether from float32
  }

  legends() {
    const seen = new Map();
    for (const panel of this.panels) {
      const low = signedRamp(panel.scale) ? -panel.limit : 0;
      const high = panel.values instanceof Uint8Array ? 1 : panel.limit;
      const key = `${panel.scale} ${panel.values instanceof Uint8Array} ${low} ${high}`;
      if (!seen.has(key)) seen.set(key, { panel, low, high });
      else seen.get(key).shared = true;
    }
    const masked = this.panels.some((panel) => panel.masked);
    const over = ({ scale, values }) => scale === "weights" && values instanceof Float32Array && values.some((v) => v > 1.001);
    const beyond = new Set(this.panels.filter(over).map(({ scale }) => scale)); // weights that no softmax has made
    const items = [...seen.values()].map(({ panel, low, high, shared }) => {
      const stops = PALETTE.ramps[panel.scale][this.mode].join(",");
      const name = shared || this.panels.length === 1 || this.meta.layout === "grid" ? "" : panel.title;
      return element(
        "span",
        { class: "key" },
        element("b", {}, ...written(name)),
        element("span", { text: significant(low, 3) }),
        element("i", { style: `background:linear-gradient(90deg,${stops})` }),
        element("span", { text: (beyond.has(panel.scale) ? "> " : "") + significant(high, 3) + (panel.scale === "weights" ? ` ${this.words.rooted}` : "") }),
      );
    });
    if (masked) items.push(element("span", { class: "key" }, element("i", { class: "hatched" }), element("span", { text: this.words.masked })));
    this.hint = element("span", { class: "hint", text: this.words.hint_zoom, hidden: "" });
    this.legend.replaceChildren(...items, this.hint);
  }

  // --- the sentence strip ---

  chips() {
    this.strip.hidden = !this.meta.strip;
    if (!this.meta.strip) return;
    const line = (kind) =>
      element(
        "div",
        { class: `chips ${kind}`, role: "group", "aria-label": this.words[kind] },
        element("span", { class: "chips-name", text: this.words[kind] }),
        element("span", { class: "chips-row" }, ...this.tokens[kind].map((token, index) =>
          element("button", {
            type: "button",
            class: "chip",
            dir: "auto",
            title: token,
            text: visible(token),
            tabindex: -1,
            "aria-pressed": "false",
            onkeydown: (event) => walkChips(event),
            onclick: () => {
              busSend(this.group, { focus: { ...busState(this.group).focus, [kind]: index } });
              this.send.setTriggerValue("pick", { panel: kind, row: index, col: 0 });
            },
            onpointerenter: () => this.hover({ [kind]: index }),
            onpointerleave: () => this.hover(null),
          }),
        )),
      );
    const tokens = JSON.stringify([this.tokens, this.words.query]);
    if (tokens !== this.chipTokens) this.strip.replaceChildren(line("query"), line("key"));
    this.chipTokens = tokens;
    this.lightChips();
  }

  // Only what changes is touched: a long sentence has a thousand chips. The chip in focus is scrolled into its row.
  lightChips() {
    if (this.strip.hidden) return;
    const { focus, hover } = busState(this.group);
    for (const [i, kind] of ["query", "key"].entries()) {
      const row = this.strip.children[i].lastChild;
      const swap = (name, chip) => {
        const old = row.querySelector(`.${name}`);
        if (old === chip) return false;
        old?.classList.remove(name);
        chip?.classList.add(name);
        if (name === "focus") old?.setAttribute("aria-pressed", "false");
        if (name === "focus") chip?.setAttribute("aria-pressed", "true");
        if (name === "focus" && chip) this.onlyStop(row, chip);
        return chip;
      };
      swap("lit", row.children[at(kind, hover)] ?? null);
      const chip = swap("focus", row.children[at(kind, focus)] ?? null);
      if (chip) row.scrollTop += Math.min(0, chip.offsetTop - row.scrollTop) + Math.max(0, chip.offsetTop + chip.offsetHeight - row.scrollTop - row.clientHeight);
    }
  }

  // A row of chips is one stop of the Tab key; arrows walk inside it.
  onlyStop(row, chip) {
    row.querySelector("[tabindex='0']")?.setAttribute("tabindex", -1);
    chip.setAttribute("tabindex", 0);
  }

  // --- pointer and keyboard ---

  listen(panel) {
    const target = this.meta.layout === "grid" ? panel.button : panel.canvas;
    if (this.meta.layout === "grid") {
      target.onclick = () => {
        this.send.setTriggerValue("pick", { panel: panel.name, row: 0, col: 0 });
        if (panel.head) chooseHead(this.group, panel.head);
      };
      target.onpointermove = (event) => this.say(event, [[panel.title || panel.name, ""], ...(panel.note ? [["", panel.note]] : [])].map(spelled));
      target.onpointerleave = () => (this.tip.hidden = true);
      target.onkeydown = (event) => this.walkGrid(event, panel);
      return;
    }
    const pointers = new Map();
    let moved = 0;
    let apart = 0;
    const place = (event) => {
      const frame = target.getBoundingClientRect();
      return { x: event.clientX - frame.left, y: event.clientY - frame.top };
    };
    target.onpointerdown = (event) => {
      pointers.set(event.pointerId, place(event));
      moved = 0;
      apart = 0;
      this.active = panel;
      if (this.zoomed(panel)) target.setPointerCapture(event.pointerId);
    };
    target.onpointermove = (event) => {
      const here = place(event);
      const before = pointers.get(event.pointerId);
      if (before) {
        moved += Math.abs(here.x - before.x) + Math.abs(here.y - before.y);
        pointers.set(event.pointerId, here);
        if (pointers.size === 2) {
          const [a, b] = [...pointers.values()];
          const distance = Math.hypot(a.x - b.x, a.y - b.y);
          if (apart) this.zoom(panel, apart / distance, { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 });
          apart = distance;
          return;
        }
        if (this.zoomed(panel) && moved > 4) {
          this.pan(panel, before.x - here.x, before.y - here.y);
          return;
        }
      }
      this.point(panel, this.cellAt(panel, here), event);
    };
    target.onpointerup = target.onpointercancel = (event) => {
      const here = place(event);
      pointers.delete(event.pointerId);
      const cell = this.cellAt(panel, here);
      if (event.type !== "pointerup" || moved > 6 || !cell) return;
      this.point(panel, cell, event);
      this.pick(panel, cell);
    };
    target.onpointerleave = (event) => this.leave(event);
    target.onwheel = (event) => {
      if (!event.ctrlKey && !event.metaKey) return; // a bare wheel scrolls the page, also over a matrix
      event.preventDefault();
      this.zoom(panel, Math.exp(event.deltaY * 0.0025), place(event));
    };
    target.onfocus = () => {
      this.active = panel;
      panel.cursor ??= this.home(panel);
      if (target.matches(":focus-visible")) this.point(panel, panel.cursor);
    };
    target.onblur = () => {
      if (this.active === panel) this.active = null;
      this.hover(null);
    };
    target.onkeydown = (event) => this.walk(event, panel);
  }

  home(panel) {
    const { focus } = busState(this.group);
    return { r: Math.max(0, at(panel.rows, focus)), c: Math.max(0, at(panel.cols, focus)) };
  }

  walk(event, panel) {
    const step = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
    const [rows, cols] = panel.shape;
    if (step) {
      const from = panel.cursor ?? this.home(panel);
      panel.cursor = { r: Math.min(rows - 1, Math.max(0, from.r + step[0])), c: Math.min(cols - 1, Math.max(0, from.c + step[1])) };
      this.active = panel;
      this.reveal(panel);
      this.point(panel, panel.cursor, null, true);
    } else if (event.key === "Enter" || event.key === " ") this.pick(panel, panel.cursor ?? this.home(panel));
    else if (event.key === "l" || event.key === "L") this.lock(!this.locked);
    else if (event.key === "Escape") this.reset();
    else if (event.key === "+" || event.key === "-") {
      this.zoom(panel, event.key === "+" ? 0.8 : 1.25, { x: panel.box.x + panel.box.w / 2, y: panel.box.y + panel.box.h / 2 });
    } else return;
    event.preventDefault();
  }

  walkGrid(event, panel) {
    const width = Math.max(...this.rows.map((row) => row.length));
    const step = { ArrowUp: -width, ArrowDown: width, ArrowLeft: -1, ArrowRight: 1 }[event.key];
    const next = step && this.panels[this.panels.indexOf(panel) + step];
    if (!next) return;
    event.preventDefault();
    next.button.focus();
  }

  cellAt(panel, { x, y }) {
    const { box, view } = panel;
    const c = Math.floor(view.c + ((x - box.x) / box.w) * view.w);
    const r = Math.floor(view.r + ((y - box.y) / box.h) * view.h);
    const inside = x >= box.x && y >= box.y && x < box.x + box.w && y < box.y + box.h;
    return inside && r < panel.shape[0] && c < panel.shape[1] ? { r, c } : null;
  }

  point(panel, cell, event = null, aloud = false) {
    if (this.locked && event) return; // what is lit and said stays, wherever the pointer goes
    if (!cell) return void this.hover(null);
    this.hover({ [panel.rows]: cell.r, [panel.cols]: cell.c });
    const lines = [this.where(panel.rows, cell.r), this.where(panel.cols, cell.c), this.reads(panel, valueAt(panel, cell))];
    this.told = { panel, cell, lines: lines.map(spelled) };
    this.say(event ?? this.corner(panel, cell), this.told.lines);
    if (aloud) this.live.textContent = lines.map((line) => line.join("")).join(", ");
  }

  // The number under a tip changes with the temperature and with new data, also while it is locked.
  retell() {
    if (this.tip.hidden || !this.told) return;
    const panel = this.panels.find(({ name }) => name === this.told.panel.name);
    const { r, c } = this.told.cell;
    if (!panel?.box || r >= panel.shape[0] || c >= panel.shape[1]) return void (this.tip.hidden = true);
    this.point(panel, { r, c });
  }

  // Where the lower right corner of a cell is on the screen.
  corner({ canvas, box, view }, { r, c }) {
    const { left, top } = canvas.getBoundingClientRect();
    return { clientX: left + box.x + ((c - view.c + 1) * box.w) / view.w, clientY: top + box.y + ((r - view.r + 1) * box.h) / view.h };
  }

  // A line of the tip: our words, which may have subscripts, and the reader's, which are written as they are.
  where(kind, index) {
    const name = this.words[`axis_${kind}`] ?? kind;
    return [name, TOKENS.has(kind) ? ` ${index + 1}: ${visible(this.tokens[kind][index] ?? "")}` : ` ${index + 1}`];
  }

  reads(panel, value) {
    if (Number.isNaN(value)) return ["", this.words.masked];
    if (panel.thumbnail) return ["", `≈ ${significant(value, 2)} (${this.noted(panel).slice(2)})`];
    if (panel.values instanceof Uint8Array) return ["", `≈ ${significant(value, 2)}`];
    return [panel.title || panel.name, ` = ${significant(value)}`];
  }

  hover(state) {
    if (this.locked) return;
    if (!state) this.tip.hidden = true;
    if (JSON.stringify(state) === JSON.stringify(busState(this.group).hover)) return;
    busSend(this.group, { hover: state });
  }

  scrolled() {
    if (this.tip.hidden || !this.locked || !this.told) super.scrolled();
    else this.say(this.corner(this.told.panel, this.told.cell), this.told.lines);
  }

  // A finger that lifts has read nothing yet: what it touched stays lit until it touches something else.
  leave(event) {
    if (event.pointerType !== "touch") this.hover(null);
  }

  pick(panel, cell) {
    panel.cursor = cell;
    const change = {};
    for (const [kind, index] of [[panel.rows, cell.r], [panel.cols, cell.c]]) if (TOKENS.has(kind)) change[kind] = index;
    busSend(this.group, { focus: { ...busState(this.group).focus, ...change } });
    this.send.setTriggerValue("pick", { panel: panel.name, row: cell.r, col: cell.c });
  }

  // Locked for the whole group: otherwise the next canvas on the way to the margin would change what is lit.
  lock(on) {
    busSend(this.group, { locked: on });
    if (!on) this.hover(null);
  }

  showLock() {
    if (!this.tools || this.root.dataset.locked === String(this.locked)) return;
    this.root.dataset.locked = this.locked;
    if (!this.locked) this.tip.hidden = true;
    this.tools.lock.replaceChildren(icon(`M3 7h10v7H3z M5 7V4.5a3 3 0 0 1 6 0${this.locked ? "V7" : ""}`));
    this.tools.lock.setAttribute("aria-pressed", String(this.locked));
  }

  reset() {
    for (const panel of this.panels) {
      panel.view = { r: 0, c: 0, h: panel.shape[0], w: panel.shape[1] };
      panel.canvas.style.touchAction = "";
    }
    this.lock(false);
    this.draw();
  }

  zoomed({ view, shape }) {
    return view.h < shape[0] || view.w < shape[1];
  }

  // Are tokens so close that not all of their names are written?
  crowded({ box, shape, rows, cols }) {
    return (TOKENS.has(rows) && box.h / shape[0] < 10) || (TOKENS.has(cols) && box.w / shape[1] < 10);
  }

  zoom(panel, factor, at) {
    const { box, view, shape } = panel;
    const h = Math.min(shape[0], Math.max(4, view.h * factor));
    const w = Math.min(shape[1], Math.max(4, view.w * factor));
    const fx = (at.x - box.x) / box.w;
    const fy = (at.y - box.y) / box.h;
    panel.view = { h, w, c: view.c + fx * (view.w - w), r: view.r + fy * (view.h - h) };
    panel.canvas.style.touchAction = this.zoomed(panel) ? "none" : ""; // now a finger moves the picture, not the page
    this.pan(panel, 0, 0);
  }

  pan(panel, dx, dy) {
    const { box, view, shape } = panel;
    view.c = Math.min(shape[1] - view.w, Math.max(0, view.c + (dx / box.w) * view.w));
    view.r = Math.min(shape[0] - view.h, Math.max(0, view.r + (dy / box.h) * view.h));
    this.later("draw");
  }

  reveal({ view, cursor, shape }) {
    const shift = (start, length, at, total) => Math.min(total - length, Math.max(0, at < start ? at : at + 1 > start + length ? at + 1 - length : start));
    view.r = shift(view.r, view.h, cursor.r, shape[0]);
    view.c = shift(view.c, view.w, cursor.c, shape[1]);
  }
}

const heatmap = mounting(Picture);

// A line of a tip: our words, and the reader's as they are.
const spelled = ([ours, theirs]) => [...written(ours), theirs];

function walkChips(event) {
  const step = { ArrowLeft: "previousElementSibling", ArrowRight: "nextElementSibling" }[event.key];
  const next = step && event.target[step];
  if (!next) return;
  event.preventDefault();
  event.target.setAttribute("tabindex", -1);
  next.setAttribute("tabindex", 0);
  next.focus();
}

// A line drawing on a field of 16 × 16.
function icon(path) {
  const node = (tag, attributes) => {
    const drawn = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [name, value] of Object.entries(attributes)) drawn.setAttribute(name, value);
    return drawn;
  };
  const drawing = node("svg", { viewBox: "0 0 16 16", width: 14, height: 14, "aria-hidden": true });
  drawing.append(node("path", { d: path, fill: "none", stroke: "currentColor", "stroke-width": 1.5, "stroke-linejoin": "round" }));
  return drawing;
}

// A product, not a quotient: torch multiplies the scores by one factor, and each rounds once. A model may then bend
// the scores (soft-cap) and add a bias of its own (ALiBi, T5), in this order.
function softmaxRows(scores, out, rows, cols, factor, { softcap = null, bias = null } = {}) {
  for (let r = 0, start = 0; r < rows; r++, start += cols) {
    let most = -Infinity;
    for (let i = start; i < start + cols; i++) {
      out[i] = scores[i] * factor;
      if (softcap) out[i] = softcap * Math.tanh(out[i] / softcap);
      if (bias) out[i] += bias[i];
      if (out[i] > most) most = out[i];
    }
    let sum = 0;
    for (let i = start; i < start + cols; i++) {
      if (out[i] === out[i] && most > -Infinity) {
        out[i] = Math.exp(out[i] - most);
        sum += out[i];
      }
    }
    if (sum > 0) for (let i = start; i < start + cols; i++) out[i] /= sum;
  }
}
