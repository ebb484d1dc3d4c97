// A figure as PDF, one page of its size: what a recorder remembers, text as outlines. Over them stands the same text, unseen,
// in a font of no shapes that is part of the file: so it can be searched and copied in any script.
import { rgb } from "../colour.js";

const POINT = 0.75; // of a CSS pixel
// A TrueType font of one glyph, half an em wide and a thousandth high: readers of PDF pass over what has no size at all.
const SHAPELESS =
  "AAEAAAAHAEAAAgAwY21hcAAMAEYAAAD8AAAALGdseWYiGDUgAAABLAAAABZoZWFkYQpA4QAAAHwAAAA2aGhlYQXdAfYAAAC0AAAAJGhtdHgB9AAA" +
  "AAAA+AAAAARsb2NhAAAACwAAASgAAAAEbWF4cAADAAYAAADYAAAAIAABAAAAAQAAvbvFtl8PPPUAAwPoAAAAAAAAAAAAAAAAAAAAAAAAAAAB9AAB" +
  "AAAAAwACAAAAAAAAAAEAAAPoAAAAAAH0AAAAAAH0AAEAAAAAAAAAAAAAAAAAAAABAAEAAAABAAQAAQAAAAAAAgAAAAAAAAAAAAAAAAAAAAAB9AAA" +
  "AAAAAgAAAAMAAAAUAAMAAQAAABQABAAYAAAAAgACAAAAAP//AAD//wABAAAAAAALAAEAAAAAAfQAAQADAAAxNSEVAfQBAQAA";
const SPELLING =
  "/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapName /Unicode def /CMapType 2 def " +
  "1 begincodespacerange <0000> <FFFF> endcodespacerange 1 beginbfrange <0000> <FFFF> <0000> endbfrange " +
  "endcmap CMapName currentdict /CMap defineresource pop end end";

const ASCII = new TextEncoder();
/** @param {number} number */
const short = (number) => String(Math.round(number * 1000) / 1000);
/** @param {number[]} numbers */
const row = (numbers) => numbers.map(short).join(" ");

/** @param {string} text UTF-16, the first byte first */
const hex = (text) =>
  [...Array(text.length).keys()].map((i) => text.charCodeAt(i).toString(16).padStart(4, "0")).join("");

/** @param {string} colour */
const paint = (colour) => row(rgb(colour).map((channel) => channel / 255));

/** @param {Stroke[]} path */
const shape = (path) => path.map(({ to, at }) => (to === "Z" ? "h" : `${row(at)} ${to.toLowerCase()}`)).join("\n");

/**
 * The unseen text, as wide as the seen one.
 * @param {NonNullable<Mark["written"]>} written
 */
function searchable({ text, x, y, width, size }) {
  if (!text) return "";
  const wide = (100 * width) / (text.length * size * 0.5);
  return `BT 3 Tr /F ${short(size)} Tf ${short(wide)} Tz 1 0 0 -1 ${row([x, y])} Tm <${hex(text)}> Tj ET`;
}

/**
 * @param {Mark} mark
 * @param {(alpha: number) => string} faded
 * @param {(pixels: ImageData) => string} kept
 */
function written(mark, faded, kept) {
  const { kind, matrix, alpha, fill, stroke, width, dashes, path, box, pixels } = mark;
  if (kind !== "picture" && (fill || stroke || "none") === "none") return "";
  const parts = ["q", `${matrix.map((part) => +part.toFixed(5)).join(" ")} cm`, `/${faded(alpha)} gs`];
  if (kind === "picture") parts.push(`${row([box.w, 0, 0, -box.h, box.x, box.y + box.h])} cm /${kept(pixels)} Do`);
  else {
    if (fill) parts.push(`${paint(fill)} rg`);
    if (stroke) parts.push(`${paint(stroke)} RG ${short(width)} w [${row(dashes)}] 0 d`);
    parts.push(box ? `${row([box.x, box.y, box.w, box.h])} re` : shape(path), fill ? "f" : "S");
    if (mark.written) parts.push(searchable(mark.written));
  }
  return [...parts, "Q"].join("\n");
}

/**
 * @param {Uint8Array} bytes
 * @returns {Promise<Uint8Array>}
 */
const packed = async (bytes) =>
  new Uint8Array(
    await new Response(
      new Blob([/** @type {any} */ (bytes)]).stream().pipeThrough(new CompressionStream("deflate")),
    ).arrayBuffer(),
  );

/** The objects of a file, in the order of their numbers. */
class Objects {
  /** @type {Uint8Array[]} */
  parts = [ASCII.encode("%PDF-1.7\n%\u00e9\u00e9\u00e9\u00e9\n")];
  /** @type {number[]} */
  places = [];

