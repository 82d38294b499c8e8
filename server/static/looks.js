/* How a cell is shown to its reviewer: alone, and among its neighbours; side by side where there is room. Both are
   enlarged together, and what they show follows the pointer. */

import { el } from "./parts.js";
import { at } from "./talk.js";
import { t } from "./words.js";

/**
 * @param zoom enlarges, and takes it back.
 * @param turn changes between cell and neighbours on a small screen.
 * @param saw told the cell once its picture is there.
 */
export function looks(number, cell, state, { zoom, turn, saw }) {
  const place = `/slides/${number}/cells/${cell.cell}`;
  const picture = el("img", { src: at(`${place}/crop`), alt: t("review.alt", { cell: cell.cell }), draggable: "false" });
  // A cell whose picture cannot be had can still be skipped, never called.
  if (state.seen !== cell.cell) picture.addEventListener("load", () => { if (picture.isConnected) saw(cell.cell); });
  const alone = el("figure", {}, loupe("crop", picture, state, zoom), el("figcaption", {}, t("review.cell")));
  // Slides that were counted before fields were kept have no neighbours to show.
  if (!cell.surroundings) return { both: el("div.looks.alone", {}, alone), change: null };
  const neighbours = el("img", { src: at(`${place}/surroundings`), alt: t("review.around.alt", { cell: cell.cell }), draggable: "false" });
  const around = el("figure.around", {}, loupe("crop", neighbours, state, zoom), el("figcaption", {}, t("review.around")));
  const change = el("button.plain.turn", { type: "button", "aria-pressed": String(state.around), onclick: turn }, t(state.around ? "review.cell" : "review.around"), el("kbd", { "aria-hidden": "true" }, "N"));
  return { both: el(`div.looks${state.around ? ".turned" : ""}`, {}, alone, around), change };
}

function loupe(name, picture, state, zoom) {
  const button = el(`button.${name}${state.near ? ".near" : ""}`, { type: "button", "aria-pressed": String(state.near), title: t("review.zoom"), onclick: zoom }, picture);
  button.addEventListener("pointermove", (event) => {
    if (!state.near) return;
    const box = button.getBoundingClientRect();
    picture.style.transformOrigin = `${(event.clientX - box.left) / box.width * 100}% ${(event.clientY - box.top) / box.height * 100}%`;
  });
  return button;
}
