// What a lab draws: each function takes a pen, the lab, a panel, and the room it has in CSS pixels.
const SMALL = 11;
const LINE = 15; // from a title to its note, and from one line of the note to the next
const FOOT = { upright: 20, lean: 58 }; // what the names below bars take
const INK = { line: 1, curve: 2 };
const PROBE = document.createElement("canvas").getContext("2d");

// log₁₀ → a number as people write it, far below what a 64-bit float holds.
function powerOfTen(log, digits = 4) {
  if (log === -Infinity) return "0";
  if (log > -290) return significant(10 ** log, digits);
  const whole = Math.floor(log);
  return significant(10 ** (log - whole), digits) + significant(10 ** -9).slice(1, 4) + [...String(whole)].map((c) => "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"["-0123456789".indexOf(c)]).join("");
}

const PLOTS = {
  grid(context, lab, panel, { w, h }) {
    const { rows, cols, count, titles, chosen } = panel;
    const { across, side } = gridRoom(panel, { w, h });
    const values = lab.frame(panel.film);
    panel.cells = [];
    panel.across = across;
    for (let i = 0; i < count; i++) {
      const box = { x: (i % across) * (side + 6), y: 36 + panel.drop + Math.floor(i / across) * (side + 18), w: side, h: side };
      panel.cells.push(box);
      const picture = tinted(lab, panel, i, values.subarray(i * rows * cols, (i + 1) * rows * cols), rows, cols, panel);
      drawPicture(context, lab, picture, box);
      label(context, lab, titles[i], box.x, box.y - 4, { strong: i === chosen });
      if (i === chosen) frameOf(context, box, lab.colour.focus, 2);
      else if (i === panel.lit) frameOf(context, box, lab.colour.ink, 1);
    }
  },

  map(context, lab, panel, { w }) {
    if (panel.order) panel.names = Array.from(lab.frame(panel.order), (i) => (panel.written ??= panel.names)[i]);
    const { rows, cols, names } = panel;
    context.font = `${SMALL}px ${lab.font()}`;
    const { short, room, top, side } = mapPlace(context, lab, panel, w);
    const box = { x: room, y: top, w: side * cols, h: side * rows };
    panel.box = box;
    const values = lab.frame(panel.film).subarray(panel.start, panel.start + rows * cols);
    if (panel.hatched) hatch(context, box, lab.colour);
    drawPicture(context, lab, tinted(lab, panel, 0, values, rows, cols, panel), box);
    if (panel.ruled && side > 4) ruled(context, lab, panel, box, side, values);
    if (names) tokenNames(context, lab, panel, box, side, short);
    if (panel.marked >= 0) frameOf(context, { x: box.x, y: box.y + panel.marked * side, w: box.w, h: side }, lab.colour.focus, 1.6);
    if (panel.lit) {
      const cell = { x: box.x + panel.lit.c * side, y: box.y + panel.lit.r * side, w: side, h: side };
      frameOf(context, cell, lab.colour.paper, 3); // readable on dark cells and on light ones
      frameOf(context, cell, lab.colour.ink, 1.4);
    }
  },

  bars(context, lab, panel, { w, h }) {
    const { count, names, editable, digits } = panel;
    const values = lab.frame(panel.film).subarray(panel.start, panel.start + count);
    const ghost = panel.ghost ? lab.frame(panel.ghost).subarray(panel.start, panel.start + count) : null;
    const seen = [...values, ...(ghost ?? [])].filter((v) => v === v);
    const [least, most] = [Math.min(0, ...seen), Math.max(0, ...seen)];
    const flat = ghost ? most === least : Math.min(...seen) === 0;
    const [low, high] = panel.fit ? [least, flat ? Math.max(1, most) : most] : [panel.low, panel.high];
    const lean = leaning(panel, w);
    const foot = names ? FOOT[lean ? "lean" : "upright"] : 6;
    context.font = `${SMALL}px ${lab.font()}`;
    const telling = digits && tellingDigits(values, digits);
    const texts = digits ? Array.from(values, (v) => (v === v ? significant(v, telling) : "")) : [];
    const ticks = (box) => ticksOf(low, high, Math.max(2, Math.floor(box / 34)));
    const left = Math.max(34, ...ticks(h).map((tick) => 8 + widthOf(context, significant(tick))));
    const narrow = digits && (w - left - 2) / count < Math.max(...texts.map((text) => widthOf(context, text))) + 2; // no room: only that of the chosen bar
    const head = panel.drop + (digits ? 44 : 30); // room for a number on the highest bar, and below the lowest
    const under = digits && low < 0 ? 12 : 0;
    const box = { x: left, y: head, w: w - left - 2, h: h - head - foot - under };
    panel.box = box;
    const y = (v) => box.y + box.h * (1 - (Math.max(low, Math.min(high, v)) - low) / (high - low));
    for (const tick of ticks(box.h)) {
      rule(context, lab, box.x, y(tick), box.x + box.w, y(tick));
      label(context, lab, significant(tick), box.x - 5, y(tick) + 4, { align: "right", quiet: true });
    }
    const step = box.w / count;
    for (let i = 0; i < count; i++) {
      const x = box.x + i * step;
      const marked = i === panel.lit || i === panel.marked;
      const here = values[i] === values[i];
      if (!here) hatch(context, { x, y: box.y, w: step, h: box.h }, lab.colour);
      context.globalAlpha = marked ? 1 : 0.75;
      context.fillStyle = lab.colour[panel.hue] ?? lab.colour.ink;
      const [top, bottom] = [y(Math.max(values[i], 0)), y(Math.min(values[i], 0))];
      if (here) context.fillRect(x + step * 0.12, top, step * 0.76, Math.max(bottom - top, 0.8));
      context.globalAlpha = 1;
      if (ghost && ghost[i] === ghost[i]) frameOf(context, { x: x + step * 0.06, y: y(Math.max(ghost[i], 0)), w: step * 0.88, h: y(Math.min(ghost[i], 0)) - y(Math.max(ghost[i], 0)) }, lab.colour.ink, 1);
      if (editable) context.fillRect(x + step * 0.06, y(values[i]) - 2, step * 0.88, 4);
      if (digits && here && (!narrow || marked)) {
        context.font = `${SMALL}px ${lab.font()}`;
        context.fillStyle = lab.colour.ink;
        const half = widthOf(context, texts[i]) / 2;
        const middle = Math.max(box.x + half, Math.min(box.x + box.w - half, x + step / 2));
        const line = numberLine(y(values[i]), ghost && y(ghost[i]), values[i] < 0);
        if (!ghost) {
          context.fillStyle = lab.colour.paper; // no line of the scale through a number
          context.fillRect(middle - half - 1, line - 9, 2 * half + 2, 11);
          context.fillStyle = lab.colour.ink;
        }
        inscribe(context, texts[i], middle, line, "center");
      }
      if (!names || (step < 11 && i % Math.ceil(11 / step) && !marked)) continue;
      context.font = `${marked ? "600 " : ""}${SMALL}px ${lab.font()}`;
      context.fillStyle = marked ? lab.colour.ink : lab.colour.quiet;
      const text = visible(names[i]);
      context.save();
      context.translate(x + step / 2, box.y + box.h + under + 12);
      if (lean) context.rotate(-Math.PI / 4);
      context.textAlign = lean ? "right" : "center";
      context.fillText(ellipsis(context, text, lean ? 62 : step - 2), 0, 2);
      context.restore();
      context.textAlign = "left";
    }
    if (!panel.over) return;
    const line = lab.frame(panel.over);
    polyline(context, line, (i) => box.x + (box.w * i) / (line.length - 1), (v) => box.y + box.h * (1 - v), lab.colour.k, INK.curve);
  },

  // Lines over the stops of one slider, everything else as it stands; a click moves that slider.
  curves(context, lab, panel, { w, h }) {
    if (panel.fit) {
      const seen = panel.lines.flatMap((line) => Array.from(lab.along(panel.film, panel.along, line), Math.abs)).filter((v) => v === v);
      panel.high = Math.max(0, ...seen) || 1;
      panel.low = -panel.high;
    }
    const { low, high, logs } = panel;
    const slider = lab.slider(panel.along);
    const count = slider.readings.length;
    const titled = panel.ends || !panel.legend ? [] : panel.lines.filter((line) => line.name);
    const beside = titled.length > 2; // names in one line, else one below the other
    const under = panel.drop ? titled.length - 1 : titled.length; // lines of names between the note and the axis
    const top = 32 + panel.drop + (panel.note && titled.length ? 12 * (beside ? Math.min(1, under) : under) : 0);
    const box = { x: 40, y: top, w: w - (panel.ends ? 40 + Math.min(88, w * 0.3) : 48), h: h - top - 30 };
    panel.box = box;
    const sunk = panel.below ? 15 : 0; // below the axis a band, where numbers are 0
    const tall = box.h - sunk;
    const zero = panel.below ? box.y + box.h - sunk / 2 : null;
    const current = lab.current(lab.films[panel.film]);
    const places = panel.places;
    const across = (place) => (box.w * (place - places[0])) / (places.at(-1) - places[0]);
    const x = (i) => box.x + (places ? across(places[i]) : (box.w * i) / Math.max(1, count - 1));
    const y = (v) => box.y + tall * (1 - (Math.max(low, Math.min(high, v)) - low) / (high - low || 1));
    if (panel.below) {
      context.globalAlpha = 0.14;
      context.fillStyle = lab.colour.quiet;
      context.fillRect(box.x, box.y + tall, box.w, sunk);
      context.globalAlpha = 1;
      label(context, lab, panel.below, box.x + 4, box.y + box.h - 4, { quiet: true });
    }
    const named = (panel.marks ?? []).map(([place, text]) => [box.x + (places ? across(place) : (box.w * place) / Math.max(1, count - 1)), text]);
    for (const [at] of named) {
      context.strokeStyle = lab.colour.quiet;
      context.lineWidth = 1;
      context.setLineDash?.([2, 3]);
      context.beginPath();
      context.moveTo(at, box.y);
      context.lineTo(at, box.y + box.h);
      context.stroke();
      context.setLineDash?.([]);
    }
    // Each name beside its line, on the left where the next line stands too close, and clear of all of them.
    for (const [i, [at, text]] of named.entries()) {
      const wide = spread(context, text);
      const close = (named[i + 1]?.[0] ?? Infinity) - at < wide + 8 && at - (named[i - 1]?.[0] ?? box.x) > wide + 5;
      label(context, lab, text, close ? at - 3 : at + 3, box.y + tall - 4 - (i % 4) * 12, { quiet: true, align: close ? "right" : "left" });
    }
    axes(context, lab, panel, box, y, slider, x);
    for (const line of panel.lines) {
      const colour = lab.colour[line.hue] ?? line.hue;
      const ink = (line.pale ? 0.5 : 1) * (current ? 1 : 0.35); // out of date while another slider moves
      if (line.band) {
        const [least, most] = line.band.map((start) => lab.along(panel.film, panel.along, { ...line, start }));
        context.fillStyle = colour;
        context.globalAlpha = 0.16;
        context.beginPath();
        for (let i = 0; i < count; i++) context.lineTo(x(i), y(least[i]));
        for (let i = count; i--; ) context.lineTo(x(i), y(most[i]));
        context.fill();
        context.globalAlpha = 1;
      }
      context.globalAlpha = ink;
      polyline(context, lab.along(panel.film, panel.along, line), x, y, colour, line.pale ? INK.line : INK.curve, { dash: line.dash, low: logs ? low : -Infinity, zero });
      context.globalAlpha = 1;
    }
    const lit = panel.ends ? panel.lines[panel.lit] : null;
    if (lit) polyline(context, lab.along(panel.film, panel.along, lit), x, y, lab.colour[lit.pale ? "ink" : lit.hue] ?? lit.hue, INK.curve + 0.5, { low: logs ? low : -Infinity, zero });
    if (panel.ends) endNames(context, lab, panel, box, (v) => (v === -Infinity && zero ? zero : y(v)), lit);
    const at = lab.at[slider.name];
    context.strokeStyle = lab.colour.focus;
    context.lineWidth = 1.5;
    context.beginPath();
    context.moveTo(x(at), box.y);
    context.lineTo(x(at), box.y + box.h);
    context.stroke();
    for (const line of panel.lines) {
      const value = lab.along(panel.film, panel.along, line)[at];
      if (Number.isNaN(value) || line.pale || !current) continue;
      const held = Object.entries(line.fixed ?? {}).every(([name, index]) => lab.at[name] === index);
      context.fillStyle = lab.colour[line.hue] ?? line.hue;
      if (logs && value < low && value > -Infinity) arrowDown(context, x(at), y(low), held ? 6 : 4.5);
      else {
        context.beginPath();
        context.arc(x(at), value === -Infinity && zero ? zero : y(value), held ? 4.5 : 3, 0, 7);
        context.fill();
      }
    }
    let end = box.x + box.w;
    for (const [i, line] of [...titled.entries()].reverse()) {
      context.fillStyle = lab.colour[line.hue] ?? line.hue;
      context.font = `${SMALL}px ${lab.font()}`;
      const wide = inscribe(context, line.name, end, box.y - 6 - (beside ? 0 : (titled.length - 1 - i) * 12), "right");
      if (beside) end -= wide + 12;
    }
  },

  // A number over two sliders; the reader's place on it; a click goes there.
  phase(context, lab, panel, { w, h }) {
    const [across, down] = [lab.slider(panel.x), lab.slider(panel.y)];
    const [cols, rows] = [across.readings.length, down.readings.length];
    const box = { x: 46, y: 46 + panel.drop, w: w - 46 - 66, h: h - 46 - panel.drop - 32 };
    panel.box = box;
    const values = lab.plane(panel);
    if (panel.tinted !== values || panel.mode !== lab.mode) tinted(lab, panel, 0, values, rows, cols, panel);
    [panel.tinted, panel.mode] = [values, lab.mode];
    const picture = panel.pictures[0];
    context.imageSmoothingEnabled = false;
    drawPicture(context, lab, picture, box, true);
    const x = (i) => box.x + ((i + 0.5) * box.w) / cols;
    const y = (i) => box.y + box.h - ((i + 0.5) * box.h) / rows;
    for (const [index, text] of across.ticks) label(context, lab, text, x(index), box.y + box.h + 13, { align: "center", quiet: true });
    for (const [index, text] of down.ticks) label(context, lab, text, box.x - 5, y(index) + 4, { align: "right", quiet: true });
    label(context, lab, `${across.label} →`, box.x + box.w, box.y + box.h + 27, { align: "right", quiet: true });
    label(context, lab, `${down.label} ↑`, box.x - 5, box.y - 6, { align: "right", quiet: true });
    colourBar(context, lab, panel, { x: box.x + box.w + 14, y: box.y, w: 10, h: box.h });
    for (const line of panel.lines ?? []) {
      const current = Object.entries(line.fixed ?? {}).every(([name, index]) => lab.at[name] === index);
      if (!current) continue;
      const points = lab.frame(line.film);
      context.save?.();
      for (const [stroke, width] of [[lab.colour.paper, 3.5], [lab.colour.ink, 1.5]]) {
        context.strokeStyle = stroke;
        context.lineWidth = width;
        context.beginPath();
        let open = false;
        for (let row = 0; row < rows; row++) {
          const place = points[row];
          if (!(place >= 0 && place <= cols - 1)) { open = false; continue; }
          if (open) context.lineTo(x(place), y(row));
          else context.moveTo(x(place), y(row));
          open = true;
        }
        context.stroke();
      }
      context.restore?.();
      const seen = [...points.keys()].filter((row) => points[row] >= 0 && points[row] <= cols - 1);
      if (line.name && seen.length) {
        const row = seen[Math.floor(seen.length * 0.85)];
        const [wide, right] = [spread(context, line.name), x(points[row]) > box.x + box.w / 2];
        const start = x(points[row]) + (right ? -8 - wide : 8);
        context.fillStyle = lab.colour.paper;
        context.globalAlpha = 0.8;
        context.fillRect(start - 3, y(row) - 9, wide + 6, 15);
        context.globalAlpha = 1;
        label(context, lab, line.name, start, y(row) + 3);
      }
    }
    const [px, py] = [x(lab.at[panel.x]), y(lab.at[panel.y])];
    for (const [stroke, width] of [[lab.colour.paper, 4.5], [lab.colour.focus, 2.5]]) {
      context.strokeStyle = stroke;
      context.lineWidth = width;
      context.beginPath();
      context.arc(px, py, 6, 0, 7);
      context.stroke();
    }
  },

  // How often each value occurs, on an axis of powers of ten; what lies below the axis is counted in its first bar.
  histogram(context, lab, panel, { w, h }) {
    const { count, low, high, mark } = panel;
    const values = lab.frame(panel.film).subarray(panel.start, panel.start + count);
    const box = { x: 8, y: 32 + panel.drop, w: w - 16, h: h - 32 - panel.drop - 30 };
    panel.box = box;
    const most = Math.max(...values, 1e-9);
    const step = box.w / count;
    context.fillStyle = lab.colour[panel.hue] ?? lab.colour.ink;
    for (let i = 0; i < count; i++) {
      const tall = (box.h * values[i]) / most;
      context.globalAlpha = mark !== null && low + ((i + 1) * (high - low)) / count <= mark + 1e-9 ? 0.9 : 0.5;
      context.fillRect(box.x + i * step + 0.5, box.y + box.h - tall, Math.max(1, step - 1), tall);
    }
    context.globalAlpha = 1;
    const x = (v) => box.x + (box.w * (v - low)) / (high - low);
    rule(context, lab, box.x, box.y + box.h, box.x + box.w, box.y + box.h);
    for (const [value, text] of panel.ticks) {
      const half = spread(context, text) / 2; // the first and the last keep within the picture
      label(context, lab, text, Math.max(half + 1, Math.min(w - half - 1, x(value))), box.y + box.h + 14, { align: "center", quiet: true });
    }
    if (panel.axis) label(context, lab, panel.axis, box.x + box.w, box.y + box.h + 28, { align: "right", quiet: true });
    if (mark !== null) {
      context.strokeStyle = lab.colour.focus;
      context.lineWidth = 1.5;
      context.beginPath();
      context.moveTo(x(mark), box.y - 2);
      context.lineTo(x(mark), box.y + box.h);
      context.stroke();
    }
  },
};

