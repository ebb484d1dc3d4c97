// What a matrix looks like: its cells and marks, its names.
import { busState, placeOn } from "../bus.js";
import { frameOf, hatch } from "../marks.js";
import { ellipsis, inscribe, spread, visible } from "../text.js";
import { cellsOf } from "./heads.js";
import { AXIS_FONT, HEAD, LABEL_FONT, TOKENS } from "./layout.js";
import { zoomed } from "./zoom.js";

/**
 * @param {Pen} pen
 * @param {Picture} picture
 * @param {Panel} panel
 */
export function drawPanel(pen, picture, panel) {
  drawBody(pen, picture, panel);
  drawNames(pen, picture, panel);
}

/**
 * All that changes under the finger: cells and marks, nothing outside the frame.
 * @param {Pen} pen
 * @param {Picture} picture
 * @param {Panel} panel
 */
export function drawBody(pen, picture, panel) {
  drawMatrix(pen, picture, panel);
  const { shape, cursor } = panel;
  const { colour } = picture;
  const { focus, hover } = busState(picture.group);
  const bands = (state, stroke, width) => {
    const [r, c] = [placeOn(panel.rows, state), placeOn(panel.cols, state)];
    if (r >= 0) mark(pen, panel, { r, c: 0, h: 1, w: shape[1] }, colour, stroke, width);
    if (c >= 0) mark(pen, panel, { r: 0, c, h: shape[0], w: 1 }, colour, stroke, width);
  };
  bands(focus, colour.focus, 1.6);
  bands(hover, colour.ink, 1.1);
  if (cursor && picture.active === panel) mark(pen, panel, { ...cursor, h: 1, w: 1 }, colour, colour.ink, 2);
  if (zoomed(panel)) drawExtent(pen, panel, colour);
}

// A line of the page's colour on both sides keeps a mark readable on dark cells and on light ones.
function mark(pen, { box, view }, { r, c, h, w }, colour, stroke, width) {
  const [across, down] = [box.w / view.w, box.h / view.h];
  const [x0, y0] = [Math.max(box.x, box.x + (c - view.c) * across), Math.max(box.y, box.y + (r - view.r) * down)];
  const x1 = Math.min(box.x + box.w, Math.max(box.x + (c + w - view.c) * across, x0 + 2));
  const y1 = Math.min(box.y + box.h, Math.max(box.y + (r + h - view.r) * down, y0 + 2));
  if (x1 - x0 < 1 || y1 - y0 < 1) return;
  frameOf(pen, { x: x0, y: y0, w: x1 - x0, h: y1 - y0 }, colour.paper, width + 1.6);
  frameOf(pen, { x: x0, y: y0, w: x1 - x0, h: y1 - y0 }, stroke, width);
}

/**
 * @param {Pen} pen
 * @param {Picture} picture
 * @param {Panel} panel
 */
export function drawMatrix(pen, picture, panel) {
  const { box } = panel;
  const { bitmap, view, masked } = cellsOf(panel);
  if (masked) hatch(pen, box, picture.colour);
  pen.cells(bitmap, box, view, true);
  frameOf(pen, { x: box.x - 0.5, y: box.y - 0.5, w: box.w + 1, h: box.h + 1 }, picture.colour.line, 1);
}

// Which part of the matrix a zoom shows: a stroke along the lower and the right edge.
function drawExtent(pen, { box, view, shape }, colour) {
  const [bottom, right] = [box.y + box.h + 1, box.x + box.w + 1];
  pen.strokeStyle = colour.ink;
  pen.lineWidth = 2;
  pen.beginPath();
  pen.moveTo(box.x + (view.c / shape[1]) * box.w, bottom);
  pen.lineTo(box.x + ((view.c + view.w) / shape[1]) * box.w, bottom);
  pen.moveTo(right, box.y + (view.r / shape[0]) * box.h);
  pen.lineTo(right, box.y + ((view.r + view.h) / shape[0]) * box.h);
  pen.stroke();
}

