// What was said, as a list: a segment that comes again replaces itself.

/** Lives as long as the page; `clear` begins a new call. Text is never read as HTML. */
export class Transcript {
  #list;
  #word;
  #lines = new Map();
  #lastOfJune = null;
  #isAtEnd = true;
  #isMoving = false;

  constructor(list, word) {
    this.#list = list;
    this.#word = word;
    const scroll = list.parentElement;
    scroll.addEventListener("scroll", () => {
      this.#isAtEnd = scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < 40;
    });
  }

  clear() {
    this.#list.replaceChildren();
    this.#lines.clear();
    this.#lastOfJune = null;
    this.#isAtEnd = true;
  }

  /** A segment as far as it has come. An empty one that is final was nothing. */
  words({ id, isJune, text, isFinal }) {
    let line = this.#lines.get(id);
    if (!text.trim()) {
      if (isFinal && line?.said.textContent === "") this.#remove(id);
      return;
    }
    line ??= this.#add(id, isJune ? "june" : "caller");
    this.#followed(() => {
      line.said.textContent = text;
      line.item.classList.toggle("is-interim", !isFinal);
    });
    if (isJune) this.#lastOfJune = line;
  }

  typed(id, text) {
    const line = this.#add(id, "caller");
    line.item.classList.add("is-typed");
    this.#followed(() => {
      line.said.textContent = text;
    });
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
    this.#followed(() => item.append(mark));
  }

  /** Something that June did, or could not do. */
  note(text, kind = "info") {
    const item = document.createElement("li");
    item.className = `note is-${kind}`;
    item.textContent = text;
    this.#followed(() => this.#list.append(item));
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
    this.#followed(() => this.#list.append(item));
    return line;
  }

  #remove(id) {
    this.#lines.get(id)?.item.remove();
    this.#lines.delete(id);
  }

  /** Whoever has scrolled up to read stays there. Once a frame: to ask where one is takes long. */
  #followed(change) {
    change();
    if (!this.#isAtEnd || this.#isMoving) return;
    this.#isMoving = true;
    requestAnimationFrame(() => {
      this.#isMoving = false;
      const scroll = this.#list.parentElement;
      if (this.#isAtEnd) scroll.scrollTop = scroll.scrollHeight;
    });
  }
}
