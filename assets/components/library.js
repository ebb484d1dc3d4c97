// The scripts of all components, sent once a page: a component itself is a few lines that find its script here.
export default function library() {
  const hub = (window.__headlight ??= { waiting: [] });
  if (hub.heatmap) return;
  Object.assign(hub, { heatmap, lines });
  hub.waiting.splice(0).forEach((mount) => mount());
}
