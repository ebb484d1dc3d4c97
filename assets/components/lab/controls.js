// Sliders and switches.
import { element } from "../dom.js";
import { written } from "../text.js";

/**
 * @param {Lab} lab
 * @param {Slider} slider
 * @returns {HTMLElement}
 */
export function controlOf(lab, { name, kind, readings }) {
  const title = element("span", { class: "control-name" });
  if (kind === "switch") {
    const choose = (/** @type {number} */ index) => {
      lab.move({ [name]: index });
      lab.release();
    };
    const buttons = readings.map((_, index) =>
      element("button", { type: "button", class: "choice", role: "radio", onclick: () => choose(index) }),
    );
    const onkeydown = (/** @type {KeyboardEvent} */ event) => walk(event, buttons, choose);
    const choices = element("span", { class: "choices", onkeydown }, ...buttons);
    return element("div", { class: "control", "data-slider": name, role: "radiogroup" }, title, choices);
  }
  const input = element("input", { type: "range", class: "slider", min: 0, step: 1 });
  input.oninput = () => lab.move({ [name]: +input.value });
  input.onchange = () => lab.release();
  return element(
    "label",
    { class: "control", "data-slider": name },
    title,
    element("output", { "aria-live": "off" }),
    input,
  );
}

/**
 * The arrows go from one radio button to the next, and choose it.
 * @param {KeyboardEvent} event
 * @param {HTMLElement[]} buttons
 * @param {(index: number) => void} choose
 */
function walk(event, buttons, choose) {
  const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
  if (!step) return;
  const at = buttons.findIndex((button) => button.tabIndex === 0);
  const next = (at + step + buttons.length) % buttons.length;
  choose(next);
  buttons[next].focus();
  event.preventDefault();
}

/**
 * The controls of a panel, with their sliders.
 * @param {Lab} lab
 * @param {Plot} panel
 * @returns {[any, Slider][]}
 */
const controlsIn = (lab, panel) =>
  [...panel.figure.querySelectorAll("[data-slider]")].map((/** @type {any} */ node) => [
    node,
    lab.slider(node.dataset.slider),
  ]);

/**
 * @param {HTMLElement} node a switch
 * @param {(button: HTMLElement, index: number) => void} act
 */
const eachChoice = (node, act) => node.querySelectorAll("button").forEach(act);

/**
 * Names come with the words, which change with the language.
 * @param {Lab} lab
 * @param {Plot} panel
 */
export function nameControls(lab, panel) {
  for (const [node, { label, help, readings }] of controlsIn(lab, panel)) {
    node.querySelector(".control-name").replaceChildren(...written(label));
    if (help) node.title = help;
    const input = node.querySelector("input");
    (input ?? node).setAttribute("aria-label", label);
    if (input) input.max = readings.length - 1;
    else eachChoice(node, (button, i) => button.replaceChildren(...written(readings[i])));
  }
}

/**
 * @param {Lab} lab
 * @param {Plot} panel
 */
export function showControls(lab, panel) {
  for (const [node, { name, readings }] of controlsIn(lab, panel)) {
    const at = lab.at[name];
    const input = node.querySelector("input");
    if (input) {
      input.value = at;
      input.setAttribute("aria-valuetext", readings[at]);
      node.querySelector("output").textContent = readings[at];
    } else eachChoice(node, (button, i) => check(button, i === at));
  }
}

/**
 * Tab enters a group of radio buttons at the checked one.
 * @param {HTMLElement} button
 * @param {boolean} checked
 */
function check(button, checked) {
  button.setAttribute("aria-checked", String(checked));
  button.tabIndex = checked ? 0 : -1;
}