// Names where lines end: of what is chosen, of what is pointed at, and of a pale line that ends apart from all others.
function endNames(context, lab, panel, box, y, lit) {
  const step = 14;
  const ends = panel.lines
    .filter(({ name }) => name)
    .map((line) => ({ line, at: y(lab.along(panel.film, panel.along, line).at(-1)) }))
    .filter(({ at }) => at === at)
    .sort((a, b) => a.at - b.at);
  const alone = (end) => ends.every((other) => other === end || Math.abs(other.at - end.at) >= step);
  const names = ends.filter((end) => !end.line.pale || end.line === lit || (!lit && alone(end)));
  let least = box.y + 2;
  for (const name of names) least = (name.place = Math.max(name.at, least)) + step;
  let most = box.y + box.h - 4;
  for (const name of names.toReversed()) most = (name.place = Math.min(name.place, most)) - step;
  for (const { line, at, place } of names) {
    context.globalAlpha = 0.6;
    context.strokeStyle = lab.colour.line;
    context.lineWidth = INK.line;
    context.beginPath();
    context.moveTo(box.x + box.w + 1, at);
    context.lineTo(box.x + box.w + 9, place);
    context.stroke();
    context.globalAlpha = 1;
    context.font = `${line.pale && line !== lit ? "" : "600 "}${SMALL}px ${lab.font()}`;
    context.fillStyle = line === lit && line.pale ? lab.colour.ink : (lab.colour[line.hue] ?? line.hue);
    inscribe(context, line.name, box.x + box.w + 11, place + 4);
  }
}

