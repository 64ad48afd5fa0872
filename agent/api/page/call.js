// The caller's page: one button, what June hears and says, and where the time went.

import { askForToken, Failure } from "./ask.js";
import { Controls } from "./controls.js";
import { chooseLanguage, onLanguage, word } from "./language.js";
import { Line } from "./line.js";
import { Microphone } from "./microphone.js";
import { Notice } from "./notice.js";
import { OneTab } from "./one-tab.js";
import { onWaking } from "./sleep.js";
import { Transcript } from "./transcript.js";
import { TurnTimes } from "./turn-times.js";
import { identityOfBrowser, keyOfSite, keepKey } from "./who.js";

const element = (id) => document.getElementById(id);

/** June's own voice again; Mockingbird, which speaks English only, knows the sentence. */
const OWN_VOICE = "Use your normal voice.";

const identity = identityOfBrowser();
const transcript = new Transcript(element("transcript"), word);
const times = new TurnTimes(word);
const notice = new Notice(word, (key) => {
  keepKey(key);
  talk();
});
const oneTab = new OneTab(giveUp);
const controls = new Controls(word, {
  onHangUp: () => line?.hangUp(),
  onChosen: microphoneWorks,
  onFailure: showFailure,
});

let attempts = 0;
let line = null;
let microphone = null;
let phase = "idle";
let more = {};
let state = "initializing";
let skill = null;
let focused = null;

// What is shown

function show(newPhase, newMore = {}) {
  [phase, more] = [newPhase, newMore];
  document.body.dataset.phase = phase;
  const isCall = ["waiting", "here", "reconnecting", "away"].includes(phase);
  const isStarting = ["opening", "connecting"].includes(phase);
  element("talk").hidden = isCall || isStarting;
  element("cancel").hidden = !isStarting;
  element("about").hidden = phase !== "idle";
  element("controls").hidden = !isCall;
  element("typing").hidden = !isCall;
  element("words").hidden = !isCall && transcript.isEmpty;
  render();
  keepFocus();
}

/** What had the focus may be gone; whoever uses a keyboard goes on at what took its place. */
function keepFocus() {
  if (focused === null || focused.checkVisibility()) return;
  [element("cancel"), element("hang-up"), element("talk")].find((one) => one.checkVisibility())?.focus();
}

function render() {
  const isHere = phase === "here";
  element("face").dataset.state = isHere ? state : phase;
  element("title").textContent = word(isHere ? `call.state.${state}` : `call.phase.${titleOf()}`);
  element("state").textContent = isHere ? "" : word(`call.hintOf.${titleOf()}`);
  const status = word(`call.phase.${titleOf()}`);
  if (element("status").textContent !== status) element("status").textContent = status;
  element("skill").hidden = skill === null || !isHere;
  element("skill").textContent = skill === null ? "" : word("call.skill", { skill: nameOf(skill) });
  element("talk").textContent = word(phase === "over" ? "call.again" : "call.talk");
}

function titleOf() {
  if (phase === "waiting" && more.isFull) return "full";
  if (phase === "waiting" && more.asked > 0) return "late";
  return phase;
}

function nameOf(name) {
  return word(`call.skillNames.${name}`) || name;
}

function showFailure(failure) {
  const { kind, detail, retryAfterSeconds } = failure instanceof Failure ? failure : new Failure("broken");
  if (!(failure instanceof Failure)) console.error(failure);
  const actions = kind.startsWith("microphone") || kind === "insecure" ? forMicrophone() : [];
  notice.show(kind, { detail, retryAfterSeconds, actions });
}

function forMicrophone() {
  if (microphone !== null) return [["tryAgain", () => microphone.tryAgain().catch(showFailure)]];
  return [
    ["tryAgain", () => talk()],
    ["typeOnly", () => talk({ isTyped: true })],
  ];
}

// What happens

async function talk({ isTyped = false, take = false } = {}) {
  if (!["idle", "over"].includes(phase)) return;
  const attempt = ++attempts;
  notice.hide();
  show("opening");
  const isOnlyTab = await oneTab.begin({ take });
  if (attempt !== attempts) {
    if (isOnlyTab) oneTab.end();
    return;
  }
  if (!isOnlyTab) {
    show("idle");
    notice.show("twoTabs", { actions: [["takeOver", () => talk({ isTyped, take: true })]] });
    return;
  }
  try {
    const opened = isTyped ? null : await openMicrophone();
    if (attempt !== attempts) {
      opened?.close();
      return;
    }
    microphone = opened;
    transcript.clear();
    times.clear();
    line = new Line({
      ask: (room) => askForToken({ identity, room, key: keyOfSite() }),
      sound: element("sound"),
      tell: {
        onPhase,
        onJune,
        onState,
        onWords: (words) => transcript.words(words),
        onEvent,
        onSilenced: showSilenced,
      },
    });
    controls.begin(microphone);
    await line.begin(microphone);
  } catch (failure) {
    if (attempt !== attempts) return;
    await line?.hangUp("failed");
    line = null;
    end();
    show("idle");
    showFailure(failure);
  }
}

