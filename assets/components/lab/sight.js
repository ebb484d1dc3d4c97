// Python may ask to be told, once, that a picture has come into sight and stayed there; for another `ask`, once more.
const STAYS = 300; // milliseconds in sight, so that what flies past is not seen

export class Sight {
  /** @param {Lab} lab */
  constructor(lab) {
    this.lab = lab;
    /** @type {IntersectionObserver | null} */
    this.observer = null;
    this.timer = 0;
    this.answered = "";
  }

  /** @param {{ panel: string, ask: string } | null} seen */
  watch(seen) {
    this.stop();
    if (!seen || this.answered === seen.ask) return;
    this.observer = new IntersectionObserver((entries) => {
      clearTimeout(this.timer);
      if (entries.at(-1)?.isIntersecting) this.timer = setTimeout(() => this.tell(seen), STAYS);
    });
    const panel = this.lab.panels.find(({ name }) => name === seen.panel);
    if (panel) this.observer.observe(panel.figure);
  }

  stop() {
    this.observer?.disconnect();
    clearTimeout(this.timer);
  }

  /** @param {{ panel: string, ask: string }} seen */
  tell(seen) {
    this.answered = seen.ask;
    this.stop();
    this.lab.send.setTriggerValue("seen", seen);
  }
}
