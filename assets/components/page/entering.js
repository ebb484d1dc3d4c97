// Tab enters a group of radio buttons at the checked one. Streamlit's are a toolbar, which Tab enters at its first button.
const GROUP = '[role="radiogroup"]';

/** @param {Document} page */
export function enterAtChecked(page) {
  let tabbed = false;
  const noted = (/** @type {any} */ { type, key }) => (tabbed = type === "keydown" && key === "Tab");
  for (const kind of ["keydown", "keyup", "pointerdown"]) page.addEventListener(kind, noted, true);
  page.addEventListener("focusin", ({ target, relatedTarget }) => {
    const group = /** @type {Element} */ (target).closest(GROUP);
    if (!tabbed || !group || group.contains(/** @type {Node | null} */ (relatedTarget))) return;
    /** @type {HTMLElement | null} */
    const checked = group.querySelector('[aria-checked="true"]');
    checked?.focus();
  });
}
