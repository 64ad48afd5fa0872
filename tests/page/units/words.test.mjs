import assert from "node:assert/strict";
import { test } from "node:test";

import { languageOf } from "../../../agent/api/page/language.js";
import { WORDS } from "../../../agent/api/page/words.js";

/** Every key with its text; a plural's forms are one. */
function* texts(words, under = "") {
  for (const [key, value] of Object.entries(words)) {
    if (typeof value === "string") yield [under + key, value];
    else if ("other" in value && "one" in value) yield [under + key, value.other];
    else yield* texts(value, `${under}${key}.`);
  }
}

const places = (text) => [...text.matchAll(/\{(\w+)\}/g)].map((one) => one[1]).sort();

test("all languages have the same words, with the same places for values", () => {
  const english = new Map(texts(WORDS.en));
  for (const [language, words] of Object.entries(WORDS)) {
    const found = new Map(texts(words));
    assert.deepEqual([...found.keys()].sort(), [...english.keys()].sort(), language);
    for (const [key, text] of found) assert.deepEqual(places(text), places(english.get(key)), `${language} ${key}`);
  }
});

test("the reader's first language that June's pages speak is chosen, else English", () => {
  assert.equal(languageOf(["fr-FR", "de-AT", "en"]), "de");
  assert.equal(languageOf(["EN-gb", "de"]), "en");
  assert.equal(languageOf(["fr"]), "en");
  assert.equal(languageOf([]), "en");
});
