// The wire format: bytes written here by hand, as ARCHITECTURE.md says, and every way in which they may be damaged.
import assert from "node:assert/strict";
import { test } from "node:test";

import { FrameError, decodeFrame, sameBytes } from "../../assets/components/frame.js";

const PANEL = { dtype: "f4", shape: [2, 3], offset: 0 };
const HEADER = {
  meta: { word: "山 \ud83d" },
  arrays: { a: PANEL, b: { dtype: "u1", shape: [3], offset: 24 } },
  bytes: 28,
};

// Magic, version, length of the header, the header in ASCII, then the arrays.
function framed({ magic = "HDLT", version = 1, header = HEADER, payload = numbers() } = {}) {
  const text = JSON.stringify(header).replace(
    /[\u0080-\uffff]/g,
    (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
  const padded = text + " ".repeat((4 - (text.length % 4)) % 4);
  const prefix = Buffer.alloc(12);
  prefix.write(magic);
  prefix.writeUInt32LE(version, 4);
  prefix.writeUInt32LE(padded.length, 8);
  return Uint8Array.from(Buffer.concat([prefix, Buffer.from(padded), payload]));
}

function numbers() {
  const payload = Buffer.alloc(28);
  [0.5, -1, NaN, Infinity, 3, 1e-45].forEach((v, i) => payload.writeFloatLE(v, 4 * i));
  payload.set([1, 2, 255], 24);
  return payload;
}

const changed = (array) => ({ header: { ...HEADER, arrays: { a: { ...PANEL, ...array } } } });

test("words and numbers arrive bit for bit", () => {
  const { meta, arrays } = decodeFrame(framed());
  assert.equal(meta.word, HEADER.meta.word);
  assert.deepEqual([...arrays.a], [0.5, -1, NaN, Infinity, 3, 1.401298464324817e-45]);
  assert.deepEqual([...arrays.b], [1, 2, 255]);
});

test("bytes that begin anywhere in memory arrive, too", () => {
  const frame = framed();
  for (const shift of [1, 2, 3]) {
    const moved = new Uint8Array(frame.length + shift);
    moved.set(frame, shift);
    assert.deepEqual([...decodeFrame(moved.subarray(shift)).arrays.a], [...decodeFrame(frame).arrays.a]);
  }
});

for (const [what, bytes] of Object.entries({
  "no bytes": null,
  "a text": "HDLT",
  "other magic": framed({ magic: "HDLX" }),
  "another version": framed({ version: 2 }),
  "bytes that end in the prefix": framed().slice(0, 9),
  "bytes that end in the header": framed().slice(0, 60),
  "bytes that end in the arrays": framed().slice(0, -4),
  "a header that is no JSON": framed().map((byte, i) => (i === 12 ? 0x7d : byte)),
  "a header that is no UTF-8": framed().map((byte, i) => (i === 14 ? 0xff : byte)),
  "a header without words": framed({ header: { ...HEADER, meta: undefined } }),
  "a header without arrays": framed({ header: { ...HEADER, arrays: undefined } }),
  "a header without a length": framed({ header: { ...HEADER, bytes: undefined } }),
  "more bytes than came": framed({ header: { ...HEADER, bytes: 32 } }),
  "another dtype": framed(changed({ dtype: "f8" })),
  "a place between numbers": framed(changed({ offset: 2 })),
  "a place before the arrays": framed(changed({ offset: -4 })),
  "a place too far on": framed(changed({ offset: 8 })),
  "too many numbers": framed(changed({ shape: [2, 9] })),
  "fewer than no numbers": framed(changed({ shape: [-2, 3] })),
  "a shape that is none": framed(changed({ shape: 6 })),
}))
  test(`${what}: refused`, () => assert.throws(() => decodeFrame(bytes), FrameError));

test("the same bytes are known again, and others are not", () => {
  const [one, other] = [framed(), framed()];
  assert.ok(sameBytes(one, one) && sameBytes(one, other));
  other[other.length - 1] ^= 1;
  assert.ok(!sameBytes(one, other) && !sameBytes(one, one.slice(1)));
});
