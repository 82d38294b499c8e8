/* Whole fields: the estimate, each field with its cells outlined and zoomable, the suspects, the checks. */

import { evidenceCaption } from "./cell.js";
import { el, estimateCard, kind, labelWords, picker, say, sign, svg } from "./parts.js";
import { ask, askForEvidence, send } from "./talk.js";
import { figure, has, sentence, t } from "./words.js";
import { zoomable } from "./zoom.js";

const BROWSER_CANNOT_SHOW = /\.tiff?$/i;
let shown = null;

export function start() {
  picker(document.getElementById("field-drop"), analyse);
  document.addEventListener("language", draw);
}

/** The query of an analysis from the options on the page. */
function query() {
  const wishes = new URLSearchParams({ outlines: "true" });
  for (const [id, name] of [["haematocrit", "haematocrit"], ["cell-width", "cell_width"]]) {
    const value = document.getElementById(id).value;
    if (value) wishes.set(name, value);
  }
  return wishes;
}

async function analyse(files) {
  const message = document.getElementById("field-message");
  say(message, t("working"), { busy: true });
  try {
    const wishes = query();
    if (files.some((file) => BROWSER_CANNOT_SHOW.test(file.name))) wishes.set("annotated", "true");
    const answer = await send(`/analyze?${wishes}`, files);
    for (const picture of shown?.pictures || []) URL.revokeObjectURL(picture);
    shown = { answer, files, pictures: files.map((file) => URL.createObjectURL(file)) };
    say(message, "");
    draw();
  } catch (error) {
    say(message, error.message, { bad: true });
  }
}

function draw() {
  const place = document.getElementById("field-results");
  place.replaceChildren();
  if (!shown) return;
  place.append(estimateCard(shown.answer.summary, t("estimate.title")));
  shown.answer.fields.forEach((field, index) => place.append(fieldCard(field, index)));
}

function fieldCard(field, index) {
  const outcome = field.refused
    ? el("p.notice", {}, t("field.refused", { reason: sentence(field) }))
    : el("p", {}, t("field.counted", { cells: figure(field.cell_count), parasitized: figure(field.parasitized_count) }));
  const card = el("article.card", {}, el("h2", {}, field.image || t("nav.field")), outcome);
  if (!field.width) return card;
  const address = field.annotated_jpeg_base64 ? `data:image/jpeg;base64,${field.annotated_jpeg_base64}` : shown.pictures[index];
  const detail = el("div", { "aria-live": "polite" });
  const { stage, choose } = fieldStage(field, address, (cell, number) => detail.replaceChildren(...cellDetail(field, cell, number, address)));
  card.append(stage, key(), el("p.small", {}, t("field.help")), detail);
  const suspects = suspectsOf(field);
  if (suspects.length) card.append(el("h3", {}, t("field.suspects")), gallery(suspects, address, choose));
  card.append(el("div.row", {}, el("button.plain", { type: "button", onclick: () => save(index) }, t("field.save"))), checks(field));
  return card;
}

/** A field with outlines, for a picture from anywhere: used by the webcam too. */
export function fieldStage(field, address, chosen) {
  const view = svg("svg.view", { viewBox: `0 0 ${field.width} ${field.height}`, tabindex: 0, role: "group", "aria-label": t("field.picture", { name: field.image }) },
    svg("image", { href: address, width: field.width, height: field.height, preserveAspectRatio: "none" }));
  const zoom = zoomable(view, field.width, field.height);
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
  const stage = el("div.stage", {}, view, zoom.buttons);
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

function key() {
  return el("ul.key", {}, el("li", {}, sign("Parasitized"), t("key.infected")), el("li", {}, sign("Uninfected"), t("key.healthy")), el("li", {}, el("i"), t("key.uncounted")));
}

const suspectsOf = (field) => field.cells.filter((cell) => cell.label === "Parasitized").sort((a, b) => b.probability - a.probability);

function gallery(cells, address, choose) {
  const list = el("ul.gallery");
  const source = new Image();
  const tiles = cells.slice(0, 60).map((cell) => {
    const canvas = el("canvas", { width: 96, height: 96 });
    list.append(el("li", {}, el("button.infected", { type: "button", onclick: () => choose(cell), "aria-label": `${labelWords(cell.label)} ${figure(cell.probability, 3)}` }, canvas, figure(cell.probability, 3), cell.counted ? null : el("span.small", {}, t("field.notcounted")))));
    return [cell, canvas];
  });
  source.addEventListener("load", () => tiles.forEach(([cell, canvas]) => cut(source, cell, canvas, 0.15)));
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
  const pictures = el("div.pictures");
  const canvas = el("canvas", { width: 240, height: 240 });
  const source = new Image();
  source.addEventListener("load", () => cut(source, cell, canvas, 0.12));
  source.src = address;
  const explain = async () => {
    try {
      const blob = await new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
      const map = await askForEvidence(new File([blob], "cell.png"));
      pictures.replaceChildren(el("figure", {}, canvas), el("figure", {}, el("img", { src: map.address, alt: t("cell.evidence.alt") }), el("figcaption", {}, evidenceCaption(map))));
    } catch (error) {
      say(pictures, error.message, { bad: true });
    }
  };
  pictures.append(el("figure", {}, canvas));
  return [el("p", {}, el("strong", {}, name)), pictures, el("button.plain", { type: "button", onclick: explain }, t("field.explain"))];
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

async function save(index) {
  const message = document.getElementById("field-message");
  try {
    const form = new FormData();
    form.append("file", shown.files[index], shown.files[index].name);
    const wishes = query();
    wishes.set("annotated", "true");
    const answer = await (await ask(`/analyze?${wishes}`, { method: "POST", body: form })).json();
    const link = el("a", { href: `data:image/jpeg;base64,${answer.fields[0].annotated_jpeg_base64}`, download: `${shown.files[index].name}.annotated.jpg` });
    link.click();
  } catch (error) {
    say(message, error.message, { bad: true });
  }
}
