// Mathematics of the components, against closed forms, finite differences and the number formats of ICU.
import assert from "node:assert/strict";
import { test } from "node:test";

import {
  decadeName,
  decades,
  decoded,
  jacobianOf,
  nearestStop,
  powerOfTen,
  significant,
  softmaxRows,
  tellingDigits,
  ticksOf,
} from "../../assets/components/maths.js";

const close = (one, other, within = 1e-12) =>
  one.forEach((v, i) =>
    assert.ok(Object.is(v, other[i]) || Math.abs(v - other[i]) <= within, `${one} is not ${other}`),
  );

function softmax(rows, cols, scores, factor = 1, bent = {}) {
  const out = new Float64Array(rows * cols);
  softmaxRows(scores, out, rows, cols, factor, bent);
  return [...out];
}

test("softmax of logarithms gives the shares of their numbers", () => {
  close(softmax(1, 3, [0, Math.log(2), Math.log(3)]), [1 / 6, 2 / 6, 3 / 6]);
  close(softmax(1, 3, [0, Math.log(2), Math.log(3)], 2), [1 / 14, 4 / 14, 9 / 14]);
});

test("softmax takes every row by itself and leaves what is masked out of it", () => {
  close(softmax(2, 3, [0, NaN, 0, NaN, Math.log(3), 0]), [0.5, NaN, 0.5, NaN, 0.75, 0.25]);
});

test("a row in which nothing is allowed stays masked", () => {
  close(softmax(1, 2, [NaN, NaN]), [NaN, NaN]);
});

test("softmax neither overflows nor underflows where the differences are small", () => {
  close(softmax(1, 2, [1e4, 1e4]), [0.5, 0.5]);
  close(softmax(1, 2, [-1e4, -1e4 + Math.log(3)]), [0.25, 0.75], 1e-9);
});

test("a soft cap bends the scores before a bias is added", () => {
  const capped = 2 * Math.tanh(Math.log(3) / 2);
  close(softmax(1, 2, [Math.log(3), 0], 1, { softcap: 2, bias: [-capped, Math.log(4)] }), [0.2, 0.8]);
});

test("softmax in 32 bits is within one unit of 64 bits", () => {
  const scores = Float32Array.from({ length: 7 }, (_, i) => Math.sin(i * 3) * 5);
  const out = new Float32Array(7);
  softmaxRows(scores, out, 1, 7, Math.fround(1 / 3));
  close([...out], softmax(1, 7, scores, Math.fround(1 / 3)), 1e-7);
});

test("the Jacobian is what finite differences of softmax say", () => {
  const scores = [0.3, -1.2, 2.1, 0];
  const shares = (x) => {
    const parts = x.map(Math.exp);
    return parts.map((part) => part / parts.reduce((a, b) => a + b));
  };
  const out = new Float64Array(16);
  jacobianOf(Float64Array.from(shares(scores)), out, 4);
  const step = 1e-5;
  for (let j = 0; j < 4; j++) {
    const [up, down] = [1, -1].map((sign) => shares(scores.map((x, i) => (i === j ? x + sign * step : x))));
    for (let i = 0; i < 4; i++) close([out[i * 4 + j]], [(up[i] - down[i]) / (2 * step)], 1e-9);
  }
});

test("the Jacobian of a saturated row does not round to 0 what is not 0", () => {
  const out = new Float64Array(4);
  jacobianOf(Float64Array.of(1, 1e-30), out, 2);
  close([...out], [1e-30, -1e-30, -1e-30, 1e-30], 1e-45);
});

test("bytes are squares, and codes above the largest are no numbers", () => {
  close([...decoded(Uint8Array.of(0, 127, 254, 255), 254)], [0, 0.25, 1, NaN]);
});

test("numbers between a thousandth and a million are spelled as ICU spells them", () => {
  const format = new Intl.NumberFormat("en", { maximumSignificantDigits: 4, useGrouping: false });
  for (let i = 0; i < 400; i++) {
    const x = Math.sin(i * 12.9898) * 10 ** ((i % 9) - 3);
    if (Math.abs(x) < 1e-3) continue;
    assert.equal(significant(x), format.format(x).replace("-", "−"));
  }
});

for (const [x, spelled, digits] of [
  [0, "0"],
  [-0, "0"],
  [NaN, "–"],
  [Infinity, "∞"],
  [-Infinity, "−∞"],
  [1.2e-7, "1.2·10⁻⁷"],
  [-1.2345678e-7, "−1.235·10⁻⁷"],
  [999999, "1·10⁶"],
  [123456, "123500"],
  [1e6, "1·10⁶"],
  [6.02214e23, "6.022·10²³"],
  [0.99996, "1"],
  [0.0004, "4·10⁻⁴"],
  [2.5, "2.5"],
  [0.04567, "0.046", 2],
])
  test(`${x} in ${digits ?? 4} digits is ${spelled}`, () => assert.equal(significant(x, digits), spelled));

test("powers of ten are spelled far below what a number can hold", () => {
  assert.equal(powerOfTen(-Infinity), "0");
  assert.equal(powerOfTen(2), "100");
  assert.equal(powerOfTen(-60.25), "5.623·10⁻⁶¹");
  assert.equal(powerOfTen(-1234 + Math.log10(2)), "2·10⁻¹²³⁴");
  assert.equal(decadeName(-7), "10⁻⁷");
  assert.equal(decadeName(-300), "10⁻³⁰⁰");
});

test("numbers that differ are written with as many digits as tell them apart", () => {
  assert.equal(tellingDigits([1900, 1919], 2), 3);
  assert.equal(tellingDigits([1, 2], 3), 3);
  assert.equal(tellingDigits([1, 1 + 1e-9, NaN], 2), 2);
});

test("ticks stand at equal steps of 1, 2 or 5 within the axis, at most as many as were asked for and one", () => {
  for (const [low, high, wanted] of [
    [0, 1, 5],
    [-3, 7, 4],
    [0, 0.013, 6],
    [-1e-5, 1e-5, 3],
    [17, 4300, 7],
  ]) {
    const ticks = ticksOf(low, high, wanted);
    const steps = ticks.slice(1).map((v, i) => v - ticks[i]);
    const [lead] = steps[0].toExponential(0);
    assert.ok(["1", "2", "5"].includes(lead), `${steps[0]}`);
    close(
      steps,
      steps.map(() => steps[0]),
      steps[0] * 1e-6,
    );
    assert.ok(ticks[0] >= low - 1e-12 && ticks.at(-1) <= high + 1e-12 && ticks.length <= wanted + 1);
  }
  assert.deepEqual(ticksOf(0, 1, 5), [0, 0.2, 0.4, 0.6000000000000001, 0.8, 1]);
  assert.ok(!Object.is(ticksOf(-1, 1, 4)[2], -0));
});

test("ticks of logarithms are whole powers of ten", () => {
  assert.deepEqual(decades(-12, 0, 4), [-12, -9, -6, -3, 0]);
  assert.deepEqual(
    decades(-2.5, 0.5, 9),
    [-2, -1, 0].map((v) => v + 0),
  );
});

test("the nearest stop stands at equal distances or at its place", () => {
  assert.equal(nearestStop(0.5, 5, null), 2);
  assert.equal(nearestStop(0.5, 4, [0, 1, 4, 10]), 2);
  assert.equal(nearestStop(1, 4, [0, 1, 4, 10]), 3);
});
