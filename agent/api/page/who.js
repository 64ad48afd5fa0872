// Who this browser is to June: by it she remembers. And the key of a site that asks for one.

const IDENTITY = "june.identity";
const KEY = "june.key";

/** The same in all tabs and until the browser's data is deleted; a new one where nothing is kept. */
export function identityOfBrowser() {
  const made = `web-${[...crypto.getRandomValues(new Uint8Array(8))].map((one) => one.toString(16).padStart(2, "0")).join("")}`;
  try {
    const kept = localStorage.getItem(IDENTITY);
    if (kept) return kept;
    localStorage.setItem(IDENTITY, made);
  } catch {
    // Nothing may be kept here: June will not know this browser again.
  }
  return made;
}

/** As long as the tab; a link may bring it along: `/#key=…`. */
export function keyOfSite() {
  const brought = new URLSearchParams(location.hash.slice(1)).get("key");
  if (brought) {
    keepKey(brought);
    history.replaceState(null, "", location.pathname + location.search);
  }
  try {
    return sessionStorage.getItem(KEY) ?? memory;
  } catch {
    return memory;
  }
}

let memory = "";

export function keepKey(key) {
  memory = key;
  try {
    sessionStorage.setItem(KEY, key);
  } catch {
    // Then it lasts until the page is loaded again.
  }
}
