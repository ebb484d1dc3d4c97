// What a picture is said to show, in words from its numbers.
import assert from "node:assert/strict";
import { test } from "node:test";

globalThis.document = { createElement: () => ({ getContext: () => ({}) }) };
const { course, extremes, largestCell, largestPlaces, strongestCells } =
  await import("../../assets/components/summaries.js");

const WORDS = {
  strongest: "S {pairs}",
  focus: "F {pairs}",
  pair: "{from}>{to} {value}",
  zeros: "0",
  extremes: "{largest}; {smallest}",
  at: "{value}@{place}",
  cell: "{value}@{row},{column}",
  missing: "{name} -",
  course: "{name} {first}@{from} {last}@{to}",
  flat: "{name} ={value}",
  falls: "falls {place}",
  rises: "rises {place}",
  highest: "high {value}@{place}",
  lowest: "low {value}@{place}",
};
const names = { row: (r) => "abc"[r], col: (c) => "vwxyz"[c] };
const STOPS = ["1", "2", "4", "8", "16"];

test("the largest numbers are found whatever their sign, and what is no number is none of them", () => {
  assert.deepEqual(largestPlaces([0.1, NaN, -3, 2, 0, 2.5], 3), [2, 5, 3]);
  assert.deepEqual(largestPlaces([NaN, 0, 0], 3), []);
});

test("of a matrix the strongest cells are named, before them that of the row in focus", () => {
  const weights = [0.9, 0.02, 0.02, 0.02, 0.04, 0.1, 0.3, 0.2, 0.25, 0.15, NaN, 0.1, 0.7, 0.1, 0.1];
  assert.equal(strongestCells(weights, 5, { ...names, focus: 1 }, WORDS), "S a>v 0.9, c>x 0.7, b>w 0.3");
  weights[5] = 0.35;
  weights[7] = 0.45;
  assert.equal(strongestCells(weights, 5, { ...names, focus: 2 }, WORDS), "S a>v 0.9, c>x 0.7, b>x 0.45");
  weights[12] = 0.2;
  assert.equal(strongestCells(weights, 5, { ...names, focus: 2 }, WORDS), "F c>x 0.2 S a>v 0.9, b>x 0.45, b>v 0.35");
  assert.equal(strongestCells([0, 0, NaN, 0, 0], 5, names, WORDS), "0");
  assert.equal(largestCell(weights, 5, WORDS), "0.9@1,1");
});

test("of bars the largest and the smallest are named", () => {
  assert.equal(
    extremes([0.2, -0.5, NaN, 0.71], (i) => "pqrs"[i], WORDS),
    "0.71@s; −0.5@q",
  );
});

test("a line is told from where to where, and by where it has gone half of the way", () => {
  assert.equal(course("g", [0, -1, -2, -5, -6], STOPS, WORDS, true), "g 1@1 10⁻⁶@16 falls 8".replace("10⁻⁶", "1·10⁻⁶"));
  assert.equal(course("g", [0, 1, 8, 9, 10], STOPS, WORDS), "g 0@1 10@16 rises 4");
  assert.equal(course("g", [3, 3, 3, 3, 3], STOPS, WORDS), "g =3");
  assert.equal(course("g", [NaN, NaN], STOPS, WORDS), "g -");
});

test("where a line turns, its highest and its lowest place are told instead", () => {
  assert.equal(course("g", [1, 5, 2, 0, 1], STOPS, WORDS), "g 1@1 1@16 high 5@2 low 0@8");
  assert.equal(course("g", [0, NaN, 9, 1, 10], STOPS, WORDS), "g 0@1 10@16 rises 4");
});
