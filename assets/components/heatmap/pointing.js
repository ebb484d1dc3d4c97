// Pointer and keyboard over a matrix: what is lit, what is said, what is picked.
import { busSend, busState, placeOn } from "../bus.js";
import { significant } from "../maths.js";
import { visible, written } from "../text.js";
import { valueAt } from "./heads.js";
import { TOKENS } from "./layout.js";
import { readNow } from "./reading.js";
import { cellAt, pan, reveal, stepped, zoom, zoomed } from "./zoom.js";

const STEPS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
const SLACK = 6; // pixels a pointer may slip and still have clicked
const GRIP = 4; // pixels from which on it drags
const SPEED = 0.0025; // of the wheel

export class Pointing {
  /** @param {Picture} picture */
  constructor(picture) {
    this.picture = picture;
    /** @type {{ panel: Panel, cell: Cell, lines: any[] } | null} what the tip tells of */
    this.tale = null;
  }

  get group() {
    return this.picture.group;
  }

  /** @param {Panel} panel */
  listen(panel) {
    const { canvas } = panel;
    const hand = { fingers: new Map(), moved: 0, apart: 0 };
    canvas.onpointerdown = (event) => this.press(panel, hand, event);
    canvas.onpointermove = (event) => this.glide(panel, hand, event);
    canvas.onpointerup = canvas.onpointercancel = (event) => this.lift(panel, hand, event);
    canvas.onpointerleave = (event) => this.leave(event);
    canvas.onwheel = (event) => {
      if (!event.ctrlKey && !event.metaKey) return; // a bare wheel scrolls the page, also over a matrix
      event.preventDefault();
      this.zoom(panel, Math.exp(event.deltaY * SPEED), placeIn(panel, event));
    };
    canvas.onfocus = () => {
      this.picture.active = panel;
      panel.cursor ??= this.home(panel);
      if (canvas.matches(":focus-visible")) this.point(panel, panel.cursor);
    };
    canvas.onblur = () => {
      if (this.picture.active === panel) this.picture.active = null;
      this.hover(null);
    };
    canvas.onkeydown = (event) => this.walk(event, panel);
  }

  press(panel, hand, event) {
    hand.fingers.set(event.pointerId, placeIn(panel, event));
    hand.moved = hand.apart = 0;
    this.picture.active = panel;
    if (zoomed(panel)) panel.canvas.setPointerCapture(event.pointerId);
  }

  // Two fingers zoom, one drags what is zoomed; a pointer that is not down reads.
  glide(panel, hand, event) {
    const place = placeIn(panel, event);
    const before = hand.fingers.get(event.pointerId);
    if (before) {
      hand.moved += Math.abs(place.x - before.x) + Math.abs(place.y - before.y);
      hand.fingers.set(event.pointerId, place);
      if (hand.fingers.size === 2) return this.pinch(panel, hand);
      if (zoomed(panel) && hand.moved > GRIP) return this.pan(panel, before.x - place.x, before.y - place.y);
    }
    return this.point(panel, cellAt(panel, place), event);
  }

  pinch(panel, hand) {
    const [a, b] = [...hand.fingers.values()];
    const distance = Math.hypot(a.x - b.x, a.y - b.y);
    if (hand.apart) this.zoom(panel, hand.apart / distance, { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 });
    hand.apart = distance;
  }

  lift(panel, hand, event) {
    hand.fingers.delete(event.pointerId);
    const cell = cellAt(panel, placeIn(panel, event));
    if (event.type !== "pointerup" || hand.moved > SLACK || !cell) return;
    this.point(panel, cell, event);
    this.pick(panel, cell);
  }

  zoom(panel, factor, place) {
    zoom(panel, factor, place);
    this.picture.later("draw");
  }

  pan(panel, dx, dy) {
    pan(panel, dx, dy);
    this.picture.later("draw");
  }

  // Where the keyboard begins: at what is in focus.
  home(panel) {
    const { focus } = busState(this.group);
    return { r: Math.max(0, placeOn(panel.rows, focus)), c: Math.max(0, placeOn(panel.cols, focus)) };
  }

  walk(event, panel) {
    const { picture } = this;
    const { key } = event;
    const { box } = panel;
    const from = panel.cursor ?? this.home(panel);
    if (STEPS[key]) {
      panel.cursor = stepped(panel.shape, from, STEPS[key]);
      picture.active = panel;
      reveal(panel);
      this.point(panel, panel.cursor, null, true);
    } else if (key === "Enter" || key === " ") this.pick(panel, from);
    else if (key === "l" || key === "L") this.lock(!picture.locked);
    else if (key === "Escape") picture.reset();
    else if (key === "+" || key === "-")
      this.zoom(panel, key === "+" ? 0.8 : 1.25, { x: box.x + box.w / 2, y: box.y + box.h / 2 });
    else return;
    event.preventDefault();
  }

