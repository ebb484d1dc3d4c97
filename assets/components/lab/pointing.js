// Pointer and keyboard over the pictures of a laboratory. What is under them, and what a click would do, the kinds know.
import { PLOTS } from "../plots/plots.js";

const SLACK = 6; // pixels a finger may slip and still have touched one thing
/** @type {Record<string, [number, number]>} rows and columns */
const STEPS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
const PULLS = 40; // presses of a key from one end of an axis to the other

export class LabPointing {
  /** @param {Lab} lab */
  constructor(lab) {
    this.lab = lab;
    /** @type {Drawn | null} what is pointed at */
    this.panel = null;
    /** @type {any} where: the event of a pointer, or the corner of the cell that the keyboard has reached */
    this.where = null;
    /** @type {{ id: number, name: string, x: number, y: number, moving: boolean } | null} */
    this.pressed = null;
    // What a finger has read stays until it touches something else.
    const elsewhere = (/** @type {Event} */ event) =>
      (this.panel && event.composedPath().includes(this.panel.canvas)) || this.point(this.panel, null);
    window.addEventListener("pointerdown", elsewhere, { capture: true, signal: lab.gone.signal });
  }

  /** New pictures of the same names. */
  accept() {
    const again = this.lab.panels.find(({ name }) => name === this.panel?.name) ?? null;
    this.panel = /** @type {Drawn | null} */ (again);
  }

  /** @param {Drawn} panel */
  listen(panel) {
    const { canvas } = panel;
    const { quiet } = PLOTS[panel.kind] ?? {};
    canvas.onpointerdown = (event) => this.press(panel, placeIn(canvas, event), event);
    canvas.onpointermove = (event) => this.glide(panel, placeIn(canvas, event), event);
    canvas.onpointerup = canvas.onpointercancel = (event) => this.lift(panel, placeIn(canvas, event), event);
    canvas.onpointerleave = (event) => event.pointerType !== "touch" && this.point(panel, null);
    canvas.style.cursor = this.moves(panel) ? "pointer" : quiet ? "default" : "crosshair";
    canvas.style.touchAction = panel.editable ? "none" : "pan-y";
    canvas.onkeydown = (event) => this.walk(event, panel);
    canvas.onfocus = () => canvas.matches(":focus-visible") && this.light(panel, panel.lit ?? this.home(panel));
    canvas.onblur = () => this.point(panel, null);
  }

  /** Whether a press on it moves something. @param {Drawn} panel */
  moves(panel) {
    return PLOTS[panel.kind]?.moves(panel);
  }

  /**
   * @param {Drawn} panel
   * @param {Place} place
   * @returns {Hit | null}
   */
  hit(panel, place) {
    return PLOTS[panel.kind].hit(this.lab, panel, place);
  }

  /**
   * A mouse moves things as soon as it is down; a finger once it goes sideways, for up and down it scrolls the page.
   * @param {Drawn} panel
   * @param {Place} place
   * @param {PointerEvent} event
   */
  press(panel, { x, y }, event) {
    if (!this.hit(panel, { x, y })) return;
    const moving = this.moves(panel) && (panel.editable || event.pointerType !== "touch");
    this.pressed = { id: event.pointerId, name: panel.name, x, y, moving };
    if (!moving) return;
    panel.canvas.setPointerCapture(event.pointerId);
    this.drag(panel, { x, y });
  }

  /**
   * @param {Drawn} panel
   * @param {Place} place
   * @param {PointerEvent} event
   */
  glide(panel, place, event) {
    const { pressed } = this;
    const mine = event.buttons > 0 && pressed?.id === event.pointerId && pressed.name === panel.name;
    if (mine && this.moves(panel)) pressed.moving ||= Math.abs(place.x - pressed.x) > SLACK;
    if (mine && pressed.moving) this.drag(panel, place);
    else if (event.pointerType !== "touch") this.point(panel, this.hit(panel, place), event);
  }

  /**
   * @param {Drawn} panel
   * @param {Place} place
   * @param {PointerEvent} event
   */
  lift(panel, place, event) {
    const { pressed, lab } = this;
    if (pressed?.id !== event.pointerId) return;
    this.pressed = null;
    if (pressed.moving && panel.editable) return void lab.editing.send(panel);
    if (pressed.moving) return void lab.release();
    if (event.type === "pointercancel" || Math.hypot(place.x - pressed.x, place.y - pressed.y) > SLACK) return;
    const hit = this.hit(panel, place);
    this.point(panel, hit, event);
    if (hit?.to) {
      lab.move(hit.to);
      lab.release();
    } else this.choose(panel, hit);
  }

