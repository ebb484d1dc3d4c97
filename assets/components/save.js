// The picture to keep: everything the stage of a view shows, drawn once more, on a sheet of twice the size or as SVG.
const MARGIN = 12;

function sheetOf({ stage }) {
  const { left, top, width, height } = stage.getBoundingClientRect();
  return { left: left - MARGIN, top: top - MARGIN, width: width + 2 * MARGIN, height: height + 2 * MARGIN };
}

function savePng(view) {
  const sheet = sheetOf(view);
  const canvas = Object.assign(document.createElement("canvas"), { width: sheet.width * 2, height: sheet.height * 2 });
  const context = canvas.getContext("2d");
  context.scale(2, 2);
  drawStage(context, view, sheet);
  canvas.toBlob((blob) => (blob ? save("headlight.png", blob) : tellTooLarge(view)));
}

// A browser makes no picture of more pixels than it can hold.
function tellTooLarge(view) {
  const { left, bottom } = view.tools.png.getBoundingClientRect();
  view.say({ clientX: left, clientY: bottom }, [[view.meta.words.too_large]]);
  view.live.textContent = view.meta.words.too_large;
}

function saveSvg(view) {
  const sheet = sheetOf(view);
  const context = new SvgPen();
  drawStage(context, view, sheet);
  const source = `<svg xmlns="http://www.w3.org/2000/svg" width="${sheet.width}" height="${sheet.height}">${context.parts.join("")}</svg>`;
  save("headlight.svg", new Blob([source], { type: "image/svg+xml" }));
}

function drawStage(context, view, sheet) {
  const place = (node) => {
    const { left, top, width, height } = node.getBoundingClientRect();
    return { x: left - sheet.left, y: top - sheet.top, w: width, h: height };
  };
  context.fillStyle = view.colour.paper;
  context.fillRect(0, 0, sheet.width, sheet.height);
  view.print(context, place);
  drawWords(context, view.stage, sheet);
}

// What stands as HTML beside the pictures, written where it stands: one piece per font and line.
function drawWords(context, stage, { left, top }) {
  const range = document.createRange();
  const walker = document.createTreeWalker(stage, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const pieces = [];
    for (const { segment, index } of GRAPHEMES.segment(node.data)) {
      range.setStart(node, index);
      range.setEnd(node, index + segment.length);
      const box = range.getBoundingClientRect();
      const piece = pieces.at(-1);
      if (piece && Math.abs(piece.bottom - box.bottom) < 4) piece.text += segment;
      else if (box.width) pieces.push({ text: segment, left: box.left, bottom: box.bottom });
    }
    const { fontWeight, fontSize, fontFamily, color } = getComputedStyle(node.parentElement);
    context.font = `${fontWeight} ${fontSize} ${fontFamily}`;
    context.fillStyle = color;
    context.textAlign = "left";
    for (const piece of pieces) {
      const { fontBoundingBoxDescent } = context.measureText(piece.text);
      context.fillText(piece.text, piece.left - left, piece.bottom - top - fontBoundingBoxDescent);
    }
  }
}

// As much of a canvas context as draw.js and plots.js use, writing SVG.
class SvgPen {
  parts = [];
  kept = [];
  place = "";
  textAlign = "left";
  globalAlpha = 1;
  dash = [];

