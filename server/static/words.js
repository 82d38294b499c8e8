/* The page's strings: one catalogue a language, loaded from the server; figures written as the language writes them. */

/** Where the server begins: behind a proxy it may be a path such as /malaria. */
export const ROOT = document.querySelector("meta[name=root]").content;
const catalogues = {};
let language = "en";

async function load(code) {
  if (!catalogues[code]) {
    const answer = await fetch(`${ROOT}/messages/${code}.json`);
    catalogues[code] = await answer.json();
  }
  return catalogues[code];
}

/** Take a language, now and for the next visit, and put its words on the page. */
export async function speak(code) {
  await Promise.all([load("en"), load(code)]);
  try { localStorage.setItem("plasmolite-language", code); } catch { /* private windows keep nothing */ }
  language = code;
  document.documentElement.lang = code;
  translate(document);
  document.dispatchEvent(new CustomEvent("language"));
}

/** The language of the last visit, or the browser's, where there is a catalogue of it. */
export function preferred(available) {
  let kept = null;
  try { kept = localStorage.getItem("plasmolite-language"); } catch { /* as above */ }
  const wishes = [kept, ...navigator.languages.map((tag) => tag.slice(0, 2))];
  return wishes.find((wish) => available.includes(wish)) || "en";
}

/** A string of the catalogue with its {values} filled; English where a language lacks it. */
export function t(key, values = {}) {
  const text = catalogues[language]?.[key] ?? catalogues.en?.[key] ?? key;
  return text.replace(/\{(\w+)(?::([^{}|]+))?(?:\|([^{}|]+)\|([^{}|]+))?\}/g, (whole, name, form, one, several) => {
    if (!(name in values)) return whole;
    if (several === undefined) return written(values[name], form);
    // One stands in the singular; in French, none does too. A figure written with thousands is no number.
    const count = Math.round(Number(values[name]));
    return count === 1 || (count === 0 && language === "fr") ? one : several;
  });
}

/** A message of the server, a code with values, as a sentence of the page. */
export function sentence({ code, values }) {
  // A page has neither options nor paths: where a sentence names some, the catalogue has another for the page.
  return t(has(`page.${code}`) ? `page.${code}` : code, values);
}

/** A value as a sentence shows it, in the format that its place names: as edge/messages/numbers.py does. */
function written(value, form) {
  if (Array.isArray(value)) return value.join(", ");
  if (value !== null && typeof value === "object") return sentence(value);
  if (typeof value !== "number") return value;
  if (form === ",") return figure(value);
  if (form === "percent") return percent(value);
  if (form === "density" || form === "density3") return density(value, form === "density" ? 2 : 3);
  const [, digits, kind] = /^\.(\d)([fg])$/.exec(form ?? "") ?? [];
  if (kind === "f") return figure(value, Number(digits));
  return Number.isInteger(value) && !kind ? String(value) : significant(value, kind ? Number(digits) : 6);
}

/** Whether the present language has a string of its own. */
export function has(key) { return Boolean(catalogues[language]?.[key]); }

/** Fill every element that names its string. */
function translate(root) {
  for (const element of root.querySelectorAll("[data-t]")) element.textContent = t(element.dataset.t);
  for (const element of root.querySelectorAll("[data-t-label]")) element.setAttribute("aria-label", t(element.dataset.tLabel));
}

/** A number with so many decimals. */
export function figure(value, decimals = 0) {
  return new Intl.NumberFormat(language, { minimumFractionDigits: decimals, maximumFractionDigits: decimals, signDisplay: "negative" }).format(value);
}

/** A share as percent with three significant digits, without the sign. */
export function percent(share) {
  const value = share * 100;
  // Rounding must not turn 99.97 into a perfect 100, nor a small share into none.
  if (value === 0 || share === 1) return figure(value);
  const decimals = value >= 99.95 ? 3 : value >= 10 ? 1 : value >= 1 ? 2 : 3;
  return Number(value.toFixed(decimals)) > 0 ? figure(value, decimals) : significant(value, 1);
}

/** Cells per µL with the two digits that such counts mostly bear. */
export function density(value, digits = 2) {
  if (value >= 10) return figure(Number(value.toPrecision(digits)));
  return value >= 1 || value === 0 ? figure(value) : significant(value, 1);
}

/** A number with at most so many significant digits. */
function significant(value, digits) {
  return new Intl.NumberFormat(language, { useGrouping: false, maximumSignificantDigits: digits }).format(value);
}

/** A time of day and year. */
export function moment(iso) {
  return new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short" }).format(new Date(iso));
}
