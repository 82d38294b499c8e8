/* Talks to the server: the session's token with every change, problems as errors with a sentence of the page. */

import { ROOT, sentence, t } from "./words.js";

const csrf = document.querySelector("meta[name=csrf]")?.content || "";
/** How often a busy server is asked again, each time after the seconds that it names. */
const TRIES = 6;

/** The address of a path of the server. */
export function at(path) { return ROOT + path; }

/** What the server could not do, as a sentence in the page's language. */
class ServerProblem extends Error {
  constructor(status, problem) {
    // What comes from elsewhere, such as a proxy, carries no code.
    super(problem?.code ? sentence(problem) : t("page.problem.other", { status }));
    this.status = status;
    this.code = problem?.code;
  }
}

/** Send a request; gives the answer, or throws a ServerProblem. */
export async function ask(path, options = {}) {
  const headers = { Accept: "application/json", ...options.headers };
  if (options.method && options.method !== "GET") headers["X-CSRF-Token"] = csrf;
  let body = options.body;
  if (options.json !== undefined) { headers["Content-Type"] = "application/json"; body = JSON.stringify(options.json); }
  let answer;
  try {
    answer = await fetch(at(path), { method: options.method || "GET", headers, body, signal: options.signal, credentials: "same-origin" });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Error(t("error.network"));
  }
  if (answer.ok) return answer;
  let problem = null;
  try { problem = await answer.json(); } catch { /* not every proxy speaks JSON */ }
  throw problemOf(answer.status, problem);
}

function problemOf(status, problem) {
  if (status !== 401) return new ServerProblem(status, problem);
  location.assign(at("/sign-in") + location.hash);
  return new Error(t("error.signin"));
}

/**
 * Send pictures in a form; gives the answer's JSON. A busy server is asked again after the time that it names.
 * @param signal aborts it.
 * @param progress told the share that was sent, 0 to 1.
 */
export async function send(path, files, { signal, progress } = {}) {
  for (let tries = 1; ; tries += 1) {
    const { status, answer, after } = await post(path, files, signal, progress);
    if (status >= 200 && status < 300) return answer;
    if (status !== 503 || tries === TRIES) throw problemOf(status, answer);
    await pause((after || 1) * 1000, signal);
  }
}

/** One try of it; by XMLHttpRequest, because fetch() does not tell how much was sent. */
function post(path, files, signal, progress) {
  const form = new FormData();
  for (const file of files) form.append("file", file, file.name || "picture.jpg");
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    const abort = () => request.abort();
    request.open("POST", at(path));
    request.setRequestHeader("Accept", "application/json");
    request.setRequestHeader("X-CSRF-Token", csrf);
    request.responseType = "json";
    request.upload.onprogress = (event) => { if (event.lengthComputable) progress?.(event.loaded / event.total); };
    request.onload = () => resolve({ status: request.status, answer: request.response, after: Number(request.getResponseHeader("Retry-After")) });
    request.onerror = () => reject(new Error(t("error.network")));
    request.onabort = () => reject(new DOMException("", "AbortError"));
    request.onloadend = () => signal?.removeEventListener("abort", abort);
    if (signal?.aborted) { reject(new DOMException("", "AbortError")); return; }
    signal?.addEventListener("abort", abort);
    request.send(form);
  });
}

function pause(ms, signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    signal?.addEventListener("abort", () => { clearTimeout(timer); reject(new DOMException("", "AbortError")); }, { once: true });
  });
}

/** Send one picture; gives its evidence map: an address for an <img>, and how strong the strongest place is, 0 to 1. */
export async function askForEvidence(file, signal) {
  const form = new FormData();
  form.append("file", file, file.name || "picture.png");
  const answer = await ask("/explain", { method: "POST", body: form, signal, headers: { Accept: "image/png" } });
  return { address: URL.createObjectURL(await answer.blob()), peak: Number(answer.headers.get("Plasmolite-Evidence-Peak")) };
}
