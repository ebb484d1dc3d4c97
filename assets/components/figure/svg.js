// A figure as SVG: what a recorder remembers, text as outlines that say what they spell.

// XML has no word for control characters and halves of characters.
const UNWRITABLE =
  // eslint-disable-next-line no-control-regex
  /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]|[\0-\b\v\f\x0e-\x1f\ufffe\uffff]/g;

/** @param {unknown} raw */
const escaped = (raw) =>
  String(raw)
    .replace(UNWRITABLE, "\ufffd")
    .replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`);

/** @param {number} number */
const short = (number) => String(Math.round(number * 100) / 100);

/** @param {Stroke[]} path */
const shape = (path) => path.map(({ to, at }) => to + at.map(short).join(" ")).join("");

/**
 * @param {string} tag
 * @param {Record<string, unknown>} attributes
 * @param {string} [text]
 */
function node(tag, attributes, text = "") {
  const all = Object.entries(attributes).map(([name, value]) => ` ${name}="${escaped(value)}"`);
  return `<${tag}${all.join("")}>${escaped(text)}</${tag}>`;
}

/** @param {Mark} mark */
function nodeOf({ kind, matrix, alpha, fill, stroke, width, dashes, path, box, crisp, pixels, written }) {
  const moved =
    matrix.join() === "1,0,0,1,0,0" ? {} : { transform: `matrix(${matrix.map((part) => +part.toFixed(5)).join(" ")})` };
  const place = box && { x: short(box.x), y: short(box.y), width: short(box.w), height: short(box.h) };
  const filled = { fill: fill || "none", ...(alpha < 1 && fill ? { "fill-opacity": alpha } : {}) };
  const dashed = dashes?.length ? { "stroke-dasharray": dashes.join(" ") } : {};
  const line = stroke && { stroke, "stroke-width": width, "stroke-opacity": alpha, ...dashed };
  const spelled = written ? { role: "img", "aria-label": written.text } : {};
  if (kind === "rect")
    return node("rect", { ...place, ...filled, ...(crisp ? { "shape-rendering": "crispEdges" } : {}), ...moved });
  if (kind === "picture")
    return node("image", { ...place, preserveAspectRatio: "none", href: addressOf(pixels), ...moved });
  return node("path", { d: shape(path), ...filled, ...line, ...spelled, ...moved });
}

/** @param {ImageData} pixels */
function addressOf(pixels) {
  const part = Object.assign(document.createElement("canvas"), { width: pixels.width, height: pixels.height });
  part.getContext("2d").putImageData(pixels, 0, 0);
  return part.toDataURL();
}

/**
 * @param {Mark[]} marks
 * @param {{ width: number, height: number, title: string, about: string }} sheet
 */
export function svgOf(marks, { width, height, title, about }) {
  const size = `width="${width}" height="${height}" viewBox="0 0 ${width} ${height}"`;
  const head = node("title", {}, title) + node("desc", {}, about);
  return `<svg xmlns="http://www.w3.org/2000/svg" ${size}>${head}${marks.map(nodeOf).join("\n")}</svg>`;
}
