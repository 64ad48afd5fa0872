// What a turn's record says about time, as numbers: bars of a waterfall, and the median of a call.

/** In the order in which one makes the next possible. */
export const STAGES = ["final_text", "end_of_turn", "first_token", "first_clause", "first_audio"];

/** A waterfall is as wide as the first of these that it fits in: most turns are drawn to one scale. */
const SCALES = [1.5, 3, 6, 12, 30, 60];

/** After how long June was heard; null where that was not measured. */
export function replySeconds(turn) {
  return turn.stages?.first_audio ?? turn.reply_seconds ?? null;
}

/** Of the turns that were measured; null without one. A greeting answers nothing. */
export function median(turns) {
  const times = turns
    .filter((one) => one.turn > 0)
    .map(replySeconds)
    .filter((one) => one !== null)
    .sort((one, other) => one - other);
  if (times.length === 0) return null;
  const middle = Math.floor(times.length / 2);
  return times.length % 2 ? times[middle] : (times[middle - 1] + times[middle]) / 2;
}

/** Each measured stage with the time it took: from the last thing before it that was there. */
export function bars(turn) {
  if (turn.turn <= 0) return whole("first_word", turn.first_word_seconds ?? replySeconds(turn));
  const stages = turn.stages ?? {};
  const measured = STAGES.filter((name) => Number.isFinite(stages[name]));
  if (measured.length === 0) return whole("first_audio", turn.reply_seconds ?? null);
  return measured.map((name, at) => {
    const to = stages[name];
    // The model may have begun before the caller had ended: then it waited for none of what came later.
    const before = [0, ...measured.slice(0, at).map((one) => stages[one])].filter((one) => one <= to);
    return { name, from: before.length ? Math.max(...before) : to, to };
  });
}

/** From the first to the last moment to be drawn, in seconds after the end of speech. */
export function span(drawn) {
  const begin = Math.min(0, ...drawn.map((one) => one.from));
  const length = Math.max(...drawn.map((one) => one.to), 0) - begin;
  return { begin, length: SCALES.find((one) => length <= one) ?? length };
}

function whole(name, seconds) {
  return Number.isFinite(seconds) ? [{ name, from: Math.min(0, seconds), to: seconds }] : [];
}
