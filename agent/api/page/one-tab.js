// One call at a time in a browser: two tabs would hear each other's June.

const NAME = "june.call";
const GIVES_UP_MS = 4_000;

/** Lives as long as the page. `onTaken`: another tab wants to talk, and this one has hung up. */
export class OneTab {
  #channel = "BroadcastChannel" in window ? new BroadcastChannel(NAME) : null;
  #release = null;

  constructor(onTaken) {
    this.#channel?.addEventListener("message", ({ data }) => {
      if (data === "take" && this.#release !== null) onTaken();
    });
  }

  /** Whether this tab may talk now; with `take` the one that does hangs up. */
  async begin({ take = false } = {}) {
    // Without locks (plain http) there is no microphone either, and what is typed nobody overhears.
    if (!navigator.locks) return true;
    if (take) this.#channel?.postMessage("take");
    const options = take ? { signal: AbortSignal.timeout(GIVES_UP_MS) } : { ifAvailable: true };
    return new Promise((answer) => {
      navigator.locks
        .request(NAME, options, (lock) => {
          answer(lock !== null);
          if (lock === null) return undefined;
          return new Promise((release) => {
            this.#release = release;
          });
        })
        .catch(() => answer(false));
    });
  }

  end() {
    this.#release?.();
    this.#release = null;
  }
}
