import assert from "node:assert/strict";
import { test } from "node:test";

import { bars, median, replySeconds, span } from "../../../agent/api/page/turn-numbers.js";

const stages = { final_text: 0.31, end_of_turn: 0.55, first_token: 0.6, first_clause: 0.7, first_audio: 0.92 };

/** Without what floating point adds. */
const rounded = (drawn) => drawn.map(({ name, from, to }) => [name, +from.toFixed(3), +to.toFixed(3)]);

test("each stage lasts from the one before it", () => {
  assert.deepEqual(rounded(bars({ turn: 3, stages })), [
    ["final_text", 0, 0.31],
    ["end_of_turn", 0.31, 0.55],
    ["first_token", 0.55, 0.6],
    ["first_clause", 0.6, 0.7],
    ["first_audio", 0.7, 0.92],
  ]);
});

test("a model that began early waited for the words only, and not for the end of the turn", () => {
  const drawn = bars({ turn: 1, stages: { ...stages, first_token: 0.4 } });
  assert.deepEqual(rounded(drawn)[2], ["first_token", 0.31, 0.4]);
});

test("what was there before the caller had ended is a moment, and the drawing begins with it", () => {
  const drawn = bars({ turn: 1, stages: { final_text: -0.2, first_audio: 0.5 } });
  assert.deepEqual(rounded(drawn), [
    ["final_text", -0.2, -0.2],
    ["first_audio", 0, 0.5],
  ]);
  assert.equal(span(drawn).begin, -0.2);
});

test("stages that were not measured are not drawn, be they absent or null", () => {
  assert.deepEqual(rounded(bars({ turn: 1, stages: { final_text: null, first_audio: 0.5 } })), [["first_audio", 0, 0.5]]);
  assert.deepEqual(bars({ turn: 1, stages: null, reply_seconds: null }), []);
  assert.deepEqual(bars({ turn: 1 }), []);
});

test("a turn without stages, as of an older June, is its reply as a whole", () => {
  assert.deepEqual(bars({ turn: 1, stages: null, reply_seconds: 0.8 }), [{ name: "first_audio", from: 0, to: 0.8 }]);
});

test("a greeting is its first word, also of a call that resumed", () => {
  for (const turn of [0, -1]) {
    assert.deepEqual(bars({ turn, first_word_seconds: 1.8 }), [{ name: "first_word", from: 0, to: 1.8 }]);
  }
});

test("most turns are drawn to one scale, and long ones to a larger", () => {
  assert.equal(span(bars({ turn: 1, stages })).length, 1.5);
  assert.equal(span([{ from: 0, to: 2.2 }]).length, 3);
  assert.equal(span([{ from: 0, to: 99 }]).length, 99);
});

test("the median is of the replies that were measured, without greetings", () => {
  const reply = (turn, seconds) => ({ turn, stages: { first_audio: seconds } });
  assert.equal(median([reply(1, 1), reply(2, 3), reply(3, 2)]), 2);
  assert.equal(median([reply(1, 1), reply(2, 3)]), 2);
  assert.equal(median([reply(0, 9), reply(1, 1), { turn: 2, stages: {} }]), 1);
  assert.equal(median([]), null);
});

test("the time of a reply is that of its first sound, else what its record says", () => {
  assert.equal(replySeconds({ stages, reply_seconds: 0.4 }), 0.92);
  assert.equal(replySeconds({ stages: { first_audio: null }, reply_seconds: 0.4 }), 0.4);
  assert.equal(replySeconds({}), null);
});
