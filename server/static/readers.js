/* Two readers of a slide: who has read it, how far they agree, where they differ, and what is left to decide. */

import { el, estimateCard, labelWords } from "./parts.js";
import { at } from "./talk.js";
import { figure, t } from "./words.js";

/** The card of a slide's readings; null before anybody has read it. */
export function readersCard(slide) {
  const { readers, agreement } = slide.review;
  if (!readers.length && !agreement) return null;
  const second = el("a.buttonlike", { id: "second-reading", href: `#slides/${slide.number}/review/second` }, t(agreement ? "readers.go-on" : "readers.begin"));
  if (!agreement) return el("div.card", {}, el("h3", {}, t("readers.title")), el("p", {}, t("readers.one", { first: readers })), el("div.row", {}, second));
  const { cells, undecided, disagreements } = agreement;
  const values = { first: agreement.first_readers, second: agreement.second_readers };
  return el("div.card", { id: "readers" },
    el("h3", {}, t("readers.title")),
    el("p", {}, t("readers.two", { ...values, cells: figure(cells), agreed: figure(cells - disagreements.length) })),
    el("p", {}, kappaWords(agreement)),
    agreement.deciders.length ? el("p", {}, t("readers.deciders", { deciders: agreement.deciders })) : null,
    undecided ? el("p.notice", {}, t("readers.undecided", { undecided: figure(undecided) })) : null,
    el("div.row", {},
      undecided ? el("a.buttonlike.main", { id: "decide", href: `#slides/${slide.number}/review/decision` }, t("readers.decide", { undecided: figure(undecided) })) : null, second),
    disagreements.length ? el("details.options", { open: true }, el("summary", {}, t("readers.disagreements", { count: figure(disagreements.length) })), table(slide.number, disagreements)) : null,
    slide.estimate_of_second_reading ? estimateCard(slide.estimate_of_second_reading, t("readers.second-estimate")) : null);
}

function kappaWords({ kappa, kappa_interval: interval, cells }) {
  if (kappa === null) return t(cells ? "readers.no-kappa" : "readers.no-cells");
  return t("readers.kappa", { kappa: figure(kappa, 2), low: figure(interval[0], 2), high: figure(interval[1], 2) });
}

function table(number, disagreements) {
  const heads = ["readers.cell", "readers.first", "readers.second", "readers.third"].map((key) => t(key));
  const said = (label) => (label ? labelWords(label) : "–");
  return el("div.scroll", {}, el("table.stacked", { id: "disagreements" },
    el("thead", {}, el("tr", {}, ...heads.map((head) => el("th", { scope: "col" }, head)))),
    el("tbody", {}, ...disagreements.map(({ cell, first, second, decision }) => el("tr", {},
      el("td", {}, el("img.tiny", { src: at(`/slides/${number}/cells/${cell}/crop`), alt: t("review.alt", { cell }), loading: "lazy" })),
      ...[first, second, decision].map((label, index) => el("td", { "data-label": heads[index + 1] }, said(label))))))));
}
