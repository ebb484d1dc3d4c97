// A figure as a file: PNG of twice or three times its size, SVG, PDF.
import { CanvasPen } from "../pen.js";
import { saveFile } from "../dom.js";
import { pdfOf } from "./pdf.js";
import { Recorder } from "./recorder.js";
import { sheetOf } from "./sheet.js";
import { svgOf } from "./svg.js";

const SMALLER = [2, 1, 0.5]; // where a browser makes none of as many pixels as were asked for
export const FORMATS = ["PNG 2×", "PNG 3×", "SVG", "PDF"];

/**
 * Hand the reader a file; whether the browser could make it.
 * @param {Figure} figure
 * @param {string} format
 * @param {boolean} clear without a background
 */
export const saveFigure = async (figure, format, clear) => {
  const sheet = sheetOf(figure);
  const [kind, scale] = [format.slice(0, 3).toLowerCase(), parseFloat(format.slice(4))];
  const blob = kind === "png" ? await pngOf(sheet, scale, clear) : await drawingOf(figure, sheet, kind, clear);
  if (blob) saveFile(`headlight_${figure.name.replace(/[^\p{L}\p{N}.-]+/gu, "_")}.${kind}`, blob);
  return blob !== null;
};

function paint(pen, { width, height, draw }, clear) {
  pen.fillStyle = "#ffffff";
  if (!clear) pen.fillRect(0, 0, width, height);
  draw(pen);
}

async function pngOf(sheet, asked, clear) {
  for (const scale of [asked, ...SMALLER.filter((less) => less < asked)]) {
    const canvas = document.createElement("canvas");
    Object.assign(canvas, { width: sheet.width * scale, height: sheet.height * scale });
    try {
      const pen = new CanvasPen(canvas);
      pen.context.scale(scale, scale);
      paint(pen, sheet, clear);
      const blob = await new Promise((resolve) => canvas.toBlob(resolve));
      if (blob) return blob;
    } catch {
      continue; // a browser has no room for so many pixels: fewer
    }
  }
  return null;
}

async function drawingOf(figure, sheet, kind, clear) {
  const pen = new Recorder();
  paint(pen, sheet, clear);
  const head = {
    width: sheet.width,
    height: sheet.height,
    title: figure.title,
    about: figure.caption.replaceAll("\u2060", ""),
  };
  if (kind === "pdf") return pdfOf(pen.marks, head);
  return new Blob([svgOf(pen.marks, head)], { type: "image/svg+xml" });
}
