// On a narrow screen Pipeline's explanation is a sheet over the picture: folded until somebody asks for it.
const SHEET = ".st-key-margin details[open]:not(details details) > summary";
const NARROW = "(max-width: 1099px)";

/** @param {Document} page */
export function foldSheets(page) {
  const met = new WeakSet();
  const look = () => {
    /** @type {HTMLElement | null} */
    const summary = matchMedia(NARROW).matches ? page.querySelector(SHEET) : null;
    if (!summary || met.has(summary)) return;
    met.add(summary);
    summary.click();
  };
  new MutationObserver(look).observe(page.documentElement, { subtree: true, childList: true });
}
