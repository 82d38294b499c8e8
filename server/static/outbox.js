/* What is on its way to the laboratory's server: shown where this device sends at all. */

import { el } from "./parts.js";
import { ask } from "./talk.js";
import { figure, moment, t } from "./words.js";

const SHOWN = 20;

/** The card; it fills itself, and stays away where nothing was ever sent and no server is named. */
export function outboxCard() {
  const place = el("div", { id: "outbox" });
  ask(`/outbox?limit=${SHOWN}`).then((answer) => answer.json()).then((box) => {
    if (box.configured || box.sent || box.refused) place.replaceChildren(card(box));
  }).catch(() => { /* the list of slides above has told that the server is away */ });
  return place;
}

function card({ configured, waiting, refused, sent, last_sent: last, slides }) {
  const tile = (name, value) => el("div", {}, el("dt", {}, t(`outbox.${name}`)), el("dd", {}, figure(value)));
  const more = waiting + refused - slides.length;
  return el("div.card", {}, el("h2", {}, t("outbox.title")),
    el("dl.figures", {}, tile("waiting", waiting), tile("refused", refused), tile("sent", sent)),
    el("p", {}, last ? t("outbox.last", { last: moment(last) }) : t("outbox.never"), waiting + refused || !last ? "" : ` ${t("outbox.all-sent")}`),
    configured ? null : el("p.notice", {}, t("outbox.no-server")),
    refused ? el("p.notice.bad", {}, t("outbox.refused.do")) : null,
    slides.length ? el("div.scroll", {}, table(slides)) : null,
    more > 0 ? el("p.small", {}, t("outbox.more", { more: figure(more) })) : null);
}

function table(slides) {
  return el("table.stacked", {},
    el("thead", {}, el("tr", {}, ...["outbox.slide", "outbox.state", "outbox.said"].map((head) => el("th", { scope: "col" }, t(head))))),
    el("tbody", {}, ...slides.map((slide) => el("tr", {},
      el("td", {}, el("a", { href: `#slides/${slide.number}` }, slide.slide_id)),
      el("td", { "data-label": t("outbox.state") }, stateWords(slide)),
      el("td", { "data-label": t("outbox.said") }, slide.said)))));
}

function stateWords({ state, next_try: next }) {
  const words = t(`outbox.state.${state}`);
  return next ? `${words}, ${t("outbox.next", { when: moment(next) })}` : words;
}
