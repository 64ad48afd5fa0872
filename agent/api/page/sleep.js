// A tab that slept, because its machine did or the browser froze it, is not what it was.

const LOOK_MS = 5_000;
const SLEPT_MS = 60_000;
const FRESH_MS = 20_000;

/** `isFresh()`: whether it has just woken up, after more than a minute. */
export function onWaking() {
  let last = Date.now();
  let wokeAt = -Infinity;
  const look = () => {
    const now = Date.now();
    if (now - last > SLEPT_MS) wokeAt = now;
    last = now;
  };
  setInterval(look, LOOK_MS);
  return {
    isFresh() {
      look();
      return Date.now() - wokeAt < FRESH_MS;
    },
  };
}
