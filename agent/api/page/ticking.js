// Ages that go on between two snapshots. June's clock counts, not the browser's.

import { formats } from "./format.js";
import { language, word } from "./language.js";
import { setText } from "./keyed.js";

const ticking = new Map();
let ahead = 0;

/** What June's clock shows now, in Unix seconds. */
export function now() {
  return Date.now() / 1000 + ahead;
}

/** Sets this page's idea of June's clock, from a snapshot that has just come. */
export function setClock(unix) {
  const found = unix - Date.now() / 1000;
  // A snapshot may be a second old: ages must not jump to and fro for that.
  if (Math.abs(found - ahead) > 1.5) ahead = found;
}

/** Lets `node` show how long ago `since` is, as `say` puts it, until the node is gone. */
export function tick(node, since, say = (age) => formats(language()).age(age)) {
  ticking.set(node, { since, say });
  setText(node, say(now() - since));
}

export function tickAll() {
  for (const [node, { since, say }] of ticking) {
    if (node.isConnected) setText(node, say(now() - since));
    else ticking.delete(node);
  }
}

/** `for 0:12`. */
export function forAge(age) {
  return word("ops.calls.stateFor", { age: formats(language()).age(age) });
}

export function ago(age) {
  return formats(language()).ago(age);
}
