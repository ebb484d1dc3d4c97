// The DOM of a picture: its panels in rows, with what stands before them.
import { element } from "../dom.js";
import { signKind } from "./layout.js";
import { listenToThumbnail } from "./thumbnails.js";

/**
 * @param {Picture} picture
 * @param {Panel[]} row
 * @param {string} [title]
 * @returns {HTMLElement}
 */
export function rowOf({ grid }, row, title) {
  const line = element("div", { class: "row" });
  if (title) line.append(element("div", { class: "row-title", text: title }));
  for (const panel of row) {
    const { operator } = panel;
    if (grid) panel.button = element("button", { type: "button", class: "thumb" });
    panel.sign = operator ? element("div", { class: `operator ${signKind(operator)}`, text: operator }) : null;
    const figure = grid ? panel.button : panel.canvas;
    line.append(panel.sign ? element("div", { class: "term" }, panel.sign, figure) : figure);
  }
  return line;
}

/**
 * What a panel is to those who cannot see it, and who listens to it.
 * @param {Picture} picture
 * @param {Panel} panel
 */
export function namePanel(picture, panel) {
  if (picture.grid) {
    listenToThumbnail(picture, panel);
    panel.button.setAttribute("aria-label", panel.title || panel.name);
    return;
  }
  picture.pointing.listen(panel);
  panel.canvas.setAttribute("role", "application");
  panel.canvas.setAttribute("aria-roledescription", picture.words.matrix);
  panel.canvas.tabIndex = 0;
}
