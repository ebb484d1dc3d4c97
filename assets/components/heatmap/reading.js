// Which of the pictures on a page the reader has scrolled to: the one across the line that is read, once the page is still.
const LINE = 0.42; // of the window's height, where what is read stands
const STILL = 250; // milliseconds without scrolling

/** @type {Set<Picture>} those that Python wants to be told of */
const PICTURES = new Set();
let timer = 0;
/** @type {Picture | null} */
let told = null;

/**
 * A picture that is to be told of, until the function that comes back is called.
 * @param {Picture} picture
 */
export function watchReading(picture) {
  if (!PICTURES.size) document.addEventListener("scroll", wait, { capture: true, passive: true });
  PICTURES.add(picture);
  return () => {
    PICTURES.delete(picture);
    if (told === picture) told = null;
    if (!PICTURES.size) document.removeEventListener("scroll", wait, { capture: true });
  };
}

/**
 * A picture that is picked from is the one that is read, wherever it stands.
 * @param {Picture} picture
 */
export function readNow(picture) {
  clearTimeout(timer);
  told = picture;
}

function wait() {
  clearTimeout(timer);
  timer = setTimeout(tell, STILL);
}

function tell() {
  const line = LINE * window.innerHeight;
  const read = [...PICTURES].find(({ root }) => {
    const { top, bottom } = root.getBoundingClientRect();
    return top <= line && line < bottom && root.checkVisibility(); // what is folded away has a place, too
  });
  if (!read || read === told) return;
  told = read;
  read.send.setTriggerValue("read", true);
}
