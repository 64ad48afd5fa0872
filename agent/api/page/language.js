// Which language the page speaks, and its words. A choice is remembered in this browser.

import { WORDS } from "./words.js";

const KEPT = "june.language";
const OWN_NAMES = { en: "English", de: "Deutsch" };

const listeners = [];
let chosen = null;

/** The first language of the reader's that June's pages speak. */
export function languageOf(wanted) {
  const known = wanted.map((one) => one.slice(0, 2).toLowerCase()).find((one) => Object.hasOwn(WORDS, one));
  return known ?? "en";
}

export function language() {
  chosen ??= languageOf([kept(), ...navigator.languages].filter(Boolean));
  return chosen;
}

/** Words by their key, such as `ops.title`; "" where there are none. `count` chooses among plurals. */
export function word(key, values = {}) {
  let found = foundIn(WORDS[language()], key) ?? foundIn(WORDS.en, key);
  if (typeof found === "object" && found !== null && "count" in values) {
    found = found[new Intl.PluralRules(language()).select(Number(values.count))] ?? found.other;
  }
  if (typeof found !== "string") return "";
  return found.replace(/\{(\w+)\}/g, (all, name) => (Object.hasOwn(values, name) ? said(values[name]) : all));
}

/** Fills all elements that name their words. */
export function fill(root = document) {
  for (const one of root.querySelectorAll("[data-words]")) {
    const text = word(one.dataset.words);
    if (one.textContent !== text) one.textContent = text;
  }
  for (const one of root.querySelectorAll("[data-words-placeholder]")) {
    one.placeholder = word(one.dataset.wordsPlaceholder);
  }
  for (const one of root.querySelectorAll("[data-words-label]")) {
    one.setAttribute("aria-label", word(one.dataset.wordsLabel));
  }
}

/** Makes a `select` the page's choice of languages, and fills the page for the first time. */
export function chooseLanguage(select) {
  for (const [code, name] of Object.entries(OWN_NAMES)) {
    const option = new Option(name, code, false, code === language());
    option.lang = code;
    select.append(option);
  }
  select.addEventListener("change", () => speak(select.value));
  speak(language());
}

/** Calls `listener` whenever the page speaks another language. */
export function onLanguage(listener) {
  listeners.push(listener);
}

function speak(wanted) {
  const isNew = wanted !== language();
  chosen = wanted;
  document.documentElement.lang = wanted;
  fill();
  if (!isNew) return;
  try {
    localStorage.setItem(KEPT, wanted);
  } catch {
    // A browser that keeps nothing forgets this, too.
  }
  for (const listener of listeners) listener(wanted);
}

function kept() {
  try {
    return localStorage.getItem(KEPT);
  } catch {
    return null;
  }
}

function foundIn(words, key) {
  return key.split(".").reduce((at, part) => (at && Object.hasOwn(at, part) ? at[part] : undefined), words);
}

function said(value) {
  return typeof value === "number" ? new Intl.NumberFormat(language()).format(value) : String(value);
}
