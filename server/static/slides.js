/* The stored slides: list, one slide with both readings, report and exports, deletion. */

import { stateOf } from "./home.js";
import { el, estimateCard, labelWords, say } from "./parts.js";
import { outboxCard } from "./outbox.js";
import { readersCard } from "./readers.js";
import { leave as leaveReview, review } from "./review.js";
import { ask, at } from "./talk.js";
import { teachCard } from "./teach.js";
import { figure, has, moment, t } from "./words.js";

const PAGE = 25;
const EXPORTS = ["json", "cells.csv", "fields.csv", "audit.csv", "fhir"];
const body = () => document.getElementById("slides-body");
const message = () => document.getElementById("slides-message");

let generation = 0;

/** Show what the address after #slides asks for: the list, a slide, its review. */
export async function show(path) {
  const mine = ++generation;
  leaveReview();
  say(message(), "");
  if (document.documentElement.dataset.slides !== "yes") { body().replaceChildren(el("p.notice", {}, t("slides.off"))); return; }
  const [number, what, reading] = path;
  const asked = path.join("/");
  // What belongs to another slide goes at once; the same one, in another language, stays until its words are there.
  if (body().dataset.shown !== asked) body().replaceChildren(el("p.busy", {}, t("working")));
  body().dataset.shown = asked;
  let content = [];
  try {
    content = await (!number ? list() : what === "review" ? review(Number(number), reading, () => mine === generation, () => show(path)) : one(Number(number)));
  } catch (error) {
    if (mine === generation) say(message(), error.message, { bad: true });
  }
  // An answer that comes after another slide was asked for is of the wrong patient.
  if (mine === generation) body().replaceChildren(...content);
}

/** Take everything of a slide off the page; called whenever the view is left. */
export function leave() {
  generation += 1;
  leaveReview();
  body().replaceChildren();
  delete body().dataset.shown;
}

/** What the list shows: kept while other views are open. */
const wish = { search: "", order: "newest", offset: 0 };

async function list() {
  const search = el("input", { type: "search", id: "slides-search", maxlength: 200 });
  search.value = wish.search;
  const order = el("select", { id: "slides-order" }, ...["newest", "oldest", "id"].map((name) => el("option", { value: name, selected: name === wish.order }, t(`slides.order.${name}`))));
  const table = el("div");
  let asked = 0;
  const fill = async () => {
    const mine = ++asked;
    const { slides, total } = await (await ask(`/slides?${new URLSearchParams({ ...wish, limit: PAGE })}`)).json();
    if (mine === asked) table.replaceChildren(...slideTable(slides, total, (offset) => { wish.offset = offset; refill(); }));
  };
  const refill = () => fill().catch((error) => say(message(), error.message, { bad: true }));
  search.addEventListener("input", () => { wish.search = search.value; wish.offset = 0; refill(); });
  order.addEventListener("change", () => { wish.order = order.value; wish.offset = 0; refill(); });
  await fill();
  return [el("div.form-row", {}, el("label", {}, el("span", {}, t("slides.search")), search), el("label", {}, el("span", {}, t("slides.order")), order)), table, outboxCard()];
}

function slideTable(slides, total, turn) {
  if (!slides.length) return [el("p.notice", {}, t(wish.search ? "slides.notfound" : "slides.none"))];
  const heads = ["slides.slide", "live.state", "slides.when", "slides.operator", "slides.cells", "slides.parasitized", "slides.reviewed"];
  const rows = slides.map((slide) => el("tr", {},
    el("td", {}, el("a", { href: `#slides/${slide.number}`, "aria-label": t("slides.open", { slide: slide.slide_id }) }, slide.slide_id)),
    el("td", { "data-label": t("live.state") }, stateOf(slide)),
    ...[["slides.when", moment(slide.created_at)], ["slides.operator", slide.operator]].map(([head, value]) => el("td", { "data-label": t(head) }, value)),
    ...["cells", "parasitized", "reviewed"].map((name) => el("td.number", { "data-label": t(`slides.${name}`) }, figure(slide.counts[name])))));
  const first = wish.offset + 1, last = wish.offset + slides.length;
  return [
    el("div.card.scroll", {}, el("table.stacked", {},
      el("thead", {}, el("tr", {}, ...heads.map((head, index) => el(`th${index > 3 ? ".number" : ""}`, { scope: "col" }, t(head))))),
      el("tbody", {}, ...rows))),
    el("div.row", {}, el("span", {}, t("slides.page", { first: figure(first), last: figure(last), total: figure(total) })),
      first > 1 ? el("button.plain", { type: "button", onclick: () => turn(Math.max(wish.offset - PAGE, 0)) }, `← ${t("slides.page.before")}`) : null,
      last < total ? el("button.plain", { type: "button", id: "slides-next", onclick: () => turn(wish.offset + PAGE) }, `${t("slides.page.next")} →`) : null)];
}

