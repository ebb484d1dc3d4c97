// Figures for a paper: outlines of letters, the bar of colours, what stands in the files, what is left out of them.
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { inflateSync } from "node:zlib";

globalThis.PALETTE = JSON.parse(readFileSync(new URL("../../assets/palette.json", import.meta.url), "utf-8"));
const context = {
  measureText: (text) => ({
    width: 8 * text.length,
    actualBoundingBoxLeft: 0,
    actualBoundingBoxRight: 8 * text.length,
  }),
  fillText() {},
  createImageData: (width, height) => ({ width, height, data: new Uint8ClampedArray(4 * width * height) }),
  putImageData(data) {
    this.kept = data;
  },
  getImageData: (_x, _y, width, height) => ({ width, height, data: new Uint8ClampedArray(4 * width * height) }),
};
globalThis.document = { title: "Page", createElement: () => ({ getContext: () => ({ ...context }) }) };

const { coloursOf, tint } = await import("../../assets/components/colour.js");
const { caption, captionOf } = await import("../../assets/components/figure/caption.js");
const { keysOfPlot, valuesOf } = await import("../../assets/components/figure/laboratory.js");
const { lightColours } = await import("../../assets/components/figure/light.js");
const { contours } = await import("../../assets/components/figure/outlines.js");
const { pdfOf } = await import("../../assets/components/figure/pdf.js");
const { Recorder } = await import("../../assets/components/figure/recorder.js");
const { ticksOn } = await import("../../assets/components/figure/scale.js");
const { sheetOf } = await import("../../assets/components/figure/sheet.js");
const { svgOf } = await import("../../assets/components/figure/svg.js");

const areaOf = (loop) => {
  let area = 0;
  for (let i = 0; i < loop.length; i += 2) {
    const [u, v] = [loop[(i + 2) % loop.length], loop[(i + 3) % loop.length]];
    area += (loop[i] * v - u * loop[i + 1]) / 2;
  }
  return area;
};
// How much of each pixel a ring covers, by a ramp of one pixel at its edges.
const ring = (side, inner, outer) =>
  Uint8Array.from({ length: side * side }, (_, i) => {
    const away = Math.hypot((i % side) + 0.5 - side / 2, Math.floor(i / side) + 0.5 - side / 2);
    const covered = Math.min(1, Math.max(0, outer - away + 0.5)) - Math.min(1, Math.max(0, inner - away + 0.5));
    return Math.round(255 * covered);
  });

test("outlines enclose what is dark: a disc by its area, a hole the other way round, with few corners", () => {
  const [disc] = contours(ring(101, -1, 37), 101, 101);
  assert.ok(Math.abs(Math.abs(areaOf(disc)) / (Math.PI * 37 ** 2) - 1) < 0.005);
  assert.ok(disc.length < 2 * 80);
  for (let i = 0; i < disc.length; i += 2)
    assert.ok(Math.abs(Math.hypot(disc[i] - 50.5, disc[i + 1] - 50.5) - 37) < 0.25);
  const areas = contours(ring(101, 19, 41), 101, 101).map(areaOf);
  assert.equal(areas.length, 2);
  assert.ok(areas[0] * areas[1] < 0);
  assert.ok(Math.abs(Math.abs(areas[0] + areas[1]) / (Math.PI * (41 ** 2 - 19 ** 2)) - 1) < 0.005);
  assert.deepEqual(contours(new Uint8Array(7 * 5), 7, 5), []);
});

test("two pixels that touch at a corner are two closed outlines", () => {
  const alpha = new Uint8Array(36);
  alpha[14] = alpha[21] = 255;
  const loops = contours(alpha, 6, 6);
  assert.ok(loops.length >= 1 && loops.every((loop) => loop.length >= 6));
  assert.ok(Math.abs(loops.map(areaOf).reduce((sum, area) => sum + area, 0)) > 0.5);
});

