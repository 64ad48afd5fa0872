// Asks June for a token, and says in one kind of error why there is none.

import { bearer } from "./bearer.js";

const TOKEN_ROUTE = "/api/livekit/token";
const PATIENCE_MS = 12_000;

/** Why something did not work: `kind` names the words for it, the rest goes into them. */
export class Failure extends Error {
  constructor(kind, { retryAfterSeconds = 0, detail = "" } = {}) {
    super(kind);
    this.kind = kind;
    this.retryAfterSeconds = retryAfterSeconds;
    this.detail = detail;
  }
}

/**
 * A token for a room, and June on her way there.
 *
 * `{url, token, room, identity, is_full}`; throws a `Failure`. Without a `room` it is a fresh one.
 */
export async function askForToken({ identity, room, key }) {
  const headers = { "Content-Type": "application/json", ...(key ? bearer(key) : {}) };
  let response;
  try {
    response = await fetch(TOKEN_ROUTE, {
      method: "POST",
      headers,
      body: JSON.stringify(room ? { identity, room } : { identity }),
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
  } catch {
    throw new Failure("noJune");
  }
  const answer = await response.json().catch(() => ({}));
  if (response.ok) return answer;
  throw refusal(response, answer);
}

const BY_REASON = {
  too_many_calls: "tooManyCalls",
  blocked: "blocked",
  user_budget: "userBudget",
  out_of_budget: "outOfBudget",
  paused: "paused",
  too_many_uses: "tooManyUses",
  livekit_is_away: "noLiveKit",
  store_is_down: "noStore",
};

function refusal(response, problem) {
  const more = {
    retryAfterSeconds: Number(response.headers.get("Retry-After")) || 0,
    detail: typeof problem.detail === "string" ? problem.detail : "",
  };
  if (response.status === 401 || response.status === 403) {
    return new Failure(response.status === 401 ? "keyNeeded" : "forbidden", more);
  }
  return new Failure(BY_REASON[problem.reason] ?? "refused", more);
}
