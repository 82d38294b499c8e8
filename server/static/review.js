/* Review: one cell after another, by keys, buttons or a swipe; every call is stored at once. */

import { el, labelWords } from "./parts.js";
import { ask } from "./talk.js";
import { figure, t } from "./words.js";

const SWIPE_PX = 60;
let keys = null;

function remembered() {
  try { return localStorage.getItem("plasmolite-reviewer") || ""; } catch { return ""; }
}

/** Walk through the cells of a slide that a person should look at. */
export async function review(place, number) {
  const slide = await (await ask(`/slides/${number}`)).json();
  const { cells } = await (await ask(`/slides/${number}/cells?which=suspects&limit=500`)).json();
  const at = { index: Math.max(cells.findIndex((cell) => cell.call === null), 0) };
  const who = el("input", { id: "reviewer", autocomplete: "name", maxlength: 120 });
  who.value = remembered();
  const stage = el("div.review", { tabindex: -1 });
  const status = el("div.message", { role: "status", "aria-live": "assertive" });
  place.replaceChildren(
    el("p", {}, el("a", { href: `#slides/${number}`, "aria-label": t("slides.open", { slide: slide.slide_id }) }, `← ${t("review.title", { slide: slide.slide_id })}`)),
    el("label.reviewer", {}, el("span", {}, t("review.who")), who), status, stage, el("p.small", {}, t("review.help")));
  if (!cells.length) { stage.append(el("p.notice", {}, t("slides.review.done"))); return; }

  const draw = () => stage.replaceChildren(...cellView(number, cells, at, deeds));
  const move = (step) => { at.index = Math.min(Math.max(at.index + step, 0), cells.length - 1); draw(); };
  async function call(label) {
    const reviewer = who.value.trim();
    if (!reviewer) { status.replaceChildren(el("p.notice.bad", {}, t("review.who.need"))); who.focus(); return; }
    const cell = cells[at.index];
    if (label === null && cell.call === null) return;
    try {
      cells[at.index] = await (await ask(`/slides/${number}/cells/${cell.cell}/review`, { method: "POST", json: { call: label, reviewer } })).json();
      try { localStorage.setItem("plasmolite-reviewer", reviewer); } catch { /* private windows keep nothing */ }
      status.replaceChildren();
      if (label === null || at.index === cells.length - 1) draw(); else move(1);
      if (cells.every((one) => one.call !== null)) status.replaceChildren(el("p.notice", {}, t("slides.review.done")));
    } catch (error) {
      status.replaceChildren(el("p.notice.bad", { role: "alert" }, error.message));
    }
  }
  const deeds = { call, move };
  leave();
  keys = (event) => {
    if (event.target.matches("input, select, textarea") || event.ctrlKey || event.metaKey || event.altKey) return;
    const deed = { p: () => call("Parasitized"), u: () => call("Uninfected"), ArrowRight: () => move(1), ArrowLeft: () => move(-1), Backspace: () => call(null) }[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (!deed) return;
    event.preventDefault();
    deed();
  };
  document.addEventListener("keydown", keys);
  swipes(stage, move);
  draw();
}

/** Take the keys back; called whenever the view is left. */
export function leave() {
  if (keys) document.removeEventListener("keydown", keys);
  keys = null;
}

function cellView(number, cells, at, { call, move }) {
  const cell = cells[at.index];
  const button = (label, className, letter) => el(`button.${className}${cell.call === label ? ".chosen" : ""}`, { type: "button", "aria-pressed": String(cell.call === label), onclick: () => call(label) }, labelWords(label), el("kbd", { "aria-hidden": "true" }, letter));
  return [
    el("p", {}, t("review.progress", { at: figure(at.index + 1), total: figure(cells.length) })),
    el("progress", { max: cells.length, value: cells.filter((one) => one.call !== null).length, "aria-label": t("slides.reviewed") }),
    el("img", { src: `/slides/${number}/cells/${cell.cell}/crop`, alt: t("review.alt", { cell: cell.cell }), draggable: "false" }),
    el("div.calls", {}, button("Parasitized", "infected", "P"), button("Uninfected", "healthy", "U")),
    el("p", {}, t("review.machine", { label: labelWords(cell.label), probability: figure(cell.probability, 3) })),
    el("p", {}, el("strong", {}, t("review.call", { label: cell.call ? labelWords(cell.call) : t("review.none") })), cell.reviewer && cell.call ? ` (${cell.reviewer})` : ""),
    el("div.row", {},
      el("button.plain", { type: "button", onclick: () => move(-1) }, `← ${t("review.previous")}`),
      el("button.plain", { type: "button", onclick: () => call(null), disabled: cell.call === null }, t("review.undo")),
      el("button.plain", { type: "button", onclick: () => move(1) }, `${t("review.next")} →`)),
  ];
}

function swipes(stage, move) {
  let from = null;
  stage.addEventListener("touchstart", (event) => { from = event.changedTouches[0].clientX; }, { passive: true });
  stage.addEventListener("touchend", (event) => {
    const way = event.changedTouches[0].clientX - (from ?? event.changedTouches[0].clientX);
    if (Math.abs(way) > SWIPE_PX) move(way < 0 ? 1 : -1);
  }, { passive: true });
}