async function one(number) {
  const slide = await (await ask(`/slides/${number}`)).json();
  const queue = await (await ask(`/slides/${number}/cells?limit=1`)).json();
  const { entries } = await (await ask(`/slides/${number}/audit`)).json();
  const links = EXPORTS.map((form) => el("a.buttonlike", { href: at(`/slides/${number}/export?form=${form}`), download: true }, t(`export.${form}`)));
  const about = [moment(slide.created_at), slide.operator, slide.device].filter(Boolean);
  return [el("article", {},
    el("p", {}, el("a", { href: "#slides" }, `← ${t("slides.back")}`)),
    el("h2", {}, `${t("slides.slide")} ${slide.slide_id}`),
    el("p.small", {}, about.join(" · ")),
    slide.notes ? el("p", {}, t("slides.notes", { notes: slide.notes })) : null,
    queue.total
      ? el("div.row", {}, el("a.buttonlike.main", { href: `#slides/${number}/review` }, t("slides.review", { count: figure(queue.total) })))
      : [el("p.notice", {}, t("slides.review.done")), slide.counts.cells > slide.counts.reviewed
        ? el("div.row", {}, el("a.buttonlike", { id: "sample", href: `#slides/${number}/review/sample` }, t("slides.sample")), el("span.small", {}, t("slides.sample.why"))) : null],
    estimateCard(slide.estimate, t("slides.machine")),
    slide.review?.suspects_reviewed ? el("p", {}, t("report.review.some", { seen: slide.review.suspects_reviewed, suspects: slide.review.suspects, overruled: slide.review.overruled })) : null,
    slide.estimate_after_review ? estimateCard(slide.estimate_after_review, t("slides.after")) : null,
    readersCard(slide),
    el("h3", {}, t("slides.export")),
    el("div.row", {}, el("a.buttonlike", { href: at(`/slides/${number}/report?language=${document.documentElement.lang}`), target: "_blank", rel: "noopener" }, t("slides.report")), ...links),
    // After a review; on a slide that nobody has looked at yet it would only be in the way.
    slide.counts.reviewed ? teachCard() : null,
    el("details.options", {}, el("summary", {}, t("slides.audit")), el("div.scroll", {}, auditTable(entries))),
    el("div.row", {}, el("button.plain", { type: "button", onclick: () => remove(slide) }, t("slides.delete"))))];
}

function auditTable(entries) {
  return el("table", {},
    el("thead", {}, el("tr", {}, ...["slides.audit.when", "slides.audit.who", "slides.audit.what"].map((head) => el("th", { scope: "col" }, t(head))))),
    el("tbody", {}, ...entries.map((entry) => el("tr", {}, el("td", {}, moment(entry.at)), el("td", {}, entry.who), el("td", {}, auditWords(entry))))));
}

/** An entry of the audit trail as a sentence; one of a kind that the catalogue lacks as it was stored. */
function auditWords({ action, detail }) {
  if (!has(`audit.${action}`)) return `${action} ${Object.entries(detail).map(([name, value]) => `${name} ${value}`).join(", ")}`;
  const values = Object.entries(detail).map(([name, value]) => [name, auditValue(name, value)]);
  return t(`audit.${action}`, Object.fromEntries(values));
}

function auditValue(name, value) {
  if (["machine", "call", "call_before"].includes(name)) return value === null ? t("review.none") : labelWords(value);
  if (name === "cell") return String(value);
  return typeof value === "number" ? figure(value, name === "probability" ? 3 : 0) : String(value);
}

async function remove(slide) {
  const who = prompt(t("slides.delete.sure", { slide: slide.slide_id }), "");
  if (!who?.trim()) return;
  try {
    await ask(`/slides/${slide.number}?${new URLSearchParams({ who: who.trim() })}`, { method: "DELETE" });
    location.hash = "#slides";
  } catch (error) {
    say(message(), error.message, { bad: true });
  }
}
