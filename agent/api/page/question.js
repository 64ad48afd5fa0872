// Asks before something is done that callers notice, does it, and says why if June refuses.

import { language, word } from "./language.js";
import { byId, element, setQuoted, setText } from "./keyed.js";

const MINUTES = [15, 30, 60, 240, 1440];
const USUAL_MINUTES = 30;

/**
 * Resolves to whether it was done. `act(minutes)` may raise a refusal: then the dialog stays, and shows it.
 * `asksMinutes` lets the reader choose for how long. `place` gets the focus if what had it is gone by then.
 */
export function question({ title, text, yes, isRed = false, asksMinutes = false, place, act }) {
  const dialog = byId("question");
  const [yesButton, noButton, wrong] = [byId("question-yes"), byId("question-no"), byId("question-wrong")];
  setText(byId("question-title"), title);
  setText(byId("question-text"), text);
  setText(yesButton, yes);
  setQuoted(wrong, "");
  yesButton.className = isRed ? "is-red" : "is-main";
  yesButton.disabled = false;
  byId("question-for").hidden = !asksMinutes;
  if (asksMinutes) offerMinutes(byId("question-minutes"));

  const asker = document.activeElement;
  return new Promise((resolve) => {
    const gone = new AbortController();
    let isDone = false;
    const listen = (target, name, listener) => target.addEventListener(name, listener, { signal: gone.signal });
    listen(noButton, "click", () => dialog.close());
    listen(dialog, "click", (event) => {
      if (event.target === dialog) dialog.close();
    });
    listen(dialog, "close", () => {
      gone.abort();
      if (!asker.isConnected) place.focus();
      resolve(isDone);
    });
    listen(dialog.querySelector("form"), "submit", async (event) => {
      event.preventDefault();
      if (yesButton.disabled) return;
      yesButton.disabled = true;
      setQuoted(wrong, "");
      try {
        await act(Number(byId("question-minutes").value));
        isDone = true;
        dialog.close();
      } catch (refusal) {
        setQuoted(wrong, refusal.message || word("ops.unreachable"));
        yesButton.disabled = false;
        yesButton.focus();
      }
    });
    dialog.showModal();
    noButton.focus();
  });
}

function offerMinutes(select) {
  select.replaceChildren(
    ...MINUTES.map((minutes) => {
      const [value, unit] = minutes < 60 ? [minutes, "minute"] : [minutes / 60, "hour"];
      const name = new Intl.NumberFormat(language(), { style: "unit", unit, unitDisplay: "long" }).format(value);
      return element("option", { value: String(minutes), selected: minutes === USUAL_MINUTES }, name);
    }),
  );
}
