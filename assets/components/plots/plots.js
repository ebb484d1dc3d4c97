// The kinds of pictures a laboratory has, by the names Python gives them; components.d.ts says what a kind is.
import { bars } from "./bars.js";
import { curves } from "./curves.js";
import { grid } from "./grid.js";
import { histogram } from "./histogram.js";
import { map } from "./map.js";
import { phase } from "./phase.js";

/** @type {Record<string, PlotKind>} */
export const PLOTS = { bars, curves, grid, histogram, map, phase };