test("a number on the bar of colours has the colour that its cell has", () => {
  for (const scale of Object.keys(globalThis.PALETTE.ramps))
    for (const root of [true, false]) {
      const signed = !["weights", "positive"].includes(scale);
      const ramp = { scale, low: signed ? -3.7 : 0, high: 3.7, root };
      const table = coloursOf(scale, "light");
      const ticks = ticksOn(ramp);
      const pixels = new Uint32Array(ticks.length);
      tint(
        ticks.map(({ value }) => value),
        pixels,
        ramp,
        "light",
      );
      assert.deepEqual(
        [...pixels],
        ticks.map(({ share }) => table[Math.floor(255 * share + 0.5)]),
      );
      assert.deepEqual([ticks[0].share, ticks.at(-1).share], [0, 1]);
      assert.deepEqual([ticks[0].value, ticks.at(-1).value], [ramp.low, ramp.high]);
    }
  const quarter = ticksOn({ scale: "weights", low: 0, high: 1, root: true }).map(
    ({ value, share }) => share ** 2 - value,
  );
  assert.ok(
    quarter.every((apart) => Math.abs(apart) < 1e-12),
    "by the root of the weight",
  );
});

const written = (text) => {
  const pen = new Recorder();
  Object.assign(pen, { font: "10px m", fillStyle: "#102030", strokeStyle: "#111111" });
  pen.fillText(text, 3, 4);
  return pen;
};
const SHEET = { width: 80, height: 60, title: 'A < B & "C"', about: "d_k = 64 · 山" };

