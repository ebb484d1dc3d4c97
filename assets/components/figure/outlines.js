// Text as outlines: a file then looks the same wherever it is opened, in any script, whatever fonts are there.
import { measuring } from "../text.js";

const EM = 160; // pixels of the letters that are traced
const WIDEST = 8000; // pixels of a line of them
const PAD = 2;
const LEVEL = 127.5; // alpha at which a letter begins
const ROUGH = 0.12; // pixels, of the large letters, that an outline may stray
const MOST_KEPT = 500;
/** @type {Map<string, number[][]>} */
const KEPT = new Map();

// Where the outline passes through a cell of four pixels: pairs of edges (0 above, 1 right, 2 below, 3 left), by which of the
// corners are inside (8 above left, 4 above right, 2 below right, 1 below left). The inside lies on the left.
const TURNS = [
  [],
  [2, 3],
  [1, 2],
  [1, 3],
  [0, 1],
  [0, 1, 2, 3],
  [0, 2],
  [0, 3],
  [3, 0],
  [2, 0],
  [3, 0, 1, 2],
  [1, 0],
  [3, 1],
  [2, 1],
  [3, 2],
  [],
];

/**
 * The closed outlines of what is darker than half: marching squares, straight lines between neighbouring pixels.
 * @param {Uint8Array | Uint8ClampedArray} alpha
 * @param {number} width
 * @param {number} height
 * @returns {number[][]} of each, x and y in turn
 */
export function contours(alpha, width, height) {
  const count = width * height;
  const next = new Int32Array(2 * count).fill(-1); // from edge to edge; an edge right of pixel i is i, one below it count + i
  for (let y = 0; y + 1 < height; y++) {
    for (let x = 0; x + 1 < width; x++) {
      const i = y * width + x;
      const inside = (place) => Number(alpha[place] > LEVEL);
      const corners = 8 * inside(i) + 4 * inside(i + 1) + 2 * inside(i + width + 1) + inside(i + width);
      const edges = [i, count + i + 1, i + width, count + i];
      const turns = TURNS[corners];
      for (let turn = 0; turn < turns.length; turn += 2) next[edges[turns[turn]]] = edges[turns[turn + 1]];
    }
  }
  const crossing = (edge) => {
    const [i, step] = edge < count ? [edge, 1] : [edge - count, width];
    const share = (LEVEL - alpha[i]) / (alpha[i + step] - alpha[i]);
    return [(i % width) + 0.5 + (step === 1 ? share : 0), Math.floor(i / width) + 0.5 + (step === 1 ? 0 : share)];
  };
  const loops = [];
  for (let start = 0; start < next.length; start++) {
    if (next[start] < 0) continue;
    const points = [];
    for (let edge = start; next[edge] >= 0;) {
      points.push(crossing(edge));
      const after = next[edge];
      next[edge] = -1;
      edge = after;
    }
    loops.push(smoothed(points));
  }
  return loops;
}

// As few corners as keep within ROUGH of all (Douglas and Peucker), from the first point to the one in the middle and back.
function smoothed(points) {
  const kept = new Set([0, points.length >> 1]);
  const parts = [
    [0, points.length >> 1],
    [points.length >> 1, points.length],
  ];
  for (let part = parts.pop(); part; part = parts.pop()) {
    const [from, to] = part;
    const [[x, y], [u, v]] = [points[from], points[to % points.length]];
    const long = Math.hypot(u - x, v - y);
    const away = ([a, b]) => (long ? Math.abs((a - x) * (v - y) - (b - y) * (u - x)) / long : Math.hypot(a - x, b - y));
    let [far, at] = [ROUGH, -1];
    for (let i = from + 1; i < to; i++) if (away(points[i]) > far) [far, at] = [away(points[i]), i];
    if (at < 0) continue;
    kept.add(at);
    parts.push([from, at], [at, to]);
  }
  return [...kept].sort((a, b) => a - b).flatMap((i) => points[i]);
}

/**
 * The outlines of a text that begins at (0, 0), in the pixels of its font.
 * @param {string} font
 * @param {string} text
 * @returns {number[][]}
 */
export function outlinesOf(font, text) {
  const key = font + text;
  const known = KEPT.get(key);
  if (known) return known;
  if (KEPT.size >= MOST_KEPT) KEPT.clear();
  const traced = trace(font, text);
  KEPT.set(key, traced);
  return traced;
}

function trace(font, text) {
  const size = parseFloat(/([\d.]+)px/.exec(font)[1]);
  const wanted = measuring(font).measureText(text).width;
  const scale = Math.min(EM / size, WIDEST / Math.max(1, wanted));
  const large = font.replace(/[\d.]+px/, `${size * scale}px`);
  const room = measuring(large).measureText(text);
  const left = Math.ceil(Math.max(0, room.actualBoundingBoxLeft)) + PAD;
  const top = Math.ceil(Math.max(0, room.actualBoundingBoxAscent)) + PAD;
  const width = left + Math.ceil(Math.max(0, room.actualBoundingBoxRight)) + PAD;
  const height = top + Math.ceil(Math.max(0, room.actualBoundingBoxDescent)) + PAD;
  const canvas = Object.assign(document.createElement("canvas"), { width, height });
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.font = large;
  context.fillText(text, left, top);
  const { data } = context.getImageData(0, 0, width, height);
  const alpha = Uint8Array.from({ length: width * height }, (_, i) => data[4 * i + 3]);
  const across = room.width ? wanted / room.width : 1 / scale; // as wide as on the page, where letters keep to whole pixels
  const place = (number, i) => (i % 2 ? (number - top) / scale : (number - left) * across);
  return contours(alpha, width, height).map((loop) => loop.map(place));
}
