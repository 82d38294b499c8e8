/* The browser's own camera: its pictures go to the server one after another, never two at a time. */

import { scale } from "./cell.js";
import { fieldStage } from "./fields/stage.js";
import { el, estimateCard, kind, labelWords, say, sign } from "./parts.js";
import { send } from "./talk.js";
import { figure, sentence, t } from "./words.js";

const PAUSE_MS = 250;
/** Share of the picture's shorter side that the circle on the page spans; the CSS draws the same. */
const CIRCLE = 0.6;

let stream = null;
let generation = 0;

export function start() {
  // A camera that runs goes on in its old words rather than stop.
  document.addEventListener("language", () => { if (!stream) draw(); });
  draw();
}

function draw() {
  stop();
  const place = document.getElementById("live-browser");
  const message = el("div.message", { id: "webcam-message", role: "status", "aria-live": "polite" });
  const mode = el("select", { id: "webcam-mode" }, el("option", { value: "field" }, t("webcam.mode.field")), el("option", { value: "cell" }, t("webcam.mode.cell")));
  const go = el("button.main", { type: "button", id: "webcam-start" }, t("webcam.start"));
  const halt = el("button.plain", { type: "button", id: "webcam-stop", hidden: true }, t("webcam.stop"));
  const body = el("div.two", { hidden: true });
  place.replaceChildren(el("section.card", {}, el("h2", {}, t("webcam.title")), el("p.small", {}, t("webcam.lead")),
    el("div.row", {}, el("label", {}, el("span", {}, t("webcam.mode")), mode), go, halt), message, body));
  if (!navigator.mediaDevices?.getUserMedia) { say(message, t("webcam.insecure")); go.disabled = true; return; }
  go.addEventListener("click", async () => {
    try {
      stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: { ideal: "environment" }, width: { ideal: 1280 } }, audio: false });
    } catch (error) { say(message, t("webcam.denied", { reason: error.message }), { bad: true }); return; }
    say(message, "");
    const video = el("video", { autoplay: true, playsinline: true, "aria-label": t("webcam.video") });
    video.muted = true;
    video.srcObject = stream;
    const frame = el("div", {}, video);
    const result = el("div.card", { id: "webcam-result", "aria-live": "off" }, el("p.busy", {}, t("working")));
    body.replaceChildren(frame, result);
    const circle = () => frame.classList.toggle("crosshair", mode.value === "cell");
    mode.onchange = circle;
    circle();
    body.hidden = false; go.hidden = true; halt.hidden = false;
    await video.play();
    watch(video, mode, result, message, ++generation);
  });
  halt.addEventListener("click", draw);
}

/** Give the camera back; called whenever the view is left. */
export function stop() {
  generation += 1;
  stream?.getTracks().forEach((track) => track.stop());
  stream = null;
}

async function watch(video, mode, result, message, mine) {
  const canvas = document.createElement("canvas");
  while (mine === generation) {
    if (video.videoWidth && !document.hidden) {
      try {
        const look = mode.value === "cell" ? lookAtCell : lookAtField;
        const content = await look(video, canvas);
        if (mine !== generation) return;
        result.replaceChildren(...content);
        say(message, "");
      } catch (error) {
        if (mine !== generation) return;
        // What was seen before is no longer before the camera.
        result.replaceChildren();
        say(message, error.message, { bad: true });
      }
    }
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
}

function grab(video, canvas, [x, y, w, h]) {
  canvas.width = w; canvas.height = h;
  canvas.getContext("2d").drawImage(video, x, y, w, h, 0, 0, w, h);
  return new Promise((resolve) => canvas.toBlob((blob) => resolve(new File([blob], "camera.jpg", { type: "image/jpeg" })), "image/jpeg", 0.92));
}

async function lookAtCell(video, canvas) {
  const side = Math.round(Math.min(video.videoWidth, video.videoHeight) * CIRCLE);
  const file = await grab(video, canvas, [(video.videoWidth - side) / 2, (video.videoHeight - side) / 2, side, side].map(Math.round));
  const { results: [one], threshold } = await send("/predict", [file]);
  return [el(`p.verdict.${kind(one.label)}`, {}, sign(one.label), labelWords(one.label)), scale(one.probability, threshold)];
}

async function lookAtField(video, canvas) {
  const file = await grab(video, canvas, [0, 0, video.videoWidth, video.videoHeight]);
  const { fields: [field], summary } = await send("/analyze?outlines=true", [file]);
  const still = canvas.toDataURL("image/jpeg", 0.8);
  const words = field.refused ? t("field.refused", { reason: sentence(field) }) : t("field.counted", { cells: figure(field.cell_count), parasitized: figure(field.parasitized_count) });
  const parts = [el(field.refused ? "p.notice" : "p", {}, words), fieldStage(field, still, null).stage];
  if (!field.refused) parts.push(estimateCard(summary, t("estimate.title")));
  return parts;
}
