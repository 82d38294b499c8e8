/* Single cells: verdict, probability on its scale, evidence map. What belongs to the last pictures goes with the first
   of the next, and an answer that is no longer waited for is not shown. */

import { el, kind, labelWords, picker, say, sign } from "./parts.js";
import { looksLikeField } from "./fields/pictures.js";
import { askForEvidence, send } from "./talk.js";
import { figure, sentence, t } from "./words.js";

const AT_ONCE = 16;
/** Pictures whose evidence is looked for unasked: each costs hundreds of inferences. */
const UNASKED = 6;
/** Evidence, a tenth of the fall of the log odds, below which no single place is told to carry the verdict. */
const FAINT = 0.05;
const FIELD_CODES = new Set(["cell.is-a-field", "cell.none", "picture.too-large"]);
let shown = [];
let running = null;
let toField = () => {};

/** @param asField takes a picture over that is a whole field. */
export function start(asField) {
  toField = asField;
  picker(document.getElementById("cell-drop"), judge);
  document.addEventListener("language", draw);
}

/** Judge pictures of single cells, in place of those that were judged before. */
export async function judge(files) {
  running?.abort();
  const mine = running = new AbortController();
  for (const old of shown) { URL.revokeObjectURL(old.picture); if (old.evidence) URL.revokeObjectURL(old.evidence.address); }
  shown = files.map((file) => ({ file, picture: URL.createObjectURL(file), result: null, evidence: null }));
  draw();
  await judgeAll(shown, mine);
  // The map costs hundreds of inferences: one after another, and not for a whole folder.
  for (const item of shown.slice(0, UNASKED)) if (mine === running && item.result?.label) await explain(item, mine);
}

async function judgeAll(items, mine) {
  for (const item of items) if (await looksLikeField(item.file)) item.result = { label: null, field: true };
  if (mine !== running) return;
  const waiting = items.filter((item) => !item.result);
  for (let first = 0; first < waiting.length && mine === running; first += AT_ONCE) {
    const portion = waiting.slice(first, first + AT_ONCE);
    await judgePortion(portion, mine);
    if (mine !== running) return;
    draw();
  }
  if (mine === running) draw();
}

async function judgePortion(items, mine) {
  try {
    const answer = await send("/predict", items.map((item) => item.file), { signal: mine.signal });
    items.forEach((item, index) => { item.result = answer.results[index]; item.threshold = answer.threshold; });
  } catch (error) {
    if (error.name === "AbortError") return;
    // A portion of which no picture could be judged gets one answer for all: each is asked for its own.
    if (items.length > 1 && error.status === 422) { for (const item of items) await judgePortion([item], mine); return; }
    const failed = !(error.status >= 400 && error.status < 500);
    for (const item of items) item.result = { label: null, words: error.message, code: error.code, failed };
  }
}

async function explain(item, mine = running) {
  item.asked = true;
  draw();
  try { item.evidence = await askForEvidence(item.file, mine.signal); } catch (error) { item.evidenceError = error.message; }
  if (mine === running) draw();
}

function draw() {
  const message = document.getElementById("cell-message");
  const done = shown.filter((item) => item.result);
  const waiting = shown.length - done.length;
  say(message, waiting ? t("cell.progress", { done: done.length, all: shown.length }) : "", { busy: true });
  if (waiting) {
    message.append(el("button.plain", { type: "button", id: "cell-cancel", onclick: cancel }, t("cancel")));
  } else if (done.length > 1) {
    const judged = done.filter((item) => item.result.label);
    const infected = judged.filter((item) => item.result.label === "Parasitized");
    say(message, t("cell.summary", { parasitized: figure(infected.length), judged: figure(judged.length), refused: figure(done.length - judged.length) }));
  }
  document.getElementById("cell-results").replaceChildren(...shown.map(card));
}

function cancel() {
  running?.abort();
  running = new AbortController();
  for (const item of shown) if (!item.result) item.result = { label: null, words: t("cancelled"), failed: true };
  draw();
}

function retry(item) {
  item.result = null;
  draw();
  judgeAll([item], running);
}

function card(item, index) {
  const { file, result, picture } = item;
  const article = el("article.card", { "aria-label": file.name }, el("h2.file", {}, file.name));
  const thumbnail = el("img", { src: picture, alt: file.name });
  thumbnail.addEventListener("error", () => thumbnail.replaceWith(el("p.small", {}, t("picture.noview"))));
  if (!result) { article.append(el("p.busy", {}, t("working")), el("div.pictures", {}, el("figure", {}, thumbnail))); return article; }
  article.append(el(`p.verdict.${kind(result.label)}`, {}, sign(result.label), labelWords(result.label)));
  if (!result.label) {
    article.append(el("p.notice", {}, result.field ? t("cell.field") : result.words || sentence(result)), el("div.pictures", {}, el("figure", {}, thumbnail)));
    if (result.field || FIELD_CODES.has(result.code)) article.append(el("button.main.as-field", { type: "button", onclick: () => toField([file]) }, t("cell.tofield")));
    if (result.failed) article.append(el("button.plain", { type: "button", onclick: () => retry(item) }, t("retry")));
    return article;
  }
  article.append(scale(result.probability, item.threshold));
  if (result.doubtful) article.append(el("p.notice", {}, t("cell.doubtful")));
  article.append(el("div.pictures", {},
    el("figure", {}, thumbnail, el("figcaption", {}, t("cell.asis"))),
    evidenceFigure(item, index)));
  return article;
}

function evidenceFigure(item, index) {
  const { evidence, evidenceError, asked, result } = item;
  if (evidence) return el("figure", {}, el("img", { src: evidence.address, alt: t("cell.evidence.alt") }), el("figcaption", {}, evidenceCaption(evidence, result.label)));
  if (evidenceError) return el("figure", {}, el("p.notice.bad", {}, evidenceError));
  if (asked || index < UNASKED) return el("figure", {}, el("p.busy", {}, t("cell.evidence.wait")));
  return el("figure", {}, el("button.plain", { type: "button", onclick: () => explain(item) }, t("field.explain")));
}

/** Words under an evidence map: what its colours mean for such a verdict; one on which nothing glows says why. */
export function evidenceCaption(evidence, label) {
  if (evidence.peak < FAINT) return t("cell.evidence.none");
  return t(label === "Uninfected" ? "cell.evidence.uninfected" : "cell.evidence");
}

/** The probability on a scale from uninfected to parasitised, with the threshold. */
export function scale(probability, threshold) {
  const at = el("span.at"), cut = el("span.cut"), value = el("span.value", {}, figure(probability, 3));
  at.style.left = `${probability * 100}%`;
  cut.style.left = `${threshold * 100}%`;
  value.style.left = `${Math.min(Math.max(probability * 100, 6), 94)}%`;
  const words = `${t("probability")}: ${figure(probability, 3)}, ${t("cell.threshold", { threshold: figure(threshold, 3) })}`;
  return el("div", {},
    el("div.scale", { role: "img", "aria-label": words }, cut, at, value),
    el("div.ends", {}, el("span", {}, t("label.Uninfected")), el("span", {}, t("cell.threshold", { threshold: figure(threshold, 3) })), el("span", {}, t("label.Parasitized"))));
}
