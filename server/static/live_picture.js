/* The live picture: the server's stream, and where it has no place left or breaks off, a still picture each second. */

import { el } from "./parts.js";
import { at } from "./talk.js";
import { t } from "./words.js";

const EVERY_MS = 1000;
/** Still pictures after which the stream is tried again. */
const STILLS = 15;

/** Gives `{element, again, close}`. */
export function livePicture() {
  const image = el("img.live-picture", { alt: t("live.picture") });
  const words = el("p.small", { hidden: true });
  let timer = null, asked = 0, closed = false;
  // Each address is another one: a browser that has a picture of an address does not ask for it again.
  const look = (path) => { image.src = at(`${path}?look=${++asked}`); };
  const still = () => {
    words.textContent = t("live.still");
    words.hidden = false;
    let left = STILLS;
    clearInterval(timer);
    timer = setInterval(() => { if (left--) look("/live.jpg"); else stream(); }, EVERY_MS);
    look("/live.jpg");
  };
  const stream = () => {
    clearInterval(timer);
    timer = null;
    words.hidden = true;
    look("/live.mjpg");
  };
  image.addEventListener("error", () => { if (!timer && !closed) still(); });
  stream();
  return {
    element: el("figure.live-figure", {}, image, words),
    again: stream,
    close() { closed = true; clearInterval(timer); image.removeAttribute("src"); },
  };
}
