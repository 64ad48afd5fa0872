// What was said, as a list: a segment that comes again replaces itself.

/** Lives as long as the page; `clear` begins a new call. Text is never read as HTML. */
export class Transcript {
  #list;
  #word;
  #lines = new Map();
  #lastOfJune = null;

  constructor(list, word) {
    this.#list = list;
    this.#word = word;
  }

  clear() {
    this.#list.replaceChildren();
    this.#lines.clear();
    this.#lastOfJune = null;
  }

  get isEmpty() {
    return this.#list.children.length === 0;
  }

  /** A segment as far as it has come. The caller's that is empty in the end was only noise. */
  words({ id, isJune, text, isFinal }) {
    let line = this.#lines.get(id);
    if (!text.trim()) {
      if (isFinal && !isJune) this.#remove(id);
      return;
    }
    line ??= this.#add(id, isJune ? "june" : "caller");
    line.said.textContent = text;
    line.item.classList.toggle("is-interim", !isFinal);
    if (isJune) this.#lastOfJune = line;
  }

  typed(id, text) {
    const line = this.#add(id, "caller");
    line.item.classList.add("is-typed");
    line.said.textContent = text;
    return line.item;
  }

  /** The caller interrupted what June said last: so far it was heard. */
  cut() {
    if (this.#lastOfJune === null) return;
    const { item } = this.#lastOfJune;
    if (item.classList.contains("is-cut")) return;
    item.classList.add("is-cut");
    const mark = document.createElement("span");
    mark.className = "mark";
    mark.textContent = this.#word("call.cutOff");
    item.append(mark);
  }

  /** Something that June did, or could not do. */
  note(text, kind = "info") {
    const item = document.createElement("li");
    item.className = `note is-${kind}`;
    item.textContent = text;
    this.#list.append(item);
  }

  #add(id, who) {
    const item = document.createElement("li");
    item.className = `line of-${who}`;
    const name = document.createElement("span");
    name.className = "who";
    name.textContent = this.#word(who === "june" ? "call.june" : "call.you");
    const said = document.createElement("span");
    said.className = "said";
    item.append(name, said);
    const line = { item, said };
    this.#lines.set(id, line);
    this.#list.append(item);
    return line;
  }

  #remove(id) {
    this.#lines.get(id)?.item.remove();
    this.#lines.delete(id);
  }
}
