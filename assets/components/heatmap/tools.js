// The bar above the matrices: the slider of the temperature, and the tools.
import { element, icon } from "../dom.js";
import { nearestTo, significant } from "../maths.js";

const RESET = "M3 3v4h4 M3.5 7a5.2 5.2 0 1 1-.6 3";
const LOCK = "M3 7h10v7H3z M5 7V4.5a3 3 0 0 1 6 0";

export class Tools {
  /** @param {Picture} picture */
  constructor(picture) {
    this.picture = picture;
    picture.tools = {
      lock: picture.tool("lock", "", () => picture.pointing.lock(!picture.locked)),
      reset: picture.tool("reset", icon(RESET), () => picture.reset()),
      save: picture.saver(),
    };
    this.slider = element("input", { type: "range", min: 0, step: 1, class: "slider" });
    this.slider.oninput = () => picture.later("temper", () => picture.temper(this.stop(), true));
    this.slider.onchange = () => picture.send.setTriggerValue("temperature", this.stop());
    this.reading = element("output", { "aria-live": "off" });
    this.name = element("span", { class: "sliding-name" });
    this.sliding = element("label", { class: "sliding" }, this.name, this.slider, this.reading);
    this.badge = element("span", { class: "badge" });
    const tools = element("span", { class: "tools" }, ...Object.values(picture.tools), picture.saving.node);
    this.node = element("div", { class: "bar" }, this.sliding, tools, this.badge);
  }

  stop() {
    return this.picture.meta.live.stops[+this.slider.value];
  }

  furnish() {
    const { picture } = this;
    const { live, layout } = picture.meta;
    this.node.style.display = picture.panels.length ? "" : "none";
    picture.nameTools();
    picture.tools.lock.hidden = picture.tools.reset.hidden = layout === "grid";
    this.sliding.hidden = this.badge.hidden = !live;
    if (live) {
      this.slider.max = live.stops.length - 1;
      this.name.textContent = live.label;
      this.slider.setAttribute("aria-label", live.label);
      this.slider.value = nearestTo(live.value, live.stops);
    }
    this.showLock();
  }

  /**
   * @param {number} temperature
   * @param {boolean} preview
   */
  read(temperature, preview) {
    this.reading.textContent = significant(temperature);
    this.slider.setAttribute("aria-valuetext", significant(temperature));
    this.badge.textContent = preview ? this.picture.words.preview : "";
  }

  showLock() {
    const { locked, root, tip, tools } = this.picture;
    if (root.dataset.locked === String(locked)) return;
    root.dataset.locked = String(locked);
    if (!locked) tip.hidden = true;
    tools.lock.replaceChildren(icon(`${LOCK}${locked ? "V7" : ""}`));
    tools.lock.setAttribute("aria-pressed", String(locked));
  }
}
