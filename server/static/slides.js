/* The stored slides: list, one slide with both readings, report and exports, deletion. */

import { el, estimateCard, labelWords, say } from "./parts.js";
import { review } from "./review.js";
import { ask } from "./talk.js";
import { figure, has, moment, t } from "./words.js";

const EXPORTS = ["json", "cells.csv", "fields.csv", "audit.csv", "fhir"];
const body = () => document.getElementById("slides-body");
const message = () => document.getElementById("slides-message");

/** Show what the address after #slides asks for: the list, a slide, its review. */
export async function show(path) {
  say(message(), "");
  if (document.documentElement.dataset.slides !== "yes") { body().replaceChildren(el("p.notice", {}, t("slides.off"))); return; }
  const [number, what] = path;
  try {
    if (!number) await list();
    else if (what === "review") await review(body(), Number(number));
    else await one(Number(number));
  } catch (error) {
    body().replaceChildren();
    say(message(), error.message, { bad: true });
  }
}

async function list() {
  const { slides } = await (await ask("/slides")).json();
  if (!slides.length) { body().replaceChildren(el("p.notice", {}, t("slides.none"))); return; }
  const heads = ["slides.slide", "slides.when", "slides.operator", "slides.cells", "slides.parasitized", "slides.reviewed"];
  const rows = slides.map((slide) => el("tr", {},
    el("td", {}, el("a", { href: `#slides/${slide.number}`, "aria-label": t("slides.open", { slide: slide.slide_id }) }, slide.slide_id)),
    ...[["slides.when", moment(slide.created_at)], ["slides.operator", slide.operator]].map(([head, value]) => el("td", { "data-label": t(head) }, value)),
    ...["cells", "parasitized", "reviewed"].map((name) => el("td.number", { "data-label": t(`slides.${name}`) }, figure(slide.counts[name])))));
  body().replaceChildren(el("div.card.scroll", {}, el("table.stacked", {},
    el("thead", {}, el("tr", {}, ...heads.map((head, index) => el(`th${index > 2 ? ".number" : ""}`, { scope: "col" }, t(head))))),
    el("tbody", {}, ...rows))));
}

async function one(number) {
  const slide = await (await ask(`/slides/${number}`)).json();
  const queue = await (await ask(`/slides/${number}/cells?limit=1`)).json();
  const { entries } = await (await ask(`/slides/${number}/audit`)).json();
  const links = EXPORTS.map((form) => el("a.buttonlike", { href: `/slides/${number}/export?form=${form}`, download: true }, t(`export.${form}`)));
  const about = [moment(slide.created_at), slide.operator, slide.device].filter(Boolean);
  body().replaceChildren(el("article", {},
    el("p", {}, el("a", { href: "#slides" }, `← ${t("slides.back")}`)),
    el("h2", {}, `${t("slides.slide")} ${slide.slide_id}`),
    el("p.small", {}, about.join(" · ")),
    slide.notes ? el("p", {}, t("slides.notes", { notes: slide.notes })) : null,
    queue.total
      ? el("div.row", {}, el("a.buttonlike.main", { href: `#slides/${number}/review` }, t("slides.review", { count: figure(queue.total) })))
      : el("p.notice", {}, t("slides.review.done")),
    estimateCard(slide.estimate, t("slides.machine")),
    slide.review?.suspects_reviewed ? el("p", {}, t("report.review.some", { seen: slide.review.suspects_reviewed, suspects: slide.review.suspects, overruled: slide.review.overruled })) : null,
    slide.estimate_after_review ? estimateCard(slide.estimate_after_review, t("slides.after")) : null,
    el("h3", {}, t("slides.export")),
    el("div.row", {}, el("a.buttonlike", { href: `/slides/${number}/report?language=${document.documentElement.lang}`, target: "_blank", rel: "noopener" }, t("slides.report")), ...links),
    el("details.options", {}, el("summary", {}, t("slides.audit")), el("div.scroll", {}, auditTable(entries))),
    el("div.row", {}, el("button.plain", { type: "button", onclick: () => remove(slide) }, t("slides.delete")))));
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
