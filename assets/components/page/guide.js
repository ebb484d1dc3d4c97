// The guide: a dock that stays open while one works. Whether it is open is remembered as long as this tab.
const KEPT = "headlightGuide";
const [TOGGLE, CLOSE, DOCK] = ["guide-toggle", "guide-close", "st-key-guide_dock"];

/** @param {Document} page */
export function watchGuide(page) {
  const root = page.documentElement;
  const isOpen = () => root.dataset.guide === "open";
  const turn = (open) => {
    if (open) root.dataset.guide = "open";
    else delete root.dataset.guide;
    remember(open);
    mark();
  };
  const [toggles, docks] = [page.getElementsByClassName(TOGGLE), page.getElementsByClassName(DOCK)];
  const mark = () => {
    for (const toggle of toggles) set(toggle, "aria-expanded", String(isOpen()));
    for (const dock of docks) {
      set(dock, "role", "complementary");
      set(dock, "aria-labelledby", "guide");
    }
  };
  const close = () => {
    turn(false);
    focus(toggles[0]);
  };
  page.addEventListener("click", ({ target }) => {
    if (!(target instanceof Element)) return;
    if (target.closest(`.${CLOSE}`) || (isOpen() && target.closest(`.${TOGGLE}`))) return close();
    if (!target.closest(`.${TOGGLE}`)) return;
    turn(true);
    focus(page.querySelector(`.${CLOSE}`));
  });
  page.addEventListener("keydown", ({ key, target }) => {
    if (key === "Escape" && isOpen() && target instanceof Element && target.closest(`.${DOCK}`)) close();
  });
  new MutationObserver(mark).observe(root, { subtree: true, childList: true });
  turn(remembered());
}

/** @param {Element | null | undefined} element */
function focus(element) {
  if (element instanceof HTMLElement) element.focus({ preventScroll: true });
}

/**
 * @param {Element} element
 * @param {string} name
 * @param {string} value
 */
function set(element, name, value) {
  if (element.getAttribute(name) !== value) element.setAttribute(name, value);
}

/** @param {boolean} open */
function remember(open) {
  try {
    if (open) sessionStorage.setItem(KEPT, "open");
    else sessionStorage.removeItem(KEPT);
  } catch {
    // a frame that may not keep anything: the guide opens closed
  }
}

function remembered() {
  try {
    return sessionStorage.getItem(KEPT) === "open";
  } catch {
    return false;
  }
}
