/* The fields of one slide: sent one by one, their estimate so far, each field with its suspects, kept as a slide. */

import { el, estimateCard, picker, say } from "../parts.js";
import { ask, at, send } from "../talk.js";
import { figure, sentence, t } from "../words.js";
import { fieldParts } from "./card.js";
import { fit } from "./pictures.js";
import { slideOf } from "./keep.js";

const BROWSER_CANNOT_SHOW = /\.tiff?$/i;
const CELL_CODES = new Set(["field.too-small", "field.few-whole-cells", "field.is-a-cell"]);
/** Longer side, px, up to which a field that is refused may be the picture of one cell. */
const CELL_SIDE = 500;
let set = emptySet();
let toCell = () => {};

/** The pictures of one slide: nothing of it is ever carried over to the next. */
function emptySet() {
  return { items: [], summary: null, haematocrit: "", stop: new AbortController(), working: false, kept: null };
}

/** @param asCell takes a picture over that is of a single cell. */
export function start(asCell) {
  toCell = asCell;
  picker(document.getElementById("field-drop"), analyse);
  document.addEventListener("language", draw);
}

/** Analyse pictures of one slide, in place of those that were analysed before. */
export function analyse(files) {
  set.stop.abort();
  for (const item of set.items) URL.revokeObjectURL(item.picture);
  set = emptySet();
  return add(files);
}

/** Analyse further pictures of the same slide. */
async function add(files) {
  const mine = set;
  mine.items.push(...files.map((file) => ({ file, picture: URL.createObjectURL(file), state: "waiting", sent: 0, field: null })));
  mine.kept = null;
  draw();
  if (mine.working) return;
  mine.working = true;
  for (let item; mine === set && (item = mine.items.find((one) => one.state === "waiting"));) await judge(mine, item);
  mine.working = false;
  if (mine === set) draw();
}

async function judge(mine, item) {
  item.state = "sending";
  drawProgress();
  try {
    const { file, from, to } = await fit(item.file);
    Object.assign(item, { sendable: file, from, to });
    const wishes = new URLSearchParams({ outlines: "true" });
    const width = document.getElementById("cell-width").value;
    if (width) wishes.set("cell_width", width);
    if (BROWSER_CANNOT_SHOW.test(item.file.name)) wishes.set("annotated", "true");
    const answer = await send(`/analyze?${wishes}`, [file], { signal: mine.stop.signal, progress: (share) => { item.sent = share; if (mine === set) drawProgress(); } });
    item.field = answer.fields[0];
    item.state = item.field.refused ? "refused" : "judged";
    if (item.field.refused) item.words = t("field.refused", { reason: sentence(item.field) });
  } catch (error) {
    if (error.name === "AbortError") { item.state = "failed"; item.words = t("cancelled"); return; }
    item.state = error.status >= 400 && error.status < 500 ? "unreadable" : "failed";
    item.words = error.message;
    item.code = error.code;
  }
  if (mine !== set) return;
  const card = item.card;
  item.card = fieldCard(item);
  card?.replaceWith(item.card);
  await estimateSoFar(mine);
}

/** Ask what the fields mean together, with the blood that is stated for this slide. */
async function estimateSoFar(mine) {
  const counted = mine.items.filter((item) => item.state === "judged");
  const many = (state) => mine.items.filter((item) => item.state === state).length;
  if (!counted.length) { mine.summary = null; drawProgress(); return; }
  const json = {
    fields: counted.map(({ field }) => ({ cell_count: field.cell_count, parasitized_count: field.parasitized_count })),
    fields_refused: many("refused"), files_unreadable: many("unreadable"),
  };
  if (mine.haematocrit) json.haematocrit = Number(mine.haematocrit);
  const number = mine.asked = (mine.asked || 0) + 1;
  try {
    const summary = await (await ask("/estimate", { method: "POST", json, signal: mine.stop.signal })).json();
    // A later question has a better answer on its way.
    if (mine.asked === number) Object.assign(mine, { summary, fault: "" });
  } catch (error) {
    if (mine.asked === number) Object.assign(mine, { summary: null, fault: error.message });
  }
  if (mine === set) drawProgress();
}

