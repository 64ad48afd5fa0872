// Times, ages, money and numbers, as a language writes them.

const MICROS = 1_000_000;
const made = new Map();

/** All of one language's; made once, for the browser takes long to make them. */
export function formats(language) {
  if (!made.has(language)) made.set(language, new Formats(language));
  return made.get(language);
}

class Formats {
  #language;
  #whole;
  #hundredths;
  #dollars;
  #cents;
  #time;
  #day;

  constructor(language) {
    this.#language = language;
    this.#whole = new Intl.NumberFormat(language, { maximumFractionDigits: 0 });
    this.#hundredths = new Intl.NumberFormat(language, { minimumFractionDigits: 2, maximumFractionDigits: 2 });
    const dollars = { style: "currency", currency: "USD", currencyDisplay: "narrowSymbol" };
    this.#dollars = new Intl.NumberFormat(language, dollars);
    this.#cents = new Intl.NumberFormat(language, { ...dollars, maximumFractionDigits: 4 });
    this.#time = new Intl.DateTimeFormat(language, { hour: "2-digit", minute: "2-digit", second: "2-digit" });
    this.#day = new Intl.DateTimeFormat(language, { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });
  }

  count(value) {
    return this.#whole.format(value);
  }

  /** A short time, to hundredths: `0.92 s`. */
  seconds(value) {
    return value === null || value === undefined ? "–" : `${this.#hundredths.format(value)} s`;
  }

  /** Less than a dollar to a hundredth of a cent, for a call costs little. */
  money(micros) {
    const dollars = micros / MICROS;
    return (micros !== 0 && Math.abs(dollars) < 1 ? this.#cents : this.#dollars).format(dollars);
  }

  dollars(value) {
    return this.#dollars.format(value);
  }

  /** How long something has lasted, as a stop watch shows it: `0:07`, `12:05`, `1:02:03`, `3 d 4 h`. */
  age(seconds) {
    const all = Math.max(0, Math.floor(seconds));
    const [days, hours, minutes, rest] = [all / 86_400, (all / 3_600) % 24, (all / 60) % 60, all % 60].map(Math.floor);
    if (days > 0) return `${this.count(days)} d ${hours} h`;
    const tail = `${hours > 0 ? two(minutes) : minutes}:${two(rest)}`;
    return hours > 0 ? `${hours}:${tail}` : tail;
  }

  /** How long ago, in words: `5 minutes ago`. */
  ago(seconds) {
    const words = new Intl.RelativeTimeFormat(this.#language, { numeric: "auto", style: "short" });
    const past = Math.max(0, seconds);
    if (past < 60) return words.format(0, "minute");
    if (past < 3_600) return words.format(-Math.floor(past / 60), "minute");
    if (past < 86_400) return words.format(-Math.floor(past / 3_600), "hour");
    return words.format(-Math.floor(past / 86_400), "day");
  }

  /** The time of day. */
  clock(unix) {
    return this.#time.format(unix * 1000);
  }

  /** Day and time. */
  moment(unix) {
    return this.#day.format(unix * 1000);
  }
}

function two(value) {
  return String(value).padStart(2, "0");
}