// What the colours of a map over two sliders stand for; beyond its lower end they stay the same.
function colourBar(context, lab, { low, high, logs, scale }, box) {
  const table = lut(scale, lab.mode);
  const steps = 48;
  for (let i = 0; i < steps; i++) {
    const word = table[Math.round((255 * (i + 0.5)) / steps)];
    context.fillStyle = `rgb(${word & 255}, ${(word >> 8) & 255}, ${(word >> 16) & 255})`;
    context.fillRect(box.x, box.y + box.h * (1 - (i + 1) / steps), box.w, box.h / steps + 0.6);
  }
  frameOf(context, box, lab.colour.line, 1);
  for (const tick of (logs ? decades : ticksOf)(low, high, 4)) {
    const text = (tick === low && logs ? "≤ " : "") + (logs ? power(tick) : significant(tick, 3));
    label(context, lab, text, box.x + box.w + 5, box.y + box.h * (1 - (tick - low) / (high - low)) + 4, { quiet: true });
  }
}

// Lines between cells, so that equal neighbours stay two; in a few large cells the numbers themselves.
function ruled(context, lab, panel, box, side, values) {
  const { rows, cols } = panel;
  for (let i = 1; i < cols; i++) rule(context, lab, box.x + i * side, box.y, box.x + i * side, box.y + box.h);
  for (let i = 1; i < rows; i++) rule(context, lab, box.x, box.y + i * side, box.x + box.w, box.y + i * side);
  if (rows > 4 || side < 34) return;
  context.font = `${SMALL}px ${lab.font()}`;
  for (let i = 0; i < values.length; i++) {
    let text = significant(values[i]);
    for (let fewer = 3; fewer && widthOf(context, text) > side - 4; fewer--) text = significant(values[i], fewer);
    const strong = Math.sqrt(Math.abs(values[i]) / panel.high) > 0.6;
    context.fillStyle = strong ? lab.colour.paper : lab.colour.ink;
    inscribe(context, text, box.x + ((i % cols) + 0.5) * side, box.y + (Math.floor(i / cols) + 0.5) * side + 4, "center");
  }
}

