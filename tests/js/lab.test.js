// A laboratory without its page: where its sliders stand, which numbers follow from that, and which pictures.
import assert from "node:assert/strict";
import { test } from "node:test";

import { FrameError } from "../../assets/components/frame.js";
import { Films } from "../../assets/components/lab/films.js";
import { Positions } from "../../assets/components/lab/positions.js";

const slider = (name, count, at = 0) => ({ name, at, readings: Array.from({ length: count }, (_, i) => `${i}`) });
const film = (name, axes, shape, more = {}) => ({ name, array: name, axes, shape, at: {}, codes: 0, ...more });
const SLIDERS = [slider("d", 3), slider("a", 4), slider("rule", 2)];
const counting = (n) => Float32Array.from({ length: n }, (_, i) => i);

function laboratory(films, arrays, computed = []) {
  const positions = new Positions();
  const lab = new Films(positions);
  positions.put(SLIDERS, 1);
  lab.accept({ sliders: SLIDERS, films, computed }, arrays);
  const move = (change) => {
    positions.move(change);
    lab.forget();
  };
  return { lab, positions, move };
}

test("a slider chooses the frame, the last axis runs fastest", () => {
  const { lab, move } = laboratory([film("f", ["d", "a"], [2])], { f: counting(24) });
  assert.deepEqual([...lab.frame("f")], [0, 1]);
  move({ a: 3 });
  assert.deepEqual([...lab.frame("f")], [6, 7]);
  move({ d: 2 });
  assert.deepEqual([...lab.frame("f")], [22, 23]);
});

test("a curve runs along one slider, the others as they stand or are held", () => {
  const { lab, move } = laboratory([film("f", ["d", "a"], [2])], { f: counting(24) });
  move({ d: 1, a: 2 });
  assert.deepEqual([...lab.along("f", "d", { start: 1 })], [5, 13, 21]);
  assert.deepEqual([...lab.along("f", "a", { fixed: { d: 0 } })], [0, 2, 4, 6]);
  assert.deepEqual([...lab.along("f", "rule", {})], [12, 12]);
});

test("a map over two sliders has rows along the second", () => {
  const { lab } = laboratory([film("f", ["d", "a"], [2])], { f: counting(24) });
  assert.deepEqual(
    [...lab.plane({ film: "f", x: "d", y: "a", start: 1 })],
    [1, 9, 17, 3, 11, 19, 5, 13, 21, 7, 15, 23],
  );
});

test("a film that lacks a frame for a stop is refused", () => {
  assert.throws(() => laboratory([film("f", ["d"], [2])], { f: counting(5) }), FrameError);
  assert.throws(() => laboratory([film("f", ["nobody"], [2])], { f: counting(6) }), FrameError);
  assert.throws(() => laboratory([film("f", ["d"], [2])], {}), FrameError);
});

test("softmax, its Jacobian and scaled scores follow the sliders", () => {
  const computed = [
    { name: "scaled", kind: "scaled", scores: "x", factor: "t", shift: null, size: 2 },
    { name: "p", kind: "softmax", scores: "x", factor: "t", cols: 2, size: 2 },
    { name: "j", kind: "jacobian", of: "p", start: 0, n: 2, size: 4 },
  ];
  const films = [film("x", [], [2]), film("t", ["d"], [1])];
  const arrays = { x: Float32Array.of(0, Math.log(3)), t: Float32Array.of(0, 1, 2) };
  const { lab, move } = laboratory(films, arrays, computed);
  assert.deepEqual([...lab.frame("p")], [0.5, 0.5]);
  move({ d: 1 });
  [0.25, 0.75].forEach((share, i) => assert.ok(Math.abs(lab.frame("p")[i] - share) < 1e-7));
  [1, -1, -1, 1].forEach((sign, i) => assert.ok(Math.abs(lab.frame("j")[i] - (sign * 3) / 16) < 1e-7));
  move({ d: 2 });
  assert.ok(Math.abs(lab.frame("scaled")[1] - Math.log(9)) < 1e-6);
});

test("a fork shows the film of the slider that was moved last, and keeps its frame while none is up to date", () => {
  const films = [
    film("along_d", ["d"], [1], { at: { d: 0, a: 0 } }),
    film("along_a", ["a"], [1], { at: { d: 0, a: 0 } }),
  ];
  const arrays = { along_d: Float32Array.of(10, 11, 12), along_a: Float32Array.of(20, 21, 22, 23) };
  const { lab, move } = laboratory(films, arrays, [
    { name: "f", kind: "fork", films: ["along_d", "along_a"], size: 1 },
  ]);
  move({ a: 0 });
  assert.deepEqual([...lab.frame("f")], [20]);
  move({ d: 2 });
  assert.deepEqual([...lab.frame("f")], [12]);
  move({ a: 1 }); // d was let go at 2, and Python has yet to answer
  assert.deepEqual([...lab.frame("f")], [12]);
  assert.ok(!lab.current(lab.sent.along_d) && !lab.current(lab.sent.along_a));
});

test("codes become numbers, and those beyond the largest none", () => {
  const { lab } = laboratory([film("f", [], [3], { codes: 10 })], { f: Uint8Array.of(0, 5, 11) });
  assert.deepEqual([...lab.frame("f")], [0, 0.25, NaN]);
});

test("a picture follows the sliders of its films, those they were made at, and of a fork all", () => {
  const films = [film("x", ["a"], [2], { at: { rule: 0 } }), film("t", ["d"], [1])];
  const computed = [
    { name: "p", kind: "softmax", scores: "x", factor: "t", cols: 2, size: 2 },
    { name: "f", kind: "fork", films: ["t"], size: 1 },
  ];
  const { lab } = laboratory(films, { x: counting(8), t: counting(3) }, computed);
  assert.deepEqual(lab.follows("x").sort(), ["a", "rule"]);
  assert.deepEqual(lab.follows("p").sort(), ["a", "d", "rule"]);
  assert.deepEqual(lab.follows("f").sort(), ["a", "d", "rule"]);
});

test("Python puts the sliders once; what comes again with the same count does not pull them back", () => {
  const positions = new Positions();
  positions.put([slider("d", 9, 4)], 1);
  assert.deepEqual(positions.at, { d: 4 });
  positions.move({ d: 7 });
  positions.put([slider("d", 9, 4)], 1);
  assert.deepEqual(positions.release(), { positions: { d: 7 }, puts: 1 });
  positions.put([slider("d", 9, 2)], 2);
  assert.deepEqual(positions.release(), { positions: { d: 2 }, puts: 2 });
});

test("a slider that is held stays under its finger when Python puts the others", () => {
  const positions = new Positions();
  positions.put(
    [
      { name: "d_k", at: 3 },
      { name: "alpha", at: 5 },
    ],
    1,
  );
  positions.move({ d_k: 4 });
  positions.put(
    [
      { name: "d_k", at: 11 },
      { name: "alpha", at: 7 },
    ],
    2,
  );
  assert.deepEqual(positions.at, { d_k: 4, alpha: 7 });
  assert.deepEqual(positions.release(), { positions: { d_k: 4, alpha: 7 }, puts: 2 });
  positions.put(
    [
      { name: "d_k", at: 11 },
      { name: "alpha", at: 7 },
    ],
    3,
  );
  assert.deepEqual(positions.at, { d_k: 11, alpha: 7 });
});
