// Mathematics and the spelling of numbers: nothing here needs a browser.
/** @type {Record<string, string>} */
const SUPERSCRIPTS = { "-": "⁻", 0: "⁰", 1: "¹", 2: "²", 3: "³", 4: "⁴", 5: "⁵", 6: "⁶", 7: "⁷", 8: "⁸", 9: "⁹" };

/**
 * softmax(scores · factor) of every row. A product, not a quotient: torch multiplies the scores by one factor, and each
 * rounds once. A model may then bend the scores (soft-cap) and add a bias of its own (ALiBi, T5), in this order.
 * @param {Numbers} scores
 * @param {Float32Array | Float64Array} out
 * @param {number} rows
 * @param {number} cols
 * @param {number} factor
 * @param {{ softcap?: number | null, bias?: Numbers | null }} [bent]
 */
export function softmaxRows(scores, out, rows, cols, factor, { softcap = null, bias = null } = {}) {
  for (let r = 0, start = 0; r < rows; r++, start += cols) {
    let most = -Infinity;
    for (let i = start; i < start + cols; i++) {
      out[i] = scores[i] * factor;
      if (softcap) out[i] = softcap * Math.tanh(out[i] / softcap);
      if (bias) out[i] += bias[i];
      if (out[i] > most) most = out[i];
    }
    let sum = 0;
    for (let i = start; i < start + cols; i++) {
      if (out[i] === out[i] && most > -Infinity) {
        out[i] = Math.exp(out[i] - most);
        sum += out[i];
      }
    }
    if (sum > 0) for (let i = start; i < start + cols; i++) out[i] /= sum;
  }
}

/**
 * ∂p_i/∂x_j = p_i (δ_ij − p_j) of n probabilities.
 * @param {Numbers} p
 * @param {Float32Array | Float64Array} out n × n numbers
 * @param {number} n
 */
export function jacobianOf(p, out, n) {
  for (let i = 0; i < n; i++) {
    let others = 0; // 1 − p_i, which the subtraction would round to 0
    for (let j = 0; j < n; j++) {
      if (i !== j) others += p[j];
      out[i * n + j] = -p[i] * p[j];
    }
    out[i * n + i] = p[i] * others;
  }
}

/** @type {Record<number, Float32Array>} */
const SQUARES = {};

/**
 * Bytes c for the numbers (c/m)² from 0 to 1; what is larger than m is no number.
 * @param {Numbers} bytes
 * @param {number} most m
 */
export function decoded(bytes, most) {
  const table = (SQUARES[most] ??= Float32Array.from({ length: 256 }, (_, code) =>
    code > most ? NaN : (code / most) ** 2,
  ));
  const numbers = new Float32Array(bytes.length);
  for (let i = 0; i < bytes.length; i++) numbers[i] = table[bytes[i]];
  return numbers;
}

/**
 * 4 significant digits, a true minus, powers of ten in superscript; the same spelling as ui/numbers.py.
 * @param {number} x
 */
export function significant(x, digits = 4) {
  if (Number.isNaN(x)) return "–";
  if (!Number.isFinite(x)) return x > 0 ? "∞" : "−∞";
  if (x === 0) return "0";
  const [mantissa, power] = Math.abs(x)
    .toExponential(digits - 1)
    .split("e");
  const sign = x < 0 ? "−" : "";
  if (+power < -3 || +power >= 6) return `${sign}${trimmed(mantissa)}·10${superscript(+power)}`;
  return sign + trimmed(Number(`${mantissa}e${power}`).toFixed(Math.max(digits - 1 - +power, 0)));
}

/** @param {string} text */
const trimmed = (text) => (text.includes(".") ? text.replace(/\.?0+$/, "") : text);

/** @param {number} whole */
const superscript = (whole) => [...String(whole)].map((digit) => SUPERSCRIPTS[digit]).join("");

/**
 * 10^log as people write it, also far below what a 64-bit float holds.
 * @param {number} log
 */
export function powerOfTen(log, digits = 4) {
  if (log === -Infinity) return "0";
  if (log > -290) return significant(10 ** log, digits);
  const whole = Math.floor(log);
  return `${significant(10 ** (log - whole), digits)}·10${superscript(whole)}`;
}

/**
 * A power of ten as an axis names it: without a factor of 1.
 * @param {number} tick
 */
export const decadeName = (tick) => powerOfTen(tick, 2).replace("1·", "");

/**
 * As many significant digits as tell numbers apart that differ: 1900 and 1919 are not the same.
 * @param {Numbers} values
 * @param {number} least
 */
export function tellingDigits(values, least) {
  const numbers = Array.from(values).filter((v) => v === v);
  const kinds = (/** @type {number} */ digits) => new Set(numbers.map((v) => significant(v, digits))).size;
  const all = kinds(6);
  for (let digits = least; digits < 6; digits++) if (kinds(digits) === all) return digits;
  return 6;
}

/**
 * About so many ticks at steps of 1, 2 or 5 times a power of ten.
 * @param {number} low
 * @param {number} high
 * @param {number} wanted
 */
export function ticksOf(low, high, wanted) {
  const raw = (high - low) / wanted || 1;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = ([1, 2, 5].find((factor) => factor * power >= raw) ?? 10) * power;
  const ticks = [];
  for (let v = Math.ceil(low / step - 1e-9) * step; v <= high + step * 1e-9; v += step)
    ticks.push(Math.abs(v) < step * 1e-9 ? 0 : v);
  return ticks;
}

/**
 * About so many ticks on an axis of logarithms: whole powers of ten.
 * @param {number} low
 * @param {number} high
 * @param {number} wanted
 */
export function decades(low, high, wanted) {
  const step = [1, 2, 3, 5, 10, 15, 20, 30, 100].find((wide) => wide * wanted >= high - low) ?? 200;
  const ticks = [];
  for (let v = Math.ceil(low / step) * step; v <= high; v += step) ticks.push(v);
  return ticks;
}

/**
 * The stop at this share of an axis: `count` of them, at their places or at equal distances.
 * @param {number} share
 * @param {number} count
 * @param {ArrayLike<number> | null} [places]
 */
export function nearestStop(share, count, places) {
  if (!places) return Math.round(share * (count - 1));
  const wanted = places[0] + share * (places[places.length - 1] - places[0]);
  return nearestTo(wanted, places);
}

/**
 * The place in a list of the number nearest to another; the first of equally near ones.
 * @param {number} wanted
 * @param {ArrayLike<number>} numbers
 */
export function nearestTo(wanted, numbers) {
  let best = 0;
  for (let i = 1; i < numbers.length; i++)
    if (Math.abs(numbers[i] - wanted) < Math.abs(numbers[best] - wanted)) best = i;
  return best;
}

/** @type {(low: number, value: number, high: number) => number} */
export const clamp = (low, value, high) => Math.max(low, Math.min(high, value));

/** @type {(a: Numbers) => number} */
export const product = (a) => Array.from(a).reduce((all, one) => all * one, 1);
