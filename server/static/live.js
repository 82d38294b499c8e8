/* The bench's own camera: the annotated stream, the count and its estimate, start and stop. */

import { el, estimateCard, say } from "./parts.js";
import { ask } from "./talk.js";
import { figure, t } from "./words.js";

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
  const wanted = state.counting ? "counting" : "idle";
  if (drawn?.kind !== wanted) drawn = wanted === "counting" ? drawCounting() : await drawIdle();
  if (wanted === "counting") fillCounting(state);
}

async function drawIdle() {
  const message = el("div.message", { role: "status", "aria-live": "polite" });
  const slides = (await (await ask("/slides")).json()).slides;
  const resume = el("select", { id: "live-resume" }, el("option", { value: "" }, t("live.resume.none")), ...slides.map((slide) => el("option", { value: slide.slide_id }, slide.slide_id)));
  const slide = el("input", { id: "live-slide", maxlength: 120 }), operator = el("input", { id: "live-operator", maxlength: 120 });
  const notes = el("input", { id: "live-notes", maxlength: 2000 }), aim = el("input", { id: "live-aim", type: "number", min: 1, max: 1000000, value: 1000 });
  resume.addEventListener("change", () => { slide.disabled = notes.disabled = Boolean(resume.value); });
  const row = (key, input) => el("label", {}, el("span", {}, t(key)), input);
  const go = async (event) => {
    event.preventDefault();
    const json = { slide_id: resume.value || slide.value, resume: Boolean(resume.value), operator: operator.value, notes: resume.value ? "" : notes.value, cells: Number(aim.value) };
    try { await ask("/live", { method: "POST", json }); update(); } catch (error) { say(message, error.message, { bad: true }); }
  };
  const form = el("form.card", { onsubmit: go }, el("h2", {}, t("live.start.title")),
    el("div.form-row", {}, row("live.resume", resume), row("live.slide", slide), row("live.operator", operator), row("live.aim", aim), row("live.notes", notes)),
    message, el("button.main", { id: "live-start" }, t("live.start")));
  bench().replaceChildren(form);
  return { kind: "idle", message };
}

function drawCounting() {
  const parts = {
    kind: "counting",
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

function fillCounting(state) {
  drawn.title.textContent = t("live.counting", { slide: state.slide_id });
  drawn.progressWords.textContent = t("live.progress", { cells: figure(state.cells), aim: figure(state.aim) });
  drawn.progress.max = state.aim;
  drawn.progress.value = Math.min(state.cells, state.aim);
  const entries = [["live.state", state.state], ["live.age", state.age_seconds === null ? "–" : `${figure(state.age_seconds, 1)} s`], ["live.fps", figure(state.frames_per_second, 1)], ["live.cps", figure(state.cells_per_second, 0)], ["live.fields", figure(state.fields)], ["live.dropped", figure(state.frames_dropped)]];
  drawn.figures.replaceChildren(...entries.map(([key, value]) => el("div", {}, el("dt", {}, t(key)), el("dd", {}, value))));
  const warnings = [...state.warnings];
  if (state.cells >= state.aim) warnings.unshift(t("live.done"));
  drawn.warnings.replaceChildren(...warnings.map((words) => el("p.notice", {}, words)));
  drawn.estimate.replaceChildren(...(state.estimate ? [estimateCard(state.estimate, t("estimate.title"))] : []));
}
