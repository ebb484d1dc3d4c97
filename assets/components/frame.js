// The wire format of ui/components/frame.py: bytes in, {meta, arrays} out; a FrameError where they do not fit.
class FrameError extends Error {}

function decodeFrame(bytes) {
  if (!(bytes instanceof Uint8Array)) throw new FrameError("not bytes");
  const copy = bytes.byteOffset % 4 === 0 ? bytes : bytes.slice(); // typed arrays must start at a multiple of 4
  const view = new DataView(copy.buffer, copy.byteOffset, copy.byteLength);
  if (copy.length < 12 || view.getUint32(0, false) !== 0x48444c54) throw new FrameError("magic");
  if (view.getUint32(4, true) !== 1) throw new FrameError("version");
  const start = 12 + view.getUint32(8, true);
  if (start > copy.length) throw new FrameError("truncated");
  let header;
  try {
    header = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(copy.subarray(12, start)));
  } catch {
    throw new FrameError("header");
  }
  if (!header?.meta || !header.arrays || !(start + header.bytes <= copy.length)) throw new FrameError("truncated");
  const arrays = {};
  for (const [name, { dtype, shape, offset }] of Object.entries(header.arrays)) {
    const Kind = { f4: Float32Array, u1: Uint8Array }[dtype];
    const count = Array.isArray(shape) && shape.every((n) => n >= 0) ? shape.reduce((a, b) => a * b, 1) : NaN;
    if (!Kind || !Number.isInteger(count) || !Number.isInteger(offset) || offset < 0 || offset % 4) throw new FrameError("array");
    if (start + offset + count * Kind.BYTES_PER_ELEMENT > copy.length) throw new FrameError("truncated");
    arrays[name] = new Kind(copy.buffer, copy.byteOffset + start + offset, count);
  }
  return { meta: header.meta, arrays };
}