function draw() {
  const place = document.getElementById("field-results");
  if (!set.items.length) { place.replaceChildren(); say(document.getElementById("field-message"), ""); return; }
  for (const item of set.items) item.card = fieldCard(item);
  place.replaceChildren(el("div", { id: "field-overview" }), el("div", { id: "field-estimate" }), el("div", { id: "field-keep" }), ...set.items.map((item) => item.card));
  drawProgress();
}

/** How far the set is, what it means so far, and what can be done with it; the cards stay as they are. */
function drawProgress() {
  if (!document.getElementById("field-overview")) return;
  const message = document.getElementById("field-message");
  const open = set.items.filter((item) => ["waiting", "sending"].includes(item.state));
  const failed = set.items.filter((item) => item.state === "failed");
  message.replaceChildren();
  if (open.length) {
    const now = open.find((item) => item.state === "sending");
    message.append(el("p.busy", {}, t("field.progress", { done: figure(set.items.length - open.length), all: figure(set.items.length) }), now ? ` · ${now.file.name}: ${now.sent < 1 ? t("field.sent", { percent: figure(now.sent * 100) }) : t("working")}` : ""),
      el("progress", { max: set.items.length, value: set.items.length - open.length + (now ? now.sent / 2 : 0), "aria-label": t("field.all") }),
      el("button.plain", { type: "button", id: "field-cancel", onclick: cancel }, t("cancel")));
  } else if (failed.length) {
    message.append(el("p.notice.bad", { role: "alert" }, t("field.failed", { count: figure(failed.length) })), el("button.main", { type: "button", id: "field-retry", onclick: () => retry(failed) }, t("retry")));
  }
  document.getElementById("field-overview").replaceChildren(...(set.items.length > 1 ? [overview()] : []));
  drawEstimate();
  const done = !open.length && set.summary !== null;
  const keep = document.getElementById("field-keep");
  if (!done) keep.replaceChildren(); else if (!keep.children.length || set.kept !== keep.shown) { keep.replaceChildren(keepCard()); keep.shown = set.kept; }
}

function drawEstimate() {
  const place = document.getElementById("field-estimate");
  if (set.fault) { say(place, set.fault, { bad: true }); }
  const typed = document.activeElement?.id === "haematocrit";
  if (!set.summary) { if (!set.fault) place.replaceChildren(); if (!typed) return; }
  const blood = place.querySelector("label") || el("label", {}, el("span", { "data-t": "field.haematocrit" }, t("field.haematocrit")), el("input", { id: "haematocrit", type: "number", min: 5, max: 75, step: 0.1, inputmode: "decimal", oninput: (event) => { set.haematocrit = event.target.value; estimateSoFar(set); } }));
  if (set.summary) {
    const card = estimateCard(set.summary, t("estimate.of", { fields: figure(set.summary.fields_counted) }));
    if (typed && place.querySelector(".estimate")) { place.querySelector(".estimate").replaceWith(card); place.querySelector(".notice")?.remove(); } else place.replaceChildren(card, el("div.form-row", {}, blood));
  }
}

function overview() {
  const rows = set.items.map((item) => el("tr", {},
    el("td", {}, el("a", { href: "#field", onclick: (event) => { event.preventDefault(); item.card.scrollIntoView(); } }, item.file.name)),
    el("td.number", { "data-label": t("slides.cells") }, item.state === "judged" ? figure(item.field.cell_count) : ""),
    el("td.number", { "data-label": t("slides.parasitized") }, item.state === "judged" ? figure(item.field.parasitized_count) : ""),
    el("td", {}, t(`field.state.${item.state}`))));
  return el("div.card.scroll", {}, el("table.stacked", {}, el("caption", {}, t("field.all")),
    el("thead", {}, el("tr", {}, ...["field.file", "slides.cells", "slides.parasitized", "live.state"].map((head, index) => el(`th${index % 3 ? ".number" : ""}`, { scope: "col" }, t(head))))),
    el("tbody", {}, ...rows)));
}

