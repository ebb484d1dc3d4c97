// What the colours below the matrices stand for.
import { signedRamp } from "../colour.js";
import { element } from "../dom.js";
import { significant } from "../maths.js";
import { written } from "../text.js";

/**
 * A key for every range of colours, named where there are several.
 * @param {Picture} picture
 * @returns {HTMLElement[]}
 */
export function keysOf({ panels, words, meta, mode }) {
  const ranges = new Map();
  for (const panel of panels) {
    const bytes = panel.values instanceof Uint8Array;
    const [low, high] = [signedRamp(panel.scale) ? -panel.limit : 0, bytes ? 1 : panel.limit];
    const range = `${panel.scale} ${bytes} ${low} ${high}`;
    if (ranges.has(range)) ranges.get(range).shared = true;
    else ranges.set(range, { panel, low, high, shared: panels.length === 1 || meta.layout === "grid" });
  }
  const beyond = new Set(panels.filter(overfull).map(({ scale }) => scale));
  const keys = [...ranges.values()].map(({ panel: { scale, title }, low, high, shared }) => {
    const end = (beyond.has(scale) ? "> " : "") + significant(high, 3);
    return element(
      "span",
      { class: "key" },
      element("b", {}, ...written(shared ? "" : title)),
      element("span", { text: significant(low, 3) }),
      element("i", { style: `background:linear-gradient(90deg,${PALETTE.ramps[scale][mode].join(",")})` }),
      element("span", { text: scale === "weights" ? `${end} ${words.rooted}` : end }),
    );
  });
  return panels.some(({ masked }) => masked) ? [...keys, hatchedKey(words.masked)] : keys;
}

// Weights that no softmax has made.
export const overfull = ({ scale, values }) =>
  scale === "weights" && values instanceof Float32Array && values.some((v) => v > 1.001);

const hatchedKey = (text) =>
  element("span", { class: "key" }, element("i", { class: "hatched" }), element("span", { text }));
