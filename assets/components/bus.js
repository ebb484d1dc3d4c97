// What the canvases of one page share without the server: the tokens in focus, what the pointer is on, and the chosen
// head (see heads.js).
const BUS = (window.__headlightBus ??= { state: {}, target: new EventTarget() });

function busState(group) {
  return (BUS.state[group] ??= { focus: null, hover: null, locked: false, chosen: null, answered: null, pending: null, offers: [] });
}

function busSend(group, change) {
  Object.assign(busState(group), change);
  BUS.target.dispatchEvent(new CustomEvent(group));
}

function busListen(group, listener) {
  BUS.target.addEventListener(group, listener);
  return () => BUS.target.removeEventListener(group, listener);
}
