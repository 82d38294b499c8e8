/* Puts the page together: the language, and the view that the address names (#cell, #field, #live, #slides/3). */

import * as cell from "./cell.js";
import * as field from "./field.js";
import * as live from "./live.js";
import * as review from "./review.js";
import * as slides from "./slides.js";
import { ask } from "./talk.js";
import * as webcam from "./webcam.js";
import { preferred, speak } from "./words.js";

const VIEWS = ["cell", "field", "live", "slides"];

function route() {
  const [name, ...path] = location.hash.slice(1).split("/");
  const view = VIEWS.includes(name) ? name : "cell";
  for (const other of VIEWS) {
    const tab = document.getElementById(`tab-${other}`);
    tab.setAttribute("aria-selected", String(other === view));
    tab.tabIndex = other === view ? 0 : -1;
    document.getElementById(`view-${other}`).hidden = other !== view;
  }
  review.leave();
  if (view === "live") live.watch(); else { live.leave(); webcam.stop(); }
  if (view === "slides") slides.show(path);
}

function wireTabs() {
  const tabs = VIEWS.map((view) => document.getElementById(`tab-${view}`));
  tabs.forEach((tab, index) => {
    tab.addEventListener("click", () => { location.hash = `#${VIEWS[index]}`; });
    tab.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (!step) return;
      event.preventDefault();
      const next = (index + step + tabs.length) % tabs.length;
      tabs[next].focus();
      location.hash = `#${VIEWS[next]}`;
    });
  });
}

const choice = document.getElementById("language");
choice.value = preferred([...choice.options].map((option) => option.value));
choice.addEventListener("change", () => speak(choice.value));
document.getElementById("sign-out")?.addEventListener("click", async () => {
  await ask("/sign-out", { method: "POST" });
  location.assign("/sign-in");
});
wireTabs();
await speak(choice.value);
cell.start();
field.start();
live.start();
webcam.start();
await speak(choice.value);
document.addEventListener("language", () => { if (location.hash.startsWith("#slides")) route(); });
window.addEventListener("hashchange", route);
route();
document.documentElement.dataset.ready = "yes";
