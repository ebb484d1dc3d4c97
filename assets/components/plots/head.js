// What is written above a picture: its title, and its note beside it, or below it in as many lines as it takes.
import { SMALL } from "../marks.js";
import { inscribe, measuring, spread, wrapped } from "../text.js";

const LINE = 15; // pixels from a title to its note, and from one line of the note to the next
const TITLE = 13;

/**
 * @param {string} note
 * @param {string} hint
 */
export const noteOf = (note, hint) => [note, hint].filter(Boolean).join(" · ");

const headOf = (lab, { title, note: said, hint }, w) => {
  const beside = title ? spread(measuring(`600 ${TITLE}px ${lab.font()}`), title) + 8 : 0;
  const note = noteOf(said, hint);
  const pen = measuring(`${SMALL}px ${lab.font()}`);
  return { beside, note, lines: note && beside + spread(pen, note) > w ? wrapped(pen, note, w) : [] };
};

/**
 * How far down the lines of a note push what is below them.
 * @param {Lab} lab
 * @param {Plot} panel
 * @param {number} w
 */
export const dropOf = (lab, panel, w) => headOf(lab, panel, w).lines.length * LINE;

/**
 * @param {Pen} pen
 * @param {Lab} lab
 * @param {Plot} panel
 * @param {number} w
 */
export function drawHead(pen, lab, panel, w) {
  const { beside, note, lines } = headOf(lab, panel, w);
  pen.font = `600 ${TITLE}px ${lab.font()}`;
  pen.fillStyle = lab.colour.ink;
  if (panel.title) inscribe(pen, panel.title, 0, TITLE);
  pen.font = `${SMALL}px ${lab.font()}`;
  pen.fillStyle = lab.colour.quiet;
  lines.forEach((line, i) => inscribe(pen, line, 0, TITLE + (i + 1) * LINE));
  if (note && !lines.length) inscribe(pen, note, beside, TITLE);
}
