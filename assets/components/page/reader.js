// What the page tells the browser about itself: its language, and what is said where a browser refuses something.
import { letCopy } from "./copying.js";
import { watchGuide } from "./guide.js";
import { watchPrinter } from "./printing.js";
import { markTables } from "./tables.js";
import { watchTranslators } from "./translated.js";

const TOLD = { language: "en", copying: "" };

/** Once a page, before anything of it changes. */
export function watchReader() {
  watchTranslators(document);
  watchPrinter(window);
  watchGuide(document);
  markTables(URL);
  letCopy(() => TOLD.copying);
}

/** @param {{ data: typeof TOLD }} component */
export function reader({ data }) {
  Object.assign(TOLD, data);
  document.documentElement.lang = TOLD.language;
}
