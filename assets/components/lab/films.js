// The numbers of a laboratory: films as Python sent them, and films that are computed here, at the sliders' positions.
import { FrameError } from "../frame.js";
import { decoded, jacobianOf, product, softmaxRows } from "../maths.js";

export class Films {
  /** @param {import("./positions.js").Positions} positions */
  constructor(positions) {
    this.positions = positions;
    /** @type {Map<string, Slider>} */
    this.sliders = new Map();
    /** @type {Record<string, Film>} */
    this.sent = {};
    /** @type {Record<string, Computed>} */
    this.computed = {};
    /** @type {Record<string, Numbers>} frames where the sliders stand */
    this.cache = {};
    /** @type {Record<string, Float64Array>} room for frames that are computed */
    this.room = {};
    /** @type {Record<string, Numbers>} the frame of a fork that was shown last */
    this.shown = {};
  }

  /**
   * What Python has sent. Throws a FrameError where a film does not have one frame for every stop of its sliders.
   * @param {any} meta
   * @param {Record<string, Numbers>} arrays
   */
  accept(meta, arrays) {
    const sliders = new Map(meta.sliders.map((/** @type {Slider} */ slider) => [slider.name, slider]));
    /** @type {Record<string, Film>} */
    const sent = {};
    for (const film of meta.films) {
      const values = arrays[film.array];
      const size = product(film.shape);
      const steps = film.axes.map((/** @type {string} */ name) => sliders.get(name)?.readings.length ?? NaN);
      if (!values || values.length !== size * product(steps)) throw new FrameError("film");
      sent[film.name] = { ...film, values, size, steps };
    }
    this.sliders = sliders;
    this.sent = sent;
    this.computed = Object.fromEntries(meta.computed.map((/** @type {Computed} */ film) => [film.name, film]));
    this.shown = {};
    this.forget();
  }

  /** The sliders have moved, or numbers have changed. */
  forget() {
    this.cache = {};
  }

  /**
   * The slider of that name, which a picture has asked for.
   * @param {string} name
   * @returns {Slider}
   */
  slider(name) {
    return /** @type {Slider} */ (this.sliders.get(name));
  }

  /** How many stops a slider has. @param {string} name */
  count(name) {
    return this.slider(name).readings.length;
  }

  /**
   * Where a frame begins when sliders stand at `at`.
   * @param {Film} film
   * @param {Record<string, number>} at
   */
  place(film, at) {
    return film.axes.reduce((index, name, i) => index * film.steps[i] + at[name], 0) * film.size;
  }

  /**
   * Whether the sliders that a film does not follow stand where they stood when it was made.
   * @param {Film} film
   */
  current({ axes, at }) {
    return Object.entries(at).every(([name, index]) => axes.includes(name) || this.positions.at[name] === index);
  }

  /**
   * The numbers of a film at the sliders' positions. Computed here: shifted and scaled scores, softmax over rows, its
   * Jacobian.
   * @param {string} name
   * @returns {any}
   */
  frame(name) {
    return (this.cache[name] ??= name in this.sent ? this.frameAt(name, this.positions.at) : this.compute(name));
  }

  /**
   * @param {string} name
   * @param {Record<string, number>} at
   */
  frameAt(name, at) {
    const film = this.sent[name];
    const start = this.place(film, at);
    const values = film.values.subarray(start, start + film.size);
    return film.codes ? decoded(values, film.codes) : values;
  }

  /** @param {string} name */
  compute(name) {
    const film = this.computed[name];
    if (film.kind === "fork") return this.fork(film);
    if (this.room[name]?.length !== film.size) this.room[name] = new Float64Array(film.size); // 3.72·10⁻⁴⁴ is no float32
    const out = this.room[name];
    const factor = film.factor ? this.frame(film.factor)[0] : 1;
    if (film.kind === "softmax") softmaxRows(this.frame(film.scores), out, film.size / film.cols, film.cols, factor);
    else if (film.kind === "scaled") {
      const shift = film.shift ? this.frame(film.shift)[0] : 0;
      const scores = this.frame(film.scores);
      for (let i = 0; i < film.size; i++) out[i] = (scores[i] + shift) * factor;
    } else jacobianOf(this.frame(film.of).subarray(film.start, film.start + film.n), out, film.n);
    return out;
  }

  /**
   * While none of its films is up to date (one slider was released, another already moves), the last frame stays.
   * @param {Computed} computed
   */
  fork({ name, films }) {
    const candidates = films.map((film) => this.sent[film]);
    const fresh = candidates.filter((film) => this.current(film));
    const { last } = this.positions;
    const best = fresh.find(({ axes }) => last !== null && axes.includes(last)) ?? fresh[0];
    if (best) return (this.shown[name] = this.frame(best.name));
    const [{ name: first, at }] = candidates;
    return (this.shown[name] ??= this.frameAt(first, { ...this.positions.at, ...at }));
  }

  /**
   * How far apart the frames of neighbouring stops of a slider are; 0 where the film does not depend on it.
   * @param {Film} film
   * @param {string} name
   */
  stride(film, name) {
    const axis = film.axes.indexOf(name);
    return axis < 0 ? 0 : product(film.steps.slice(axis + 1)) * film.size;
  }

  /**
   * Where the numbers of a line begin: the sliders as they stand or as `fixed` holds them, the slider `along` at 0.
   * @param {string} name
   * @param {string} along
   * @param {{ fixed?: Record<string, number> | null, start?: number }} line
   */
  beginning(name, along, { fixed, start = 0 }) {
    return this.place(this.sent[name], { ...this.positions.at, ...fixed, [along]: 0 }) + start;
  }

  /**
   * One number along a slider, the others as they stand or as `fixed` holds them.
   * @param {string} name
   * @param {string} along
   * @param {{ fixed?: Record<string, number> | null, start?: number }} line
   */
  along(name, along, line) {
    const film = this.sent[name];
    const first = this.beginning(name, along, line);
    const stride = this.stride(film, along);
    const out = new Float32Array(this.count(along));
    for (let i = 0; i < out.length; i++) out[i] = film.values[first + i * stride];
    return out;
  }

  /**
   * One number over two sliders, rows along y.
   * @param {{ film: string, x: string, y: string, start: number }} plot
   */
  plane({ film: name, x, y, start }) {
    const film = this.sent[name];
    const first = this.planeBeginning({ film: name, x, y, start });
    const [cols, rows] = [this.count(x), this.count(y)];
    const [across, down] = [this.stride(film, x), this.stride(film, y)];
    const values = new Float32Array(rows * cols);
    for (let r = 0; r < rows; r++)
      for (let c = 0; c < cols; c++) values[r * cols + c] = film.values[first + r * down + c * across];
    return values;
  }

  /** @param {{ film: string, x: string, y: string, start: number }} plot */
  planeBeginning({ film, x, y, start }) {
    return this.place(this.sent[film], { ...this.positions.at, [x]: 0, [y]: 0 }) + start;
  }

  /**
   * The sliders that the frame of a film depends on: of a fork all, since it asks which of them was moved last.
   * @param {string} name
   * @returns {string[]}
   */
  follows(name) {
    const film = this.sent[name];
    if (film) return [...film.axes, ...Object.keys(film.at)];
    const { kind, scores, of, shift, factor } = this.computed[name];
    if (kind === "fork") return [...this.sliders.keys()];
    return [scores, of, shift, factor].filter(Boolean).flatMap((part) => this.follows(part));
  }
}
