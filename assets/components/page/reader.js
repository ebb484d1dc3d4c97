// What the page tells the browser about itself: its language, and what is said where a browser refuses something.
import { letCopy } from "./copying.js";
import { watchGuide } from "./guide.js";
import { carryState } from "./menu.js";
import { watchPrinter } from "./printing.js";
import { enterAtChecked } from "./entering.js";
import { foldSheets } from "./sheet.js";
import { markTables, roundCells } from "./tables.js";
import { watchTranslators } from "./translated.js";
import { SUMMARY_WORDS } from "./words.js";

const TOLD = { language: "en", copying: "", summaries: {} };

/** Once a page, before anything of it changes. */
export function watchReader() {
  watchTranslators(document);
  watchPrinter(window);
  watchGuide(document);
  enterAtChecked(document);
  carryState(document);
  foldSheets(document);
  markTables(URL);
  roundCells(document);
  letCopy(() => TOLD.copying);
}

/** @param {{ data: typeof TOLD }} component */
export function reader({ data }) {
  Object.assign(TOLD, data);
  Object.assign(SUMMARY_WORDS, data.summaries);
  document.documentElement.lang = TOLD.language;
}
