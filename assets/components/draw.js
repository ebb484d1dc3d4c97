// What a panel looks like. The context is a canvas, or a SvgPen that writes the same picture as SVG.
function drawPanel(context, picture, panel) {
  drawBody(context, picture, panel);
  drawNames(context, picture, panel);
}

// All that changes under the finger: cells and marks, nothing outside the frame.
function drawBody(context, picture, panel) {
  drawMatrix(context, picture, panel);
  const { box, view, shape } = panel;
  const [cellW, cellH] = [box.w / view.w, box.h / view.h];
  const { colour } = picture;
  const { focus, hover } = busState(picture.group);
  // A line of the page's colour on both sides keeps a mark readable on dark cells and on light ones.
  const mark = (r, c, rows, cols, stroke, width) => {
    const [x0, y0] = [Math.max(box.x, box.x + (c - view.c) * cellW), Math.max(box.y, box.y + (r - view.r) * cellH)];
    const x1 = Math.min(box.x + box.w, Math.max(box.x + (c + cols - view.c) * cellW, x0 + 2));
    const y1 = Math.min(box.y + box.h, Math.max(box.y + (r + rows - view.r) * cellH, y0 + 2));
    if (x1 - x0 < 1 || y1 - y0 < 1) return;
    for (const [style, weight] of [[colour.paper, width + 1.6], [stroke, width]]) {
      context.strokeStyle = style;
      context.lineWidth = weight;
      context.strokeRect(x0, y0, x1 - x0, y1 - y0);
    }
  };
  const bands = (state, stroke, width) => {
    const [r, c] = [at(panel.rows, state), at(panel.cols, state)];
    if (r >= 0) mark(r, 0, 1, shape[1], stroke, width);
    if (c >= 0) mark(0, c, shape[0], 1, stroke, width);
  };
  bands(focus, colour.focus, 1.6);
  bands(hover, colour.ink, 1.1);
  if (panel.cursor && picture.active === panel) mark(panel.cursor.r, panel.cursor.c, 1, 1, colour.ink, 2);
  if (picture.zoomed(panel)) drawExtent(context, panel, colour);
}

function drawMatrix(context, picture, panel) {
  const { box } = panel;
  const cells = cellsOf(panel);
  if (cells.masked) hatch(context, box, picture.colour);
  drawCells(context, cells);
  context.strokeStyle = picture.colour.line;
  context.lineWidth = 1;
  context.strokeRect(box.x - 0.5, box.y - 0.5, box.w + 1, box.h + 1);
}

// Which part of the matrix a zoom shows: a stroke along the lower and the right edge.
function drawExtent(context, { box, view, shape }, colour) {
  context.strokeStyle = colour.ink;
  context.lineWidth = 2;
  context.beginPath();
  context.moveTo(box.x + (view.c / shape[1]) * box.w, box.y + box.h + 1);
  context.lineTo(box.x + ((view.c + view.w) / shape[1]) * box.w, box.y + box.h + 1);
  context.moveTo(box.x + box.w + 1, box.y + (view.r / shape[0]) * box.h);
  context.lineTo(box.x + box.w + 1, box.y + ((view.r + view.h) / shape[0]) * box.h);
  context.stroke();
}

function drawNames(context, picture, panel) {
  const { box, shape, title } = panel;
  const { colour } = picture;
  const family = picture.font();
  const base = box.y - box.own + 14;
  context.textBaseline = "alphabetic";
  context.font = `600 14px ${family}`;
  context.fillStyle = colour[panel.scale] ?? colour.ink;
  const start = box.x + box.start;
  const shift = title ? inscribe(context, title, start, base) + 8 : 0;
  context.font = `12px ${family}`;
  context.fillStyle = colour.quiet;
  const note = picture.noted(panel);
  if (note) inscribe(context, panel.thumbnail ? ellipsis(context, note, box.x + box.w + box.right - start - shift) : note, start + shift, base);
  context.font = `11px ${family}`;
  const [across, down] = [picture.axis(panel.cols, "→"), picture.axis(panel.rows, "↓")];
  if (TOKENS.has(panel.cols) || shape[1] < 2) inscribe(context, across, box.x, box.y - box.own + HEAD + 9);
  else span(context, across, shape[1], box.x, box.y - 6, box.w);
  inscribe(context, down, box.x - 6, box.y - 6, "right");
  if (!TOKENS.has(panel.rows) && shape[0] > 1) {
    inscribe(context, "1", box.x - 6, box.y + 10, "right");
    inscribe(context, String(shape[0]), box.x - 6, box.y + box.h - 2, "right");
  }
  if (!panel.labels) return;
  if (TOKENS.has(panel.rows)) drawLabels(context, picture, panel, panel.rows, false);
  if (TOKENS.has(panel.cols)) drawLabels(context, picture, panel, panel.cols, true);
}

