// The picture to keep: everything the stage shows, drawn once more, on a sheet of twice the size or as SVG.
function savePng(picture) {
  const { width, height } = picture.stage.getBoundingClientRect();
  const sheet = Object.assign(document.createElement("canvas"), { width: width * 2, height: height * 2 });
  const context = sheet.getContext("2d");
  context.scale(2, 2);
  drawStage(context, picture);
  sheet.toBlob((blob) => save("headlight.png", blob));
}

function saveSvg(picture) {
  const { width, height } = picture.stage.getBoundingClientRect();
  const context = new SvgPen();
  drawStage(context, picture);
  const source = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">${context.parts.join("")}</svg>`;
  save("headlight.svg", new Blob([source], { type: "image/svg+xml" }));
}

function drawStage(context, picture) {
  const { stage, panels, sheet, colour } = picture;
  const frame = stage.getBoundingClientRect();
  const place = (node) => {
    const { left, top, width, height } = node.getBoundingClientRect();
    return { x: left - frame.left, y: top - frame.top, width, height };
  };
  context.fillStyle = colour.paper;
  context.fillRect(0, 0, frame.width, frame.height);
  const thumbnails = picture.meta.layout === "grid";
  for (const panel of panels.filter((one) => one.box && one.shape[0] && one.shape[1])) {
    const { x, y } = place(thumbnails ? sheet : panel.canvas);
    context.save();
    context.translate(x, y);
    (thumbnails ? drawMatrix : drawPanel)(context, picture, panel);
    context.restore();
  }
  context.fillStyle = colour.ink;
  for (const sign of stage.querySelectorAll(".operator, .row-title, .col-title")) {
    const { x, y, width, height } = place(sign);
    context.font = `${getComputedStyle(sign).fontSize} ${picture.font()}`;
    context.textAlign = "center";
    context.fillText(sign.textContent, x + width / 2, y + height / 2 + 5);
  }
}

// As much of a canvas context as draw.js uses, writing SVG.
class SvgPen {
  parts = [];
  kept = [];
  place = "";
  textAlign = "left";
  globalAlpha = 1;

  save() {
    this.kept.push([this.place, this.textAlign]);
  }
  restore() {
    [this.place, this.textAlign] = this.kept.pop();
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
  fillText(text, x, y) {
    const anchor = { left: "start", right: "end", center: "middle" }[this.textAlign];
    this.put("text", { x, y, fill: this.fillStyle, style: `font:${this.font}`, "text-anchor": anchor }, text.replace(/[\u2068\u2069]/g, ""));
  }
  fillRect(x, y, width, height) {
    this.put("rect", { x, y, width, height, fill: this.fillStyle });
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
    this.path += `L${x} ${y}`;
  }
  stroke() {
    this.put("path", { d: this.path, fill: "none", stroke: this.strokeStyle, "stroke-width": this.lineWidth, "stroke-opacity": this.globalAlpha });
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
      this.put("rect", { x, y, ...size, fill: opaque ? `rgb(${red},${green},${blue})` : "none" });
    }
  }
}
