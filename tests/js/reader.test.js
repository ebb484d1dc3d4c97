// What the page does for the browser around it: translators, printers, clipboards. A small DOM stands for the browser's.
import assert from "node:assert/strict";
import { test } from "node:test";

class Node extends EventTarget {
  constructor(name, data = "") {
    super();
    Object.assign(this, { nodeName: name, nodeType: name === "#text" ? 3 : 1, data, parentNode: null, childNodes: [] });
  }
  get textContent() {
    return this.data + this.childNodes.map((child) => child.textContent).join("");
  }
  contains(node) {
    return node === this || this.childNodes.some((child) => child.contains(node));
  }
  removeChild(child) {
    if (child.parentNode !== this) throw new Error("NotFoundError: removeChild");
    this.childNodes.splice(this.childNodes.indexOf(child), 1);
    child.parentNode = null;
    return child;
  }
  insertBefore(node, next) {
    if (next && next.parentNode !== this) throw new Error("NotFoundError: insertBefore");
    node.parentNode?.removeChild(node);
    this.childNodes.splice(next ? this.childNodes.indexOf(next) : this.childNodes.length, 0, node);
    node.parentNode = this;
    return node;
  }
  replaceChild(node, old) {
    this.insertBefore(node, old);
    return this.removeChild(old);
  }
}
globalThis.Node = Node;

const { bearTranslators, placeOf, putBack, standIns } = await import("../../assets/components/page/translated.js");
bearTranslators(Node.prototype);

const text = (data) => new Node("#text", data);
function paragraph(...parts) {
  const node = new Node("P");
  for (const part of parts) node.insertBefore(part, null);
  return node;
}
const wrap = (node) => {
  const [outer, inner] = [new Node("FONT"), new Node("FONT")];
  outer.insertBefore(inner, null);
  node.parentNode.replaceChild(outer, node);
  inner.insertBefore(node, null);
  return outer;
};
const record = (fields) => ({ addedNodes: [], removedNodes: [], previousSibling: null, nextSibling: null, ...fields });
// As Google's translator does it: the text leaves the page, another one in <font> stands where it was.
const replace = (node, data) => {
  const font = new Node("FONT");
  font.insertBefore(text(data), null);
  node.parentNode.replaceChild(font, node);
  return font;
};
const names = (node) => node.childNodes.map(({ nodeName, data }) => data || nodeName);

test("a text that a translator has wrapped can be taken away, and leaves nothing", () => {
  const [one, two] = [text("one"), text("two")];
  const parent = paragraph(one, two);
  wrap(one);
  assert.equal(parent.removeChild(one), one);
  assert.deepEqual(names(parent), ["two"]);
});

test("what is put before a wrapped text stands before what wraps it", () => {
  const [one, two] = [text("one"), text("two")];
  const parent = paragraph(one, two);
  const font = wrap(two);
  parent.insertBefore(text("new"), two);
  assert.deepEqual(names(parent), ["one", "new", "FONT"]);
  assert.equal(placeOf(parent, two), font);
});

test("a wrapper that holds another text too stays with it", () => {
  const [one, two] = [text("one"), text("two")];
  const parent = paragraph(one, two);
  const font = wrap(one);
  font.childNodes[0].insertBefore(two, null);
  parent.removeChild(one);
  assert.equal(parent.textContent, "two");
});

for (const steps of ["one", "two"])
  test(`a text that was replaced in ${steps} is taken away with what replaced it`, () => {
    const [one, two] = [text("one"), text("two")];
    const parent = paragraph(one, two);
    const font = replace(one, "eins");
    const whole = [record({ addedNodes: [font], removedNodes: [one], nextSibling: two })];
    const parts = [
      record({ addedNodes: [font], nextSibling: one }),
      record({ removedNodes: [one], previousSibling: font }),
    ];
    assert.deepEqual(standIns(steps === "one" ? whole : parts), [one]);
    parent.insertBefore(text("new"), one);
    assert.deepEqual(names(parent), ["new", "FONT", "two"]);
    parent.removeChild(one);
    assert.deepEqual(names(parent), ["new", "two"]);
  });

