// Nodes of the page.

/**
 * @param {string} tag
 * @param {Record<string, any>} [attributes] `text` is its text, what begins with "on" a listener
 * @param {...(Node | string)} children
 * @returns {any}
 */
export function element(tag, attributes = {}, ...children) {
  /** @type {any} */
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "text") node.textContent = value;
    else if (name.startsWith("on")) node[name] = value;
    else node.setAttribute(name, value);
  }
  node.append(...children);
  return node;
}

/**
 * What a picture shows, for who hears it.
 * @param {Element} node
 * @param {string} sentence
 */
export function describe(node, sentence) {
  if (node.getAttribute("aria-description") !== sentence) node.setAttribute("aria-description", sentence);
}

/**
 * A line drawing on a field of 16 × 16.
 * @param {string} path
 */
export function icon(path) {
  const node = (/** @type {string} */ tag, /** @type {Record<string, any>} */ attributes) => {
    const shape = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [name, value] of Object.entries(attributes)) shape.setAttribute(name, value);
    return shape;
  };
  const drawing = node("svg", { viewBox: "0 0 16 16", width: 14, height: 14, "aria-hidden": true });
  const stroke = { fill: "none", stroke: "currentColor", "stroke-width": 1.5, "stroke-linejoin": "round" };
  drawing.append(node("path", { d: path, ...stroke }));
  return drawing;
}

/**
 * Hand the reader a file.
 * @param {string} name
 * @param {Blob} blob
 */
export function saveFile(name, blob) {
  const address = URL.createObjectURL(blob);
  element("a", { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 1000);
}