function drawNames(pen, picture, panel) {
  drawTitle(pen, picture, panel);
  const { box, shape } = panel;
  pen.font = `${AXIS_FONT}px ${picture.font()}`;
  pen.fillStyle = picture.colour.quiet;
  const [across, down] = [picture.axis(panel.cols, "→"), picture.axis(panel.called || panel.rows, "↓")];
  if (TOKENS.has(panel.cols) || shape[1] < 2) inscribe(pen, across, box.x, box.y - box.own + HEAD + 9);
  else drawSpan(pen, across, shape[1], box.x, box.y - 6, box.w);
  inscribe(pen, down, box.x - 6, box.y - 6, "right");
  if (!TOKENS.has(panel.rows) && shape[0] > 1) {
    inscribe(pen, "1", box.x - 6, box.y + 10, "right");
    inscribe(pen, String(shape[0]), box.x - 6, box.y + box.h - 2, "right");
  }
  if (!panel.labels) return;
  if (TOKENS.has(panel.rows)) drawLabels(pen, picture, panel, panel.rows, false);
  if (TOKENS.has(panel.cols)) drawLabels(pen, picture, panel, panel.cols, true);
}

function drawTitle(pen, picture, panel) {
  const { box, title } = panel;
  const { colour } = picture;
  const family = picture.font();
  const base = box.y - box.own + 14;
  pen.font = `600 14px ${family}`;
  pen.fillStyle = colour[panel.scale] ?? colour.ink;
  const start = box.x + box.start;
  const shift = title ? inscribe(pen, title, start, base) + 8 : 0;
  const note = picture.noted(panel);
  if (!note) return;
  pen.font = `12px ${family}`;
  pen.fillStyle = colour.quiet;
  const room = box.x + box.w + box.right - start - shift;
  inscribe(pen, panel.thumbnail ? ellipsis(pen, note, room) : note, start + shift, base);
}

// A feature axis: its first index, its name, its last index.
function drawSpan(pen, name, count, x, y, w) {
  const last = String(count);
  const room = spread(pen, `1${count}`) + spread(pen, name) + 16;
  if (w < room) return inscribe(pen, `${name.slice(0, -2)} 1…${last}`, x, y);
  inscribe(pen, "1", x, y);
  inscribe(pen, name, x + w / 2, y, "center");
  return inscribe(pen, last, x + w, y, "right");
}

// The tokens along an axis: all that fit, and always those in focus and under the pointer.
function drawLabels(pen, picture, panel, kind, across) {
  const { box, view } = panel;
  const names = picture.tokens[kind];
  const [start, count, length] = across ? [view.c, view.w, box.w] : [view.r, view.h, box.h];
  const cell = length / count;
  const [pitch, tight] = across && box.turned ? [16, 14] : [12.5, 10.5]; // how close names of 12 and of 10 pixels may stand
  const font = cell < pitch ? 10 : LABEL_FONT;
  const step = Math.max(1, Math.ceil((cell < pitch ? tight : pitch) / cell));
  const { focus, hover } = busState(picture.group);
  const near = (a, b) => a >= 0 && b >= 0 && a !== b && Math.abs(a - b) < step;
  const lit = placeOn(kind, hover);
  const chosen = near(placeOn(kind, focus), lit) ? -1 : placeOn(kind, focus);
  const family = picture.font();
  for (let i = Math.max(0, Math.ceil(start - 0.5)); i < start + count - 0.4 && i < names.length; i++) {
    const marked = i === lit || i === chosen;
    if (!marked && (i % step || near(i, lit) || near(i, chosen))) continue;
    pen.fillStyle = marked ? picture.colour.ink : picture.colour.quiet;
    pen.font = `${marked ? "600 " : ""}${font}px ${family}`;
    const place = (i - start + 0.5) * cell;
    if (across) drawAbove(pen, box, visible(names[i]), place, cell);
    else {
      pen.textAlign = "right";
      pen.fillText(ellipsis(pen, visible(names[i]), box.left - 8), box.x - 6, box.y + place + font / 3);
    }
    pen.textAlign = "left";
  }
}

function drawAbove(pen, box, text, place, cell) {
  pen.save();
  pen.translate(box.x + place + (box.turned ? 3 : 0), box.y - 6);
  if (box.turned) pen.rotate(-Math.PI / 4);
  pen.textAlign = box.turned ? "left" : "center";
  pen.fillText(ellipsis(pen, text, box.turned ? 86 : cell - 2), 0, 0);
  pen.restore();
}