function cancel() {
  attempts += 1;
  if (line !== null) {
    line.hangUp();
  } else {
    end();
    show("idle");
  }
}

/** Another tab wants to talk. */
function giveUp() {
  if (line !== null) {
    line.hangUp("moved");
  } else {
    cancel();
    notice.show("over.moved");
  }
}

function openMicrophone() {
  return Microphone.open({
    onLost: () => showFailure(new Failure("microphoneLost")),
    onFound: () => {
      microphoneWorks();
      controls.refresh();
      controls.render();
    },
  });
}

function microphoneWorks() {
  if (notice.kind?.startsWith("microphone")) notice.hide();
}

function end() {
  controls.end();
  microphone?.close();
  microphone = null;
  skill = null;
  element("copied").hidden = true;
  oneTab.end();
}

function onPhase(newPhase, told) {
  if (newPhase !== "over") {
    if (["reconnecting", "away"].includes(newPhase) && slept.isFresh()) {
      line?.hangUp("asleep");
      return;
    }
    show(newPhase, told);
    return;
  }
  if (told.why === "failed") return; // whoever began it says why
  line = null;
  end();
  show("over");
  if (told.failure instanceof Failure) showFailure(told.failure);
  else notice.show(`over.${told.why}`, { isBad: !["hungUp", "goodbye", "caller_left"].includes(told.why) });
}

function onJune() {
  state = "initializing";
  skill = null;
  element("copied").hidden = true;
}

/** The browser plays no sound, or does so again. */
function showSilenced(isSilenced) {
  if (isSilenced) notice.show("silenced", { actions: [["playSound", () => line?.playSound()]] });
  else if (notice.kind === "silenced") notice.hide();
}

function onState(newState) {
  state = newState;
  render();
}

function onEvent(event) {
  switch (event.type) {
    case "turn.timed":
      times.add(event);
      break;
    case "reply.cut":
      transcript.cut();
      break;
    case "skill.used":
      transcript.note(word("call.usedSkill", { skill: nameOf(event.skill) }));
      break;
    case "skill.began":
      skill = event.skill;
      break;
    case "skill.ended":
      skill = null;
      break;
    case "voice.cloned":
    case "voice.own":
      element("copied").hidden = event.type === "voice.own";
      break;
    case "trouble":
      transcript.note(word(`call.trouble.${event.stage}`) || word("call.trouble.llm"), "bad");
      break;
    case "limit.near":
      transcript.note(word("call.near"), "bad");
      break;
    case "limit.refused":
    case "budget.refused":
      transcript.note(refusalOf(event), "bad");
      break;
  }
  render();
}

function refusalOf({ reason, retry_after_seconds: seconds }) {
  const why = word(`call.reasons.${reason}`) || word("call.reasons.other");
  return seconds > 0 ? `${why} ${word("call.againInSeconds", { count: Math.ceil(seconds) })}` : why;
}

async function type(text) {
  if (state === "speaking") transcript.cut(); // she stops for what is typed
  const item = transcript.typed(crypto.randomUUID(), text);
  try {
    await line.type(text);
  } catch {
    item.classList.add("is-unsent");
    transcript.note(word("call.unsent"), "bad");
  }
}

// What is pressed

element("talk").addEventListener("click", () => talk());
element("cancel").addEventListener("click", cancel);
element("uncopy").addEventListener("click", () => line && type(OWN_VOICE));
element("typing").addEventListener("submit", (event) => {
  event.preventDefault();
  const field = element("text");
  const text = field.value.trim();
  if (!text || line === null) return;
  field.value = "";
  type(text);
});

document.addEventListener("focusin", ({ target }) => {
  focused = target;
});

const slept = onWaking();
chooseLanguage(element("language"));
onLanguage(() => {
  render();
  notice.render();
  times.render();
  controls.render();
});
keyOfSite(); // out of the address, which is remembered
show("idle");
element("talk").disabled = false;
document.body.dataset.begun = "";
