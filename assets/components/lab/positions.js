// Where the sliders stand. The reader moves them; Python puts them elsewhere only with a link, a step back, a preset.

export class Positions {
  constructor() {
    /** @type {Record<string, number>} stops by slider */
    this.at = {};
    /** @type {string | null} the slider that was moved last */
    this.last = null;
    this.puts = 0;
    /** @type {Set<string>} the sliders a finger holds */
    this.held = new Set();
  }

  /**
   * Python counts how often it has put the sliders somewhere. What comes with a count that is known is older than what
   * the reader has done since. A slider that is held stays under its finger.
   * @param {{ name: string, at: number }[]} sliders
   * @param {number} puts
   */
  put(sliders, puts) {
    if (puts === this.puts) return;
    this.puts = puts;
    this.at = Object.fromEntries(sliders.map(({ name, at }) => [name, this.held.has(name) ? this.at[name] : at]));
  }

  /** @param {Record<string, number>} change */
  move(change) {
    Object.assign(this.at, change);
    [this.last] = Object.keys(change);
    for (const name of Object.keys(change)) this.held.add(name);
  }

  /** What Python is told: the positions, and the last put they follow. */
  release() {
    this.held.clear();
    return { positions: { ...this.at }, puts: this.puts };
  }
}
