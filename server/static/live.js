/* The bench's own camera: the annotated picture, the count and its estimate, its start, its end and what comes after. */

import { livePicture } from "./live_picture.js";
import { el, estimateCard, kind, labelWords, remember, remembered, say, sign } from "./parts.js";
import { ask, at } from "./talk.js";
import { figure, sentence, t } from "./words.js";

const EVERY_MS = 1000;
/** Slides that the form offers to go on with: the newest. */
const OFFERED = 20;
/** What this browser counts: the slide that it began last, until it is stopped here. */
const MINE = "plasmolite-count";
let timer = null;
let drawn = null;

const bench = () => document.getElementById("live-bench");
const hasBench = () => document.documentElement.dataset.live === "yes";
const mine = () => JSON.parse(remembered(MINE) || "null");

export function start() {
  document.addEventListener("language", () => { close(); if (timer) update(); else if (!hasBench()) none(); });
  if (!hasBench()) none();
}

function none() { bench().replaceChildren(el("p.notice", {}, t("live.none"))); }

/** Take what is drawn as no longer true; its picture is closed, so that another viewer may have its place. */
function close() {
  drawn?.picture?.close();
  drawn = null;
}

/** Follow the bench while its view is open. */
export function watch() {
  if (!hasBench() || timer) return;
  bench().replaceChildren(el("p.busy", {}, t("working")));
  timer = setInterval(update, EVERY_MS);
  update();
}

/** Stop following. */
export function leave() {
  clearInterval(timer);
  timer = null;
  close();
  if (hasBench()) bench().replaceChildren();
}

let asking = false;

async function update() {
  if (asking) return;
  asking = true;
  try {
    await look();
  } catch (error) {
    if (timer) away(error.message);
  } finally {
    asking = false;
  }
}

async function look() {
  const state = await (await ask("/live")).json();
  if (!timer) return;
  const wanted = state.counting ? `counting ${state.count.mode}` : "idle";
  if (drawn?.kind !== wanted) {
    close();
    const fresh = state.counting ? drawCounting(wanted) : await drawIdle();
    if (!timer) { fresh.picture?.close(); return; }
    drawn = fresh;
  } else if (drawn.away) {
    // The line is back: so is the picture, and the notice goes.
    drawn.away = false;
    bench().classList.remove("away");
    say(drawn.message, "");
    drawn.picture?.again();
  }
  if (state.counting) fillCounting(state);
}

/** The server does not answer: what is shown is marked as old. */
function away(words) {
  if (!drawn) { bench().replaceChildren(el("p.notice.bad", { role: "alert" }, words)); return; }
  if (!drawn.away) say(drawn.message, words, { bad: true });
  drawn.away = true;
  bench().classList.add("away");
}

async function drawIdle() {
  const message = el("div.message", { role: "status", "aria-live": "polite" });
  const { slides } = await (await ask(`/slides?limit=${OFFERED}`)).json();
  const resume = el("select", { id: "live-resume" }, el("option", { value: "" }, t("live.resume.none")), ...slides.map((slide) => el("option", { value: slide.slide_id }, slide.slide_id)));
  const slide = el("input", { id: "live-slide", maxlength: 120 }), operator = el("input", { id: "live-operator", maxlength: 120 });
  const notes = el("input", { id: "live-notes", maxlength: 2000 }), aim = el("input", { id: "live-aim", type: "number", min: 1, max: 1000000, value: 1000 });
  const mode = el("select", { id: "live-mode" }, el("option", { value: "slide" }, t("live.mode.slide")), el("option", { value: "cell" }, t("live.mode.cell")));
  mode.addEventListener("change", () => { for (const input of [resume, slide, operator, notes, aim]) input.closest("label").hidden = mode.value === "cell"; });
  resume.addEventListener("change", () => { slide.disabled = notes.disabled = Boolean(resume.value); });
  const row = (key, input) => el("label", {}, el("span", {}, t(key)), input);
  const begin = async (id) => {
    const json = mode.value === "cell"
      ? { mode: "cell" }
      : { slide_id: id || slide.value, resume: Boolean(id), operator: operator.value, notes: id ? "" : notes.value, cells_wanted: Number(aim.value) };
    try {
      const { count } = await (await ask("/live", { method: "POST", json })).json();
      remember(MINE, JSON.stringify(count.slide || null));
      update();
    } catch (error) {
      say(message, error.message, { bad: true });
      if (error.code === "slide.exists") message.append(el("button.plain", { type: "button", id: "live-go-on", onclick: () => begin(slide.value.trim()) }, t("live.goon", { slide: slide.value.trim() })));
    }
  };
  const go = (event) => { event.preventDefault(); begin(resume.value); };
  const form = el("form.card", { onsubmit: go }, el("h2", {}, t("live.start.title")),
    el("div.form-row", {}, row("live.mode", mode), row("live.resume", resume), row("live.slide", slide), row("live.operator", operator), row("live.aim", aim), row("live.notes", notes)),
    message, el("button.main", { id: "live-start" }, t("live.start")));
  const before = slides.find((one) => one.number === mine()?.number);
  bench().classList.remove("away");
  bench().replaceChildren(...(before ? [afterwards(before, mine().stopped ? null : () => begin(before.slide_id))] : []), form);
  return { kind: "idle", message };
}

