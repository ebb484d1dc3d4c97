import { significant } from "../maths.js";

// A table that a browser saves by itself begins with the mark by which Excel knows UTF-8. Streamlit writes one, and loses it
// where it has no way but an address of the bytes.
const MARK = "\ufeff";

/** @param {typeof URL} addresses */
export function markTables(addresses) {
  const { createObjectURL } = addresses;
  addresses.createObjectURL = (object) => {
    const table = object instanceof Blob && object.type.startsWith("text/csv");
    return createObjectURL.call(addresses, table ? new Blob([MARK, object], { type: object.type }) : object);
  };
}

// Streamlit draws a table on a canvas and keeps its cells inside for those who hear them, every digit that a number has.
const CELL = "canvas td";
const LONG = /^-?\d+\.\d{5,}(e[-+]?\d+)?$/;

/** @param {string} text */
export const spelledCell = (text) => (LONG.test(text) ? significant(Number(text)) : text);

/** @param {Document} page */
export function roundCells(page) {
  const round = (cell) => {
    const text = spelledCell(cell.textContent);
    if (text !== cell.textContent && cell.firstChild) cell.firstChild.nodeValue = text;
  };
  const look = (changes) => {
    for (const { target, addedNodes } of changes) {
      const cell = (target instanceof Element ? target : target.parentElement)?.closest(CELL);
      if (cell) round(cell);
      else for (const node of addedNodes) if (node instanceof Element) node.querySelectorAll(CELL).forEach(round);
    }
  };
  new MutationObserver(look).observe(page.documentElement, { subtree: true, childList: true, characterData: true });
}
