// Server-sent events over fetch, which unlike EventSource can carry a token. Reconnects until it is stopped.

import { refusalOf } from "./ops-api.js";

/** June sends a comment every 10 s; a line that says nothing for longer is dead. */
const SILENCE_MS = 25_000;
const BACKOFF_SECONDS = [1, 2, 4, 8, 15, 30];
const FINAL = new Set([401, 403, 404]);

/** Takes text in pieces, wherever they were cut, and gives whole events. */
export class Events {
  #rest = "";

  *take(text) {
    const blocks = (this.#rest + text).replaceAll("\r\n", "\n").split("\n\n");
    this.#rest = blocks.pop();
    for (const block of blocks) {
      let name = "message";
      const data = [];
      for (const line of block.split("\n")) {
        if (line.startsWith("event:")) name = line.slice(6).trim();
        else if (line.startsWith("data:")) data.push(line.slice(line[5] === " " ? 6 : 5));
      }
      if (data.length) yield { name, data: data.join("\n") };
    }
  }
}

/** Lives from `start` to `stop`; may be started again. */
export class Stream {
  #path;
  #headers;
  #on;
  #stopping = null;
  #wake = null;

  /** `on`: event(name, value), live(), lost(seconds, refusal|null) each second until it is tried again, refused(refusal). */
  constructor(path, headers, on) {
    this.#path = path;
    this.#headers = headers;
    this.#on = on;
  }

  start() {
    this.stop();
    this.#stopping = new AbortController();
    this.#run(this.#stopping.signal);
  }

  stop() {
    this.#stopping?.abort();
    this.#wake?.();
    this.#stopping = null;
  }

  /** Does not wait any longer. */
  hurry() {
    this.#wake?.();
  }

  async #run(stopped) {
    let failures = 0;
    while (!stopped.aborted) {
      let refusal = null;
      try {
        refusal = await this.#once(stopped, () => (failures = 0));
      } catch (error) {
        if (stopped.aborted) return;
        if (error instanceof SyntaxError) console.error(error);
      }
      if (stopped.aborted) return;
      if (refusal !== null && FINAL.has(refusal.status)) {
        this.#on.refused(refusal);
        return;
      }
      const backoff = BACKOFF_SECONDS[Math.min(failures, BACKOFF_SECONDS.length - 1)];
      failures += 1;
      await this.#wait(refusal?.retryAfterSeconds || backoff, refusal, stopped);
    }
  }

  /** One connection, to its end; a refusal if there was none. */
  async #once(stopped, begun) {
    const one = new AbortController();
    const end = () => one.abort();
    stopped.addEventListener("abort", end);
    let silence = setTimeout(end, SILENCE_MS);
    try {
      const response = await fetch(this.#path, { headers: this.#headers(), signal: one.signal, cache: "no-store" });
      if (!response.ok) return await refusalOf(response);
      const events = new Events();
      const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
      this.#on.live();
      for (;;) {
        const { done, value } = await reader.read();
        if (done) return null;
        begun();
        clearTimeout(silence);
        silence = setTimeout(end, SILENCE_MS);
        for (const { name, data } of events.take(value)) this.#on.event(name, JSON.parse(data));
      }
    } finally {
      clearTimeout(silence);
      stopped.removeEventListener("abort", end);
      one.abort();
    }
  }

  async #wait(seconds, refusal, stopped) {
    let isOver = false;
    for (let left = Math.ceil(seconds); left > 0 && !isOver && !stopped.aborted; left -= 1) {
      this.#on.lost(left, refusal);
      isOver = await new Promise((resolve) => {
        const timer = setTimeout(() => resolve(false), 1000);
        this.#wake = () => {
          clearTimeout(timer);
          resolve(true);
        };
      });
    }
    this.#wake = null;
  }
}
