// The operator's page: what all calls do, take and cost now, without reloading.

import { forgetToken, headers, keepToken, token } from "./ops-api.js";
import { formats } from "./format.js";
import { chooseLanguage, language, onLanguage, word } from "./language.js";
import { byId, setHidden, setQuoted, setText } from "./keyed.js";
import { showBreakers, showRefusals } from "./ops-breakers.js";
import { showCalls, showWorkers } from "./ops-calls.js";
import { beginForgetting } from "./ops-forget.js";
import { showFigures, showHealth, showMoney } from "./ops-health.js";
import { showSessions } from "./ops-sessions.js";
import { Stream } from "./stream.js";
import { now, resetClock, setClock, tickAll } from "./ticking.js";

const SAID_MS = 8_000;

let snapshot = null;
let sessions = null;
let line = { is: "opening", seconds: 0, refusal: null };
let liveUntil = 0;
let saidTimer = 0;

const stream = new Stream("/api/ops/stream", headers, {
  event(name, value) {
    if (name === "now") {
      const isOther = snapshot?.shows_text !== value.shows_text;
      snapshot = value;
      setClock(value.at);
      render();
      if (isOther) renderSessions();
    } else if (name === "sessions") {
      sessions = value.sessions;
      renderSessions();
    }
  },
  live(unix) {
    resetClock(unix);
    setLine({ is: "live", seconds: 0, refusal: null });
  },
  lost: (seconds, refusal) => setLine({ is: "lost", seconds, refusal }),
  refused: (refusal) => setLine({ is: refusal.status === 401 ? "asking" : "refused", seconds: 0, refusal }),
});

function render() {
  if (snapshot === null) return;
  showHealth(snapshot);
  showFigures(snapshot);
  showCalls(snapshot, done);
  showMoney(snapshot);
  showBreakers(snapshot, done);
  showRefusals(snapshot);
  showWorkers(snapshot);
  renderLine();
}

function renderSessions() {
  if (sessions !== null) showSessions(sessions, snapshot?.shows_text ?? false);
}

function setLine(wanted) {
  const before = line.is;
  if (before === "live") liveUntil = now();
  line = wanted;
  if (line.is === "asking") {
    // What was shown belongs to whoever had the token.
    snapshot = null;
    sessions = null;
    showSessions([], false);
    if (token() !== null) setText(byId("token-wrong"), word("ops.token.wrong"));
    forgetToken();
  }
  renderLine();
  if (line.is === "live" && before === "lost") setText(byId("health-said"), word("ops.line.back"));
  if (line.is === "asking" && before !== "asking") byId("token").focus();
}

function renderLine() {
  const isShown = snapshot !== null && line.is !== "refused";
  document.body.dataset.line = line.is;
  setHidden(byId("board"), !isShown);
  setHidden(byId("opening"), isShown || !["opening", "live"].includes(line.is));
  setHidden(byId("token-form"), line.is !== "asking");
  setHidden(byId("forget-token"), token() === null);
  setHidden(byId("hurry"), line.is !== "lost");
  setText(byId("line-text"), lineInWords(isShown));

  // A stream that is refused for a moment says why above the old figures; else it is all there is to see.
  const trouble = line.is === "lost" ? line.refusal?.message || word("ops.unreachable") : (line.refusal?.message ?? "");
  setHidden(byId("refused"), !["lost", "refused"].includes(line.is));
  setQuoted(byId("refused-detail"), line.is === "asking" ? "" : trouble);
}

function lineInWords(isShown) {
  if (line.is === "lost") {
    const text = word("ops.line.lost", { count: line.seconds });
    if (!isShown) return text;
    return `${text} · ${word("ops.line.old", { time: formats(language()).clock(liveUntil) })}`;
  }
  return word(`ops.line.${["opening", "live"].includes(line.is) ? line.is : "off"}`);
}

/** Says that something was done. */
function done(text) {
  setText(byId("said"), text);
  clearTimeout(saidTimer);
  saidTimer = setTimeout(() => setText(byId("said"), ""), SAID_MS);
}

function begin() {
  setLine({ is: "opening", seconds: 0, refusal: null });
  stream.start();
}

byId("token-form").addEventListener("submit", (event) => {
  event.preventDefault();
  const wanted = byId("token").value.trim();
  byId("token").value = "";
  setText(byId("token-wrong"), "");
  if (!wanted) return;
  keepToken(wanted);
  begin();
});

byId("forget-token").addEventListener("click", () => {
  forgetToken();
  // With all that the page has shown.
  location.reload();
});

byId("hurry").addEventListener("click", () => stream.hurry());

document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && stream.hurry());
addEventListener("online", () => stream.hurry());
addEventListener("pagehide", () => stream.stop());
addEventListener("pageshow", (event) => event.persisted && begin());

onLanguage(() => {
  render();
  renderSessions();
  renderLine();
});
chooseLanguage(byId("language"));
beginForgetting();
// Old figures do not grow older as if they were true.
setInterval(() => line.is === "live" && tickAll(), 1000);
begin();