  /**
   * @param {Drawn} panel
   * @param {Hit | null} hit
   */
  choose(panel, hit) {
    if (hit?.pick) this.lab.pick(panel, hit.pick);
  }

  /**
   * What is dragged beyond the edge stays at the edge.
   * @param {Drawn} panel
   * @param {Place} place
   */
  drag(panel, { x, y }) {
    const { box, low, high } = panel;
    const inside = {
      x: Math.min(box.x + box.w - 0.01, Math.max(box.x, x)),
      y: Math.min(box.y + box.h - 0.01, Math.max(box.y, y)),
    };
    if (!panel.editable) {
      const to = this.hit(panel, inside)?.to;
      return to && this.lab.move(to);
    }
    const i = Math.floor(((inside.x - box.x) / box.w) * panel.count);
    return this.lab.editing.edit(panel, i, high - ((inside.y - box.y) / box.h) * (high - low));
  }

  /**
   * @param {Drawn | null} panel
   * @param {Hit | null} hit
   * @param {any} [where]
   */
  point(panel, hit, where) {
    if (!panel) return;
    const lit = hit?.lit ?? null;
    [this.panel, this.where] = [panel, hit ? where : null];
    if (JSON.stringify(panel.lit ?? null) !== JSON.stringify(lit)) {
      panel.lit = lit;
      this.lab.painter.touch(panel);
    }
    if (hit?.lines.length)
      this.lab.say(
        where,
        hit.lines.map((text) => [text]),
      );
    else this.lab.tip.hidden = true;
  }

  // The tip of a pointer at rest, or of the keyboard, says what is painted now.
  retell() {
    const { panel, where, lab } = this;
    if (!panel?.canvas || !where || lab.tip.hidden || this.pressed) return;
    const under = () => this.hit(panel, placeIn(panel.canvas, where));
    this.point(panel, where.pointerType ? under() : this.tell(panel, panel.lit), where);
  }

  /**
   * @param {Drawn} panel
   * @param {any} lit
   */
  tell(panel, lit) {
    return walked(panel).tell(this.lab, panel, lit);
  }

  /** Where the keyboard begins: at what is chosen. @param {Drawn} panel */
  home(panel) {
    return walked(panel).home(panel);
  }

  /**
   * What the keyboard reaches is said aloud, too.
   * @param {Drawn} panel
   * @param {any} lit
   */
  light(panel, lit) {
    this.lab.painter.paintNow(panel);
    const { left, top } = panel.canvas.getBoundingClientRect();
    const { x, y, w, h } = walked(panel).cell(panel, lit);
    const hit = this.tell(panel, lit);
    this.point(panel, hit, { clientX: left + x + w, clientY: top + y + h });
    this.lab.live.textContent = hit.lines.join(", ");
  }

  /**
   * @param {KeyboardEvent} event
   * @param {Drawn} panel
   */
  walk(event, panel) {
    if (!PLOTS[panel.kind].walk) return;
    const step = STEPS[event.key];
    const from = panel.lit ?? this.home(panel);
    if (step?.[0] && panel.editable) this.pull(panel, from, step[0]);
    else if (step) this.light(panel, walked(panel).beside(panel, from, step));
    else if (event.key === "Escape") this.point(panel, null);
    else if ((event.key === "Enter" || event.key === " ") && !panel.editable)
      this.choose(panel, this.tell(panel, from));
    else return;
    event.preventDefault();
  }

  /**
   * A key moves a bar up or down.
   * @param {Drawn} panel
   * @param {number} i
   * @param {number} down
   */
  pull(panel, i, down) {
    const { editing, films } = this.lab;
    const value = films.frame(panel.film)[panel.start + i];
    editing.edit(panel, i, value - (down * (panel.high - panel.low)) / PULLS);
    this.light(panel, i);
    editing.sendSoon(panel);
  }
}

/** @param {Plot} panel */
const walked = (panel) => /** @type {Walked} */ (PLOTS[panel.kind]);

/**
 * @param {HTMLCanvasElement} canvas
 * @param {{ clientX: number, clientY: number }} event
 * @returns {Place}
 */
function placeIn(canvas, { clientX, clientY }) {
  const { left, top } = canvas.getBoundingClientRect();
  return { x: clientX - left, y: clientY - top };
}