// As many significant digits as tell numbers apart that differ: 1900 and 1919 are not the same.
function tellingDigits(values, least) {
  const numbers = values.filter((v) => v === v);
  const kinds = (digits) => new Set(Array.from(numbers, (v) => significant(v, digits))).size;
  const all = kinds(6);
  for (let digits = least; digits < 6; digits++) if (kinds(digits) === all) return digits;
  return 6;
}

// Where a line leaves the axis downwards, the number is smaller still.
function arrowDown(context, x, y, half) {
  context.beginPath();
  context.moveTo(x - half, y - half * 0.6);
  context.lineTo(x + half, y - half * 0.6);
  context.lineTo(x, y + half);
  context.fill();
}

// What is written above a picture: its title, and its note beside it, or below it in as many lines as it takes.
function headOf(context, lab, { title, note }, w) {
  context.font = `600 13px ${lab.font()}`;
  const beside = title ? spread(context, title) + 8 : 0;
  context.font = `${SMALL}px ${lab.font()}`;
  return { beside, lines: note && beside + spread(context, note) > w ? wrapped(context, note, w) : [] };
}

// Lines no wider than `w`. A line ends between words, or after any Chinese character, but never before a sign.
function wrapped(context, text, w) {
  const lines = [""];
  for (const piece of text.match(/[（“]*\p{Script=Han}[，。；：、！？）”]*|[^\s\p{Script=Han}]+\s*|\s+/gu) ?? []) {
    if (lines.at(-1) && spread(context, (lines.at(-1) + piece).trimEnd()) > w) lines.push("");
    lines.push(lines.pop() + piece);
  }
  return lines.map((line) => line.trimEnd());
}