function cancel() {
  set.stop.abort();
  set.stop = new AbortController();
  for (const item of set.items) if (item.state === "waiting" || item.state === "sending") Object.assign(item, { state: "failed", words: t("cancelled") });
  draw();
}

function retry(items) {
  for (const item of items) Object.assign(item, { state: "waiting", sent: 0, words: "" });
  draw();
  add([]);
}

function fieldCard(item) {
  const { file, field, state, words, picture, from, to } = item;
  const card = el("article.card.field", { "aria-label": file.name }, el("h2.file", {}, file.name));
  if (from) card.append(el("p.small", {}, t("field.scaled", { from: from.join(" x "), to: to.join(" x ") })));
  if (state === "waiting" || state === "sending") { card.append(el("p.small", {}, t(`field.state.${state}`))); return card; }
  if (state === "judged") card.append(el("p", {}, t("field.counted", { cells: figure(field.cell_count), parasitized: figure(field.parasitized_count) })));
  else card.append(el("p.notice", {}, words));
  if (field?.width && field.cells.length) {
    const address = field.annotated_jpeg_base64 ? `data:image/jpeg;base64,${field.annotated_jpeg_base64}` : picture;
    card.append(...fieldParts(field, address));
  } else {
    const thumbnail = el("img.thumbnail", { src: picture, alt: file.name });
    thumbnail.addEventListener("error", () => thumbnail.replaceWith(el("p.small", {}, t("picture.noview"))));
    card.append(thumbnail);
  }
  const single = CELL_CODES.has(item.code || field?.code) || (state === "refused" && Math.max(field.width, field.height) <= CELL_SIDE);
  if (single) card.append(el("button.main.as-cell", { type: "button", onclick: () => toCell([file]) }, t("field.tocell")));
  return card;
}

function keepCard() {
  const more = el("input", { type: "file", id: "field-more", accept: "image/*,.tif,.tiff", multiple: true, onchange: (event) => { if (event.target.files.length) add([...event.target.files]); } });
  const card = el("div.card.drop-more", {}, el("span.more", {}, more, el("label.buttonlike", { for: more.id }, t("field.more"))));
  if (document.documentElement.dataset.slides !== "yes") return card;
  if (set.kept) {
    card.append(el("p.notice", {}, t("field.kept", { slide: set.kept.slide_id })), el("div.row", {},
      el("a.buttonlike.main", { href: `#slides/${set.kept.number}/review` }, t("live.review")),
      el("a.buttonlike", { href: at(`/slides/${set.kept.number}/report?language=${document.documentElement.lang}`), target: "_blank", rel: "noopener" }, t("slides.report")),
      el("a.buttonlike", { href: at(`/slides/${set.kept.number}/export?form=cells.csv`), download: true }, t("export.cells.csv")),
      el("a.buttonlike", { href: `#slides/${set.kept.number}` }, t("review.result"))));
    return card;
  }
  const id = el("input", { id: "keep-id", maxlength: 120, required: true }), who = el("input", { id: "keep-operator", maxlength: 120 });
  const message = el("div.message", { role: "status", "aria-live": "polite" });
  const button = el("button.plain", { id: "field-keep-go" }, t("field.keep"));
  const go = async (event) => {
    event.preventDefault();
    const mine = set;
    button.disabled = true;
    try {
      const files = mine.items.filter((item) => item.state === "judged").map((item) => item.sendable);
      mine.kept = await slideOf({ slide_id: id.value, operator: who.value, haematocrit: mine.haematocrit }, files, mine.stop.signal, (done) => say(message, t("field.progress", { done: figure(done), all: figure(files.length) }), { busy: true }));
      if (mine === set) drawProgress();
    } catch (error) {
      if (error.name !== "AbortError") say(message, error.message, { bad: true });
      button.disabled = false;
    }
  };
  card.append(el("form", { onsubmit: go }, el("div.form-row", {}, el("label", {}, el("span", {}, t("live.slide")), id), el("label", {}, el("span", {}, t("live.operator")), who), button), message));
  return card;
}
