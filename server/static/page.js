/* Puts the page together: the language, and the view that the address names (#home, #cell, #field, #live, #slides/3). */

import * as cell from "./cell.js";
import * as field from "./fields/view.js";
import * as home from "./home.js";
import * as live from "./live.js";
import * as slides from "./slides.js";
import { el } from "./parts.js";
import { ask, at } from "./talk.js";
import * as webcam from "./webcam.js";
import { preferred, speak, t } from "./words.js";

const VIEWS = ["home", "cell", "field", "live", "slides"];

function route() {
  const [name, ...path] = location.hash.slice(1).split("/");
  // An address that names no view, as that of "Skip to the content", leaves the present one alone.
  if (name && !VIEWS.includes(name) && document.documentElement.dataset.ready) return;
  const view = VIEWS.includes(name) ? name : "home";
  for (const other of VIEWS) {
    const tab = document.getElementById(`tab-${other}`);
    if (other === view) tab.setAttribute("aria-current", "page"); else tab.removeAttribute("aria-current");
    document.getElementById(`view-${other}`).hidden = other !== view;
  }
  if (view === "live") live.watch(); else { live.leave(); webcam.stop(); }
  if (view === "home") home.show();
  document.title = `${document.getElementById(`tab-${view}`).textContent} – Plasmolite`;
  if (view === "slides") slides.show(path); else slides.leave();
}

const choice = document.getElementById("language");
choice.value = preferred([...choice.options].map((option) => option.value));
choice.addEventListener("change", async () => {
  try { await speak(choice.value); } catch { choice.value = document.documentElement.lang; }
});
document.getElementById("sign-out")?.addEventListener("click", async () => {
  try { await ask("/sign-out", { method: "POST" }); } catch (error) { alert(error.message); return; }
  location.assign(at("/sign-in"));
});
document.getElementById("pair")?.addEventListener("click", async () => {
  const dialog = document.getElementById("pair-dialog");
  const close = el("button.plain", { type: "button", onclick: () => dialog.close() }, t("close"));
  try {
    const { address, qr, seconds } = await (await ask("/pairing", { method: "POST" })).json();
    dialog.replaceChildren(el("h2", { id: "pair-title" }, t("pair.title")), el("p", {}, t("pair.words", { minutes: seconds / 60 })), el("img", { src: qr, alt: address }), close);
  } catch (error) {
    dialog.replaceChildren(el("p.notice.bad", { id: "pair-title", role: "alert" }, error.message), close);
  }
  dialog.addEventListener("close", () => dialog.replaceChildren(), { once: true });
  dialog.showModal();
});
await speak(choice.value);
home.start((files) => { location.hash = "#field"; field.analyse(files); });
cell.start((files) => { location.hash = "#field"; field.analyse(files); });
field.start((files) => { location.hash = "#cell"; cell.judge(files); });
live.start();
webcam.start();
await speak(choice.value);
document.addEventListener("language", () => { if (/^(#slides.*|#home|)$/.test(location.hash)) route(); });
window.addEventListener("hashchange", route);
route();
document.documentElement.dataset.ready = "yes";
