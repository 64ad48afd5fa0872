// June's health in words, and the figures at the top.

import { formats } from "./format.js";
import { language, word } from "./language.js";
import { byId, element, keyed, setAttribute, setQuoted, setText } from "./keyed.js";

const MICROS = 1_000_000;

let announced = null;

export function showHealth({ health, version }) {
  const title = word(`ops.health.${health.status}`) || health.status;
  setAttribute(byId("health"), "data-status", health.status);
  setText(byId("health-title"), title);
  setText(byId("version"), word("ops.health.version", { version }));
  const reasons = health.reasons ?? [];
  // The reasons are June's own words, and those are English; seconds in them count down.
  keyed(byId("reasons"), reasons.length ? reasons : [null], (one) => shape(one), newReason, (view, one) => {
    setAttribute(view.root, "lang", one === null ? null : "en");
    setQuoted(view.root, one ?? word("ops.health.none"));
  });

  // Who hears the page is told when something changes, and not each second that a number does.
  const now = [health.status, ...reasons.map(shape)].join("\n");
  if (announced !== null && announced !== now) setText(byId("health-said"), [title, ...reasons].join(". "));
  announced = now;
}

export function showFigures({ calls, workers, times, money, limits }) {
  const format = formats(language());
  // One that drains keeps its calls, and has no place for more.
  const places = workers.reduce((sum, one) => sum + (one.is_draining ? one.calls : one.max_calls), 0);
  const tiles = [
    {
      key: "calls",
      value: format.count(calls.length),
      more: places ? word("ops.tiles.places", { count: places }) : word("ops.tiles.noPlaces"),
    },
    timeTile("firstWord", "firstWords", times.first_word, format),
    timeTile("reply", "replies", times.reply, format),
    moneyTile(money, limits, format),
  ];
  keyed(byId("tiles"), tiles, (one) => one.key, newTile, (view, { key, value, unit, more, last }) => {
    setText(view.name, word(`ops.tiles.${key}`));
    setText(view.value, value);
    setText(view.unit, unit ?? "");
    setText(view.more, more);
    setText(view.last, last ?? "");
  });
}

function timeTile(key, of, { count, p50_seconds: half, p95_seconds: most }, format) {
  if (!count) return { key, value: "–", more: word("ops.tiles.noTimes") };
  const more = word("ops.tiles.most", { seconds: format.seconds(most) });
  const last = word(`ops.tiles.${of}`, { count });
  return { key, value: format.seconds(half), unit: word("ops.tiles.median"), more, last };
}

function moneyTile(money, limits, format) {
  if (money === null) return { key: "money", value: "–", more: word("ops.tiles.storeAway") };
  const limit = limits.dollars_per_day;
  const more = limit ? word("ops.tiles.ofMoney", { limit: format.dollars(limit) }) : word("ops.tiles.noLimit");
  return { key: "money", value: format.money(money.spent_micros), more };
}

/** Today's use of each limit, as a meter. */
export function showMoney({ money, limits }) {
  const format = formats(language());
  keyed(byId("money"), money === null ? [] : meters(money, limits, format), (one) => one.key, newMeter, updateMeter);
  setText(byId("money-more"), money === null ? word("ops.money.away") : moreOf(money, format).join(" · "));
}

function meters(money, limits, format) {
  const all = { used: money.spent_micros + money.reserved_micros, limit: (limits.dollars_per_day ?? 0) * MICROS };
  return [
    { key: "dollars", ...all, written: format.money(money.spent_micros), writtenLimit: format.money(all.limit) },
    counted("requests", money.requests, limits.requests_per_day, format),
    counted("tokens", money.tokens, limits.tokens_per_day, format),
  ];
}

function counted(key, used, limit, format) {
  return { key, used, limit: limit ?? 0, written: format.count(used), writtenLimit: format.count(limit ?? 0) };
}

function moreOf(money, format) {
  const found = [];
  if (money.reserved_micros) found.push(word("ops.money.reserved", { money: format.money(money.reserved_micros) }));
  if (money.estimated_micros) found.push(word("ops.money.estimated", { money: format.money(money.estimated_micros) }));
  if (money.unpriced_requests) found.push(word("ops.money.unpriced", { count: money.unpriced_requests }));
  return [...found, word("ops.money.day", { day: money.day })];
}

function newMeter({ key }) {
  const id = `money-${key}`;
  const [name, value, fill] = [element("span", { id }), element("span", { class: "number" }), element("span", {})];
  const meter = element("div", { class: "meter", role: "meter", "aria-labelledby": id, "aria-valuemin": "0" }, fill);
  const root = element("div", { class: "metered" }, element("p", {}, name, value), meter);
  return { root, name, value, meter, fill };
}

function updateMeter(view, { key, used, limit, written, writtenLimit }) {
  const text = word(limit ? "ops.money.of" : "ops.money.free", { used: written, limit: writtenLimit });
  const part = limit ? Math.min(1, used / limit) : 0;
  setText(view.name, word(`ops.money.${key}`));
  setText(view.value, text);
  view.meter.hidden = !limit;
  setAttribute(view.meter, "aria-valuemax", String(limit));
  setAttribute(view.meter, "aria-valuenow", String(Math.min(used, limit)));
  setAttribute(view.meter, "aria-valuetext", text);
  setAttribute(view.meter, "data-level", used === 0 ? "none" : part >= 1 ? "full" : part > 0.9 ? "near" : "fine");
  view.fill.style.width = `${(part * 100).toFixed(1)}%`;
}

function newReason() {
  return { root: element("li") };
}

function newTile() {
  const [name, value, unit] = [element("dt"), element("strong"), element("span", { class: "unit" })];
  const [more, last] = [element("dd", { class: "more" }), element("dd", { class: "more" })];
  const root = element("div", { class: "tile" }, name, element("dd", {}, value, " ", unit), more, last);
  return { root, name, value, unit, more, last };
}

function shape(reason) {
  return reason === null ? "" : reason.replace(/\d+([.,:]\d+)*/g, "#");
}
