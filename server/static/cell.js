/* Single cells: verdict, probability on its scale, evidence map. */

import { el, kind, labelWords, picker, say, sign } from "./parts.js";
import { askForEvidence, send } from "./talk.js";
import { figure, sentence, t } from "./words.js";

const AT_ONCE = 16;
/** Evidence, a tenth of the fall of the log odds, below which no single place is told to carry the verdict. */
const FAINT = 0.05;
let shown = [];

export function start() {
  picker(document.getElementById("cell-drop"), judge);
  document.addEventListener("language", draw);
}

async function judge(files) {
  const message = document.getElementById("cell-message");
  say(message, t("working"), { busy: true });
  const fresh = [];
  try {
    for (let first = 0; first < files.length; first += AT_ONCE) {
      const part = files.slice(first, first + AT_ONCE);
      const answer = await send("/predict", part);
      answer.results.forEach((result, index) => fresh.push({ file: part[index], result, threshold: answer.threshold, model: answer.model, picture: URL.createObjectURL(part[index]), evidence: null }));
    }
    say(message, "");
  } catch (error) {
    say(message, error.message, { bad: true });
  }
  if (!fresh.length) return;
  for (const old of shown) { URL.revokeObjectURL(old.picture); if (old.evidence) URL.revokeObjectURL(old.evidence.address); }
  shown = fresh;
  draw();
  // The map costs hundreds of inferences: one after another, and not for a whole folder.
  for (const item of shown.slice(0, 6)) {
    if (item.result.error) continue;
    try { item.evidence = await askForEvidence(item.file); } catch (error) { item.evidenceError = error.message; }
    if (!shown.includes(item)) return;
    draw();
  }
}

function draw() {
  document.getElementById("cell-results").replaceChildren(...shown.map(card));
}

function card({ file, result, threshold, picture, evidence, evidenceError }, index) {
  const verdict = el(`p.verdict.${kind(result.label)}`, {}, sign(result.label), labelWords(result.label));
  const article = el("article.card", { "aria-label": file.name }, verdict);
  if (result.error) { article.append(el("p", {}, sentence(result)), el("p.small", {}, file.name)); return article; }
  article.append(scale(result.probability, threshold));
  if (result.doubtful) article.append(el("p.notice", {}, t("cell.doubtful")));
  const map = evidence
    ? el("img", { src: evidence.address, alt: t("cell.evidence.alt") })
    : el("p.small", {}, evidenceError || (index < 6 ? t("cell.evidence.wait") : ""));
  article.append(el("div.pictures", {},
    el("figure", {}, el("img", { src: picture, alt: file.name }), el("figcaption", {}, t("cell.asis"))),
    el("figure", {}, map, el("figcaption", {}, evidenceCaption(evidence)))));
  article.append(el("p.small", {}, file.name));
  return article;
}

/** Words under an evidence map; one on which nothing glows says why. */
export function evidenceCaption(evidence) {
  return evidence && evidence.peak < FAINT ? t("cell.evidence.none") : t("cell.evidence");
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
