// The scripts of all components, sent once a page: a component itself is a few lines that find its script here.
export default function library() {
  const hub = (window.__headlight ??= { waiting: [] });
  if (hub.heatmap) return;
  Object.assign(hub, { heatmap, lines, lab });
  document.addEventListener("input", wholeCharacters, true);
  hub.waiting.splice(0).forEach((mount) => mount());
}

// Half of a character (a lone surrogate) has no UTF-8: the message that carries it would break the connection.
function wholeCharacters({ target }) {
  if (typeof target?.value !== "string" || target.value.isWellFormed()) return;
  const kind = target instanceof HTMLTextAreaElement ? HTMLTextAreaElement : HTMLInputElement;
  Object.getOwnPropertyDescriptor(kind.prototype, "value").set.call(target, target.value.toWellFormed());
}
