// A figure is drawn in light colours on white, whatever the page looks like.

/** @type {Mode} */
export const MODE = "light";

/** @returns {Colours} */
export const lightColours = () => ({
  ...Object.fromEntries(Object.entries(PALETTE.hues).map(([name, hue]) => [name, hue[MODE]])),
  paper: "#ffffff",
});