  /**
   * @param {Panel} panel
   * @param {Cell | null} cell
   * @param {PointerEvent | null} [event]
   * @param {boolean} [aloud] also for those who hear
   */
  point(panel, cell, event = null, aloud = false) {
    const { picture } = this;
    if (picture.locked && event) return; // what is lit and said stays, wherever the pointer goes
    if (!cell) return void this.hover(null);
    this.hover({ [panel.rows]: cell.r, [panel.cols]: cell.c });
    const value = this.reads(panel, valueAt(panel, cell));
    const lines = [this.where(panel.rows, cell.r), this.where(panel.cols, cell.c), value];
    this.tale = { panel, cell, lines: lines.map(spelled) };
    picture.say(event ?? cornerOf(panel, cell), this.tale.lines);
    if (aloud) picture.live.textContent = lines.map((line) => line.join("")).join(", ");
  }

  // The number under a tip changes with the temperature and with new data, also while it is locked.
  retell() {
    const { tip, panels } = this.picture;
    if (tip.hidden || !this.tale) return;
    const panel = panels.find(({ name }) => name === this.tale.panel.name);
    const { r, c } = this.tale.cell;
    if (!panel?.box || r >= panel.shape[0] || c >= panel.shape[1]) return void (tip.hidden = true);
    this.point(panel, { r, c });
  }

  // A line of the tip: our words, which may have subscripts, and the reader's, which are written as they are.
  where(kind, index) {
    const { words, tokens } = this.picture;
    const name = words[`axis_${kind}`] ?? kind;
    return [name, TOKENS.has(kind) ? ` ${index + 1}: ${visible(tokens[kind][index] ?? "")}` : ` ${index + 1}`];
  }

  reads(panel, value) {
    const { picture } = this;
    if (Number.isNaN(value)) return ["", picture.words.masked];
    if (panel.thumbnail) return ["", `≈ ${significant(value, 2)} (${picture.noted(panel).slice(2)})`];
    if (panel.values instanceof Uint8Array) return ["", `≈ ${significant(value, 2)}`];
    return [panel.title || panel.name, ` = ${significant(value)}`];
  }

  /** @param {Record<string, number> | null} state */
  hover(state) {
    const { picture, group } = this;
    if (picture.locked) return;
    if (!state) picture.tip.hidden = true;
    if (JSON.stringify(state) !== JSON.stringify(busState(group).hover)) busSend(group, { hover: state });
  }

  // A locked tip goes with its cell; another one is gone.
  scrolled() {
    const { picture, tale } = this;
    if (picture.tip.hidden || !picture.locked || !tale) picture.tip.hidden = true;
    else picture.say(cornerOf(tale.panel, tale.cell), tale.lines);
  }

  // A finger that lifts has read nothing yet: what it touched stays lit until it touches something else.
  leave(event) {
    if (event.pointerType !== "touch") this.hover(null);
  }

  pick(panel, cell) {
    panel.cursor = cell;
    readNow(this.picture);
    const focus = { ...busState(this.group).focus };
    if (TOKENS.has(panel.rows)) focus[panel.rows] = cell.r;
    if (TOKENS.has(panel.cols)) focus[panel.cols] = cell.c;
    busSend(this.group, { focus });
    this.picture.send.setTriggerValue("pick", { panel: panel.name, row: cell.r, col: cell.c });
  }

  // Locked for the whole group: otherwise the next canvas on the way to the margin would change what is lit.
  lock(on) {
    busSend(this.group, { locked: on });
    if (!on) this.hover(null);
  }
}

/**
 * A line of a tip: our words, and the reader's as they are.
 * @param {any[]} line
 */
export const spelled = ([ours, theirs]) => [...written(ours), theirs];

// Where the lower right corner of a cell is on the screen.
function cornerOf({ canvas, box, view }, { r, c }) {
  const { left, top } = canvas.getBoundingClientRect();
  const [x, y] = [box.x + ((c - view.c + 1) * box.w) / view.w, box.y + ((r - view.r + 1) * box.h) / view.h];
  return { clientX: left + x, clientY: top + y };
}

function placeIn({ canvas }, event) {
  const { left, top } = canvas.getBoundingClientRect();
  return { x: event.clientX - left, y: event.clientY - top };
}
