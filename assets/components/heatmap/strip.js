// The sentence above the matrices: a chip a token, as query and as key.
import { busSend, busState, placeOn } from "../bus.js";
import { element } from "../dom.js";
import { visible } from "../text.js";

const KINDS = ["query", "key"];

export class Strip {
  /** @param {Picture} picture */
  constructor(picture) {
    this.picture = picture;
    this.node = element("div", { class: "strip" });
    this.shown = "";
  }

  // New tokens, or the same in another language. They are laid out again only then.
  furnish() {
    const { meta, tokens, words } = this.picture;
    this.node.hidden = !meta.strip;
    if (!meta.strip) return;
    const shown = JSON.stringify([tokens, words.query]);
    if (shown !== this.shown) this.node.replaceChildren(...KINDS.map((kind) => this.line(kind)));
    this.shown = shown;
    this.light();
  }

  /** @param {string} kind */
  line(kind) {
    const name = this.picture.words[kind];
    const chips = this.picture.tokens[kind].map((token, index) => this.chip(kind, token, index));
    return element(
      "div",
      { class: `chips ${kind}`, role: "group", "aria-label": name },
      element("span", { class: "chips-name", text: name }),
      element("span", { class: "chips-row" }, ...chips),
    );
  }

  chip(kind, token, index) {
    const { picture } = this;
    return element("button", {
      type: "button",
      class: "chip",
      dir: "auto",
      title: token,
      text: visible(token),
      tabindex: -1,
      "aria-pressed": "false",
      onkeydown: walkChips,
      onclick: () => {
        busSend(picture.group, { focus: { ...busState(picture.group).focus, [kind]: index } });
        picture.send.setTriggerValue("pick", { panel: kind, row: index, col: 0 });
      },
      onpointerenter: () => picture.pointing.hover({ [kind]: index }),
      onpointerleave: () => picture.pointing.hover(null),
    });
  }

  // Only what changes is touched: a long sentence has a thousand chips. The chip in focus is scrolled into its row.
  light() {
    if (this.node.hidden) return;
    const { focus, hover } = busState(this.picture.group);
    for (const [i, kind] of KINDS.entries()) {
      const row = this.node.children[i].lastChild;
      swap(row, "lit", row.children[placeOn(kind, hover)]);
      const chip = row.children[placeOn(kind, focus)];
      const before = swap(row, "focus", chip);
      if (before !== chip) before?.setAttribute("aria-pressed", "false");
      if (before !== chip && chip) {
        chip.setAttribute("aria-pressed", "true");
        onlyStop(row, chip);
      }
      if (chip) scrollTo(row, chip);
    }
  }
}

// The chip of a class gives it to another; the one that had it.
function swap(row, name, chip) {
  const before = row.querySelector(`.${name}`) ?? undefined;
  if (before === chip) return chip;
  before?.classList.remove(name);
  chip?.classList.add(name);
  return before;
}

function scrollTo(row, chip) {
  const [top, bottom] = [chip.offsetTop - row.scrollTop, chip.offsetTop + chip.offsetHeight - row.scrollTop];
  row.scrollTop += Math.min(0, top) + Math.max(0, bottom - row.clientHeight);
}

// A row of chips is one stop of the Tab key; arrows walk inside it.
function onlyStop(row, chip) {
  row.querySelector("[tabindex='0']")?.setAttribute("tabindex", -1);
  chip.setAttribute("tabindex", 0);
}

function walkChips(event) {
  const step = { ArrowLeft: "previousElementSibling", ArrowRight: "nextElementSibling" }[event.key];
  const next = step && event.target[step];
  if (!next) return;
  event.preventDefault();
  event.target.setAttribute("tabindex", -1);
  next.setAttribute("tabindex", 0);
  next.focus();
}
