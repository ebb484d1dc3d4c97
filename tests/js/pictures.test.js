// Arithmetic of pictures: where cells, thumbnails, numbers and lines of text stand, and which colours numbers have.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

globalThis.PALETTE = JSON.parse(readFileSync(new URL("../../assets/palette.json", import.meta.url), "utf-8"));
globalThis.document = { createElement: () => ({ getContext: () => ({}) }) };

const { coloursOf, tint } = await import("../../assets/components/colour.js");
const { ellipsis, fill, spread, visible, wrapped } = await import("../../assets/components/text.js");
const { cellAt, pan, reveal, stepped, whole, zoom, zoomed } = await import("../../assets/components/heatmap/zoom.js");
const { gridRoom } = await import("../../assets/components/plots/grid.js");
const { numberLine } = await import("../../assets/components/plots/bars.js");
const { sharesOf, sentenceOn } = await import("../../assets/components/plots/cells.js");

const monospaced = () => ({ font: "10px m", measureText: (text) => ({ width: 10 * [...text].length }) });
const panel = (rows, cols) => ({
  shape: [rows, cols],
  view: whole([rows, cols]),
  box: { x: 10, y: 20, w: 10 * cols, h: 10 * rows },
  canvas: { style: {} },
  cursor: null,
});

test("thumbnails are as large as fit, all within the room", () => {
  for (const [count, w, h] of [
    [12, 300, 200],
    [5, 100, 400],
    [72, 900, 500],
    [1, 50, 90],
  ]) {
    const { across, side, bottom } = gridRoom({ count, drop: 0 }, { w, h });
    assert.ok(across * (side + 6) - 6 <= w + 1e-9 && bottom <= h + 1e-9);
    const larger = Array.from({ length: count }, (_, i) => i + 1).some((many) => {
      const down = Math.ceil(count / many);
      return many * (side + 1 + 6) - 6 <= w && 20 + down * (side + 1 + 18) <= h;
    });
    assert.ok(!larger, "a pixel more would fit");
  }
});

test("a number stands past its bar, and past an outline that would strike it through", () => {
  assert.equal(numberLine(100, null, false), 95);
  assert.equal(numberLine(100, 90, false), 85);
  assert.equal(numberLine(100, 50, false), 95);
  assert.equal(numberLine(100, 110, true), 123);
});

test("a zoom keeps the place under the pointer, shows four cells at least, and goes no further than the matrix", () => {
  const matrix = panel(20, 30);
  zoom(matrix, 0.5, { x: 10 + 75, y: 20 + 150 });
  assert.deepEqual(matrix.view, { h: 10, w: 15, c: 3.75, r: 7.5 });
  assert.deepEqual(cellAt(matrix, { x: 85, y: 170 }), { r: 15, c: 7 });
  assert.ok(zoomed(matrix) && matrix.canvas.style.touchAction === "none");
  pan(matrix, 1e6, -1e6);
  assert.deepEqual(matrix.view, { h: 10, w: 15, c: 15, r: 0 });
  zoom(matrix, 0.01, { x: 10, y: 20 });
  assert.deepEqual([matrix.view.h, matrix.view.w], [4, 4]);
  zoom(matrix, 100, { x: 10, y: 20 });
  assert.ok(!zoomed(matrix));
});

test("the cursor walks within the matrix and comes into what is shown", () => {
  assert.deepEqual(stepped([3, 4], { r: 0, c: 3 }, [-1, 1]), { r: 0, c: 3 });
  const matrix = panel(20, 30);
  matrix.view = { r: 5, c: 5, h: 4, w: 4 };
  matrix.cursor = { r: 12, c: 2 };
  reveal(matrix);
  assert.deepEqual([matrix.view.r, matrix.view.c], [9, 2]);
});

test("a place outside is no cell", () => {
  assert.equal(cellAt(panel(2, 2), { x: 9, y: 25 }), null);
  assert.equal(sharesOf({ x: 0, y: 0, w: 10, h: 10 }, { x: 10, y: 5 }), null);
  assert.deepEqual(sharesOf({ x: 0, y: 0, w: 10, h: 20 }, { x: 5, y: 5 }), { fx: 0.5, fy: 0.25 });
});

test("a long name ends in an ellipsis, whole characters only, in a direction of its own", () => {
  assert.equal(ellipsis(monospaced(), "king", 40), "\u2068king\u2069");
  assert.equal(ellipsis(monospaced(), "kingdom", 40), "\u2068kin…\u2069");
  assert.equal(ellipsis(monospaced(), "ab\u{1f468}\u200d\u{1f469}c", 40), "\u2068ab…\u2069");
});

test("subscripts are written smaller and without their sign", () => {
  const pen = monospaced();
  assert.equal(spread(pen, "d_k = 4"), 60);
  assert.equal(pen.font, "10px m");
});

test("lines break between words and after Chinese characters, never before a sign", () => {
  assert.deepEqual(wrapped(monospaced(), "one two three", 80), ["one two", "three"]);
  assert.deepEqual(wrapped(monospaced(), "注意力。矩阵", 40), ["注意力。", "矩阵"]);
  assert.deepEqual(wrapped(monospaced(), "注意力。矩阵", 30), ["注意", "力。矩", "阵"]);
});

test("blanks can be seen, and what has no value leaves no trace", () => {
  assert.equal(visible("a b\n\t"), "a␣b↵⇥");
  assert.equal(visible(""), "␣");
  assert.equal(fill("{a} of {b}", { a: 0 }), "0 of ");
  const says = { says: "{number}{name}/{key_number}{key_name}: {value}", names: ["x", "y"], col_names: null };
  assert.equal(sentenceOn(says, { r: 1, c: 0 }, "0.5"), "2y/1x: 0.5");
});

const channels = (word) => [word & 255, (word >> 8) & 255, (word >> 16) & 255];
const hex = (colour) => [1, 3, 5].map((i) => parseInt(colour.slice(i, i + 2), 16));

test("a ramp begins and ends with the colours of the palette", () => {
  for (const name of Object.keys(globalThis.PALETTE.ramps))
    for (const mode of ["light", "dark"]) {
      const [table, stops] = [coloursOf(name, mode), globalThis.PALETTE.ramps[name][mode]];
      assert.deepEqual([channels(table[0]), channels(table[255])], [hex(stops[0]), hex(stops.at(-1))]);
      assert.ok(table.every((word) => word >>> 24 === 255));
    }
});

test("numbers are coloured by their share, weights by its root, and what is masked not at all", () => {
  const pixels = new Uint32Array(5);
  const table = coloursOf("weights", "light");
  const ramp = { scale: "weights", low: 0, high: 1, root: true };
  assert.ok(tint([0, 0.25, 1, NaN, 7], pixels, ramp, "light"));
  assert.deepEqual([...pixels], [table[0], table[128], table[255], 0, table[255]]);
  const signed = coloursOf("signed", "light");
  assert.ok(!tint([-2, 0.5, 2, -9, 9], pixels, { scale: "signed", low: -2, high: 2, root: true }, "light"));
  assert.deepEqual([...pixels], [signed[0], signed[191], signed[255], signed[0], signed[255]]);
});
