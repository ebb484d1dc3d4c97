// Colours, numbers and words: what every picture shares.
const LUTS = new Map();

function themeOf(host) {
  const paper = getComputedStyle(host).getPropertyValue("--st-background-color").trim() || "#ffffff";
  const [r, g, b] = rgb(paper);
  return 0.299 * r + 0.587 * g + 0.114 * b < 128 ? "dark" : "light";
}

function rgb(colour) {
  const hex = /^#([0-9a-f]{6})$/i.exec(colour);
  if (hex) return [0, 2, 4].map((i) => parseInt(hex[1].slice(i, i + 2), 16));
  return (colour.match(/[\d.]+/g) ?? [255, 255, 255]).slice(0, 3).map(Number);
}

// 256 colours of a ramp, as RGBA in one 32-bit number each (little-endian, as ImageData wants them).
function lut(name, mode) {
  const key = name + mode;
  if (!LUTS.has(key)) {
    const stops = PALETTE.ramps[name][mode].map(rgb);
    const table = new Uint32Array(256);
    for (let i = 0; i < 256; i++) {
      const place = (i / 255) * (stops.length - 1);
      const left = Math.min(Math.floor(place), stops.length - 2);
      const [r, g, b] = stops[left].map((c, j) => Math.round(c + (stops[left + 1][j] - c) * (place - left)));
      table[i] = (255 << 24) | (b << 16) | (g << 8) | r;
    }
    LUTS.set(key, table);
  }
  return LUTS.get(key);
}

const signedRamp = (scale) => scale !== "weights" && scale !== "positive";

// 4 significant digits, a true minus, powers of ten in superscript; the same spelling as ui/numbers.py.
function significant(x, digits = 4) {
  if (Number.isNaN(x)) return "–";
  if (!Number.isFinite(x)) return x > 0 ? "∞" : "−∞";
  if (x === 0) return "0";
  const [mantissa, power] = Math.abs(x).toExponential(digits - 1).split("e");
  const sign = x < 0 ? "−" : "";
  const trim = (text) => (text.includes(".") ? text.replace(/\.?0+$/, "") : text);
  if (+power >= -3 && +power < 6) return sign + trim(Number(`${mantissa}e${power}`).toFixed(Math.max(digits - 1 - power, 0)));
  return `${sign}${trim(mantissa)}·10${[...String(+power)].map((c) => "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"["-0123456789".indexOf(c)]).join("")}`;
}

// A token as a person can see it: blanks and breaks get a sign of their own.
const visible = (token) => token.replace(/ /g, "␣").replace(/[\n\r]/g, "↵").replace(/\t/g, "⇥") || "␣";

const GRAPHEMES = new Intl.Segmenter();
const WIDTHS = new Map();

function widthOf(context, text) {
  const key = context.font + text;
  if (WIDTHS.size > 5000) WIDTHS.clear();
  if (!WIDTHS.has(key)) WIDTHS.set(key, context.measureText(text).width);
  return WIDTHS.get(key);
}

// Isolated (U+2068 … U+2069): the direction of a token is its own, so that Arabic keeps its full stop on the left.
function ellipsis(context, text, room) {
  if (widthOf(context, text) <= room) return `\u2068${text}\u2069`;
  const letters = [...GRAPHEMES.segment(text)].map((s) => s.segment);
  while (letters.length > 1 && widthOf(context, letters.join("") + "…") > room) letters.pop();
  return `\u2068${letters.join("")}…\u2069`;
}

// "W_Q", "d_model": a letter and what stands below it, as papers write it. For our own words, never for a reader's.
const subscripts = (text) => text.split(/_([A-Za-z]+)/).map((part, i) => ({ part, below: i % 2 === 1 }));
const written = (text) => subscripts(text).map(({ part, below }) => (below ? element("sub", { text: part }) : part));
const lowered = (font) => font.replace(/([\d.]+)px/, (_, size) => `${size * 0.74}px`);

function spread(context, text) {
  const { font } = context;
  const width = subscripts(text).reduce((sum, { part, below }) => {
    context.font = below ? lowered(font) : font;
    return sum + widthOf(context, part);
  }, 0);
  context.font = font;
  return width;
}

// Writes text with subscripts; returns how wide it is.
function inscribe(context, text, x, y, align = "left") {
  const width = spread(context, text);
  const { font } = context;
  let left = x - { left: 0, center: width / 2, right: width }[align];
  context.textAlign = "left";
  for (const { part, below } of subscripts(text)) {
    context.font = below ? lowered(font) : font;
    context.fillText(part, left, y + (below ? 3 : 0));
    left += widthOf(context, part);
  }
  context.font = font;
  return width;
}

function element(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "text") node.textContent = value;
    else if (name.startsWith("on")) node[name] = value;
    else node.setAttribute(name, value);
  }
  node.append(...children);
  return node;
}

const fill = (template, values) => template.replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");

function save(name, blob) {
  const address = URL.createObjectURL(blob);
  element("a", { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 1000);
}

// A canvas of this many CSS pixels, crisp on any screen.
function size(canvas, width, height) {
  const ratio = window.devicePixelRatio || 1;
  const [w, h] = [Math.round(width * ratio), Math.round(height * ratio)];
  if (canvas.width !== w || canvas.height !== h) Object.assign(canvas, { width: w, height: h });
  canvas.style.width = `${width}px`;
  canvas.style.height = `${height}px`;
}
