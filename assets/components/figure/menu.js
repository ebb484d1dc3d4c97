// The one menu that saves the figures of a view: which of them, on what, as what. The same on every page.
import { element, icon } from "../dom.js";
import { FORMATS, saveFigure } from "./files.js";

const ARROW = "M8 2v8 M4.5 7L8 10.5L11.5 7 M3 13.5h10";

export class SaveMenu {
  /**
   * @param {Shown} view
   */
  constructor(view) {
    this.view = view;
    /** @type {Figure[]} */
    this.figures = [];
    this.which = element("select", { autofocus: "" });
    this.clear = element("input", { type: "checkbox" });
    this.whichName = element("span", {});
    this.clearName = element("span", {});
    const kinds = FORMATS.map((kind) =>
      element("button", { type: "button", text: kind, onclick: () => this.save(kind) }),
    );
    this.whichLine = element("label", {}, this.whichName, this.which);
    this.node = element(
      "div",
      { class: "saving", popover: "auto", role: "dialog" },
      this.whichLine,
      element("div", { class: "kinds" }, ...kinds),
      element("label", { class: "clear" }, this.clear, this.clearName),
    );
    this.button = element("button", { type: "button", class: "tool save", "aria-haspopup": "dialog" }, icon(ARROW));
    this.button.popoverTargetElement = this.node;
    this.node.addEventListener("toggle", ({ newState }) => newState === "open" && this.place());
    this.node.addEventListener("beforetoggle", ({ newState }) => newState === "open" && this.open());
  }

  open() {
    const { words } = this.view.meta;
    this.node.setAttribute("aria-label", words.save);
    this.whichName.textContent = words.figure;
    this.clearName.textContent = words.transparent;
    this.figures = this.view.figures();
    const chosen = this.which.value;
    this.which.replaceChildren(
      ...this.figures.map(({ name, title }) => element("option", { value: name, text: title })),
    );
    if (this.figures.some(({ name }) => name === chosen)) this.which.value = chosen;
    this.whichLine.hidden = this.figures.length < 2;
  }

  // Below its button, within the window.
  place() {
    const { right, bottom, top } = this.button.getBoundingClientRect();
    const { offsetWidth: w, offsetHeight: h } = this.node;
    this.node.style.left = `${Math.max(8, right - w)}px`;
    this.node.style.top = `${bottom + h + 12 > innerHeight ? Math.max(8, top - h - 4) : bottom + 4}px`;
  }

  /** @param {string} kind */
  async save(kind) {
    const { view } = this;
    const figure = this.figures.find(({ name }) => name === this.which.value) ?? this.figures[0];
    if (!figure || (await saveFigure(figure, kind, this.clear.checked))) return this.node.hidePopover();
    const { left, bottom } = this.button.getBoundingClientRect();
    this.node.hidePopover();
    view.say({ clientX: left, clientY: bottom }, [[view.meta.words.too_large]]);
    view.live.textContent = view.meta.words.too_large;
  }
}