test("an SVG says its texts as they are: markup as text, no control characters, no halves of characters", () => {
  const pen = written('<b> & "x"\u0001\ud800');
  pen.save();
  pen.translate(3, 4);
  pen.rotate(Math.PI / 2);
  pen.dash([5, 4]);
  pen.beginPath();
  pen.lineTo(0, 0);
  pen.lineTo(1, 1);
  pen.stroke();
  pen.restore();
  const source = svgOf(pen.marks, SHEET);
  assert.match(source, /aria-label="&#60;b&#62; &#38; &#34;x&#34;\ufffd\ufffd"/);
  assert.match(source, /<title>A &#60; B &#38; &#34;C&#34;<\/title><desc>d_k = 64 · 山<\/desc>/);
  assert.match(source, /d="M0 0L1 1".*stroke-dasharray="5 4" transform="matrix\(0 1 -1 0 3 4\)"/);
  assert.doesNotMatch(source, /<text/);
});

const inflated = (bytes) => {
  const file = Buffer.from(bytes).toString("latin1");
  const streams = [...file.matchAll(/\/Length (\d+) >>\nstream\n/g)];
  return streams.map(({ index, 0: head, 1: length }) =>
    inflateSync(Buffer.from(bytes).subarray(index + head.length, index + head.length + Number(length))).toString(
      "latin1",
    ),
  );
};
const utf16 = (text) =>
  [...Buffer.from(text, "utf16le").swap16()].map((byte) => byte.toString(16).padStart(2, "0")).join("");

test("a PDF has its objects where its table says, its size in points, its words searchable and as its subject", async () => {
  const blob = await pdfOf(written("山 \ud83d\ude00 (x)").marks, SHEET);
  const bytes = new Uint8Array(await blob.arrayBuffer());
  const file = Buffer.from(bytes).toString("latin1");
  const start = Number(/startxref\n(\d+)\n%%EOF\n$/.exec(file)[1]);
  assert.ok(file.startsWith("%PDF-1.") && file.slice(start).startsWith("xref\n"));
  const places = [...file.slice(start).matchAll(/^(\d{10}) 00000 n $/gm)].map(([, place]) => Number(place));
  places.forEach((place, i) => assert.ok(file.slice(place).startsWith(`${i + 1} 0 obj\n`)));
  assert.match(file, /\/MediaBox \[0 0 60 45\]/);
  assert.ok(file.includes(`/Subject <feff${utf16(SHEET.about)}>`));
  assert.ok(inflated(bytes).some((stream) => stream.includes(`<${utf16("山 \ud83d\ude00 (x)")}> Tj`)));
  assert.match(file, /\/FontFile2/);
});

test("a caption says what the page is of, or a panel of itself; a page that has gone is forgotten", () => {
  const leave = caption({ data: { place: "Layer 1, head 2", study: "model · “text”" } });
  assert.equal(captionOf(["α"]), "α · Layer 1, head 2 · model · “text” · Page");
  assert.equal(captionOf(["all"], { placed: false }), "all · model · “text” · Page");
  assert.equal(captionOf(["D"], { about: "A: this; B: that" }), "D · A: this; B: that · Page");
  leave();
  assert.equal(captionOf(["α"]), "α · Page");
});

const stops = (name, label, readings) => [name, { name, label, readings }];
const lab = {
  films: {
    sliders: new Map([
      stops("d_k", "d_k", ["4", "64"]),
      stops("scale", "scale", ["1", "2"]),
      stops("rule", "Rule", ["a"]),
    ]),
  },
  at: { d_k: 1, scale: 0, rule: 0 },
};

test("a figure gives the values of the sliders it follows, not of those that are its axes or that its lines fix", () => {
  const follows = new Set(["d_k", "scale", "rule"]);
  assert.deepEqual(valuesOf(lab, { follows }), ["d_k = 64", "scale = 1", "Rule = a"]);
  assert.deepEqual(valuesOf(lab, { follows, along: "d_k", lines: [{ fixed: { rule: 0 } }] }), ["scale = 1"]);
  assert.deepEqual(valuesOf(lab, { follows, x: "scale", y: "d_k", lines: [{ fixed: null }] }), ["Rule = a"]);
  assert.deepEqual(valuesOf(lab, { follows: new Set() }), []);
});

test("lines keep their strokes in the legend, else the heading above says what their colours mean", () => {
  const lines = [
    { hue: "q", name: "one", dash: true, pale: false },
    { hue: "k", name: "" },
  ];
  const heading = {
    legend: [
      ["q", "blue"],
      ["v", "green"],
    ],
  };
  assert.deepEqual(keysOfPlot({ kind: "curves", lines }, heading), [
    { hue: "q", name: "one", dash: true, pale: false },
  ]);
  const nameless = lines.map((line) => ({ ...line, name: "" }));
  assert.deepEqual(keysOfPlot({ kind: "curves", lines: nameless }, heading), [{ hue: "q", name: "blue" }]);
  assert.deepEqual(keysOfPlot({ kind: "bars", hue: "v" }, heading), [{ hue: "v", name: "green" }]);
  const bars = { kind: "bars", hue: "k", ghost: "film", ghost_name: "before" };
  assert.deepEqual(keysOfPlot(bars, null), [{ hue: "ink", name: "before", outline: true }]);
});

test("a sheet holds picture, bar, legend and caption one under the other, all within it", () => {
  const painted = { colour: lightColours(), font: () => "m" };
  const ramp = { scale: "weights", low: 0, high: 1, root: true };
  const figure = {
    name: "map",
    title: "Map",
    w: 300,
    h: 200,
    painted,
    paint: (pen) => pen.fillRect(0, 0, 300, 200),
    scale: { x: 40, ramp, text: String, law: "by the root", masked: "masked" },
    keys: Array.from({ length: 9 }, (_, i) => ({ hue: "q", name: `line ${i}` })),
    caption: "a long caption ".repeat(20),
  };
  const { width, height, draw } = sheetOf(figure);
  const pen = new Recorder();
  draw(pen);
  const spots = pen.marks.map(({ matrix: [, , , , e, f], box, written: text }) => ({
    x: e + (box ?? text ?? { x: 0 }).x,
    y: f + (box ?? text ?? { y: 0 }).y,
    right: e + (box ? box.x + box.w : text ? text.x + text.width : 0),
  }));
  assert.ok(spots.every(({ x, y, right }) => x >= 0 && right <= width && y >= 0 && y <= height));
  const texts = pen.marks.flatMap(({ written: text }) => text?.text ?? []);
  assert.ok(["0", "1", "by the root", "masked", "line 8"].every((text) => texts.includes(text)));
});
