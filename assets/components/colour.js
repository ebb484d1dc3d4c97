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
export function rgb(colour) {
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
 * Where a number stands on a ramp, from 0 to 1: the law of its colours.
 * @param {number} v
 * @param {{ low: number, high: number, root: boolean }} ramp `root`: by the square root
 * @param {boolean} signed
 */
export function shareOf(v, { low, high, root }, signed) {
  if (root && signed) return 0.5 + 0.5 * Math.sign(v) * Math.sqrt(Math.min(1, Math.abs(v) / high));
  const share = (v - low) / (high - low || 1);
  const within = share > 0 ? (share < 1 ? share : 1) : 0;
  return root ? Math.sqrt(within) : within;
}

/**
 * Numbers to pixels; NaN stays transparent, so that the hatching behind it shows.
 * @param {Numbers} values
 * @param {Uint32Array} pixels
 * @param {Ramp} ramp
 * @param {Mode} mode
 * @returns {boolean} whether one of them is NaN
 */
export function tint(values, pixels, ramp, mode) {
  const table = coloursOf(ramp.scale, mode);
  const signed = signedRamp(ramp.scale);
  let masked = false;
  for (let i = 0; i < pixels.length; i++) {
    const v = values[i];
    if (v !== v) {
      pixels[i] = 0;
      masked = true;
    } else pixels[i] = table[(shareOf(v, ramp, signed) * 255 + 0.5) | 0];
  }
  return masked;
}
