// Links to other pages keep what the reader has typed: also in a tab of their own, where no session goes with them.
const LINK =
  '[data-testid="stTopNavDropdownLink"], [data-testid="stSidebarNavLink"], [data-testid="stPageLink-NavLink"]';
const CARRIED = ["text", "focus", "lang", "present"];
const TYPED = ".st-key-sentence_bar, .st-key-study_bar"; // a page with one says in its address which sentence it has

/**
 * An address with what goes along, of what another address says.
 * @param {string} href
 * @param {URLSearchParams} said
 */
export function carrying(href, said) {
  const url = new URL(href);
  for (const key of CARRIED) {
    const value = said.get(key);
    if (value === null) url.searchParams.delete(key);
    else url.searchParams.set(key, value);
  }
  return url.href;
}

/** @param {Document} page */
export function carryState(page) {
  let latest = new URLSearchParams(); // of the last page that has a sentence
  const carry = ({ target }) => {
    /** @type {HTMLAnchorElement | null} */
    const link = target.closest?.(LINK);
    if (!link) return;
    const own = new URLSearchParams(location.search);
    if (page.querySelector(TYPED)) latest = own;
    const said = new URLSearchParams([...latest].filter(([key]) => key === "text" || key === "focus"));
    for (const key of ["lang", "present"]) if (own.has(key)) said.set(key, own.get(key));
    link.href = carrying(link.href, said);
  };
  for (const kind of ["pointerover", "focusin", "pointerdown"]) page.addEventListener(kind, carry, true);
}
