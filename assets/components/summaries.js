// What a picture shows, in a sentence from its numbers: for who hears it.
import { powerOfTen, significant } from "./maths.js";
import { fill } from "./text.js";

const DIGITS = 2; // of a number in a sentence
const PAIRS = 3; // of a matrix that are named
const NOTABLE = 0.1; // of the range: so far a line goes beyond both of its ends before its turn is named

const brief = (/** @type {number} */ value) => significant(value, DIGITS);

/**
 * The places of the largest numbers, the largest first; what is no number has none.
 * @param {Numbers} values
 * @param {number} count
 */
export function largestPlaces(values, count, start = 0, end = values.length) {
  /** @type {number[]} */
  const places = [];
  for (let i = start; i < end; i++) {
    const size = Math.abs(values[i]);
    if (!(size > 0) || (places.length === count && size <= Math.abs(values[places[count - 1]]))) continue;
    const after = places.findIndex((place) => Math.abs(values[place]) < size);
    places.splice(after < 0 ? places.length : after, 0, i);
    places.length = Math.min(places.length, count);
  }
  return places;
}

/**
 * The strongest cells of a matrix; before them that of the row in focus, where there is one.
 * @param {Numbers} values
 * @param {number} cols
 * @param {{ row: (r: number) => string, col: (c: number) => string, focus?: number }} names
 * @param {Record<string, string>} words
 */
export function strongestCells(values, cols, { row, col, focus = -1 }, words) {
  const told = (/** @type {number[]} */ places) =>
    places
      .map((i) => fill(words.pair, { from: row(Math.floor(i / cols)), to: col(i % cols), value: brief(values[i]) }))
      .join(", ");
  const [all, own] = [
    largestPlaces(values, PAIRS),
    focus < 0 ? [] : largestPlaces(values, 1, focus * cols, (focus + 1) * cols),
  ];
  if (!all.length) return words.zeros;
  const sentences = [fill(words.strongest, { pairs: told(all) })];
  if (own.length && !all.includes(own[0])) sentences.unshift(fill(words.focus, { pairs: told(own) }));
  return sentences.join(" ");
}

/**
 * The largest number of a matrix, and where it stands.
 * @param {Numbers} values
 * @param {number} cols
 * @param {Record<string, string>} words
 */
export function largestCell(values, cols, words) {
  const [most] = largestPlaces(values, 1);
  if (most === undefined) return words.zeros;
  const [row, column] = [Math.floor(most / cols) + 1, (most % cols) + 1];
  return fill(words.cell, { value: brief(values[most]), row, column });
}

/**
 * The largest and the smallest of numbers that have names.
 * @param {Numbers} values
 * @param {(i: number) => string} name
 * @param {Record<string, string>} words
 * @param {(v: number) => string} [spelled]
 */
export function extremes(values, name, words, spelled = brief) {
  const places = [...values.keys()].filter((i) => values[i] === values[i]);
  if (!places.length) return words.zeros;
  const by = (/** @type {(one: number, other: number) => boolean} */ better) =>
    places.reduce((best, i) => (better(values[i], values[best]) ? i : best));
  const told = (/** @type {number} */ i) => fill(words.at, { value: spelled(values[i]), place: name(i) });
  const [most, least] = [by((one, other) => one > other), by((one, other) => one < other)];
  return fill(words.extremes, { largest: told(most), smallest: told(least) });
}

/**
 * How a line runs: from where to where, by where it has gone half of the way, and where it turns.
 * @param {string} name
 * @param {Numbers} values
 * @param {string[]} readings of the stops they stand over
 * @param {Record<string, string>} words
 * @param {boolean} [logs] whether the numbers are logarithms to base ten
 */
export function course(name, values, readings, words, logs = false) {
  const spelled = logs ? (/** @type {number} */ v) => powerOfTen(v, DIGITS) : brief;
  const places = [...values.keys()].filter((i) => values[i] === values[i]);
  if (!places.length) return fill(words.missing, { name });
  const [from, to] = [places[0], places[places.length - 1]];
  const [first, last] = [spelled(values[from]), spelled(values[to])];
  const parts = [fill(words.course, { name, first, from: readings[from], last, to: readings[to] })];
  const turns = turnsOf(values, places);
  for (const [word, i] of turns) parts.push(fill(words[word], { value: spelled(values[i]), place: readings[i] }));
  if (first === last && !turns.length) return fill(words.flat, { name, value: first });
  const half = turns.length ? null : halfway(values, places);
  if (half !== null) parts.push(fill(words[values[to] < values[from] ? "falls" : "rises"], { place: readings[half] }));
  return parts.join(" ");
}

/**
 * Where a line goes beyond both of its ends by a notable part of its range.
 * @param {Numbers} values
 * @param {number[]} places
 * @returns {[string, number][]}
 */
function turnsOf(values, places) {
  const finite = places.filter((i) => Number.isFinite(values[i]));
  if (finite.length < 3) return [];
  const by = (/** @type {(one: number, other: number) => boolean} */ better) =>
    finite.reduce((best, i) => (better(values[i], values[best]) ? i : best));
  const [high, low] = [by((one, other) => one > other), by((one, other) => one < other)];
  const ends = [values[finite[0]], values[finite[finite.length - 1]]];
  const least = NOTABLE * (values[high] - values[low]);
  /** @type {[string, number][]} */
  const turns = [];
  if (values[high] - Math.max(...ends) > least) turns.push(["highest", high]);
  if (Math.min(...ends) - values[low] > least) turns.push(["lowest", low]);
  return turns;
}

/**
 * @param {Numbers} values
 * @param {number[]} places
 */
function halfway(values, places) {
  const finite = places.filter((i) => Number.isFinite(values[i]));
  if (finite.length < 3) return null;
  const [first, last] = [values[finite[0]], values[finite[finite.length - 1]]];
  const middle = (first + last) / 2;
  return finite.find((i) => (last < first ? values[i] <= middle : values[i] >= middle)) ?? null;
}
