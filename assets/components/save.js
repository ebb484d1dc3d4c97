// The picture to keep: everything the stage of a view shows, drawn once more, on a sheet of twice the size or as SVG.
import { saveFile } from "./dom.js";
import { CanvasPen } from "./pen.js";
import { SvgPen } from "./svg.js";
import { GRAPHEMES } from "./text.js";

const MARGIN = 12;
const SCALES = [2, 1, 0.5]; // of the picture, the best first: a browser makes none of more pixels than it can hold
const LEVEL = 4; // pixels by which letters of one line may stand apart

/** @param {Shown} view */
function sheetOf({ stage }) {
  const { left, top, width, height } = stage.getBoundingClientRect();
  return { left: left - MARGIN, top: top - MARGIN, width: width + 2 * MARGIN, height: height + 2 * MARGIN };
}

/** @param {Shown} view */
export const savePng = async (view) => {
  for (const scale of SCALES) {
    const blob = await pngOf(view, scale);
    if (blob) return saveFile("headlight.png", blob);
  }
  sayTooLarge(view);
};

/**
 * @param {Shown} view
 * @param {number} scale
 * @returns {Promise<Blob | null>} none where the browser cannot hold it
 */
async function pngOf(view, scale) {
  const sheet = sheetOf(view);
  const canvas = document.createElement("canvas");
  Object.assign(canvas, { width: sheet.width * scale, height: sheet.height * scale });
  try {
    const pen = new CanvasPen(canvas);
    pen.context.scale(scale, scale);
    drawStage(pen, view, sheet);
    return await new Promise((resolve) => canvas.toBlob(resolve));
  } catch {
    return null;
  }
}

/** @param {Shown} view */
function sayTooLarge(view) {
  const { left, bottom } = view.tools.png.getBoundingClientRect();
  view.say({ clientX: left, clientY: bottom }, [[view.meta.words.too_large]]);
  view.live.textContent = view.meta.words.too_large;
}

/** @param {Shown} view */
export function saveSvg(view) {
  const sheet = sheetOf(view);
  const pen = new SvgPen();
  drawStage(pen, view, sheet);
  const size = `width="${sheet.width}" height="${sheet.height}"`;
  const source = `<svg xmlns="http://www.w3.org/2000/svg" ${size}>${pen.parts.join("")}</svg>`;
  saveFile("headlight.svg", new Blob([source], { type: "image/svg+xml" }));
}

function drawStage(pen, view, sheet) {
  const place = (node) => {
    const { left, top, width, height } = node.getBoundingClientRect();
    return { x: left - sheet.left, y: top - sheet.top, w: width, h: height };
  };
  pen.fillStyle = view.colour.paper;
  pen.fillRect(0, 0, sheet.width, sheet.height);
  view.print(pen, place);
  drawWords(pen, view.stage, sheet);
}

// What stands as HTML beside the pictures, written where it stands.
function drawWords(pen, stage, { left, top }) {
  const walker = document.createTreeWalker(stage, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const { fontWeight, fontSize, fontFamily, color } = getComputedStyle(node.parentElement);
    pen.font = `${fontWeight} ${fontSize} ${fontFamily}`;
    pen.fillStyle = color;
    pen.textAlign = "left";
    for (const piece of piecesOf(/** @type {Text} */ (node))) {
      const { fontBoundingBoxDescent } = pen.measureText(piece.text);
      pen.fillText(piece.text, piece.left - left, piece.bottom - top - fontBoundingBoxDescent);
    }
  }
}

/**
 * The lines of a text, as it is wrapped on the page.
 * @param {Text} node
 */
function piecesOf(node) {
  const range = document.createRange();
  const pieces = [];
  for (const { segment, index } of GRAPHEMES.segment(node.data)) {
    range.setStart(node, index);
    range.setEnd(node, index + segment.length);
    const box = range.getBoundingClientRect();
    const piece = pieces.at(-1);
    if (piece && Math.abs(piece.bottom - box.bottom) < LEVEL) piece.text += segment;
    else if (box.width) pieces.push({ text: segment, left: box.left, bottom: box.bottom });
  }
  return pieces;
}
