// The wire format of ui/components/frame.py: bytes in, {meta, arrays} out; a FrameError where they do not fit.
import { product } from "./maths.js";

export class FrameError extends Error {}

/** @type {Record<string, any>} constructors */
const KINDS = { f4: Float32Array, u1: Uint8Array };
const MAGIC = 0x48444c54; // HDLT
const VERSION = 1;

/**
 * @param {unknown} bytes
 * @returns {Frame}
 */
export function decodeFrame(bytes) {
  if (!(bytes instanceof Uint8Array)) throw new FrameError("not bytes");
  const copy = bytes.byteOffset % 4 === 0 ? bytes : bytes.slice(); // typed arrays must start at a multiple of 4
  const view = new DataView(copy.buffer, copy.byteOffset, copy.byteLength);
  if (copy.length < 12 || view.getUint32(0, false) !== MAGIC) throw new FrameError("magic");
  if (view.getUint32(4, true) !== VERSION) throw new FrameError("version");
  const start = 12 + view.getUint32(8, true);
  if (start > copy.length) throw new FrameError("truncated");
  const header = headerOf(copy.subarray(12, start));
  if (!header?.meta || !header.arrays || !(start + header.bytes <= copy.length)) throw new FrameError("truncated");
  /** @type {Record<string, Float32Array | Uint8Array>} */
  const arrays = {};
  for (const [name, { dtype, shape, offset }] of Object.entries(header.arrays)) {
    const Kind = KINDS[dtype];
    const count = Array.isArray(shape) && shape.every((n) => n >= 0) ? product(shape) : NaN;
    if (!Kind || !Number.isInteger(count) || !Number.isInteger(offset) || offset < 0 || offset % 4)
      throw new FrameError("array");
    if (start + offset + count * Kind.BYTES_PER_ELEMENT > copy.length) throw new FrameError("truncated");
    arrays[name] = new Kind(copy.buffer, copy.byteOffset + start + offset, count);
  }
  return { meta: header.meta, arrays };
}

/** @param {Uint8Array} bytes */
function headerOf(bytes) {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    throw new FrameError("header");
  }
}

/**
 * Streamlit may hand over what it has handed over before, as another object.
 * @param {Uint8Array} one
 * @param {Uint8Array} other
 */
export function sameBytes(one, other) {
  if (one === other) return true;
  if (one.length !== other.length) return false;
  for (let i = 0; i < one.length; i++) if (one[i] !== other[i]) return false;
  return true;
}