  get length() {
    return this.parts.reduce((sum, { length }) => sum + length, 0);
  }
  /**
   * @param {string} dictionary
   * @param {Uint8Array} [stream]
   * @returns {number} its number
   */
  add(dictionary, stream) {
    this.places.push(this.length);
    const number = this.places.length;
    this.parts.push(ASCII.encode(`${number} 0 obj\n${dictionary}\n`));
    if (stream) this.parts.push(ASCII.encode("stream\n"), stream, ASCII.encode("\nendstream\n"));
    this.parts.push(ASCII.encode("endobj\n"));
    return number;
  }
  /**
   * @param {string} entries
   * @param {Uint8Array} bytes
   */
  async stream(entries, bytes) {
    const small = await packed(bytes);
    return this.add(`<< ${entries} /Filter /FlateDecode /Length ${small.length} >>`, small);
  }
  /**
   * @param {number} root
   * @param {number} info
   */
  file(root, info) {
    const start = this.length;
    const lines = this.places.map((place) => `${String(place).padStart(10, "0")} 00000 n \n`);
    const table = `xref\n0 ${lines.length + 1}\n0000000000 65535 f \n${lines.join("")}`;
    const end = `trailer\n<< /Size ${lines.length + 1} /Root ${root} 0 R /Info ${info} 0 R >>\nstartxref\n${start}\n%%EOF\n`;
    return new Blob(/** @type {any} */ ([...this.parts, ASCII.encode(table + end)]), { type: "application/pdf" });
  }
}

/** @param {Objects} objects */
async function fontIn(objects) {
  const shapeless = Uint8Array.from(atob(SHAPELESS), (sign) => sign.charCodeAt(0));
  const file = await objects.stream(`/Length1 ${shapeless.length}`, shapeless);
  const glyphs = await objects.stream("", new Uint8Array(2 * 65536)); // of every character the one there is
  const spelling = await objects.stream("", ASCII.encode(SPELLING));
  const about = "/Flags 4 /FontBBox [0 0 500 1000] /ItalicAngle 0 /Ascent 1000 /Descent 0 /CapHeight 1000 /StemV 80";
  const name = "/HDLTAA+Shapeless";
  const described = objects.add(`<< /Type /FontDescriptor /FontName ${name} ${about} /FontFile2 ${file} 0 R >>`);
  const system = "/CIDSystemInfo << /Registry (Adobe) /Ordering (Identity) /Supplement 0 >>";
  const below = objects.add(
    `<< /Type /Font /Subtype /CIDFontType2 /BaseFont ${name} ${system} /DW 500 /CIDToGIDMap ${glyphs} 0 R /FontDescriptor ${described} 0 R >>`,
  );
  return objects.add(
    `<< /Type /Font /Subtype /Type0 /BaseFont ${name} /Encoding /Identity-H /DescendantFonts [${below} 0 R] /ToUnicode ${spelling} 0 R >>`,
  );
}

/**
 * @param {Objects} objects
 * @param {ImageData} pixels
 */
async function pictureIn(objects, { width, height, data }) {
  const count = width * height;
  const size = `/Type /XObject /Subtype /Image /Width ${width} /Height ${height} /BitsPerComponent 8`;
  const opaque = Uint8Array.from({ length: count }, (_, i) => data[4 * i + 3]);
  const colours = Uint8Array.from({ length: 3 * count }, (_, i) => data[4 * Math.floor(i / 3) + (i % 3)]);
  const mask = await objects.stream(`${size} /ColorSpace /DeviceGray`, opaque);
  return objects.stream(`${size} /ColorSpace /DeviceRGB /SMask ${mask} 0 R`, colours);
}

/**
 * @param {Mark[]} marks
 * @param {{ width: number, height: number, title: string, about: string }} sheet
 * @returns {Promise<Blob>}
 */
export const pdfOf = async (marks, { width, height, title, about }) => {
  /** @type {number[]} */
  const alphas = [];
  /** @type {ImageData[]} */
  const pictures = [];
  const numbered = (/** @type {any[]} */ list, /** @type {any} */ one) =>
    list.includes(one) ? list.indexOf(one) : list.push(one) - 1;
  const faded = (/** @type {number} */ alpha) => `G${numbered(alphas, alpha)}`;
  const kept = (/** @type {ImageData} */ pixels) => `P${numbered(pictures, pixels)}`;
  const body = marks.map((mark) => written(mark, faded, kept)).join("\n");
  const upright = `${row([POINT, 0, 0, -POINT, 0, height * POINT])} cm\n`;
  const objects = new Objects();
  const font = await fontIn(objects);
  const images = [];
  for (const pixels of pictures) images.push(await pictureIn(objects, pixels));
  const states = alphas.map((alpha, i) => `/G${i} << /ca ${alpha} /CA ${alpha} >>`).join(" ");
  const shown = images.map((number, i) => `/P${i} ${number} 0 R`).join(" ");
  const content = await objects.stream("", ASCII.encode(upright + body));
  const box = `[0 0 ${row([width * POINT, height * POINT])}]`;
  const resources = `<< /Font << /F ${font} 0 R >> /ExtGState << ${states} >> /XObject << ${shown} >> >>`;
  const pages = objects.places.length + 2; // the object after the page
  const page = objects.add(
    `<< /Type /Page /Parent ${pages} 0 R /MediaBox ${box} /Resources ${resources} /Contents ${content} 0 R >>`,
  );
  objects.add(`<< /Type /Pages /Kids [${page} 0 R] /Count 1 >>`);
  const root = objects.add(`<< /Type /Catalog /Pages ${pages} 0 R >>`);
  const info = objects.add(`<< /Title <feff${hex(title)}> /Subject <feff${hex(about)}> /Creator (Headlight) >>`);
  return objects.file(root, info);
};
