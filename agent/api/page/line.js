// One call: a room on a LiveKit server, the caller in it, and June, who comes, goes and comes back.

import "./random-uuid.js";
import {
  ConnectionErrorReason,
  DisconnectReason,
  Room,
  RoomEvent,
  setLogLevel,
  Track,
} from "./livekit-client.js";
import { Failure } from "./ask.js";

/** June is asked again after so long without her, and then more seldom. */
const ASK_AGAIN_MS = [5_000, 5_000, 10_000, 20_000];

/** June keeps a call for a caller whose network was lost for 30 s: so long it is worth trying. */
const JOIN_AGAIN_MS = [500, 2_000, 4_000, 8_000, 12_000];

const CONNECT_MS = 12_000;

/** Ends of a call after which June does not come back by herself (`docs/events.md`). */
const FOR_GOOD = ["goodbye", "idle", "too_long", "limit", "removed", "error", "caller_left"];

const FINAL = "lk.transcription_final";
const SEGMENT = "lk.segment_id";

setLogLevel("warn");

/**
 * Lives as long as one call. `tell` gets what happens:
 *
 * - `onPhase(phase, more)`: `connecting`, `waiting` (June is on her way), `here`, `reconnecting`,
 *   `away` (June was there), and once `over`, with `{why, failure}`;
 * - `onJune()`: she has come, perhaps in the place of one who died, and knows of no skill yet;
 * - `onState(state)`: what June is doing, as LiveKit names it;
 * - `onWords({id, isJune, text, isFinal})`: a segment as far as it has come;
 * - `onEvent(event)`: one of June's own;
 * - `onSilenced(isSilenced)`: the browser plays no sound before something is pressed.
 */
export class Line {
  #ask;
  #tell;
  #sound;
  #room = null;
  #grant = null;
  #june = null;
  #sid = null;
  #ending = null;
  #isOver = false;
  #asked = 0;
  #timer = null;
  #microphone = null;
  #typed = [];

  constructor({ ask, sound, tell }) {
    this.#ask = ask;
    this.#sound = sound;
    this.#tell = tell;
  }

