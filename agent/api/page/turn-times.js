// Where the time of the call's turns went: a waterfall of each, and what is in the middle of all.

import { formats } from "./format.js";
import { language } from "./language.js";
import { replySeconds } from "./turn-numbers.js";
import { median, waterfall } from "./waterfall.js";

/** Of more turns the oldest are counted, and drawn no more. */
const MOST_DRAWN = 30;

/** Lives as long as the page; `clear` begins a new call. */
export class TurnTimes {
  #list = document.getElementById("turns");
  #median = document.getElementById("median");
  #section = document.getElementById("times");
  #word;
  #turns = [];

  constructor(word) {
    this.#word = word;
  }

  clear() {
    this.#turns = [];
    this.#list.replaceChildren();
    this.#section.hidden = true;
  }

  /** One that is over; the newest stands first. */
  add(turn) {
    this.#turns.push(turn);
    this.#section.hidden = false;
    this.#list.prepend(this.#item(turn));
    if (this.#list.children.length > MOST_DRAWN) this.#list.lastElementChild.remove();
    this.#sayMedian();
  }

  /** Anew, as after another language was chosen. */
  render() {
    this.#list.replaceChildren(...this.#turns.slice(-MOST_DRAWN).reverse().map((one) => this.#item(one)));
    this.#sayMedian();
  }

  #item(turn) {
    const item = document.createElement("li");
    item.append(waterfall(turn));
    return item;
  }

  #sayMedian() {
    const seconds = median(this.#turns);
    const count = this.#turns.filter((turn) => replySeconds(turn) !== null).length;
    const values = { seconds: formats(language()).seconds(seconds), count };
    this.#median.textContent = seconds === null ? "" : this.#word("call.median", values);
  }
}
