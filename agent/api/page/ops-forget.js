// Deletes all that June keeps of one user, and says what that was.

import { post } from "./ops-api.js";
import { language, word } from "./language.js";
import { byId, setText } from "./keyed.js";
import { question } from "./question.js";

const KINDS = ["sessions", "messages", "turns", "answers", "memories", "voices"];

/** `done(text)` says it. */
export function beginForgetting(done) {
  byId("forget-form").addEventListener("submit", async (event) => {
    event.preventDefault();
    const user = byId("forget-user").value.trim();
    if (!user) return;
    let removed = null;
    const isDone = await question({
      title: word("ops.forget.askTitle"),
      text: word("ops.forget.askText", { user }),
      yes: word("ops.forget.yes"),
      isRed: true,
      place: byId("forget-user"),
      act: async () => {
        removed = await post("/api/users/forget", { user });
      },
    });
    if (!isDone) return;
    byId("forget-user").value = "";
    const text = inWords(user, removed);
    setText(byId("forgotten"), text);
    done(text);
  });
}

function inWords(user, removed) {
  const found = KINDS.filter((kind) => removed[kind] > 0).map((kind) => word(`ops.forget.${kind}`, { count: removed[kind] }));
  if (found.length === 0) return word("ops.forget.nothing", { user });
  const list = new Intl.ListFormat(language(), { type: "conjunction" }).format(found);
  return word("ops.forget.removed", { user, list });
}