  /** Throws a `Failure`. Without a microphone the caller types. */
  async begin(microphone) {
    this.#microphone = microphone;
    this.#phase("connecting");
    this.#grant = await this.#ask();
    if (!this.#isOver) await this.#join();
  }

  /** Once June listens, who gets nothing that came before her. Throws where it was not sent. */
  async type(text) {
    if (!this.#isListening) {
      await new Promise((sent, lost) => this.#typed.push({ sent, lost }));
    }
    await this.#room.localParticipant.sendText(text, { topic: "lk.chat" });
  }

  /** Of a press of a button. */
  async playSound() {
    await this.#room?.startAudio().catch(() => {});
  }

  get #isListening() {
    return (this.#june?.attributes["lk.agent.state"] ?? "initializing") !== "initializing";
  }

  /** Also before it has begun. */
  async hangUp(why = "hungUp") {
    await this.#finish(why);
  }

  async #join() {
    const { url, token } = this.#grant;
    if (location.protocol === "https:" && url.startsWith("ws:") && !isHere(url)) {
      throw new Failure("mixed", { detail: url });
    }
    const room = new Room({ stopLocalTrackOnUnpublish: false });
    this.#listen(room);
    try {
      // LiveKit names STUN servers on the internet, of which a server on this machine needs none.
      const options = isHere(url) ? { rtcConfig: { iceServers: [] } } : {};
      await withDeadline(room.connect(url, token, options), CONNECT_MS);
    } catch (error) {
      room.removeAllListeners();
      await room.disconnect();
      const isStale = error?.reason === ConnectionErrorReason.NotAllowed;
      throw new Failure(isStale ? "tokenRefused" : "noLiveKitHere", { detail: url });
    }
    if (this.#isOver) {
      await room.disconnect();
      return;
    }
    this.#room = room;
    await room.startAudio().catch(() => {});
    if (this.#microphone !== null) await this.#publish(room);
    if (room === this.#room) this.#lookForJune();
  }

  async #publish(room) {
    try {
      await room.localParticipant.publishTrack(this.#microphone.track, {
        source: Track.Source.Microphone,
      });
    } catch {
      if (room !== this.#room) return; // hung up, or lost again, meanwhile
      this.#room = null;
      await room.disconnect();
      throw new Failure("noLiveKitHere", { detail: this.#grant.url });
    }
  }

  #listen(room) {
    const mine = (listener) => (...told) => room === this.#room && listener(...told);
    room
      .on(RoomEvent.ParticipantConnected, mine(() => this.#lookForJune()))
      .on(RoomEvent.ParticipantDisconnected, mine(() => this.#lookForJune()))
      .on(RoomEvent.ParticipantAttributesChanged, mine((_, who) => this.#onAttributes(who)))
      .on(RoomEvent.TrackSubscribed, (track) => this.#play(track))
      .on(RoomEvent.TrackUnsubscribed, (track) => track.detach().forEach((one) => one.remove()))
      .on(RoomEvent.DataReceived, (data, who, _, topic) => this.#onData(data, who, topic))
      .on(RoomEvent.AudioPlaybackStatusChanged, mine(() => this.#tell.onSilenced(!room.canPlaybackAudio)))
      .on(RoomEvent.Reconnecting, mine(() => this.#phase("reconnecting")))
      .on(RoomEvent.Reconnected, mine(() => this.#lookForJune()))
      .on(RoomEvent.Disconnected, mine((reason) => this.#onDisconnected(reason)));
    room.registerTextStreamHandler("lk.transcription", (reader, { identity }) =>
      this.#read(room, reader, identity),
    );
  }

  /** Of several the newest: one that was killed stays listed for a while. */
  #lookForJune() {
    const agents = [...this.#room.remoteParticipants.values()].filter((one) => one.isAgent);
    const [june = null] = agents.sort((one, other) => joinedAt(other) - joinedAt(one));
    const wasHere = this.#june !== null;
    const isAnother = june !== null && june.sid !== this.#sid;
    this.#june = june;
    if (isAnother) {
      this.#sid = june.sid;
      this.#ending = null;
      this.#tell.onJune();
    }
    if (june !== null) {
      clearTimeout(this.#timer);
      this.#timer = null;
      this.#asked = 0;
      this.#phase("here");
      this.#onAttributes(june);
    } else if (FOR_GOOD.includes(this.#ending)) {
      this.#finish(this.#ending);
    } else {
      if (wasHere || this.#timer === null) this.#askAgainLater();
      this.#phase(this.#sid !== null ? "away" : "waiting", { asked: this.#asked });
    }
  }

  #askAgainLater(ms = ASK_AGAIN_MS[Math.min(this.#asked, ASK_AGAIN_MS.length - 1)]) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#askAgain(), ms);
  }

  async #askAgain() {
    if (this.#isOver || this.#june !== null) return;
    let wait;
    try {
      const { is_full: isFull } = await this.#ask(this.#grant.room);
      this.#asked += 1;
      if (this.#isOver || this.#june !== null) return;
      this.#phase(this.#sid !== null ? "away" : "waiting", { asked: this.#asked, isFull });
    } catch (failure) {
      if (isRefusal(failure)) {
        this.#finish("refused", failure);
        return;
      }
      wait = Math.max(5_000, 1_000 * failure.retryAfterSeconds);
    }
    if (!this.#isOver && this.#june === null) this.#askAgainLater(wait);
  }

  #onAttributes(who) {
    if (who.sid !== this.#june?.sid) return;
    this.#tell.onState(who.attributes["lk.agent.state"] ?? "initializing");
    if (this.#isListening) this.#typed.splice(0).forEach(({ sent }) => sent());
  }

  #play(track) {
    if (track.kind === Track.Kind.Audio) this.#sound.append(track.attach());
  }

  #onData(data, who, topic) {
    if (topic !== "june.event" || !who?.isAgent) return;
    let event;
    try {
      event = JSON.parse(new TextDecoder().decode(data));
    } catch {
      return; // of a June that this page does not know
    }
    if (event.type === "call.ended") this.#ending = event.reason;
    this.#tell.onEvent(event);
  }

  async #read(room, reader, identity) {
    const isJune = identity !== room.localParticipant.identity;
    if (isJune && !room.remoteParticipants.get(identity)?.isAgent) return;
    const { attributes = {}, id: streamId } = reader.info;
    const id = attributes[SEGMENT] ?? streamId;
    let text = "";
    try {
      for await (const piece of reader) {
        text += piece;
        this.#tell.onWords({ id, isJune, text, isFinal: false });
      }
    } catch {
      // Cut off; what came of it stands.
    }
    // June's come piece by piece in one stream, the caller's whole in one after the other.
    this.#tell.onWords({ id, isJune, text, isFinal: isJune || attributes[FINAL] === "true" });
  }

  async #onDisconnected(reason) {
    this.#room = this.#june = null;
    clearTimeout(this.#timer);
    this.#timer = null;
    if (this.#isOver) return;
    switch (reason) {
      case DisconnectReason.DUPLICATE_IDENTITY:
        return this.#finish("moved");
      case DisconnectReason.PARTICIPANT_REMOVED:
      case DisconnectReason.ROOM_DELETED:
        return this.#finish("roomClosed");
    }
    this.#phase("reconnecting");
    let failure = new Failure("lineLost");
    for (const ms of JOIN_AGAIN_MS) {
      await new Promise((done) => setTimeout(done, ms));
      if (this.#isOver) return;
      try {
        this.#grant = await this.#ask(this.#grant.room);
        await this.#join();
        return;
      } catch (error) {
        if (isRefusal(error)) failure = error;
      }
      if (isRefusal(failure)) break;
    }
    await this.#finish(isRefusal(failure) ? "refused" : "lineLost", failure);
  }

  async #finish(why, failure = null) {
    if (this.#isOver) return;
    this.#isOver = true;
    clearTimeout(this.#timer);
    const room = this.#room;
    this.#room = this.#june = null;
    this.#tell.onPhase("over", { why, failure });
    this.#sound.replaceChildren();
    this.#typed.splice(0).forEach(({ lost }) => lost(new Failure("lineLost")));
    await room?.disconnect();
  }

  #phase(phase, more = {}) {
    if (!this.#isOver) this.#tell.onPhase(phase, more);
  }
}

function isRefusal(failure) {
  const kinds = ["tooManyCalls", "blocked", "userBudget", "outOfBudget", "paused", "keyNeeded", "forbidden"];
  return failure instanceof Failure && kinds.includes(failure.kind);
}

function joinedAt(participant) {
  return participant.joinedAt?.getTime() ?? 0;
}

function isHere(url) {
  return ["localhost", "127.0.0.1", "[::1]"].includes(new URL(url).hostname);
}

async function withDeadline(work, ms) {
  let timer;
  const late = new Promise((_, fail) => {
    timer = setTimeout(() => fail(new Error("too late")), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
