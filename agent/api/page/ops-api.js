// How the operator's page asks June: with the token, if there is one, which the browser keeps for this tab only.

import { bearer } from "./bearer.js";

const KEPT = "june.admin";

/** What June did not do, in her words. */
export class Refusal extends Error {
  constructor(status, detail, retryAfterSeconds = 0) {
    super(detail);
    this.status = status;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

export function token() {
  return sessionStorage.getItem(KEPT);
}

export function keepToken(value) {
  sessionStorage.setItem(KEPT, value);
}

export function forgetToken() {
  sessionStorage.removeItem(KEPT);
}

export function headers() {
  const kept = token();
  return kept ? bearer(kept) : {};
}

export function get(path) {
  return ask(path, { headers: headers() });
}

export function post(path, body) {
  return ask(path, {
    method: "POST",
    headers: { ...headers(), "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
}

/** What a response that is no success says; a proxy before June may answer in another form. */
export async function refusalOf(response) {
  let detail = "";
  try {
    const problem = await response.json();
    const wrong = (problem.errors ?? []).map((one) => `${one.field}: ${one.wrong}`);
    detail = [problem.detail, ...wrong].filter(Boolean).join(" · ");
  } catch {
    // Then the status must do.
  }
  const after = Number.parseFloat(response.headers.get("Retry-After") ?? "");
  return new Refusal(response.status, detail || `${response.status} ${response.statusText}`, after > 0 ? after : 0);
}

async function ask(path, options) {
  let response;
  try {
    response = await fetch(path, { ...options, cache: "no-store" });
  } catch {
    throw new Refusal(0, "");
  }
  if (!response.ok) throw await refusalOf(response);
  return response.status === 204 ? null : response.json();
}
