// Draws one turn's waterfall. Names and times are text, so it can be heard as well; only the bars are for the eye.

import { formats } from "./format.js";
import { language, word } from "./language.js";
import { element } from "./keyed.js";
import { bars, replySeconds, span } from "./turn-numbers.js";

export { median } from "./turn-numbers.js";

/** Of a turn as its record or its event tells it. */
export function waterfall(turn) {
  const format = formats(language());
  const drawn = bars(turn);
  const total = drawn.length ? (turn.turn > 0 ? replySeconds(turn) : drawn[0].to) : null;
  const figure = element("div", { class: "waterfall" }, title(turn, total === null ? "" : format.seconds(total)));
  if (drawn.length) figure.append(stages(drawn, format));
  for (const [text, isBad] of notes(turn, drawn)) {
    figure.append(element("p", { class: isBad ? "waterfall-notes is-bad" : "waterfall-notes" }, text));
  }
  return figure;
}

function title(turn, total) {
  const name = turn.turn > 0 ? word("times.turn", { turn: turn.turn }) : word("times.greeting");
  const line = element("p", { class: "waterfall-title" }, element("strong", {}, name));
  if (turn.is_typed) line.append(element("span", {}, word("times.typed")));
  if (total) line.append(element("strong", { class: "waterfall-total" }, total));
  return line;
}

function stages(drawn, format) {
  const { begin, length } = span(drawn);
  const list = element("ol", { class: "waterfall-stages" });
  for (const { name, from, to } of drawn) {
    const track = element("span", { class: "waterfall-track", "aria-hidden": "true" });
    track.style.setProperty("--scale", String(length));
    track.style.setProperty("--from", String(from - begin));
    track.style.setProperty("--to", String(to - begin));
    list.append(
      element(
        "li",
        { "data-stage": name },
        element("span", { class: "waterfall-name" }, word(`times.stages.${name}`)),
        track,
        element("span", { class: "waterfall-seconds" }, format.seconds(to)),
      ),
    );
  }
  return list;
}

function* notes(turn, drawn) {
  if (turn.refused) yield [word("times.refused", { why: word(`times.reasons.${turn.refused}`) || turn.refused }), true];
  else if (drawn.length === 0) yield [word("times.unmeasured"), false];
  if (turn.is_interrupted) {
    const heard = turn.heard_characters;
    yield [heard === null || heard === undefined ? word("times.interrupted") : word("times.heard", { count: heard }), false];
  }
}
