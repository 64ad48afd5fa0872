import assert from "node:assert/strict";
import { test } from "node:test";

import { formats } from "../../../agent/api/page/format.js";

const [en, de] = [formats("en"), formats("de")];

/** Languages put spaces of many kinds between a number and its sign. */
const plain = (text) => text.replace(/\s/g, " ");

test("a short time is told to hundredths, and what was not measured as a dash", () => {
  assert.equal(en.seconds(0.923), "0.92 s");
  assert.equal(de.seconds(0.923), "0,92 s");
  assert.equal(en.seconds(-0.1), "-0.10 s");
  assert.equal(en.seconds(null), "–");
  assert.equal(en.seconds(undefined), "–");
});

test("an age goes on like a stop watch, up to days", () => {
  assert.equal(en.age(7.9), "0:07");
  assert.equal(en.age(725), "12:05");
  assert.equal(en.age(3_723), "1:02:03");
  assert.equal(en.age(86_400 + 3_600 * 2), "1 d 2 h");
});

test("an age before its beginning, as of two clocks that differ, is none", () => {
  assert.equal(en.age(-3), "0:00");
  assert.equal(plain(en.ago(-3)), plain(en.ago(0)));
});

test("money is in dollars, and less than one to a hundredth of a cent", () => {
  assert.equal(en.money(46_200_000), "$46.20");
  assert.equal(en.money(7_200), "$0.0072");
  assert.equal(en.money(0), "$0.00");
  assert.equal(plain(de.money(46_200_000)), "46,20 $");
});

test("what is long ago is told in the largest unit that fits", () => {
  assert.match(en.ago(125), /^2 min/);
  assert.match(en.ago(7_300), /^2 h/);
  assert.match(en.ago(86_400 * 3), /^3 days/);
  assert.match(de.ago(125), /^vor 2 Min/);
});
