// A figure as it goes into a paper: the picture, its colours, its lines, and a caption, one under the other.
import { segment, frameOf, label } from "../marks.js";
import { inscribe, measuring, spread, wrapped } from "../text.js";
import { scaleBlock } from "./scale.js";

const MARGIN = 12;
const LEAST = 420; // pixels, so that a caption below a small picture is more than a column of words
const CAPTION = { font: 12, line: 16 };
const ROW = 18; // pixels of a line of keys
const STROKE = 26;
const GAP = 14;

/**
 * What stands where. `draw` takes any pen.
 * @param {Figure} figure
 * @returns {{ width: number, height: number, draw: (pen: Pen) => void }}
 */
export function sheetOf(figure) {
  const room = Math.max(figure.w, LEAST);
  /** @type {Block[]} */
  const blocks = [
    { h: figure.h, draw: (pen, _, x, y) => shifted(pen, x, y, () => figure.paint(pen)) },
    ...(figure.scale ? [scaleBlock(figure.scale)] : []),
    ...(figure.keys.length ? [keysBlock(figure, room)] : []),
    captionBlock(figure, room),
  ];
  const height = blocks.reduce((sum, { h }) => sum + h + GAP, 2 * MARGIN - GAP);
  const draw = (pen) => {
    let y = MARGIN;
    for (const block of blocks) {
      block.draw(pen, figure.painted, MARGIN, y);
      y += block.h + GAP;
    }
  };
  return { width: Math.ceil(room + 2 * MARGIN), height: Math.ceil(height), draw };
}

function shifted(pen, x, y, paint) {
  pen.save();
  pen.translate(x, y);
  paint();
  pen.restore();
}

// What strokes and outlines mean, in as many lines as it takes.
function keysBlock({ keys, painted }, room) {
  const measure = measuring(`11px ${painted.font()}`);
  const places = [];
  let [x, row] = [0, 0];
  for (const key of keys) {
    const wide = STROKE + 6 + spread(measure, key.name) + 18;
    if (x && x + wide > room) [x, row] = [0, row + 1];
    places.push({ key, x, y: row * ROW });
    x += wide;
  }
  return {
    h: (row + 1) * ROW - 4,
    draw(pen, _, left, top) {
      for (const { key, x: across, y: down } of places) drawKey(pen, painted, key, left + across, top + down + 7);
    },
  };
}

function drawKey(pen, painted, { hue, name, dash, pale, outline }, x, y) {
  const colour = painted.colour[hue] ?? hue;
  pen.globalAlpha = pale ? 0.5 : 1;
  pen.dash(dash ? [5, 4] : []);
  if (outline) frameOf(pen, { x: x + 6, y: y - 5, w: STROKE - 12, h: 10 }, colour, 1);
  else segment(pen, colour, pale ? 1 : 2.5, [x, y], [x + STROKE, y]);
  pen.dash([]);
  pen.globalAlpha = 1;
  label(pen, painted, name, x + STROKE + 6, y + 4);
}

function captionBlock({ caption, painted }, room) {
  const font = `${CAPTION.font}px ${painted.font()}`;
  const lines = wrapped(measuring(font), caption, room).map((line) => line.replace(/^· /, ""));
  return {
    h: lines.length * CAPTION.line,
    draw(pen, _, x, y) {
      pen.font = font;
      pen.fillStyle = painted.colour.ink;
      lines.forEach((line, i) => inscribe(pen, line, x, y + i * CAPTION.line + CAPTION.font));
    },
  };
}
