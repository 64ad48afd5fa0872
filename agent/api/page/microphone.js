// The caller's microphone: opened, chosen, measured, lost and found again.

import { createLocalAudioTrack, MediaDeviceFailure, Room, TrackEvent } from "./livekit-client.js";
import { Failure } from "./ask.js";

const CLEANED = { echoCancellation: true, noiseSuppression: true, autoGainControl: true };

/** How long the client tries other devices before a microphone that ended counts as lost. */
const REPLACED_MS = 1_500;

const BY_FAILURE = {
  [MediaDeviceFailure.PermissionDenied]: "microphoneDenied",
  [MediaDeviceFailure.NotFound]: "microphoneMissing",
  [MediaDeviceFailure.DeviceInUse]: "microphoneTaken",
};

/** Lives as long as one call. `onLost` is told once each time that it is gone. */
export class Microphone {
  static async open({ onLost, onFound }) {
    if (!navigator.mediaDevices?.getUserMedia) {
      throw new Failure(window.isSecureContext ? "microphoneUnknown" : "insecure");
    }
    try {
      return new Microphone(await createLocalAudioTrack(CLEANED), onLost, onFound);
    } catch (error) {
      throw failureOf(error);
    }
  }

  #onLost;
  #onFound;
  #meter = null;
  #isLost = false;
  #isMuted = false;

  constructor(track, onLost, onFound) {
    this.track = track;
    this.#onLost = onLost;
    this.#onFound = onFound;
    this.#listen();
    track.on(TrackEvent.Ended, () => setTimeout(() => this.#lookAgain(), REPLACED_MS));
    track.on(TrackEvent.Restarted, () => this.#replaced());
    this.onDevices = () => this.#isLost && this.tryAgain().catch(() => {});
    navigator.mediaDevices.addEventListener("devicechange", this.onDevices);
  }

  /** What may be chosen: `[{deviceId, label}]`. */
  devices() {
    return Room.getLocalDevices("audioinput", false);
  }

  get deviceId() {
    return this.track.mediaStreamTrack.getSettings().deviceId ?? "";
  }

  /** Throws a `Failure`; the one in use stays in use then. */
  async choose(deviceId) {
    try {
      await this.track.setDeviceId({ exact: deviceId });
      if (this.#isLost) await this.tryAgain({ deviceId: { exact: deviceId } });
    } catch (error) {
      throw failureOf(error);
    }
  }

  /** After it was lost. Throws a `Failure`. */
  async tryAgain(wanted = {}) {
    try {
      await this.track.restartTrack({ ...CLEANED, ...wanted });
      // The client muted it as it was lost; whoever had muted it themselves stays so.
      if (!this.#isMuted) await this.track.unmute();
    } catch (error) {
      throw failureOf(error);
    }
  }

  /** As the caller wants it, also while it is lost. */
  get isMuted() {
    return this.#isMuted;
  }

  async mute(isMuted) {
    this.#isMuted = isMuted;
    if (this.#isLost) return; // silent already; `tryAgain` heeds the wish
    await (isMuted ? this.track.mute() : this.track.unmute());
  }

  /** How loud it is now, 0 to 1. */
  level() {
    if (this.#meter === null || this.isMuted) return 0;
    const { analyser, samples } = this.#meter;
    analyser.getFloatTimeDomainData(samples);
    const power = samples.reduce((sum, one) => sum + one * one, 0) / samples.length;
    // From -60 dB, a quiet room, to -12 dB, which is loud.
    return Math.min(1, Math.max(0, (10 * Math.log10(power + 1e-9) + 60) / 48));
  }

  close() {
    navigator.mediaDevices.removeEventListener("devicechange", this.onDevices);
    this.track.stop();
    this.#meter?.context.close();
    this.#meter = null;
  }

  #listen() {
    const context = this.#meter?.context ?? new AudioContext();
    this.#meter?.source.disconnect();
    const source = context.createMediaStreamSource(new MediaStream([this.track.mediaStreamTrack]));
    const analyser = context.createAnalyser();
    analyser.fftSize = 1024;
    source.connect(analyser);
    this.#meter = { context, source, analyser, samples: new Float32Array(analyser.fftSize) };
  }

  #replaced() {
    if (this.#meter === null) return; // closed meanwhile
    this.#listen();
    this.#isLost = false;
    this.#onFound();
  }

  #lookAgain() {
    if (this.#meter === null || this.track.mediaStreamTrack.readyState !== "ended") return;
    this.#isLost = true;
    this.#onLost();
  }
}

function failureOf(error) {
  return new Failure(BY_FAILURE[MediaDeviceFailure.getFailure(error)] ?? "microphoneUnknown", {
    detail: String(error?.name ?? ""),
  });
}
