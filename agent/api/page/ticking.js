// Ages that go on between two snapshots. June's clock counts, not the browser's.

import { formats } from "./format.js";
import { language, word } from "./language.js";
import { setText } from "./keyed.js";

const ticking = new Map();
let ahead = null;

/** What June's clock shows now, in Unix seconds. */
export function now() {
  return Date.now() / 1000 + (ahead ?? 0);
}

/** A new connection: what this page knew of June's clock may be wrong by now. `unix` may be not a number. */
export function resetClock(unix) {
  ahead = Number.isFinite(unix) ? unix - Date.now() / 1000 : null;
}

/** From a snapshot. It may have been made long before it came, while nothing changed, but never after. */
export function setClock(unix) {
  ahead = Math.max(ahead ?? Number.NEGATIVE_INFINITY, unix - Date.now() / 1000);
}

/** Lets `node` show how long ago `since` is, as `say` puts it, until the node is gone; nothing where that is null. */
export function tick(node, since, say = (age) => formats(language()).age(age)) {
  if (since === null) {
    ticking.delete(node);
    setText(node, "");
    return;
  }
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
