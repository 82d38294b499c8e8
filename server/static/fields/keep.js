/* Keeps pictures that were analysed as a slide: begun once, then field after field; what failed can be gone on with. */

import { ask, send } from "../talk.js";

/** Slides that were begun and not finished, by id, with the number of files that they hold. */
const begun = new Map();

/**
 * Store the pictures as a slide; gives the slide.
 * @param wish `slide_id`, `operator` and `haematocrit`, the last in percent or empty.
 * @param progress told how many are stored.
 */
export async function slideOf({ slide_id, operator, haematocrit }, files, signal, progress) {
  const start = begun.get(slide_id);
  const json = { slide_id, operator };
  if (haematocrit) json.haematocrit = Number(haematocrit);
  const slide = start?.files === files.length ? start.slide : await (await ask("/slides", { method: "POST", json, signal })).json();
  begun.set(slide_id, { slide, files: files.length });
  for (const [index, file] of files.entries()) {
    progress(index);
    // A field that the slide has already is told as it is stored: sending it once more adds nothing.
    await send(`/slides/${slide.number}/fields`, [file], { signal });
  }
  begun.delete(slide_id);
  return slide;
}