// How tall a picture is. On a telephone it grows by its note and by names that lean, and a map that its width makes
// small leaves nothing empty below it; side by side with others a picture keeps its height, so that rows stay level.
function plotHeight(context, lab, panel, w) {
  panel.drop = dropOf(context, lab, panel, w);
  if (!lab.narrow) return panel.height;
  const h = panel.height + panel.drop + (panel.kind === "bars" && leaning(panel, w) ? FOOT.lean - FOOT.upright : 0);
  if (panel.kind === "grid") return Math.min(h, Math.ceil(gridRoom(panel, { w, h }).bottom + 2));
  if (panel.kind !== "map") return h;
  context.font = `${SMALL}px ${lab.font()}`;
  const { top, side } = mapPlace(context, lab, panel, w);
  return Math.min(h, Math.ceil(top + side * panel.rows + 2));
}

const dropOf = (context, lab, panel, w) => headOf(context, lab, panel, w).lines.length * LINE;

const leaning = ({ count, names }, w) => w / count < 34 && !!names?.some((name) => name.length > 2);

// Where the number of a bar stands: past its end, and past that of an outline which would strike it through.
function numberLine(end, outline, below) {
  const far = outline === null ? 0 : below ? outline - end : end - outline;
  const past = far > 1 && far < 16 ? outline : end;
  return below ? past + 13 : past - 5;
}

