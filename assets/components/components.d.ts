// The words of the components, for the type checker; nothing here is sent to a browser.

declare const PALETTE: {
  hues: Record<string, Record<Mode, string>>;
  ramps: Record<string, Record<Mode, string[]>>;
};
declare const STYLE: string;

type Mode = "light" | "dark";
type Colours = Record<string, string>;
type Numbers = Float32Array | Float64Array | Uint8Array | number[];
type Head = [number, number]; // layer and head, counted from 0
type Picture = import("./heatmap/picture.js").Picture;
type Lab = import("./lab/lab.js").Lab;
type Bitmap = import("./pen.js").Bitmap;

interface Window {
  __headlight: { waiting: (() => void)[]; [kind: string]: any };
  __headlightBus: { state: Record<string, BusState>; target: EventTarget };
  __headlightTests?: boolean;
}

interface BusState {
  focus: Record<string, number> | null;
  hover: Record<string, number> | null;
  locked: boolean;
  chosen: Head | null;
  answered: Head | null;
  pending: string | null;
  peek: Head | null; // the head that is pointed at
  tags: Map<string, string> | null; // what is written on some heads
  offers: { run: string; thumbnails: Map<string, Panel> }[];
}

/** What arrives from Python: see frame.js. */
interface Frame {
  meta: any;
  arrays: Record<string, any>;
}

interface Box {
  x: number;
  y: number;
  w: number;
  h: number;
}

/** Pixels from the corner of a canvas. */
interface Place {
  x: number;
  y: number;
}

interface Room {
  w: number;
  h: number;
}

/** A part of a matrix, in cells. */
interface View {
  r: number;
  c: number;
  h: number;
  w: number;
}

interface Cell {
  r: number;
  c: number;
}

/** Numbers from `low` to `high` to colours; `root`: by their square root. */
interface Ramp {
  scale: string;
  low: number;
  high: number;
  root: boolean;
}

interface Measurer {
  font: string;
  measureText(text: string): { width: number };
}

/** As much of a canvas as the pictures use: pen.js draws with it on the page, figure/recorder.js for a file. */
interface Pen extends Measurer {
  fillStyle: any;
  strokeStyle: any;
  lineWidth: number;
  textAlign: any;
  globalAlpha: number;
  save(): void;
  restore(): void;
  translate(x: number, y: number): void;
  rotate(angle: number): void;
  fillText(text: string, x: number, y: number): void;
  fillRect(x: number, y: number, w: number, h: number): void;
  strokeRect(x: number, y: number, w: number, h: number): void;
  beginPath(): void;
  moveTo(x: number, y: number): void;
  lineTo(x: number, y: number): void;
  circle(x: number, y: number, r: number): void;
  dash(pattern: number[]): void;
  stroke(): void;
  fill(): void;
  cells(image: Bitmap, box: Box, view?: View, fine?: boolean): void;
}

interface Painted {
  colour: Colours;
  font(): string;
}

/** A view whose pictures can be saved. */
interface Shown extends Painted {
  live: HTMLElement;
  meta: any;
  say(place: { clientX: number; clientY: number }, lines: (string | Node)[][]): void;
  figures(): Figure[];
}

/** A matrix of a Picture: what Python says of it (ui/components/canvas.py), and where it stands. */
interface Panel {
  name: string;
  shape: [number, number];
  rows: string;
  cols: string;
  called: string;
  scale: string;
  limit: number;
  title: string;
  note: string;
  operator: string;
  labels: boolean;
  about: string; // what a figure says it is of, where that is not the chosen head
  live: boolean;
  head: Head | null;
  tag: string;
  corner: string;
  softcap: number | null;
  bias: Numbers | null;
  source: Numbers;
  values: any;
  view: View;
  box: any;
  bitmap: Bitmap;
  canvas: HTMLCanvasElement;
  pen: import("./pen.js").CanvasPen;
  button?: any;
  sign?: any;
  cursor: Cell | null;
  masked?: boolean;
  thumbnail?: Panel | null;
}

interface Slider {
  name: string;
  label: string;
  readings: string[];
  at: number;
  ticks: [number, string][];
  kind: "slider" | "switch";
  help: string;
}

interface Film {
  name: string;
  axes: string[];
  at: Record<string, number>;
  codes: number;
  values: any;
  size: number;
  steps: number[];
  original?: Float32Array;
}

/** A film that is computed here (ui/components/lab/films.py): what its kind is made from. */
interface Computed {
  name: string;
  kind: "fork" | "softmax" | "scaled" | "jacobian";
  films: string[]; // of a fork
  scores: string; // of a softmax, and of scores that are scaled
  shift: string;
  factor: string;
  of: string; // of a Jacobian
  size: number;
  cols: number;
  start: number;
  n: number;
}

