// The bar of colours beside a figure: which numbers stand on it, and where.
import { shareOf, signedRamp } from "../colour.js";
import { frameOf, hatch, label } from "../marks.js";
import { Bitmap } from "../pen.js";
import { widthOf } from "../text.js";
import { MODE } from "./light.js";

const LEAST_LEFT = 14; // pixels, for half of the first number
const SHADES = 128;
const BAR = { w: 220, h: 10 };
const LINE = 17; // pixels from the numbers to what is said below them
const LEAST = { root: [0, 0.05, 0.2, 0.5, 1], plain: [0, 0.25, 0.5, 0.75, 1] }; // parts of the highest number

/**
 * Numbers along a ramp: those by their root further apart where they are small.
 * @param {Ramp} ramp
 * @returns {{ value: number, share: number }[]}
 */
export function ticksOn(ramp) {
  const { scale, low, high, root } = ramp;
  const signed = signedRamp(scale);
  const outwards = [-1, root ? -0.2 : -0.5, 0, root ? 0.2 : 0.5, 1].map((part) => part * high);
  const upwards = LEAST[root ? "root" : "plain"].map((part) => low + part * (high - low));
  const values = signed && low === -high ? outwards : upwards;
  return values.map((value) => ({ value, share: shareOf(value, ramp, signed) }));
}

/**
 * @param {Scale} scale
 * @returns {Block}
 */
export const scaleBlock = (scale) => ({
  h: BAR.h + 20 + (scale.law || scale.masked ? LINE : 0),
  draw(pen, painted, margin, y) {
    const x = margin + Math.max(scale.x, LEAST_LEFT);
    drawBar(pen, painted, scale, { x, y, ...BAR });
    label(pen, painted, scale.law, x, y + BAR.h + 13 + LINE, { quiet: true });
    if (!scale.masked) return;
    const after = x + (scale.law ? widthOf(pen, scale.law) + 18 : 0);
    const swatch = { x: after, y: y + BAR.h + 4 + LINE, w: 18, h: BAR.h };
    hatch(pen, swatch, painted.colour);
    frameOf(pen, swatch, painted.colour.line, 1);
    label(pen, painted, scale.masked, after + 24, y + BAR.h + 13 + LINE, { quiet: true });
  },
});

function drawBar(pen, painted, { ramp, text }, box) {
  const bitmap = new Bitmap(SHADES, 1);
  const shades = Float32Array.from({ length: SHADES }, (_, i) => (i + 0.5) / SHADES);
  bitmap.tint(shades, { scale: ramp.scale, low: 0, high: 1, root: false }, MODE);
  bitmap.show();
  pen.cells(bitmap, box);
  frameOf(pen, box, painted.colour.line, 1);
  for (const { value, share } of ticksOn(ramp))
    label(pen, painted, text(value), box.x + share * box.w, box.y + box.h + 13, { align: "center", quiet: true });
}
