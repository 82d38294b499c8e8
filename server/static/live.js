/* The bench's own camera: the annotated stream, the count and its estimate, start and stop. */

import { el, estimateCard, kind, labelWords, say, sign } from "./parts.js";
import { ask } from "./talk.js";
import { figure, sentence, t } from "./words.js";

const EVERY_MS = 1000;
let timer = null;
let drawn = null;

const bench = () => document.getElementById("live-bench");
const hasBench = () => document.documentElement.dataset.live === "yes";

export function start() {
  document.addEventListener("language", () => { drawn = null; if (timer) update(); else if (!hasBench()) none(); });
  if (!hasBench()) none();
}

function none() { bench().replaceChildren(el("p.notice", {}, t("live.none"))); }

/** Follow the bench while its view is open. */
export function watch() {
  if (!hasBench() || timer) return;
  timer = setInterval(update, EVERY_MS);
  update();
}

/** Stop following; the stream is closed too, so that another viewer may have its place. */
export function leave() {
  clearInterval(timer);
  timer = null;
  drawn = null;
  if (hasBench()) bench().replaceChildren();
}

async function update() {
  let state;
  try {
    state = await (await ask("/live")).json();
  } catch (error) {
    if (timer && drawn) say(drawn.message, error.message, { bad: true });
    return;
  }
  if (!timer) return;
  const wanted = state.counting ? `counting ${state.count.mode}` : "idle";
  if (drawn?.kind !== wanted) drawn = state.counting ? drawCounting(wanted) : await drawIdle();
  if (state.counting) fillCounting(state.count);
}

async function drawIdle() {
  const message = el("div.message", { role: "status", "aria-live": "polite" });
  const slides = (await (await ask("/slides")).json()).slides;
  const resume = el("select", { id: "live-resume" }, el("option", { value: "" }, t("live.resume.none")), ...slides.map((slide) => el("option", { value: slide.slide_id }, slide.slide_id)));
  const slide = el("input", { id: "live-slide", maxlength: 120 }), operator = el("input", { id: "live-operator", maxlength: 120 });
  const notes = el("input", { id: "live-notes", maxlength: 2000 }), aim = el("input", { id: "live-aim", type: "number", min: 1, max: 1000000, value: 1000 });
  const mode = el("select", { id: "live-mode" }, el("option", { value: "slide" }, t("live.mode.slide")), el("option", { value: "cell" }, t("live.mode.cell")));
  mode.addEventListener("change", () => { for (const input of [resume, slide, operator, notes, aim]) input.closest("label").hidden = mode.value === "cell"; });
  resume.addEventListener("change", () => { slide.disabled = notes.disabled = Boolean(resume.value); });
  const row = (key, input) => el("label", {}, el("span", {}, t(key)), input);
  const go = async (event) => {
    event.preventDefault();
    const json = mode.value === "cell"
      ? { mode: "cell" }
      : { slide_id: resume.value || slide.value, resume: Boolean(resume.value), operator: operator.value, notes: resume.value ? "" : notes.value, cells_wanted: Number(aim.value) };
    try { await ask("/live", { method: "POST", json }); update(); } catch (error) { say(message, error.message, { bad: true }); }
  };
  const form = el("form.card", { onsubmit: go }, el("h2", {}, t("live.start.title")),
    el("div.form-row", {}, row("live.mode", mode), row("live.resume", resume), row("live.slide", slide), row("live.operator", operator), row("live.aim", aim), row("live.notes", notes)),
    message, el("button.main", { id: "live-start" }, t("live.start")));
  bench().replaceChildren(form);
  return { kind: "idle", message };
}

function drawCounting(kind) {
  const parts = {
    kind,
    title: el("h2"),
    message: el("div.message", { role: "status", "aria-live": "polite" }),
    warnings: el("div", { "aria-live": "polite" }),
    progressWords: el("p", { id: "live-progress" }),
    progress: el("progress", { max: 1, value: 0, "aria-label": t("live.aim") }),
    figures: el("dl.figures"),
    estimate: el("div", { id: "live-estimate" }),
  };
  const halt = el("button.plain", { type: "button", id: "live-stop", onclick: async () => {
    try { await ask("/live", { method: "DELETE" }); update(); } catch (error) { say(parts.message, error.message, { bad: true }); }
  } }, t("live.stop"));
  bench().replaceChildren(parts.title, el("div.two", {},
    el("div", {}, el("img.live-picture", { src: `/live.mjpg?${Date.now()}`, alt: t("live.picture") })),
    el("div.card", {}, parts.progressWords, parts.progress, parts.warnings, parts.figures, el("div.row", {}, halt), parts.message)), parts.estimate);
  return parts;
}

function fillCounting(count) {
  const slide = count.mode === "slide";
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
  const warnings = count.warning_messages.map(sentence);
  if (count.reached) warnings.unshift(t("live.done"));
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
