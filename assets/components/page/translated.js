// A browser's translator takes texts off the page and puts <font> in their place. React, in which Streamlit is written,
// still holds the texts: it throws where it takes one away, or puts something before one, that is not where it was.

/** @type {WeakMap<Node, Node>} what stands in the place of a text that was taken off the page */
const STANDINS = new WeakMap();
// Tokens, numbers and formulas: what a translator must leave as it is. Our own components say so of themselves.
const AS_IT_IS = 'code, canvas, .katex, [data-testid="stText"], [class*="st-key-pr_words_"]';
const TEXT = 3; // as nodeType

/**
 * The child of `parent` that is this node, holds it, or stands in its place.
 * @param {Node} parent
 * @param {Node | null} node
 * @returns {Node | null}
 */
export function placeOf(parent, node) {
  for (let at = node; at; at = at.parentNode ?? STANDINS.get(at) ?? null) if (at.parentNode === parent) return at;
  return null;
}

/**
 * From now on what is taken away is taken away where it is, and its place is found where it was.
 * @param {any} prototype that of Node
 */
export function bearTranslators(prototype) {
  const { removeChild, insertBefore } = prototype;
  const strayed = (parent, node) => node instanceof Node && node.parentNode !== parent;
  prototype.removeChild = function (child) {
    if (!strayed(this, child)) return removeChild.call(this, child);
    const place = placeOf(this, child);
    const held = place?.contains(child);
    if (held) removeChild.call(child.parentNode, child);
    if (place && !(held && place.textContent)) removeChild.call(this, place);
    return child;
  };
  prototype.insertBefore = function (node, next) {
    return insertBefore.call(this, node, strayed(this, next) ? placeOf(this, next) : next);
  };
}

/**
 * Notes which text was taken off the page for which <font>, in one step or in two.
 * @param {Pick<MutationRecord, "removedNodes" | "addedNodes" | "previousSibling" | "nextSibling">[]} changes
 * @returns {Node[]} the texts
 */
export function standIns(changes) {
  const isFont = (node) => node?.nodeName === "FONT" && node.parentNode;
  const taken = changes.flatMap(({ removedNodes, addedNodes, previousSibling, nextSibling }) => {
    const font = [...addedNodes, previousSibling, nextSibling].find(isFont);
    const gone = font ? [...removedNodes].filter((node) => !node.parentNode) : [];
    for (const node of gone) STANDINS.set(node, font);
    return gone;
  });
  return taken.filter((node) => node.nodeType === TEXT);
}

/**
 * What React writes into a text that is off the page stands on it again; the translator translates it anew.
 * @param {Pick<MutationRecord, "target">[]} changes
 */
export function putBack(changes) {
  for (const { target } of changes) {
    const font = STANDINS.get(target);
    if (target.parentNode || !font?.parentNode) continue;
    STANDINS.delete(target);
    font.parentNode.replaceChild(target, font);
  }
}

/** @param {Element} root */
function mark(root) {
  for (const node of [root, ...root.querySelectorAll(AS_IT_IS)])
    if (node.matches(AS_IT_IS)) node.setAttribute("translate", "no");
}

/** @param {Document} page */
export function watchTranslators(page) {
  bearTranslators(Node.prototype);
  const texts = new MutationObserver(putBack);
  const look = (changes) => {
    for (const text of standIns(changes)) texts.observe(text, { characterData: true });
    for (const { addedNodes } of changes) for (const node of addedNodes) if (node instanceof Element) mark(node);
  };
  const whole = page.documentElement; // tables of Streamlit keep canvases beside the body
  mark(whole);
  new MutationObserver(look).observe(whole, { subtree: true, childList: true });
}