// Thumbnails: how many stand side by side, how large, and where the last line of them ends.
function gridRoom({ count, drop }, { w, h }) {
  let best = { across: 1, side: 0 };
  for (let across = 1; across <= count; across++) {
    const down = Math.ceil(count / across);
    const side = Math.min((w - 6 * (across - 1)) / across, (h - drop - 20 - 18 * down) / down);
    if (side > best.side) best = { across, side };
  }
  const down = Math.ceil(count / best.across);
  const side = Math.max(8, best.side);
  return { across: best.across, side, bottom: 18 + drop + down * (side + 18) };
}

// Where the cells of a map begin and how large they are: as small as those of the maps it is compared with.
function mapPlace(context, lab, panel, w) {
  const alone = (map) => {
    const h = map.height - (lab.narrow ? 0 : dropOf(context, lab, map, w));
    context.font = `${SMALL}px ${lab.font()}`;
    return mapRoom(context, map, { w, h });
  };
  const own = alone(panel);
  const alike = panel.alike ? lab.panels.filter((other) => other.alike === panel.alike) : [];
  return { ...own, top: own.top + panel.drop, side: Math.min(own.side, ...alike.map((other) => alone(other).side)) };
}

// Values → pixels of a small picture kept with the panel: one a cell.
function tinted(lab, panel, index, values, rows, cols, { scale, low, high }) {
  const kept = (panel.pictures ??= []);
  let picture = kept[index];
  if (!picture || picture.width !== cols || picture.height !== rows) {
    picture = kept[index] = Object.assign(document.createElement("canvas"), { width: cols, height: rows });
    picture.context = picture.getContext("2d", { willReadFrequently: true });
    picture.data = picture.context.createImageData(cols, rows);
    picture.words = new Uint32Array(picture.data.data.buffer);
  }
  const table = lut(scale, lab.mode);
  const root = scale === "weights" || panel.root;
  const factor = 1 / (high - low || 1);
  for (let i = 0; i < picture.words.length; i++) {
    const v = values[i];
    let share = (v - low) * factor;
    if (root && signedRamp(scale)) share = 0.5 + 0.5 * Math.sign(v) * Math.sqrt(Math.min(1, Math.abs(v) / high));
    else share = Math.max(0, Math.min(1, share));
    picture.words[i] = v !== v ? 0 : table[((root && !signedRamp(scale) ? Math.sqrt(share) : share) * 255 + 0.5) | 0];
  }
  picture.context.putImageData(picture.data, 0, 0);
  return picture;
}

