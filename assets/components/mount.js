// What every picture of a page is: one view per host, a sentence where its bytes cannot be read, colours, a tip, tools.
const VIEWS = new WeakMap();
const SHEET = new CSSStyleSheet(); // one for all, with the scripts: a component's own would be sent with every change
SHEET.replaceSync(STYLE);

// The function Streamlit calls with new bytes or a new theme; what it returns is called when the component goes.
const mounting = (Kind) => ({ data, parentElement, setStateValue, setTriggerValue }) => {
  let view = VIEWS.get(parentElement);
  if (!view) VIEWS.set(parentElement, (view = new Kind(parentElement)));
  view.send = { setStateValue, setTriggerValue };
  view.show(data);
  return () => {
    view.stop();
    VIEWS.delete(parentElement);
  };
};

// A kind of view has `accept(frame)`, which throws a FrameError where numbers do not fit, and `draw()`.
class View {
  constructor(parent) {
    this.host = parent.host ?? parent;
    parent.adoptedStyleSheets = [SHEET];
    this.root = parent.querySelector(".root");
    this.error = element("p", { class: "error", role: "alert", hidden: "" });
    this.live = element("div", { class: "sr", "aria-live": "polite" });
    this.tip = element("div", { class: "tip", hidden: "" });
    this.waiting = {};
    this.host.__headlight = { panels: {}, frames: 0 }; // for tests: what is painted
    this.gone = new AbortController();
    this.observer = new ResizeObserver(() => {
      if (this.root.clientWidth !== this.width) this.later("layout");
    });
    this.observer.observe(this.root);
    this.watchRatio();
    window.addEventListener("scroll", () => this.scrolled(), { capture: true, passive: true, signal: this.gone.signal });
  }

  // What stands on the page, from top to bottom; `parts` give way to a sentence where bytes cannot be read. Streamlit may
  // take a component away and mount it again in the same place: what the view before has left there goes.
  furnish(all, parts) {
    this.parts = parts;
    this.root.replaceChildren(this.error, ...all, this.live, this.tip);
  }

  stop() {
    this.observer.disconnect();
    this.gone.abort();
    Object.values(this.waiting).forEach(cancelAnimationFrame);
  }

  // Once in the next frame, whatever asks for it how often; one job never displaces another.
  later(name, job = () => this[name]()) {
    cancelAnimationFrame(this.waiting[name]);
    this.waiting[name] = requestAnimationFrame(job);
  }

  // Another screen, another zoom of the browser: the same size in CSS pixels, other pixels to draw.
  watchRatio() {
    this.ratio = matchMedia(`(resolution: ${window.devicePixelRatio}dppx)`);
    const changed = () => {
      this.watchRatio();
      this.later("layout");
    };
    this.ratio.addEventListener("change", changed, { once: true, signal: this.gone.signal });
  }

  // New bytes, or a new theme. What cannot be read becomes a sentence; the next good frame brings the picture back.
  show(data) {
    try {
      if (!data || data !== this.data) this.accept(decodeFrame(data));
      this.data = data;
      this.uncover();
      this.mode = themeOf(this.host);
      this.family = null;
      this.root.dataset.mode = this.mode;
      this.colour = Object.fromEntries(Object.entries(PALETTE.hues).map(([name, hue]) => [name, hue[this.mode]]));
      for (const [name, value] of Object.entries(this.colour)) this.root.style.setProperty(`--${name}`, value);
      this.restyle();
    } catch (problem) {
      if (!(problem instanceof FrameError)) console.error(problem); // the reader gets the sentence, a test the error
      this.data = null;
      this.error.textContent = this.meta?.words?.damaged ?? this.root.dataset.damaged;
      this.uncover();
    }
  }

  // The picture, or where it cannot be read or drawn the sentence that says so.
  uncover() {
    this.error.hidden = this.data !== null;
    for (const part of this.parts) part.hidden = this.data === null;
  }

  restyle() {
    this.layout();
  }

  layout() {
    this.draw();
  }

  // Is there something to draw, and room for it? Notes the room.
  ready() {
    this.width = this.root.clientWidth;
    return this.width > 0 && this.meta && this.error.hidden;
  }

  font() {
    return (this.family ??= getComputedStyle(this.root).fontFamily);
  }

  // The tip beside a place on the screen; each line is a list of texts and nodes.
  say({ clientX, clientY }, lines) {
    this.tip.replaceChildren(...lines.map((line) => element("div", { dir: "auto" }, ...line)));
    this.tip.hidden = false;
    const { offsetWidth: w, offsetHeight: h } = this.tip;
    this.tip.style.left = `${Math.max(4, Math.min(clientX + 14, innerWidth - w - 4))}px`;
    this.tip.style.top = `${clientY + 16 + h > innerHeight ? clientY - h - 10 : clientY + 16}px`;
  }

  // The tip stands on the screen, what it tells of on the page: a scroll parts them.
  scrolled() {
    this.tip.hidden = true;
  }

  // A small button beside a picture. Its name comes with the words, which change with the language.
  tool(name, face, action) {
    return element("button", { type: "button", class: `tool ${name}`, onclick: action }, face);
  }

  savers() {
    return { png: this.tool("png", "PNG", () => savePng(this)), svg: this.tool("svg", "SVG", () => saveSvg(this)) };
  }

  nameTools() {
    for (const [name, button] of Object.entries(this.tools)) {
      button.title = this.meta.words[name];
      button.setAttribute("aria-label", this.meta.words[name]);
    }
  }
}
