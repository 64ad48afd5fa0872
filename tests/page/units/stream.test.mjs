import assert from "node:assert/strict";
import { test } from "node:test";

import { Events } from "../../../agent/api/page/stream.js";

const whole = 'event: now\ndata: {"at":1}\n\n: still here\n\nevent: sessions\r\ndata: {"a":\r\ndata: 1}\r\n\r\n';

test("events come whole wherever the network has cut them, and comments are none", () => {
  for (let size = 1; size <= whole.length; size += 1) {
    const events = new Events();
    const found = [];
    for (let at = 0; at < whole.length; at += size) found.push(...events.take(whole.slice(at, at + size)));
    assert.deepEqual(found, [
      { name: "now", data: '{"at":1}' },
      { name: "sessions", data: '{"a":\n1}' },
    ]);
  }
});

test("an event that has not ended is not given", () => {
  assert.deepEqual([...new Events().take("event: now\ndata: 1\n")], []);
});
