// The last sessions: a line each, which can be unfolded to where its time went and, where allowed, to its words.

import { formats } from "./format.js";
import { language, word } from "./language.js";
import { byId, element, keyed, setAttribute, setHidden, setText } from "./keyed.js";
import { cell } from "./ops-calls.js";
import { showTranscript } from "./ops-transcript.js";
import { ago, tick } from "./ticking.js";
import { replySeconds } from "./turn-numbers.js";
import { median, waterfall } from "./waterfall.js";

/** The newest first: by their beginning, for their last signs of life would let the lines dance. */
export function showSessions(sessions, showsText) {
  const sorted = [...sessions].sort((one, other) => other.created_at - one.created_at || (one.session_id < other.session_id ? -1 : 1));
  keyed(byId("sessions"), sorted, (one) => one.session_id, newSession, (view, one) => {
    view.session = one;
    view.showsText = showsText;
    updateLine(view);
    if (view.root.open) updateInside(view);
  });
  setHidden(byId("no-sessions"), sessions.length > 0);
  setHidden(byId("sessions-head"), sessions.length === 0);
}

function updateLine(view) {
  const { session: one } = view;
  const format = formats(language());
  setText(view.room, one.room_name);
  setText(view.channel, one.channel === "room" ? "" : word(`ops.sessions.channels.${one.channel}`) || one.channel);
  tick(view.began, one.created_at, ago);
  setText(view.lasted, format.age((one.closed_at ?? one.seen_at) - one.created_at));
  setText(view.reply, format.seconds(median(one.turns)));
  setText(view.messages, format.count(one.message_count));
  setText(view.cost, format.money(one.spent_micros));
  setText(view.end, endOf(one));
  setAttribute(view.root, "data-end", one.status === "open" ? "open" : (one.close_reason ?? ""));
}

function updateInside(view) {
  const { session: one } = view;
  const format = formats(language());
  view.inside ??= newInside(view);
  const { facts, times, turns, words } = view.inside;
  const reason = one.status === "open" ? word("ops.sessions.open") : word(`ops.sessions.reasonsLong.${one.close_reason}`);
  const said = [
    ["id", one.session_id],
    ["from", format.moment(one.created_at)],
    ["to", format.moment(one.seen_at)],
    ["reason", reason || one.close_reason || "–"],
  ];
  keyed(facts, said, ([key]) => key, newFact, (fact, [key, value]) => {
    setText(fact.name, word(`ops.sessions.${key}`));
    setText(fact.value, value);
  });
  setText(times, medianOf(one.turns, format));
  // A record may be written anew, as when its reply was interrupted after all; in another language all are.
  keyed(turns, one.turns, (turn) => `${turn.turn} ${turn.at}`, () => ({ root: element("li"), drawn: "" }), (item, turn) => {
    const drawn = language() + JSON.stringify(turn);
    if (item.drawn === drawn) return;
    item.drawn = drawn;
    item.root.replaceChildren(waterfall(turn));
  });
  showTranscript(words, one, view.showsText);
}

function medianOf(turns, format) {
  if (turns.length === 0) return word("ops.sessions.noTurns");
  const seconds = median(turns);
  if (seconds === null) return word("ops.sessions.noMedian");
  const middle = word("ops.sessions.median", { seconds: format.seconds(seconds), count: replies(turns) });
  return `${middle}. ${word("times.legend")}`;
}

function replies(turns) {
  return turns.filter((one) => one.turn > 0 && replySeconds(one) !== null).length;
}

function endOf(one) {
  if (one.status === "open") return word("ops.sessions.open");
  return word(`ops.sessions.reasons.${one.close_reason}`) || one.close_reason || "–";
}

function newSession() {
  const part = (kind) => element("span", { class: kind });
  const [room, channel, began, lasted, reply] = ["room", "tag", "", "number", "number"].map(part);
  const [messages, cost, end] = ["number", "number", "pill"].map(part);
  const summary = element(
    "summary",
    { class: "session-row" },
    element("span", { class: "fold", "aria-hidden": "true" }),
    cell("ops.sessions.room", room, " ", channel),
    cell("ops.sessions.began", began),
    cell("ops.sessions.lasted", lasted),
    cell("ops.sessions.reply", reply),
    cell("ops.sessions.messages", messages),
    cell("ops.sessions.cost", cost),
    cell("ops.sessions.end", end),
  );
  const root = element("details", { class: "session" }, summary);
  const view = { root, room, channel, began, lasted, reply, messages, cost, end, inside: null, session: null };
  root.addEventListener("toggle", () => root.open && updateInside(view));
  return view;
}

function newInside(view) {
  const facts = element("dl", { class: "facts" });
  const [times, turns, words] = [element("p", { class: "hint" }), element("ol", { class: "turns" }), element("div", { class: "transcript" })];
  const heading = (name) => element("h3", { "data-words": name }, word(name));
  view.root.append(
    element(
      "div",
      { class: "inside" },
      facts,
      element("section", {}, heading("ops.sessions.times"), times, turns),
      element("section", {}, heading("ops.sessions.words"), words),
    ),
  );
  return { facts, times, turns, words };
}

function newFact() {
  const [name, value] = [element("dt"), element("dd")];
  return { root: element("div", {}, name, value), name, value };
}