function drawPicture(context, lab, picture, box, flipped = false) {
  const view = { r: 0, c: 0, w: picture.width, h: picture.height };
  if (context instanceof SvgPen) context.cells({ image: flipped ? upsideDown(picture) : picture, box, view, shape: [picture.height, picture.width] });
  else {
    context.imageSmoothingEnabled = box.w < picture.width;
    if (flipped) {
      context.save();
      context.translate(0, 2 * box.y + box.h);
      context.scale(1, -1);
    }
    context.drawImage(picture, box.x, box.y, box.w, box.h);
    if (flipped) context.restore();
  }
  frameOf(context, { x: box.x - 0.5, y: box.y - 0.5, w: box.w + 1, h: box.h + 1 }, lab.colour.line, 1);
}

function upsideDown(picture) {
  const turned = Object.assign(document.createElement("canvas"), { width: picture.width, height: picture.height });
  const context = turned.getContext("2d");
  context.translate(0, picture.height);
  context.scale(1, -1);
  context.drawImage(picture, 0, 0);
  return turned;
}

function frameOf(context, { x, y, w, h }, stroke, width) {
  context.strokeStyle = stroke;
  context.lineWidth = width;
  context.strokeRect(x, y, w, h);
}

function rule(context, lab, x0, y0, x1, y1) {
  context.strokeStyle = lab.colour.line;
  context.lineWidth = INK.line;
  context.beginPath();
  context.moveTo(x0, Math.round(y0) + 0.5);
  context.lineTo(x1, Math.round(y1) + 0.5);
  context.stroke();
}

function label(context, lab, text, x, y, { align = "left", quiet = false, strong = false } = {}) {
  context.font = `${strong ? "600 " : ""}${SMALL}px ${lab.font()}`;
  context.fillStyle = quiet ? lab.colour.quiet : lab.colour.ink;
  inscribe(context, text, x, y, align);
}

// A line over numbers. It ends in an arrow where it leaves an axis of powers of ten, whose lowest is `low`; it breaks
// where there is no number, and where the number is exactly 0: that is drawn by itself, at the height `zero`.
function polyline(context, values, x, y, colour, width, { dash = false, low = -Infinity, zero = null } = {}) {
  context.strokeStyle = context.fillStyle = colour;
  context.lineWidth = width;
  context.setLineDash?.(dash ? [5, 4] : []);
  context.beginPath();
  const left = []; // where it leaves the axis
  const inside = (v) => v >= low && v > -Infinity;
  for (let i = 0; i < values.length; i++) {
    const [before, v] = [i ? values[i - 1] : NaN, values[i]];
    const edge = () => x(i - 1) + ((x(i) - x(i - 1)) * (before - low)) / (before - v);
    if (v === -Infinity) {
      if (zero === null) continue;
      context.moveTo(before === v ? x(i - 1) : x(i) - 1.5, zero);
      context.lineTo(x(i) + 1.5, zero);
    } else if (inside(v)) {
      if (inside(before)) context.lineTo(x(i), y(v));
      else if (before > -Infinity) {
        context.moveTo(edge(), y(low));
        context.lineTo(x(i), y(v));
      } else context.moveTo(x(i), y(v));
    } else if (v === v && inside(before)) {
      left.push(edge());
      context.lineTo(left.at(-1), y(low));
    }
  }
  context.stroke();
  context.setLineDash?.([]);
  for (const place of left) arrowDown(context, place, y(low), 2 + width);
}

