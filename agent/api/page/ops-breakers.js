// What June is kept from: the budget's breaker and each provider's, with a button each, and what was refused.

import { post } from "./ops-api.js";
import { formats } from "./format.js";
import { language, word } from "./language.js";
import { byId, element, keyed, setAttribute, setHidden, setText } from "./keyed.js";
import { question } from "./question.js";

const PATH = "/api/security/circuit-breaker";

/** Shows them; `done(text)` says what was done. */
export function showBreakers({ budget, providers }, done) {
  const names = Object.keys(providers ?? {}).sort();
  const all = [
    ...(budget === null ? [] : [{ name: null, state: budget }]),
    ...names.map((name) => ({ name, state: providers[name] })),
  ];
  keyed(byId("breakers"), all, (one) => one.name ?? "", (one) => newBreaker(one.name, done), (view, { name, state }) => {
    view.isClosed = state.phase === "closed";
    setAttribute(view.root, "data-phase", state.phase);
    setText(view.stage, stageOf(name));
    setText(view.name, addressOf(name));
    setText(view.state, inWords(name, state));
    setText(view.act, word(view.isClosed ? "ops.breakers.stop" : "ops.breakers.goOn"));
    setText(view.actOn, ` ${nameOf(name)}`);
  });
  const isAway = budget === null || providers === null;
  setText(byId("no-breakers"), word(isAway ? "ops.breakers.away" : "ops.breakers.none"));
  setHidden(byId("no-breakers"), !isAway && names.length > 0);
}

export function showRefusals({ refusals }) {
  const found = Object.entries(refusals).filter(([, count]) => count > 0);
  found.sort(([one, ofOne], [other, ofOther]) => ofOther - ofOne || (one < other ? -1 : 1));
  keyed(byId("refusals"), found, ([reason]) => reason, newPair, (view, [reason, count]) => {
    setText(view.name, upper(word(`times.reasons.${reason}`) || reason));
    setText(view.value, formats(language()).count(count));
  });
  setHidden(byId("no-refusals"), found.length > 0);
}

function inWords(name, { phase, reason, seconds_left: left, prober }) {
  if (phase === "closed") return word(name === null ? "ops.breakers.budgetClosed" : "ops.breakers.closed");
  if (phase === "half_open") return word(prober ? "ops.breakers.probing" : "ops.breakers.half_open");
  const why = word(`ops.breakers.reasons.${reason}`) || word(`times.reasons.${reason}`) || reason || "–";
  if (!(left > 0)) return word("ops.breakers.openLong", { why });
  return word("ops.breakers.open", { why, age: formats(language()).age(left) });
}

/** A circuit is called `llm https://api.openai.com/v1 gpt-6-luna`. */
function stageOf(name) {
  if (name === null) return word("ops.breakers.budget");
  const stage = name.split(" ", 1)[0];
  return word(`ops.breakers.stages.${stage}`) || stage;
}

function addressOf(name) {
  return name === null || !name.includes(" ") ? "" : name.slice(name.indexOf(" ") + 1);
}

function nameOf(name) {
  return name === null ? word("ops.breakers.budget") : `${stageOf(name)} ${addressOf(name)}`.trim();
}

function newBreaker(name, done) {
  const [stage, address, state] = [element("strong"), element("code"), element("span", { class: "breaker-state" })];
  const [act, actOn] = [element("span"), element("span", { class: "unseen" })];
  const button = element("button", { type: "button", class: "small" }, act, actOn);
  const root = element("li", { class: "breaker" }, element("p", {}, stage, " ", address), state, button);
  const view = { root, stage, name: address, state, act, actOn, isClosed: true };
  button.addEventListener("click", () => turn(name, view.isClosed, done));
  return view;
}

async function turn(name, isStop, done) {
  const kind = `${isStop ? "stop" : "goOn"}${name === null ? "Budget" : ""}`;
  const which = name === null ? {} : { circuit: name };
  const isDone = await question({
    title: word(`ops.breakers.${kind}Title`),
    text: word(`ops.breakers.${kind}Text`, { name: nameOf(name) }),
    yes: word(isStop ? "ops.breakers.stop" : "ops.breakers.goOn"),
    isRed: isStop,
    asksMinutes: isStop,
    place: byId("breakers-title"),
    act: (minutes) => post(`${PATH}/${isStop ? "open" : "close"}`, isStop ? { ...which, minutes } : which),
  });
  if (isDone) done(word(isStop ? "ops.breakers.stopped" : "ops.breakers.goesOn", { name: nameOf(name) }));
}

function newPair() {
  const [name, value] = [element("dt"), element("dd", { class: "number" })];
  return { root: element("div", {}, name, value), name, value };
}

function upper(text) {
  return text.charAt(0).toLocaleUpperCase(language()) + text.slice(1);
}
