// A grid of thumbnails: one button each, all drawn on one sheet behind them, since a canvas each would be a layer each.
import { busSend, busState } from "../bus.js";
import { element } from "../dom.js";
import { chooseHead } from "./heads.js";
import { spelled } from "./pointing.js";

const FOLDED = 420; // pixels: too narrow for all heads in one line, titles stand above, six heads in a line
const LEAD = 72; // pixels of the titles of rows

/**
 * The line above the thumbnails: what each column is.
 * @param {{ row_titles: string[], col_titles: string[] }} meta
 * @returns {HTMLElement[]}
 */
export function headingOf({ row_titles, col_titles }) {
  if (!col_titles?.length) return [];
  const corner = row_titles.length ? [element("div", { class: "row-title" })] : [];
  const titles = col_titles.map((text) => element("div", { class: "col-title", text }));
  return [element("div", { class: "row heading" }, ...corner, ...titles)];
}

/**
 * @param {Picture} picture
 * @param {Panel} panel
 */
export function listenToThumbnail(picture, panel) {
  const { button } = panel;
  const lines = [[panel.title || panel.name, ""], ...(panel.note ? [["", panel.note]] : [])];
  button.onclick = () => {
    picture.send.setTriggerValue("pick", { panel: panel.name, row: 0, col: 0 });
    if (panel.head) chooseHead(picture.group, panel.head);
  };
  const peek = (head) => panel.head && busSend(picture.group, { peek: head });
  button.onpointermove = (event) => picture.say(event, lines.map(spelled));
  button.onpointerenter = () => peek(panel.head);
  button.onpointerleave = () => {
    picture.tip.hidden = true;
    peek(null);
  };
  button.onkeydown = (event) => walkGrid(picture, event, panel);
}

/**
 * What is written on the thumbnails of some heads.
 * @param {Picture} picture
 */
export function tagThumbnails({ group, panels }) {
  const { tags } = busState(group);
  for (const { head, button, tag, corner } of panels) {
    Object.assign(button.dataset, { tag: tags?.get(String(head)) ?? tag, corner });
  }
}

function walkGrid({ rows, panels }, event, panel) {
  const width = Math.max(...rows.map((row) => row.length));
  const step = { ArrowUp: -width, ArrowDown: width, ArrowLeft: -1, ArrowRight: 1 }[event.key];
  const next = step && panels[panels.indexOf(panel) + step];
  if (!next) return;
  event.preventDefault();
  next.button.focus();
}

/**
 * @param {Picture} picture
 * @param {number} width
 */
export function layoutGrid({ rows, panels, meta, root, stage, sheet }, width) {
  const most = Math.max(...rows.map((row) => row.length), 1);
  const folded = width <= FOLDED;
  const lead = meta.row_titles.length && !folded ? LEAD : 0;
  const columns = folded ? Math.min(most, 6) : most;
  const side = Math.max(18, Math.min(132, Math.floor((width - lead - 6 * columns) / columns)));
  root.dataset.folded = String(folded);
  root.style.setProperty("--columns", String(columns));
  root.style.setProperty("--lead", lead ? `${lead}px` : " ");
  for (const { shape, button } of panels) {
    const part = (count) => `${Math.max(8, Math.round((side * count) / Math.max(...shape)))}px`;
    Object.assign(button.style, { width: part(shape[1]), height: part(shape[0]) });
  }
  for (const title of stage.querySelectorAll(".col-title")) title.style.width = `${side}px`;
  for (const panel of panels) {
    const { offsetLeft: x, offsetTop: y, offsetWidth: w, offsetHeight: h } = panel.button;
    panel.box = { x, y, w, h };
  }
  sheet.resize(stage.clientWidth, stage.clientHeight);
}
