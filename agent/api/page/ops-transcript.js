// What was said in one session: asked for when it is unfolded, and again when there is more.

import { get } from "./ops-api.js";
import { formats } from "./format.js";
import { language, word } from "./language.js";
import { element, keyed, setAttribute, setText } from "./keyed.js";

const kept = new WeakMap();

/** In `place`, which is one session's. */
export function showTranscript(place, session, showsText) {
  const one = kept.get(place) ?? newTranscript(place);
  kept.set(place, one);
  if (!showsText) {
    one.messages = null;
    one.count = -1;
    keyed(one.list, [], String, newLine, () => {});
    setText(one.note, word("ops.sessions.hidden"));
    return;
  }
  one.session = session;
  if (one.count !== session.message_count && !one.isFetching) fetchInto(one);
  else show(one);
}

async function fetchInto(one) {
  const { session } = one;
  one.isFetching = true;
  one.trouble = null;
  one.count = session.message_count;
  show(one);
  try {
    one.messages = await get(`/api/sessions/${encodeURIComponent(session.session_id)}/messages`);
  } catch (refusal) {
    one.trouble = refusal.message || word("ops.unreachable");
  }
  one.isFetching = false;
  // More was said meanwhile; once again, for the two may be counted differently for a moment.
  if (one.trouble === null && one.session !== session && one.count !== one.session.message_count) fetchInto(one);
  else show(one);
}

function show(one) {
  const messages = one.messages ?? [];
  const format = formats(language());
  keyed(one.list, messages, (message) => message.id, newLine, (view, message) => {
    setAttribute(view.root, "class", `message of-${message.role}`);
    setText(view.who, word(message.role === "user" ? "ops.sessions.user" : "ops.sessions.june"));
    setText(view.at, format.clock(message.at));
    setText(view.text, message.heard_text ?? message.text);
    setAttribute(view.text, "lang", message.language);
    setText(view.cut, message.heard_text === null ? "" : `(${word("ops.sessions.cut")})`);
  });
  const isFirst = one.messages === null && one.isFetching;
  setText(one.note, one.trouble ?? (isFirst ? word("ops.sessions.fetching") : messages.length ? "" : word("ops.sessions.noWords")));
  one.again.hidden = one.trouble === null;
  setText(one.again, word("ops.sessions.again"));
}

function newTranscript(place) {
  const [list, note] = [element("ol", { class: "messages" }), element("p", { class: "hint" })];
  const again = element("button", { type: "button", class: "small", hidden: true });
  const one = { list, note, again, messages: null, count: -1, isFetching: false, trouble: null, session: null };
  again.addEventListener("click", () => fetchInto(one));
  place.append(list, note, again);
  return one;
}

function newLine() {
  const [who, at, text, cut] = ["who", "hint number", "text", "hint"].map((kind) => element("span", { class: kind }));
  const root = element("li", {}, element("p", { class: "by" }, who, " ", at), element("p", {}, text, " ", cut));
  return { root, who, at, text, cut };
}
