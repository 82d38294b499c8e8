/* A field's picture with its cells outlined, to be moved and zoomed. */

import { el, kind, labelWords, sign, svg } from "../parts.js";
import { figure, t } from "../words.js";
import { zoomable } from "./zoom.js";

/** A field with outlines, for a picture from anywhere: used by the webcam too. */
export function fieldStage(field, address, chosen) {
  const view = svg("svg.view", { viewBox: `0 0 ${field.width} ${field.height}`, tabindex: 0, role: "group", "aria-label": t("field.picture", { name: field.image }) },
    svg("image", { href: address, width: field.width, height: field.height, preserveAspectRatio: "none" }));
  const stage = el("div.stage", {}, view);
  const zoom = zoomable(view, field.width, field.height, (near) => stage.classList.toggle("near", near));
  const outlines = new Map();
  const order = field.cells.map((cell, index) => [cell, index]).sort(([a], [b]) => rank(a) - rank(b));
  for (const [cell, index] of order) {
    const points = polygon(cell);
    const name = t("field.cell", { number: index + 1, label: labelWords(cell.label), probability: figure(cell.probability, 3) });
    const infected = cell.label === "Parasitized";
    if (infected) view.append(svg("polygon.outline.halo", { points }));
    const outline = svg(`polygon.outline.${kind(cell.label)}${cell.counted ? "" : ".uncounted"}`, { points, role: "button", "aria-label": name, tabindex: infected ? 0 : -1 }, svg("title", {}, name));
    const select = () => {
      for (const other of outlines.values()) other.classList.remove("chosen");
      outline.classList.add("chosen");
      chosen?.(cell, index + 1);
    };
    outline.addEventListener("click", select);
    outline.addEventListener("keydown", (event) => { if (event.key === "Enter" || event.key === " ") { event.preventDefault(); select(); } });
    outlines.set(cell, outline);
    view.append(outline);
    if (infected) view.append(flag(cell));
  }
  stage.append(zoom.buttons);
  return { stage, choose: (cell) => { zoom.goTo(cell.box); outlines.get(cell).dispatchEvent(new MouseEvent("click")); } };
}

const rank = (cell) => (cell.label === "Parasitized" ? 1 : 0);

function polygon(cell) {
  const [x, y, w, h] = cell.box;
  const flat = cell.outline || [x, y, x + w, y, x + w, y + h, x, y + h];
  const pairs = [];
  for (let index = 0; index < flat.length; index += 2) pairs.push(`${flat[index]},${flat[index + 1]}`);
  return pairs.join(" ");
}

function flag(cell) {
  const [x, y, w, h] = cell.box;
  const size = Math.max(w, h) * 0.14, cx = x + w, cy = y;
  return svg("path.flag", { d: `M${cx} ${cy - size} L${cx + size} ${cy + size} L${cx - size} ${cy + size}Z` });
}

/** What the outlines mean. */
export function key() {
  return el("ul.key", {}, el("li", {}, sign("Parasitized"), t("key.infected")), el("li", {}, sign("Uninfected"), t("key.healthy")), el("li", {}, el("i"), t("key.uncounted")));
}