function axes(context, lab, panel, box, y, slider, x) {
  const { low, high, logs } = panel;
  const wanted = Math.max(2, Math.floor(box.h / 30));
  const ticks = logs ? decades(low, high, wanted) : ticksOf(low, high, wanted);
  for (const tick of ticks) {
    rule(context, lab, box.x, y(tick), box.x + box.w, y(tick));
    label(context, lab, logs ? power(tick) : significant(tick, 3), box.x - 5, y(tick) + 4, { align: "right", quiet: true });
  }
  const most = Math.max(2, Math.floor(box.w / 44));
  const every = Math.ceil(slider.ticks.length / most);
  let free = -Infinity; // at true distances ticks may crowd: what would touch the one before is left out
  slider.ticks.forEach(([index, text], i) => {
    const half = spread(context, text) / 2 + 3;
    if (panel.places && x(index) - half < free) return;
    free = x(index) + half;
    const most = box.x + box.w + 10 - half; // the last keeps within the picture, and clear of names beside it
    if (panel.places || i % every === 0) label(context, lab, text, Math.min(x(index), most), box.y + box.h + 14, { align: "center", quiet: true });
  });
  label(context, lab, slider.label, box.x + box.w, box.y + box.h + 27, { align: "right", quiet: true });
}

function ticksOf(low, high, wanted) {
  const raw = (high - low) / wanted || 1;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].find((factor) => factor * power >= raw) * power;
  const found = [];
  for (let v = Math.ceil(low / step - 1e-9) * step; v <= high + step * 1e-9; v += step) found.push(Math.abs(v) < step * 1e-9 ? 0 : v);
  return found;
}

const power = (tick) => powerOfTen(tick, 2).replace("1·", "");

function decades(low, high, wanted) {
  const step = [1, 2, 3, 5, 10, 15, 20, 30, 100].find((step) => step * wanted >= high - low) ?? 200;
  const found = [];
  for (let v = Math.ceil(low / step) * step; v <= high; v += step) found.push(v);
  return found;
}

// What the names of a map leave for its cells.
function mapRoom(context, { rows, cols, names, col_names }, { w, h }) {
  const longest = (list) => Math.max(...list.map((text) => Math.min(74, widthOf(context, visible(text)))));
  const short = names?.every((name) => name.length < 3); // numbers stand upright, tokens lean
  const room = names ? longest(names) + 10 : 0;
  const across = names && longest(col_names ?? names);
  const top = short ? 46 : names ? 34 + across * 0.72 : 32;
  const lean = !names ? 2 : short ? 6 : across * 0.72 + 8; // the last name leans out, or is wider than its cell
  return { short, room, top, side: Math.max(1, Math.min((w - room - lean) / cols, (h - top - 2) / rows)) }; // 2: the frame
}

// Tokens beside a map: all that fit.
function tokenNames(context, lab, panel, box, side, upright) {
  const { rows, cols, names } = panel;
  const across = panel.col_names ?? names;
  context.font = `${SMALL}px ${lab.font()}`;
  const wide = upright ? Math.max(...across.map((text) => widthOf(context, visible(text)))) + 4 : 12.5; // upright names stand apart, leaning ones overlap
  const every = (room) => Math.max(1, Math.ceil(room / side));
  for (let i = 0; i < Math.max(rows, cols); i++) {
    context.fillStyle = i === panel.marked || i === panel.lit?.r ? lab.colour.ink : lab.colour.quiet;
    if (i < rows && i % every(11) === 0) {
      context.textAlign = "right";
      context.fillText(ellipsis(context, visible(names[i]), box.x - 8), box.x - 5, box.y + (i + 0.5) * side + 4);
    }
    if (i < cols && i % every(wide) === 0) {
      const text = visible(across[i]);
      context.fillStyle = i === (panel.col_names ? panel.marked_col : panel.marked) || i === panel.lit?.c ? lab.colour.ink : lab.colour.quiet;
      context.save();
      context.translate(box.x + (i + 0.5) * side + (upright ? 0 : 3), box.y - 5);
      if (!upright) context.rotate(-Math.PI / 4);
      context.textAlign = upright ? "center" : "left";
      context.fillText(ellipsis(context, text, 70), 0, 0);
      context.restore();
    }
  }
  context.textAlign = "left";
}
