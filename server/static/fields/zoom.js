/* Moves and zooms an SVG by its viewBox: mouse, two fingers, keys, buttons, and the wheel with Ctrl or once it is
   zoomed. While the whole of it is shown, wheel and finger move the page. */

import { el } from "../parts.js";
import { t } from "../words.js";

const MOST = 24;

/** @param tell told whether less than the whole is shown. */
export function zoomable(view, width, height, tell = () => {}) {
  let box = { x: 0, y: 0, w: width, h: height };
  const pointers = new Map();
  let pinch = null;
  const near = () => box.w < width * 0.999;
  const show = () => { view.setAttribute("viewBox", `${box.x} ${box.y} ${box.w} ${box.h}`); tell(near()); };

  function bound() {
    box.w = Math.min(Math.max(box.w, width / MOST), width);
    box.h = box.w * height / width;
    box.x = Math.min(Math.max(box.x, 0), width - box.w);
    box.y = Math.min(Math.max(box.y, 0), height - box.h);
    show();
  }
  function toField(clientX, clientY) {
    const matrix = view.getScreenCTM();
    return matrix ? new DOMPoint(clientX, clientY).matrixTransform(matrix.inverse()) : { x: box.x + box.w / 2, y: box.y + box.h / 2 };
  }
  function zoomAt(point, factor) {
    const w = Math.min(Math.max(box.w / factor, width / MOST), width);
    const share = w / box.w;
    box = { x: point.x - (point.x - box.x) * share, y: point.y - (point.y - box.y) * share, w, h: w * height / width };
    bound();
  }
  const middle = () => ({ x: box.x + box.w / 2, y: box.y + box.h / 2 });
  const fit = () => { box = { x: 0, y: 0, w: width, h: height }; show(); };
  const move = (dx, dy) => { box.x += dx; box.y += dy; bound(); };

  view.addEventListener("wheel", (event) => {
    if (!event.ctrlKey && !near()) return;
    event.preventDefault();
    zoomAt(toField(event.clientX, event.clientY), Math.exp(-event.deltaY * 0.0015));
  }, { passive: false });
  view.addEventListener("pointerdown", (event) => { pointers.set(event.pointerId, event); if (pointers.size === 2) pinch = spread(); });
  view.addEventListener("pointermove", (event) => {
    const before = pointers.get(event.pointerId);
    if (!before) return;
    if (pointers.size === 1) {
      const from = toField(before.clientX, before.clientY), to = toField(event.clientX, event.clientY);
      if (Math.hypot(event.clientX - before.clientX, event.clientY - before.clientY) > 2) view.setPointerCapture(event.pointerId);
      move(from.x - to.x, from.y - to.y);
    }
    pointers.set(event.pointerId, event);
    if (pointers.size === 2 && pinch) {
      const now = spread();
      zoomAt(toField(now.x, now.y), now.distance / pinch.distance);
      pinch = now;
    }
  });
  for (const end of ["pointerup", "pointercancel", "pointerleave"]) view.addEventListener(end, (event) => { pointers.delete(event.pointerId); pinch = null; });
  function spread() {
    const [a, b] = [...pointers.values()];
    return { x: (a.clientX + b.clientX) / 2, y: (a.clientY + b.clientY) / 2, distance: Math.max(Math.hypot(a.clientX - b.clientX, a.clientY - b.clientY), 1) };
  }
  view.addEventListener("keydown", (event) => {
    const step = box.w * 0.15;
    const deeds = { ArrowLeft: () => move(-step, 0), ArrowRight: () => move(step, 0), ArrowUp: () => move(0, -step), ArrowDown: () => move(0, step), "+": () => zoomAt(middle(), 1.4), "=": () => zoomAt(middle(), 1.4), "-": () => zoomAt(middle(), 1 / 1.4), 0: fit };
    if (event.ctrlKey || event.metaKey || !deeds[event.key] || (event.key.startsWith("Arrow") && !near())) return;
    event.preventDefault();
    deeds[event.key]();
  });
  fit();
  const button = (text, key, deed) => el("button", { type: "button", "aria-label": t(key), title: t(key), onclick: deed }, text);
  return {
    buttons: el("div.zoom", {}, button("+", "zoom.in", () => zoomAt(middle(), 1.6)), button("−", "zoom.out", () => zoomAt(middle(), 1 / 1.6)), button("⤢", "zoom.fit", fit)),
    /** Bring a box of the field into view. */
    goTo([x, y, w, h]) {
      const wide = Math.max(w, h * width / height) * 5;
      box = { x: x + w / 2 - wide / 2, y: y + h / 2 - wide * height / width / 2, w: wide, h: wide * height / width };
      bound();
    },
  };
}
