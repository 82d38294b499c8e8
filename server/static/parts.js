/* Small parts that every view uses: elements, verdict signs, notices, the choice of pictures. */

import { percent, density, figure, sentence, t } from "./words.js";

const SVG = "http://www.w3.org/2000/svg";
const ESTIMATE_SHOWN = new Set(["share", "none-seen", "within-false-alarms", "within-false-alarms-elsewhere", "share-yet", "none-seen-yet", "within-false-alarms-yet", "not-measured-here", "nothing-counted", "misfit", "too-few", "false-alarms-from-elsewhere", "blood", "confirm", "evidence", "no-evidence", "cannot-tell"].map((name) => `estimate.${name}`));

/** Make an element: attributes, then children (text or elements). Text is never read as HTML. */
export function el(tag, attributes = {}, ...children) {
  const [name, ...classes] = tag.split(".");
  const element = document.createElement(name);
  if (classes.length) element.className = classes.join(" ");
  fill(element, attributes, children);
  return element;
}

/** The same for SVG. */
export function svg(tag, attributes = {}, ...children) {
  const [name, ...classes] = tag.split(".");
  const element = document.createElementNS(SVG, name);
  if (classes.length) element.setAttribute("class", classes.join(" "));
  fill(element, attributes, children);
  return element;
}

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined));
}

/** The class of a label: colour and line go by it. */
export function kind(label) { return { Parasitized: "infected", Uninfected: "healthy" }[label] || "unjudged"; }

/** The sign of a label: a filled triangle, an open circle, a cross; colour is never the only sign. */
export function sign(label) {
  const shapes = { infected: "M10 2 19 18H1Z", healthy: "M10 3a7 7 0 1 0 .01 0Z", unjudged: "M4 4 16 16M16 4 4 16" };
  return svg(`svg.${kind(label)}`, { viewBox: "0 0 20 20", "aria-hidden": "true" }, svg("path.shape", { d: shapes[kind(label)] }));
}

export function labelWords(label) { return t(label ? `label.${label}` : "label.none"); }

/** What this browser keeps under a name; empty where it keeps nothing, as private windows do. */
export function remembered(name) {
  try { return localStorage.getItem(name) || ""; } catch { return ""; }
}

export function remember(name, value) {
  try { localStorage.setItem(name, value); } catch { /* private windows keep nothing */ }
}

export function say(place, text, { bad = false, busy = false } = {}) {
  place.replaceChildren();
  if (text) place.append(el(busy ? "p.busy" : `p.notice${bad ? ".bad" : ""}`, bad ? { role: "alert" } : {}, text));
}

/** The ways to hand over pictures: drop, choose, photograph, paste. */
export function picker(place, take, { several = true } = {}) {
  const id = place.id;
  const choose = el("input", { type: "file", id: `${id}-files`, accept: "image/*,.tif,.tiff", multiple: several });
  // A phone's own camera works over plain HTTP too, where browsers refuse getUserMedia.
  const photo = el("input", { type: "file", id: `${id}-photo`, accept: "image/*", capture: "environment" });
  for (const input of [choose, photo]) {
    input.addEventListener("change", () => { if (input.files.length) take([...input.files]); input.value = ""; });
  }
  place.append(
    el("div", { "data-t": "pick.drop" }),
    el("div.choices", {},
      el("span", {}, choose, el("label.buttonlike.main", { for: choose.id, "data-t": "pick.choose" })),
      el("span", {}, photo, el("label.buttonlike", { for: photo.id, "data-t": "pick.photo" }))),
    el("p.small", { "data-t": "pick.paste" }));
  place.addEventListener("dragover", (event) => { event.preventDefault(); place.classList.add("over"); });
  place.addEventListener("dragleave", () => place.classList.remove("over"));
  place.addEventListener("drop", (event) => {
    event.preventDefault();
    place.classList.remove("over");
    const files = [...event.dataTransfer.files];
    if (files.length) take(files);
  });
  document.addEventListener("paste", (event) => {
    const files = [...(event.clipboardData?.files || [])].filter((file) => file.type.startsWith("image/"));
    if (files.length && place.offsetParent !== null) take(files);
  });
}

/** The estimate of a parasitaemia in the page's language, from the figures of the server's summary. */
export function estimateCard(summary, title) {
  const card = el("div.card.estimate", {}, el("h2", {}, title));
  for (const [index, sentence] of estimateWords(summary).entries()) card.append(el(index ? "p" : "p.words", {}, sentence));
  const entries = [["estimate.cells", figure(summary.cell_count)], ["estimate.parasitized", figure(summary.parasitized_count)]];
  if (summary.fraction !== null && !summary.within_false_alarms) {
    entries.push(["estimate.fraction", `${percent(summary.fraction)} %`]);
    // The server gives no density before the cells that it needs are counted.
    if (summary.per_ul !== null) entries.push(["estimate.perul", density(summary.per_ul)]);
  }
  card.append(el("dl.figures", {}, ...entries.map(([key, value]) => el("div", {}, el("dt", {}, t(key)), el("dd", {}, value)))));
  if (summary.interval) card.append(intervalChart(summary));
  return card;
}

/** The sentences of the estimate that the page has room for; the report has all. */
function estimateWords(summary) {
  return summary.messages.filter(({ code }) => ESTIMATE_SHOWN.has(code)).map(sentence);
}

function intervalChart(summary) {
  const [low, high] = summary.interval;
  const top = Math.min(Math.max(high * 1.15, 0.001), 1);
  const x = (share) => 10 + 380 * Math.min(share / top, 1);
  const words = t("estimate.chart", { low: percent(low), high: percent(high) });
  return svg("svg.interval", { viewBox: "0 0 400 58", role: "img", "aria-label": words },
    svg("line.rail", { x1: 10, x2: 390, y1: 18, y2: 18 }),
    svg("line.range", { x1: x(low), x2: Math.max(x(high), x(low) + 1), y1: 18, y2: 18 }),
    svg("circle.point", { cx: x(summary.fraction), cy: 18, r: 7 }),
    svg("text", { x: 10, y: 46 }, "0 %"),
    svg("text", { x: 390, y: 46, "text-anchor": "end" }, `${percent(top)} %`));
}