  save() {
    this.kept.push([this.place, this.textAlign]);
  }
  restore() {
    [this.place, this.textAlign] = this.kept.pop();
  }
  setLineDash(dash) {
    this.dash = dash;
  }
  translate(x, y) {
    this.place += ` translate(${x} ${y})`;
  }
  rotate(angle) {
    this.place += ` rotate(${(angle * 180) / Math.PI})`;
  }
  measureText(text) {
    const context = (this.probe ??= document.createElement("canvas").getContext("2d"));
    context.font = this.font;
    return context.measureText(text);
  }
  put(tag, attributes, text = "") {
    const escape = (raw) => String(raw).replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`);
    const all = Object.entries({ ...attributes, ...(this.place && { transform: this.place.trim() }) });
    // XML has no word for control characters and halves of characters.
    const plain = escape(text).replace(/[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]|[\0-\b\v\f\x0e-\x1f\ufffe\uffff]/g, "\ufffd");
    this.parts.push(`<${tag} ${all.map(([name, value]) => `${name}="${escape(value)}"`).join(" ")}>${plain}</${tag}>`);
  }
  // As wide as here, also where the font of the page is not at hand.
  fillText(text, x, y) {
    const anchor = { left: "start", right: "end", center: "middle" }[this.textAlign];
    const wide = { textLength: Math.max(1, widthOf(this, text)).toFixed(1), lengthAdjust: "spacingAndGlyphs" };
    this.put("text", { x, y, ...this.filling(), style: `font:${this.font}`, "text-anchor": anchor, ...wide }, text.replace(/[\u2068\u2069]/g, ""));
  }
  fillRect(x, y, width, height) {
    this.put("rect", { x, y, width, height, ...this.filling() });
  }
  strokeRect(x, y, w, h) {
    this.path = `M${x} ${y}h${w}v${h}h${-w}z`;
    this.stroke();
  }
  beginPath() {
    this.path = "";
  }
  moveTo(x, y) {
    this.path += `M${x} ${y}`;
  }
  lineTo(x, y) {
    this.path += `${this.path ? "L" : "M"}${x} ${y}`;
  }
  // A whole circle: nothing here draws a part of one.
  arc(x, y, r) {
    this.path += `M${x - r} ${y}a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0 ${-2 * r} 0z`;
  }
  stroke() {
    const dash = this.dash.length ? { "stroke-dasharray": this.dash.join(" ") } : {};
    this.put("path", { d: this.path, fill: "none", stroke: this.strokeStyle, "stroke-width": this.lineWidth, "stroke-opacity": this.globalAlpha, ...dash });
  }
  fill() {
    this.put("path", { d: this.path, ...this.filling() });
  }
  filling() {
    return { fill: this.fillStyle, ...(this.globalAlpha < 1 && { "fill-opacity": this.globalAlpha }) };
  }

  // One rectangle a cell, so that every cell can be taken up by itself; a large matrix is one picture.
  cells({ image, box, view, shape }) {
    const [top, left] = [Math.floor(view.r), Math.floor(view.c)];
    const [rows, cols] = [Math.min(shape[0], Math.ceil(view.r + view.h)) - top, Math.min(shape[1], Math.ceil(view.c + view.w)) - left];
    const pixels = image.getContext("2d").getImageData(left, top, cols, rows);
    if (rows * cols > 4096) {
      const part = Object.assign(document.createElement("canvas"), { width: cols, height: rows });
      part.getContext("2d").putImageData(pixels, 0, 0);
      this.put("image", { x: box.x, y: box.y, width: box.w, height: box.h, preserveAspectRatio: "none", href: part.toDataURL() });
      return;
    }
    const edge = (i, start, length, origin, room) => origin + Math.min(room, Math.max(0, ((i - start) * room) / length));
    for (let i = 0; i < rows * cols; i++) {
      const [r, c] = [top + Math.floor(i / cols), left + (i % cols)];
      const [x, y] = [edge(c, view.c, view.w, box.x, box.w), edge(r, view.r, view.h, box.y, box.h)];
      const [red, green, blue, opaque] = pixels.data.subarray(4 * i, 4 * i + 4);
      const size = { width: edge(c + 1, view.c, view.w, box.x, box.w) - x, height: edge(r + 1, view.r, view.h, box.y, box.h) - y };
      this.put("rect", { x, y, ...size, fill: opaque ? `rgb(${red},${green},${blue})` : "none", "shape-rendering": "crispEdges" });
    }
  }
}