// A feature axis: its first index, its name, its last index.
function span(context, name, count, x, y, w) {
  const [last, room] = [String(count), spread(context, `1${count}`) + spread(context, name) + 16];
  if (w < room) return inscribe(context, `${name.slice(0, -2)} 1…${last}`, x, y);
  inscribe(context, "1", x, y);
  inscribe(context, name, x + w / 2, y, "center");
  return inscribe(context, last, x + w, y, "right");
}

// The tokens along an axis: all that fit, and always those in focus and under the pointer.
function drawLabels(context, picture, panel, kind, across) {
  const { box, view } = panel;
  const names = picture.tokens[kind];
  const [start, count, length] = across ? [view.c, view.w, box.w] : [view.r, view.h, box.h];
  const cell = length / count;
  const [pitch, tight] = across && box.turned ? [15, 12] : [12.5, 10.5]; // how close names of 12 and of 10 pixels may stand
  const font = cell < pitch ? 10 : LABEL_FONT;
  const step = Math.max(1, Math.ceil((cell < pitch ? tight : pitch) / cell));
  const { focus, hover } = busState(picture.group);
  const near = (a, b) => a >= 0 && b >= 0 && a !== b && Math.abs(a - b) < step;
  const lit = at(kind, hover);
  const chosen = near(at(kind, focus), lit) ? -1 : at(kind, focus);
  const family = picture.font();
  for (let i = Math.max(0, Math.ceil(start - 0.5)); i < start + count - 0.4 && i < names.length; i++) {
    const marked = i === lit || i === chosen;
    if (!marked && (i % step || near(i, lit) || near(i, chosen))) continue;
    context.fillStyle = marked ? picture.colour.ink : picture.colour.quiet;
    context.font = `${marked ? "600 " : ""}${font}px ${family}`;
    const place = (i - start + 0.5) * cell;
    const text = visible(names[i]);
    if (!across) {
      context.textAlign = "right";
      context.fillText(ellipsis(context, text, box.left - 8), box.x - 6, box.y + place + font / 3);
    } else {
      context.save();
      context.translate(box.x + place + (box.turned ? 3 : 0), box.y - 6);
      if (box.turned) context.rotate(-Math.PI / 4);
      context.textAlign = box.turned ? "left" : "center";
      context.fillText(ellipsis(context, text, box.turned ? 86 : cell - 2), 0, 0);
      context.restore();
    }
    context.textAlign = "left";
  }
}

// What an axis shows of a state: the position of its own kind, if any.
const at = (kind, state) => state?.[kind] ?? -1;

// Cells smaller than a pixel are averaged, along the axis where they are small only: rows of tokens stay sharp.
const BENCH = document.createElement("canvas");

function drawCells(context, panel) {
  if (context instanceof SvgPen) return context.cells(panel);
  const { image, box, view } = panel;
  const [across, down] = [box.w / view.w < 1, box.h / view.h < 1];
  if (across === down) {
    context.imageSmoothingEnabled = across;
    context.imageSmoothingQuality = box.w / view.w < 0.5 ? "high" : "low"; // high is worth its time only when much is averaged
    return context.drawImage(image, view.c, view.r, view.w, view.h, box.x, box.y, box.w, box.h);
  }
  const [w, h] = [across ? Math.ceil(box.w) : Math.ceil(view.w), down ? Math.ceil(box.h) : Math.ceil(view.h)];
  Object.assign(BENCH, { width: w, height: h });
  const bench = BENCH.getContext("2d");
  bench.imageSmoothingQuality = "high";
  bench.drawImage(image, view.c, view.r, view.w, view.h, 0, 0, w, h);
  context.imageSmoothingEnabled = false;
  return context.drawImage(BENCH, 0, 0, w, h, box.x, box.y, box.w, box.h);
}

function hatch(context, { x, y, w, h }, colour) {
  context.strokeStyle = colour.quiet;
  context.globalAlpha = 0.45;
  context.lineWidth = 1;
  context.beginPath();
  for (let d = 6 - h; d < w; d += 6) {
    const [from, to] = [Math.max(d, 0), Math.min(d + h, w)];
    context.moveTo(x + from, y + h - (from - d));
    context.lineTo(x + to, y + h - (to - d));
  }
  context.stroke();
  context.globalAlpha = 1;
}

// The drawing context of a canvas in CSS pixels.
function pen(canvas) {
  const ratio = canvas.width / parseFloat(canvas.style.width);
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  return context;
}
