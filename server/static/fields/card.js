/* One analysed field: its picture beside its suspects, the chosen cell with its evidence, the checks. */

import { evidenceCaption } from "../cell.js";
import { el, labelWords, say } from "../parts.js";
import { askForEvidence } from "../talk.js";
import { figure, has, t } from "../words.js";
import { fieldStage, key } from "./stage.js";

/** Suspects drawn at once; a button draws the others. */
const TILES = 60;

/** The parts of a field for its card; `address` is its picture, for an <img>. */
export function fieldParts(field, address) {
  const detail = el("div.detail", { "aria-live": "polite" }, el("p.small", {}, t("field.choose")));
  const { stage, choose } = fieldStage(field, address, (cell, number) => detail.replaceChildren(...cellDetail(field, cell, number, address)));
  const suspects = field.cells.filter((cell) => cell.label === "Parasitized").sort((a, b) => b.probability - a.probability);
  const list = suspects.length
    ? [el("h3", {}, t("field.suspects.of", { shown: figure(Math.min(TILES, suspects.length)), all: figure(suspects.length) })), gallery(suspects, address, choose)]
    : [el("p.small", {}, t("field.suspects.none"))];
  return [
    el("div.field-and-suspects", {},
      el("div.field-picture", {}, stage),
      el("div.suspects", {}, detail, ...list)),
    key(), el("p.small", {}, t("field.help")), checks(field)];
}

function gallery(cells, address, choose) {
  const list = el("ul.gallery");
  const source = new Image();
  const add = (some) => {
    for (const cell of some) {
      const canvas = el("canvas", { width: 96, height: 96 });
      const draw = () => cut(source, cell, canvas, 0.15);
      if (source.complete && source.naturalWidth) draw(); else source.addEventListener("load", draw);
      list.append(el("li", {}, el("button.infected", { type: "button", onclick: () => choose(cell), "aria-label": `${labelWords(cell.label)} ${figure(cell.probability, 3)}` }, canvas, figure(cell.probability, 3), cell.counted ? null : el("span.small", {}, t("field.notcounted")))));
    }
  };
  add(cells.slice(0, TILES));
  if (cells.length > TILES) {
    const more = el("button.plain", { type: "button", onclick: () => { more.remove(); add(cells.slice(TILES)); } }, t("field.suspects.more", { count: figure(cells.length - TILES) }));
    list.after(more);
    source.src = address;
    return el("div", {}, list, more);
  }
  source.src = address;
  return list;
}

/** Draw a cell with some margin round it, the whole of it in the square. */
function cut(source, cell, canvas, margin) {
  const [x, y, w, h] = cell.box;
  const side = Math.max(w, h) * (1 + 2 * margin);
  canvas.getContext("2d").drawImage(source, x + w / 2 - side / 2, y + h / 2 - side / 2, side, side, 0, 0, canvas.width, canvas.height);
}

function cellDetail(field, cell, number, address) {
  const name = t("field.cell", { number, label: labelWords(cell.label), probability: figure(cell.probability, 3) });
  const canvas = el("canvas", { width: 240, height: 240 });
  const source = new Image();
  source.addEventListener("load", () => cut(source, cell, canvas, 0.12));
  source.src = address;
  const evidence = el("figure", {}, el("button.plain", { type: "button", onclick: () => explain() }, t("field.explain")));
  const explain = async () => {
    say(evidence, t("cell.evidence.wait"), { busy: true });
    try {
      const blob = await new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
      const map = await askForEvidence(new File([blob], "cell.png"));
      evidence.replaceChildren(el("img", { src: map.address, alt: t("cell.evidence.alt") }), el("figcaption", {}, evidenceCaption(map, cell.label)));
    } catch (error) {
      say(evidence, error.message, { bad: true });
    }
  };
  return [el("p", {}, el("strong", {}, name)), el("div.pictures", {}, el("figure", {}, canvas, el("figcaption", {}, t("cell.asis"))), evidence)];
}

function checks(field) {
  const rows = Object.entries(field.quality).map(([name, check]) => el("tr", {},
    el("td", {}, has(`check.name.${name}`) ? t(`check.name.${name}`) : name),
    el("td.number", {}, figure(check.value, 2)),
    el("td.number", {}, check.limit.map((bound) => (bound === null ? "∞" : figure(bound, 2))).join(" – ")),
    el("td", {}, t(check.passed ? "check.passed" : "check.failed"))));
  return el("details.options", {}, el("summary", {}, t("field.checks")), el("div.scroll", {}, el("table", {},
    el("thead", {}, el("tr", {}, ...["check.name", "check.value", "check.limit", "check.outcome"].map((head) => el("th", { scope: "col" }, t(head))))),
    el("tbody", {}, ...rows))));
}