/** What is left to do with a slide that was counted; a count that nobody stopped here can be gone on with. */
function afterwards(slide, goOn) {
  return el("div.card.estimate", { id: "live-after" },
    el("h2", {}, t(goOn ? "live.interrupted" : "live.ended", { slide: slide.slide_id, cells: figure(slide.counts.cells) })),
    el("div.row", {}, ...(goOn ? [el("button.main", { type: "button", id: "live-again", onclick: goOn }, t("live.goon", { slide: slide.slide_id }))] : []), ...nextSteps(slide.number, slide.counts.parasitized)));
}

function nextSteps(number, suspects) {
  return [
    el("a.buttonlike.main", { href: `#slides/${number}/review` }, t("slides.review", { count: figure(suspects) })),
    el("a.buttonlike", { href: at(`/slides/${number}/report?language=${document.documentElement.lang}`), target: "_blank", rel: "noopener" }, t("slides.report"))];
}

function drawCounting(kind) {
  const parts = {
    kind,
    title: el("h2"),
    message: el("div.message", { role: "status", "aria-live": "polite" }),
    end: el("div", { "aria-live": "polite" }),
    warnings: el("div", { "aria-live": "polite" }),
    progressWords: el("p", { id: "live-progress" }),
    progress: el("progress", { max: 1, value: 0, "aria-label": t("live.aim") }),
    figures: el("dl.figures"),
    estimate: el("div", { id: "live-estimate" }),
    picture: livePicture(),
  };
  const halt = el("button.plain", { type: "button", id: "live-stop", onclick: () => stop(parts) }, t("live.stop"));
  bench().classList.remove("away");
  bench().replaceChildren(parts.title, el("div.two", {},
    el("div", {}, parts.picture.element),
    el("div.card", {}, parts.progressWords, parts.progress, parts.end, parts.warnings, parts.figures, el("div.row", {}, halt), parts.message)), parts.estimate);
  return parts;
}

/** End the count; somebody else's only after a question. */
async function stop(parts) {
  const slide = parts.slide;
  if (slide && mine()?.number !== slide.number && !confirm(t("live.stop.sure", { slide: slide.id }))) return;
  const before = remembered(MINE);
  // Kept first: the next look at the bench may come before the answer.
  remember(MINE, JSON.stringify(slide ? { ...slide, stopped: true } : null));
  try {
    await ask("/live", { method: "DELETE" });
    update();
  } catch (error) {
    remember(MINE, before);
    say(parts.message, error.message, { bad: true });
  }
}

function fillCounting({ count, over }) {
  const slide = count.mode === "slide";
  drawn.slide = slide ? count.slide : null;
  drawn.title.textContent = slide ? t("live.counting", { slide: count.slide.id }) : t("live.mode.cell");
  drawn.progressWords.hidden = drawn.progress.hidden = !slide;
  if (slide) {
    drawn.progressWords.textContent = t("live.progress", { cells: figure(count.cells), aim: figure(count.cells_wanted) });
    drawn.progress.max = count.cells_wanted;
    drawn.progress.value = Math.min(count.cells, count.cells_wanted);
  }
  const age = count.result_age_seconds;
  const entries = [["live.state", t(`state.${count.state}`)], ["live.age", age === null ? "–" : `${figure(age, 1)} s`], ["live.fps", figure(count.considered_per_second, 1)], ["live.cps", figure(count.cells_per_second, 0)], ["live.dropped", figure(count.source.dropped)]];
  if (slide) entries.splice(1, 0, ["live.fields", figure(count.fields)]);
  drawn.figures.replaceChildren(...entries.map(([key, value]) => el("div", {}, el("dt", {}, t(key)), el("dd", {}, value))));
  const ended = slide && (count.reached || over);
  if (ended && !drawn.ended) {
    drawn.ended = true;
    const parts = drawn;
    drawn.end.replaceChildren(el("p.notice", {}, t(count.reached ? "live.done.choose" : "live.over")), el("div.row", {},
      el("button.main", { type: "button", id: "live-finish", onclick: () => stop(parts) }, t("live.finish"))));
  }
  const warnings = count.warning_messages.map(sentence);
  const words = warnings.join("\n");
  // Only what is new is put there: a screen reader reads it each time.
  if (drawn.told !== words) drawn.warnings.replaceChildren(...warnings.map((sentence) => el("p.notice", {}, sentence)));
  drawn.told = words;
  drawn.estimate.replaceChildren(...(slide ? [estimateCard(count.estimate, t("estimate.title"))] : cellVerdict(count.cell)));
}

function cellVerdict(cell) {
  if (!cell) return [];
  return [el("div.card", {}, el(`p.verdict.${kind(cell.label)}`, {}, sign(cell.label), labelWords(cell.label)), el("p", {}, `${t("probability")}: ${figure(cell.probability, 3)}`))];
}
