/* Review: one cell after another, by keys, buttons or a swipe; every call is stored before the next can be given. The
   second reading of a slide and the decision of a third person are the same work on other cells. */

import { looks } from "./looks.js";
import { el, labelWords, remembered, remember } from "./parts.js";
import { ask, at } from "./talk.js";
import { figure, t } from "./words.js";

const SWIPE_PX = 60;
const PAGE = 500;
const REVIEWER = "plasmolite-reviewer";
const BLIND = "plasmolite-blind";
let keys = null;

/** What each reading is called in addresses, in the API and in the catalogue. */
const READINGS = ["first", "second", "decision"];
/** How many of the cells that the machine passed a first reader is shown besides, where the address asks for a sample. */
const SAMPLE = 100;

/**
 * The parts of a review of a slide.
 * @param asked one of READINGS, or "sample" for the first with some cells that the machine passed; else the first.
 * @param wanted tells whether the slide is still asked for once its cells have come.
 * @param again shows the review afresh.
 */
export async function review(number, asked, wanted, again) {
  const reading = READINGS.includes(asked) ? asked : "first";
  const slide = await (await ask(`/slides/${number}`)).json();
  // The server leaves the machine's word out of a blind second reading, and mixes in cells that it passed.
  const blind = reading === "second" && isBlind();
  const cells = await suspects(number, reading, blind, asked === "sample" ? SAMPLE : 0);
  if (!wanted()) return [];
  const stage = el("div.review", { tabindex: -1 });
  const status = el("div.message", { role: "status", "aria-live": "assertive" });
  const who = el("div.reviewer");
  const parts = [
    el("p", {}, el("a", { href: `#slides/${number}`, "aria-label": t("slides.open", { slide: slide.slide_id }) }, `← ${t(`review.title.${reading}`, { slide: slide.slide_id })}`)),
    reading === "first" ? null : el("p.small", {}, t(`review.about.${reading}`)),
    who, status, stage, reading === "decision" ? null : blindChoice(reading, reading === "second" ? again : () => draw()), el("p.small", {}, t("review.help"))].filter(Boolean);
  if (!cells.length) { stage.append(el("p.notice", {}, t(reading === "decision" ? "review.decided" : "slides.review.done"))); return parts; }

  const state = { index: Math.max(cells.findIndex((cell) => cell.call === null), 0), reviewer: mayRead(slide, reading, remembered(REVIEWER)), seen: null, busy: false, near: false, around: false, reading, blind };
  const open = () => cells.filter((cell) => cell.call === null).length;
  const tell = (text, bad = false) => status.replaceChildren(...(text ? [el(`p.notice${bad ? ".bad" : ""}`, bad ? { role: "alert" } : {}, text)] : []));
  const draw = () => stage.replaceChildren(...cellView(number, cells, state, { call, move, zoom, turn, saw: (cell) => { state.seen = cell; stage.dataset.seen = cell; } }));
  const zoom = () => { state.near = !state.near; draw(); };
  const turn = () => { state.around = !state.around; draw(); };
  const move = (step) => go(Math.min(Math.max(state.index + step, 0), cells.length - 1));
  function go(index) {
    if (state.busy || index === state.index) return;
    state.index = index;
    state.seen = null;
    delete stage.dataset.seen;
    draw();
  }
  async function call(label) {
    const cell = cells[state.index];
    // One call a cell that was seen: a key that comes while the last is stored, or before the picture is there, is none.
    if (state.busy || (label !== null && state.seen !== cell.cell) || (label === null && cell.call === null)) return;
    if (!state.reviewer) { askWho(); tell(t("review.who.need"), true); who.querySelector("input").focus(); return; }
    state.busy = true;
    stage.classList.add("storing");
    try {
      cells[state.index] = await (await ask(`/slides/${number}/cells/${cell.cell}/review`, { method: "POST", json: { call: label, reviewer: state.reviewer, reading, blind } })).json();
      tell("");
    } catch (error) {
      tell(error.message, true);
      return;
    } finally {
      state.busy = false;
      stage.classList.remove("storing");
    }
    onwards(label);
  }
  function onwards(label) {
    const left = open(), last = state.index === cells.length - 1;
    if (label === null) { draw(); return; }
    if (left && last) {
      tell(t("review.left", { open: left, total: cells.length }));
      go(cells.findIndex((cell) => cell.call === null));
      if (state.index === cells.length - 1) draw();
    } else if (last) draw(); else move(1);
    if (!left) {
      status.replaceChildren(el("p.notice", {}, t(reading === "decision" ? "review.decided" : "slides.review.done")), el("div.row", {},
        el("a.buttonlike.main", { href: at(`/slides/${number}/report?language=${document.documentElement.lang}`), target: "_blank", rel: "noopener" }, t("slides.report")),
        el("a.buttonlike", { href: `#slides/${number}` }, t("review.result"))));
    }
  }
  function askWho() {
    const input = el("input", { id: "reviewer", autocomplete: "name", maxlength: 120, required: true });
    input.value = state.reviewer;
    const take = (event) => {
      event.preventDefault();
      if (!input.value.trim()) return;
      state.reviewer = input.value.trim();
      remember(REVIEWER, state.reviewer);
      tellWho();
      tell("");
      stage.focus({ preventScroll: true });
    };
    // Leaving the box is enough too: who has written a name and goes on to a cell has given it.
    input.addEventListener("change", (event) => { if (input.isConnected) take(event); });
    who.replaceChildren(el("form", { onsubmit: take }, el("label", {}, el("span", {}, t("review.who")), el("div.row", {}, input, el("button.plain", {}, t("review.who.take"))))));
  }
  function tellWho() {
    who.replaceChildren(el("p.small", {}, `${t("review.who.is", { reviewer: state.reviewer })} `, el("button.quiet", { type: "button", id: "not-me", onclick: () => { askWho(); who.querySelector("input").select(); } }, t("review.who.other"))));
  }

  leave();
  keys = (event) => {
    if (event.target.matches("input, select, textarea") || event.ctrlKey || event.metaKey || event.altKey) return;
    const deed = { p: () => call("Parasitized"), u: () => call("Uninfected"), z: zoom, n: turn, ArrowRight: () => move(1), ArrowLeft: () => move(-1), Backspace: () => call(null) }[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (!deed) return;
    event.preventDefault();
    // A key that is held down says nothing of the cells that come after the first.
    if (!event.repeat) deed();
  };
  document.addEventListener("keydown", keys);
  // A finger on an enlarged picture moves what it shows.
  swipes(stage, (step) => { if (!state.near) move(step); });
  if (state.reviewer) tellWho(); else askWho();
  draw();
  return parts;
}

/** The reviewer that this browser remembers, where they may make this reading: nobody reads a slide twice. */
function mayRead({ review: { readers, agreement } }, reading, name) {
  const others = { first: agreement?.second_readers, second: readers, decision: [...readers, ...agreement?.second_readers || []] }[reading] || [];
  return others.some((other) => other.toLowerCase() === name.toLowerCase()) ? "" : name;
}

/** Every cell of a reading: suspects and doubtful ones, or those to decide; the server gives them in pages. */
async function suspects(number, reading, blind, sample) {
  const cells = [];
  for (let total = 1; cells.length < total;) {
    const page = await (await ask(`/slides/${number}/cells?which=suspects&reading=${reading}&blind=${blind}&sample=${sample}&limit=${PAGE}&offset=${cells.length}`)).json();
    if (!page.cells.length) break;
    cells.push(...page.cells);
    total = page.total;
  }
  return cells;
}

/** Take the keys back; called whenever the view is left. */
export function leave() {
  if (keys) document.removeEventListener("keydown", keys);
  keys = null;
}

const isBlind = () => remembered(BLIND) === "yes";

function blindChoice(reading, changed) {
  const box = el("input", { type: "checkbox", id: "review-blind" });
  box.checked = isBlind();
  box.addEventListener("change", () => { remember(BLIND, box.checked ? "yes" : "no"); changed(); });
  return el("label.choice", { for: box.id }, box, el("span", {}, t(reading === "second" ? "review.blind.second" : "review.blind")));
}

function cellView(number, cells, state, { call, move, zoom, turn, saw }) {
  const cell = cells[state.index];
  const button = (label, className, letter) => el(`button.${className}${cell.call === label ? ".chosen" : ""}`, { type: "button", "aria-pressed": String(cell.call === label), onclick: () => call(label) }, labelWords(label), el("kbd", { "aria-hidden": "true" }, letter));
  const machine = state.reading === "decision" ? t("review.differ")
    : cell.label === null ? t("review.machine.blind")
    : cell.call === null && isBlind() ? t("review.machine.hidden")
    : t("review.machine", { label: labelWords(cell.label), probability: figure(cell.probability, 3) });
  const { both, change } = looks(number, cell, state, { zoom, turn, saw });
  return [
    el("div.row.where", {}, el("p", {}, t("review.progress", { at: figure(state.index + 1), total: figure(cells.length) })), change),
    el("progress", { max: cells.length, value: cells.filter((one) => one.call !== null).length, "aria-label": t("slides.reviewed") }),
    both,
    el("div.calls", {}, button("Parasitized", "infected", "P"), button("Uninfected", "healthy", "U")),
    el("p.machine", {}, machine),
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