/** A picture of a Lab: what Python says of it (ui/components/lab/plots.py). */
interface Sent {
  name: string;
  kind: string;
  title: string;
  note: string;
  hint: string; // beside the note, on the page alone
  stack: string;
  span: number;
  narrow: number;
  height: number;
  film: string;
  start: number;
  rows: number;
  cols: number;
  count: number;
  scale: string;
  low: number;
  high: number;
  root: boolean;
  logs: boolean;
  hue: string;
  names: string[] | null;
  titles: string[];
  chosen: number;
  marked: number;
  // Controls, headings, read-outs
  sliders: string[];
  items: any[];
  legend: any;
  fold: boolean;
  // A map
  col_names: string[] | null;
  marked_col: number;
  alike: string;
  order: string;
  hatched: boolean;
  ruled: boolean;
  says: string;
  value: "plain" | "log10" | "log2";
  missing: string;
  key: boolean;
  // Bars
  editable: boolean;
  step: number;
  fit: boolean;
  digits: number;
  ghost: string;
  ghost_name: string;
  over: string;
  // Curves
  along: string;
  lines: Line[];
  places: number[] | null;
  marks: [number, string][];
  ends: boolean;
  below: string;
  // A map over two sliders
  x: any;
  y: any;
  // A histogram
  axis: string;
  mark: number | null;
}

interface Line {
  film?: string;
  name: string;
  hue: string;
  fixed: Record<string, number> | null;
  start: number;
  band: [number, number] | null;
  dash: boolean;
  pale: boolean;
}

/** The same on the page: where it stands, what is lit, what its kind keeps from one painting to the next. */
interface Plot extends Sent {
  figure: HTMLElement;
  outputs: HTMLElement[];
  dots: HTMLElement[];
  pen: import("./pen.js").CanvasPen | null;
  canvas: HTMLCanvasElement | null;
  still: import("./pen.js").CanvasPen | null;
  stillKey: string;
  w: number;
  h: number;
  drop: number;
  dirty: boolean;
  painted: boolean;
  follows: Set<string>;
  lit: any;
  box: Box | null;
  cells: Box[] | null;
  bitmap: Bitmap;
  side: number;
  across: number;
  short: boolean;
  lean: boolean;
  narrowBars: boolean;
  under: number;
  written: string[] | null;
  values: Numbers;
  outline: Numbers | null;
  texts: string[] | null;
  ticks: any[];
  titled: Line[];
  series: { values: Float32Array; band: Float32Array[] | null }[];
  current: boolean;
  scales: any;
}

/** A plot that is a picture, once it stands on the page. */
interface Drawn extends Plot {
  pen: import("./pen.js").CanvasPen;
  still: import("./pen.js").CanvasPen;
  canvas: HTMLCanvasElement;
  box: Box;
}

/** What is under a pointer: what to light and to say, and what a click would move or pick. */
interface Hit {
  lit: any;
  lines: string[];
  to?: Record<string, number>;
  pick?: { row: number; col: number };
}

/** The pictures that the keyboard walks through. */
type Walked = Required<Pick<PlotKind, "tell" | "cell" | "home" | "beside">>;

/** A kind of picture. Those that the keyboard walks through have `tell`, `cell`, `home` and `beside`. */
interface PlotKind {
  walk?: boolean;
  quiet?: boolean; // nothing happens where it is pressed
  stands?: boolean; // what moves is only where the sliders stand
  moves(panel: Plot): boolean; // whether a press moves something
  height?(lab: Lab, panel: Plot, room: Room): number; // on a telephone
  place(lab: Lab, panel: Plot, room: Room): void; // where its parts stand
  prepare?(lab: Lab, panel: Plot, room: Room): void; // before each painting
  key?(lab: Lab, panel: Plot): unknown; // what `still` depends on, beside numbers and room
  still?(pen: Pen, lab: Lab, panel: Plot): void; // what stays under the finger
  moving(pen: Pen, lab: Lab, panel: Plot): void;
  hit(lab: Lab, panel: Plot, place: Place): Hit | null;
  sum(lab: Lab, panel: Plot, words: Record<string, string>): string; // what it shows, in a sentence
  tell?(lab: Lab, panel: Plot, lit: any): Hit;
  cell?(panel: Plot, lit: any): Box;
  home?(panel: Plot): any;
  beside?(panel: Plot, lit: any, step: [number, number]): any;
}

/** A step of a path: M(ove), L(ine), C(urve) to, or Z, close it. */
interface Stroke {
  to: "M" | "L" | "C" | "Z";
  at: number[];
}

/** What a recorder (figure/recorder.js) remembers of one command; what is not of its kind is missing. */
interface Mark {
  kind: "path" | "rect" | "text" | "picture";
  matrix: number[]; // a b c d e f, as SVG and PDF have it
  alpha: number;
  fill: string;
  stroke: string;
  width?: number;
  dashes?: number[];
  path?: Stroke[];
  box?: Box;
  crisp?: boolean;
  pixels?: ImageData;
  written?: { text: string; x: number; y: number; width: number; size: number };
}

/** The bar of colours of a figure, and what else stands in its line. */
interface Scale {
  x: number; // where it begins, below the picture
  ramp: Ramp;
  text(value: number): string;
  law: string;
  masked: string;
}

/** What a stroke or an outline means. */
interface Key {
  hue: string;
  name: string;
  dash?: boolean;
  pale?: boolean;
  outline?: boolean;
}

/** A picture for a paper: how large it is, how it is painted, and what stands below it. */
interface Figure {
  name: string;
  title: string;
  w: number;
  h: number;
  painted: Painted;
  paint(pen: Pen): void;
  scale: Scale | null;
  keys: Key[];
  caption: string;
}

/** A part of a sheet. */
interface Block {
  h: number;
  draw(pen: Pen, painted: Painted, x: number, y: number): void;
}
