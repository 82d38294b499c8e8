/* The first view: what can be done here, the last slides with their state, and an example to try. */

import { el, say } from "./parts.js";
import { ask, at } from "./talk.js";
import { figure, moment, t } from "./words.js";

const SHOWN = 6;
let generation = 0;

/** @param analyse takes pictures of fields. */
export function start(analyse) {
  document.getElementById("home-example").addEventListener("click", async () => {
    const message = document.getElementById("home-message");
    say(message, t("working"), { busy: true });
    try {
      const blob = await (await ask("/example.jpg", { headers: { Accept: "image/jpeg" } })).blob();
      say(message, "");
      analyse([new File([blob], t("home.example.name"), { type: "image/jpeg" })]);
    } catch (error) {
      say(message, error.message, { bad: true });
    }
  });
}

/** Show the last slides. */
export async function show() {
  const place = document.getElementById("home-slides");
  if (document.documentElement.dataset.slides !== "yes") return;
  const mine = ++generation;
  try {
    const { slides, total } = await (await ask(`/slides?limit=${SHOWN}`)).json();
    if (mine !== generation) return;
    place.replaceChildren(...(slides.length ? [el("h2", {}, t("home.last")), el("ul.slide-cards", {}, ...slides.map(card))] : [el("p.small", {}, t("slides.none"))]));
    if (total > slides.length) place.append(el("p", {}, el("a", { href: "#slides" }, t("home.all", { total: figure(total) }))));
  } catch (error) {
    if (mine === generation) say(place, error.message, { bad: true });
  }
}

function card(slide) {
  const picture = slide.counts.cells
    ? el("img", { src: at(`/slides/${slide.number}/thumbnail`), alt: "", loading: "lazy", width: 72, height: 72 })
    : el("span.blank", {});
  return el("li", {}, el("a", { href: `#slides/${slide.number}` }, picture, el("div", {},
    el("p", {}, el("strong", {}, slide.slide_id), " ", stateOf(slide)),
    el("p.small", {}, t("home.result", { cells: figure(slide.counts.cells), parasitized: figure(slide.counts.parasitized_after_review) })),
    el("p.small", {}, [moment(slide.created_at), slide.operator].filter(Boolean).join(" · ")))));
}

/** Whether a slide is being counted, waits for its review, or is reviewed. */
export function stateOf({ state, counts }) {
  return el(`span.state${state === "reviewed" ? ".done" : ""}`, {}, t(`slide.state.${state}`, { count: figure(counts.parasitized) }));
}
