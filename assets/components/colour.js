// Colours: the theme of the page, and the ramps of the palette.
/** @type {Map<string, Uint32Array>} */
const TABLES = new Map();

/**
 * @param {Element} host
 * @returns {Mode}
 */
export function themeOf(host) {
  const paper = getComputedStyle(host).getPropertyValue("--st-background-color").trim() || "#ffffff";
  const [r, g, b] = rgb(paper);
  return 0.299 * r + 0.587 * g + 0.114 * b < 128 ? "dark" : "light";
}

/** @param {string} colour */
function rgb(colour) {
  const hex = /^#([0-9a-f]{6})$/i.exec(colour);
  if (hex) return [0, 2, 4].map((i) => parseInt(hex[1].slice(i, i + 2), 16));
  return (colour.match(/[\d.]+/g) ?? ["255", "255", "255"]).slice(0, 3).map(Number);
}

/**
 * 256 colours of a ramp, as RGBA in one 32-bit number each (little-endian, as ImageData wants them).
 * @param {string} name
 * @param {Mode} mode
 */
export function coloursOf(name, mode) {
  const key = name + mode;
  if (!TABLES.has(key)) {
    const stops = PALETTE.ramps[name][mode].map(rgb);
    const table = new Uint32Array(256);
    for (let i = 0; i < 256; i++) {
      const place = (i / 255) * (stops.length - 1);
      const left = Math.min(Math.floor(place), stops.length - 2);
      const [r, g, b] = stops[left].map((c, j) => Math.round(c + (stops[left + 1][j] - c) * (place - left)));
      table[i] = (255 << 24) | (b << 16) | (g << 8) | r;
    }
    TABLES.set(key, table);
  }
  return TABLES.get(key);
}

/** @param {string} scale */
export const signedRamp = (scale) => scale !== "weights" && scale !== "positive";

/**
 * Numbers from `low` to `high` to pixels; NaN stays transparent, so that the hatching behind it shows.
 * @param {Numbers} values
 * @param {Uint32Array} pixels
 * @param {{ scale: string, low: number, high: number, root: boolean }} ramp `root`: by the square root
 * @param {Mode} mode
 * @returns {boolean} whether one of them is NaN
 */
export function tint(values, pixels, { scale, low, high, root }, mode) {
  const table = coloursOf(scale, mode);
  const signed = signedRamp(scale);
  const factor = 1 / (high - low || 1);
  let masked = false;
  for (let i = 0; i < pixels.length; i++) {
    const v = values[i];
    if (v !== v) {
      pixels[i] = 0;
      masked = true;
      continue;
    }
    let share = (v - low) * factor;
    if (root && signed) share = 0.5 + 0.5 * Math.sign(v) * Math.sqrt(Math.min(1, Math.abs(v) / high));
    else {
      share = share > 0 ? (share < 1 ? share : 1) : 0;
      if (root) share = Math.sqrt(share);
    }
    pixels[i] = table[(share * 255 + 0.5) | 0];
  }
  return masked;
}
