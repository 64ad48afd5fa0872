// The calls that run now, and the workers that they run in.

import { post } from "./ops-api.js";
import { formats } from "./format.js";
import { language, word } from "./language.js";
import { byId, element, keyed, setAttribute, setHidden, setText } from "./keyed.js";
import { question } from "./question.js";
import { forAge, tick } from "./ticking.js";

/** `done(text)` says what was done. */
export function showCalls({ calls, workers }, done) {
  const hosts = new Map(workers.map((one) => [one.key, one.host]));
  const sorted = [...calls].sort((one, other) => one.began_at - other.began_at || (one.room < other.room ? -1 : 1));
  keyed(byId("calls"), sorted, (one) => one.room, (one) => newCall(one, done), (view, one) => {
    setText(view.room, one.room);
    setText(view.state, word(`ops.calls.states.${one.state}`) || one.state);
    setAttribute(view.root, "data-state", one.state);
    tick(view.stateAge, one.since, forAge);
    tick(view.age, one.began_at);
    setText(view.skill, one.skill ?? "–");
    setText(view.worker, hosts.get(one.worker) ?? word("ops.calls.gone"));
    setText(view.end, word("ops.calls.end"));
    setText(view.endOf, ` ${one.room}`);
  });
  setHidden(byId("no-calls"), calls.length > 0);
  setHidden(byId("calls-head"), calls.length === 0);
}

export function showWorkers({ workers }) {
  const sorted = [...workers].sort((one, other) => (one.host + one.key < other.host + other.key ? -1 : 1));
  keyed(byId("workers"), sorted, (one) => one.key, newWorker, (view, one) => {
    setText(view.host, one.host);
    setText(view.key, one.key);
    const format = formats(language());
    setText(view.calls, word("ops.workers.calls", { calls: format.count(one.calls), count: one.max_calls }));
    setText(view.state, one.is_draining ? word("ops.workers.draining") : "");
    tick(view.since, one.since, (age) => word("ops.workers.since", { age: format.age(age) }));
  });
  setHidden(byId("no-workers"), workers.length > 0);
}

/** A value under its name; where there is a line of names above, the name is only heard. */
export function cell(name, ...children) {
  const label = element("span", { class: "label", "data-words": name }, word(name));
  return element("span", { class: "cell" }, label, " ", ...children);
}

function newCall({ room: name }, done) {
  const part = (kind) => element("span", { class: kind });
  const [room, state, stateAge, age, skill, worker] = ["room", "pill", "hint number", "number", "", ""].map(part);
  const [end, endOf] = [part(""), part("unseen")];
  const button = element("button", { type: "button", class: "small" }, end, endOf);
  button.addEventListener("click", () => endCall(name, done));
  const root = element(
    "li",
    { class: "calls-row" },
    cell("ops.calls.room", room),
    cell("ops.calls.state", state, " ", stateAge),
    cell("ops.calls.age", age),
    cell("ops.calls.skill", skill),
    cell("ops.calls.worker", worker),
    element("span", { class: "act" }, button),
  );
  return { root, room, state, stateAge, age, skill, worker, end, endOf };
}

async function endCall(room, done) {
  const isDone = await question({
    title: word("ops.calls.endTitle"),
    text: word("ops.calls.endText", { room }),
    yes: word("ops.calls.endYes"),
    isRed: true,
    place: byId("calls-title"),
    act: () => post("/api/calls/end", { room }),
  });
  if (isDone) done(word("ops.calls.ended", { room }));
}

function newWorker() {
  const [host, key, calls, state, since] = [
    element("strong"),
    element("code", { class: "hint" }),
    element("span", { class: "number" }),
    element("span", { class: "is-bad-text" }),
    element("span", { class: "hint number" }),
  ];
  const root = element("li", { class: "worker" }, element("span", {}, host, " ", key), calls, since, state);
  return { root, host, key, calls, state, since };
}