test("what is written into a text that was replaced stands on the page again", () => {
  const one = text("one");
  const parent = paragraph(one);
  standIns([record({ addedNodes: [replace(one, "eins")], removedNodes: [one] })]);
  one.data = "1";
  putBack([{ target: one }]);
  assert.deepEqual(names(parent), ["1"]);
});

test("a text translated twice is found where the second translation stands", () => {
  const one = text("one");
  const parent = paragraph(one);
  const first = replace(one, "eins");
  standIns([record({ addedNodes: [first], removedNodes: [one] })]);
  const second = replace(first, "uno");
  standIns([record({ addedNodes: [second], removedNodes: [first] })]);
  assert.equal(placeOf(parent, one), second);
});

test("a text that is nowhere is taken away from nowhere, and nothing is put before it", () => {
  const parent = paragraph(text("one"));
  const lost = text("lost");
  assert.equal(parent.removeChild(lost), lost);
  parent.insertBefore(text("new"), lost);
  assert.deepEqual(names(parent), ["one", "new"]);
});

test("what is no node fails as it does in any browser", () => {
  assert.throws(() => paragraph().removeChild(null));
});

test("a table gets the mark of UTF-8, once, and what is no table stays as it is", async () => {
  const { markTables } = await import("../../assets/components/page/tables.js");
  const given = [];
  const addresses = { createObjectURL: (blob) => given.push(blob) };
  markTables(addresses);
  const blobs = [
    ["text/csv;charset=utf-8;", "法律"],
    ["text/csv", ""],
    ["image/png", "x"],
    ["application/zip", "PK"],
  ];
  for (const [type, part] of blobs) addresses.createObjectURL(new Blob([part], { type }));
  const heads = await Promise.all(given.map(async (blob) => new Uint8Array(await blob.arrayBuffer()).slice(0, 3)));
  assert.deepEqual(
    heads.map((head) => String(head) === "239,187,191"),
    [true, true, false, false],
  );
  assert.deepEqual(
    given.map(({ type }) => type),
    blobs.map(([type]) => type),
  );
});

test("copying goes on where the clipboard is kept from the page, and says so where nothing helps", async () => {
  const { letCopy } = await import("../../assets/components/page/copying.js");
  const [copied, notes, selected] = [[], [], []];
  const node = () => ({ setAttribute() {}, append() {}, remove() {}, select() {}, focus() {} });
  const block = { querySelector: () => "the code" };
  let helps = true;
  globalThis.document = {
    createElement: () => node(),
    body: { append: (note) => notes.push(note.textContent) },
    activeElement: { ...node(), closest: () => block, parentElement: { append: (field) => copied.push(field.value) } },
    execCommand: () => helps,
  };
  globalThis.getSelection = () => ({ selectAllChildren: (child) => selected.push(child) });
  const refusing = { writeText: () => Promise.reject(new Error("NotAllowedError")) };
  const working = { writeText: async (words) => copied.push(`own ${words}`) };
  for (const [clipboard, works, fails] of [
    [undefined, true, false],
    [refusing, true, false],
    [working, false, false],
    [undefined, false, true],
    [refusing, false, true],
  ]) {
    Object.defineProperty(globalThis, "navigator", { value: { clipboard }, configurable: true });
    helps = works;
    letCopy(() => "press Ctrl + C");
    const writing = navigator.clipboard.writeText("law");
    if (fails) await assert.rejects(writing);
    else await writing;
    if (clipboard === refusing) refusing.writeText = () => Promise.reject(new Error("NotAllowedError"));
  }
  assert.deepEqual(copied, ["law", "law", "own law", "law", "law"]);
  assert.deepEqual(notes, ["press Ctrl + C", "press Ctrl + C"]);
  assert.deepEqual(selected, ["the code", "the code"]);
});
