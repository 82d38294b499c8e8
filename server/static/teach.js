/* What the reviewed cells would teach the model: how many there are, a trial in the background, its model in use, and
   the way back. */

import { el, remember, remembered, say } from "./parts.js";
import { ask } from "./talk.js";
import { figure, sentence, t } from "./words.js";

const SITE = "plasmolite-site";
const LOOK_AGAIN_MS = 1000;
const CHANGES = "request.model-changes";

/** The card, filled as soon as the server answers; it looks after itself while it is on the page. */
export function teachCard() {
  const body = el("div", { "aria-live": "polite" });
  const message = el("div.message", { role: "status" });
  const card = el("div.card", { id: "teach" }, el("h3", {}, t("teaching.title")), el("p.small", {}, t("teaching.lead")), body, message);

  async function deed(path, json) {
    try {
      return await (await ask(path, { method: path === "/teaching" && !json ? "GET" : "POST", json })).json();
    } catch (error) {
      say(message, error.message, { bad: true });
      return null;
    }
  }
  async function look() {
    const facts = await deed("/teaching");
    if (facts) draw(facts);
  }
  function draw(facts) {
    body.replaceChildren(...content(facts, { begin, use, undo, discard: () => draw({ ...facts, adaptation: { ...facts.adaptation, state: "none" } }) }));
    if (facts.adaptation.state === "running" || facts.obstacle?.code === CHANGES) setTimeout(() => { if (card.isConnected) look(); }, LOOK_AGAIN_MS);
  }
  async function begin(site) {
    remember(SITE, site);
    say(message, "");
    const facts = await deed("/teaching", { site });
    if (facts) draw(facts);
  }
  async function change(path, question, done) {
    if (!confirm(question)) return;
    say(message, t("working"), { busy: true });
    const facts = await deed(path, {});
    if (!facts) return look(); // another browser may have used or undone it
    draw(facts);
    say(message, t(done));
    document.querySelector(".foot code").textContent = facts.model.sha256.slice(0, 12);
  }
  const use = () => change("/teaching/use", t("teaching.use.sure"), "teaching.in-use");
  const undo = (site) => change("/teaching/undo", t("teaching.undo.sure", { site }), "teaching.undone");
  look();
  return card;
}

function content({ reviewed, missing, obstacle, taught_at: site, adaptation }, { begin, use, undo, discard }) {
  const parts = [el("p", {}, t("teaching.reviewed", Object.fromEntries(Object.entries(reviewed).map(([name, value]) => [name, figure(value)]))))];
  if (site) parts.push(el("p", {}, t("teaching.taught", { site })));
  const back = site && !obstacle ? el("button.plain", { type: "button", id: "teach-undo", onclick: () => undo(site) }, t("teaching.undo")) : null;
  if (obstacle) return [...parts, el("p.notice", {}, sentence(obstacle))];
  if (adaptation.state === "running") {
    return [...parts, el("p.busy", {}, adaptation.steps ? t("teaching.step", adaptation) : t("teaching.reading")),
      el("progress", { max: adaptation.steps || 1, value: adaptation.step, "aria-label": t("teaching.title") })];
  }
  if (adaptation.state !== "none") {
    parts.push(el(`p.notice${adaptation.state === "failed" ? ".bad" : ""}`, { id: "teach-outcome" }, adaptation.sentences.map(sentence).join(" ")));
    if (adaptation.better) {
      return [...parts, el("div.row", {}, el("button.main", { type: "button", id: "teach-use", onclick: use }, t("teaching.use")),
        el("button.plain", { type: "button", onclick: discard }, t("teaching.discard")))];
    }
  }
  if (missing) return [...parts, el("p.notice", {}, sentence(missing)), el("div.row", {}, back)];
  const name = el("input", { id: "teach-site", maxlength: 60, required: true, autocomplete: "organization" });
  name.value = site || remembered(SITE);
  const form = el("form", { id: "teach-form", onsubmit: (event) => { event.preventDefault(); if (name.value.trim()) begin(name.value.trim()); } },
    el("label", {}, el("span", {}, t("teaching.site")), name),
    el("div.row", {}, el("button.main", { id: "teach-try" }, t(site ? "teaching.again" : "teaching.try")), back));
  return [...parts, form];
}
