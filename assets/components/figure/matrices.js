// The figures of a canvas of matrices: each matrix by itself, a grid of thumbnails as one.
import { drawMatrix, drawPanel } from "../heatmap/draw.js";
import { overfull } from "../heatmap/legend.js";
import { colourPanel, rampOfPanel } from "../heatmap/panels.js";
import { significant } from "../maths.js";
import { Bitmap } from "../pen.js";
import { inscribe } from "../text.js";
import { captionOf } from "./caption.js";
import { MODE, lightColours } from "./light.js";

const NOBODY = "figure"; // a group in which nothing is lit
const AXES = 18; // pixels of the names of the axes of a grid

/**
 * @param {Picture} picture
 * @returns {Figure[]}
 */
export function figuresOfMatrices(picture) {
  const still = Object.create(picture, {
    colour: { value: lightColours() },
    mode: { value: MODE },
    group: { value: NOBODY },
    active: { value: null },
  });
  return picture.grid ? [gridOf(still)] : still.drawn().map((panel) => matrixOf(still, lightened(panel)));
}

// The same matrix in light colours, without a cursor. A thumbnail that stands for it is drawn in its place.
function lightened(panel) {
  const [rows, cols] = panel.shape;
  const copy = {
    ...panel,
    cursor: null,
    bitmap: new Bitmap(cols, rows),
    thumbnail: panel.thumbnail && lightened(panel.thumbnail),
  };
  colourPanel(copy, MODE);
  return copy;
}

function matrixOf(still, panel) {
  const { name, title, about, pen, box } = panel;
  const above = box.y - box.own; // room that keeps it level with the panels beside it
  const { live } = still.meta;
  const sliding = panel.live && still.ahead ? [`${live.label} = ${still.bar.reading.textContent}`] : [];
  return {
    name,
    title: title || name,
    w: pen.width,
    h: pen.height - above,
    painted: still,
    paint(to) {
      to.translate(0, -above);
      drawPanel(to, still, panel);
    },
    scale: scaleOf(still, [panel], box.x),
    keys: [],
    caption: captionOf([title, ...sliding], { about }),
  };
}

function gridOf(still) {
  const panels = still.drawn().map(lightened);
  const { sheet, meta, stage, words } = still;
  const top = meta.col_titles?.length ? AXES : 0;
  return {
    name: "heads",
    title: meta.summary,
    w: sheet.width,
    h: sheet.height + top,
    painted: still,
    paint(pen) {
      pen.font = `11px ${still.font()}`;
      pen.fillStyle = still.colour.quiet;
      if (top) inscribe(pen, `${words.axis_layer} ↓   ${words.axis_head} →`, 0, 11);
      pen.translate(0, top);
      for (const panel of panels) drawMatrix(pen, still, panel);
      drawTitles(pen, still, stage);
    },
    scale: scaleOf(still, panels, panels[0].box.x),
    keys: [],
    caption: captionOf([meta.summary], { placed: false }),
  };
}

// The names of rows and columns, which stand as HTML beside the thumbnails.
function drawTitles(pen, still, stage) {
  const corner = stage.getBoundingClientRect();
  pen.font = `12px ${still.font()}`;
  pen.fillStyle = still.colour.quiet;
  for (const node of stage.querySelectorAll(".row-title, .col-title")) {
    const { left, top, width, height } = node.getBoundingClientRect();
    const centred = node.matches(".col-title");
    const x = left - corner.left + (centred ? width / 2 : 0);
    if (width) inscribe(pen, node.textContent, x, top - corner.top + height / 2 + 4, centred ? "center" : "left");
  }
}

function scaleOf({ words }, panels, x) {
  const ramp = rampOfPanel(panels[0]);
  const beyond = panels.some(overfull) ? "> " : "";
  return {
    x,
    ramp,
    text: (value) => (value === ramp.high ? beyond : "") + significant(value, 3),
    law: ramp.root ? words.rooted : "",
    masked: panels.some(({ masked }) => masked) ? words.masked : "",
  };
}
