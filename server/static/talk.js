/* Talks to the server: the session's token with every change, problems as errors with a sentence of the page. */

import { sentence, t } from "./words.js";

const csrf = document.querySelector("meta[name=csrf]")?.content || "";

/** What the server could not do, as a sentence in the page's language. */
export class ServerProblem extends Error {
  constructor(status, problem) {
    // What comes from elsewhere, such as a proxy, carries no code.
    super(problem?.code ? sentence(problem) : t("page.problem.other", { status }));
    this.status = status;
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
    answer = await fetch(path, { method: options.method || "GET", headers, body, signal: options.signal, credentials: "same-origin" });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Error(t("error.network"));
  }
  if (answer.status === 401) { location.assign("/sign-in"); throw new Error(t("error.signin")); }
  if (!answer.ok) {
    let problem = null;
    try { problem = await answer.json(); } catch { /* not every proxy speaks JSON */ }
    throw new ServerProblem(answer.status, problem);
  }
  return answer;
}

/** Send pictures in a form; gives the answer's JSON. */
export async function send(path, files, signal) {
  const form = new FormData();
  for (const file of files) form.append("file", file, file.name || "picture.jpg");
  return (await ask(path, { method: "POST", body: form, signal })).json();
}

/** Send one picture; gives its evidence map: an address for an <img>, and how strong the strongest place is, 0 to 1. */
export async function askForEvidence(file, signal) {
  const form = new FormData();
  form.append("file", file, file.name || "picture.png");
  const answer = await ask("/explain", { method: "POST", body: form, signal, headers: { Accept: "image/png" } });
  return { address: URL.createObjectURL(await answer.blob()), peak: Number(answer.headers.get("Plasmolite-Evidence-Peak")) };
}
