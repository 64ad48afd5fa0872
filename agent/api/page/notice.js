// The one box that says what is wrong and what can be done about it.

/** Lives as long as the page. */
export class Notice {
  #box = document.getElementById("notice");
  #title = document.getElementById("notice-title");
  #text = document.getElementById("notice-text");
  #hint = document.getElementById("notice-hint");
  #buttons = document.getElementById("notice-buttons");
  #keyForm = document.getElementById("key-form");
  #word;
  #shown = null;
  #ticking = null;

  constructor(word, onKey) {
    this.#word = word;
    this.#keyForm.addEventListener("submit", (event) => {
      event.preventDefault();
      const field = this.#keyForm.elements.key;
      const key = field.value.trim();
      field.value = "";
      if (key) onKey(key);
    });
  }

  /**
   * `kind` names three words: `call.KIND.title`, `.text` and `.hint`; those that are empty are not
   * shown. `actions` are `[[name, act], …]`, with the words `call.NAME` on the buttons.
   */
  show(kind, { isBad = true, detail = "", retryAfterSeconds = 0, actions = [] } = {}) {
    const until = Date.now() + 1_000 * retryAfterSeconds;
    this.#shown = { kind, detail, until: retryAfterSeconds > 0 ? until : 0 };
    this.#box.classList.toggle("is-bad", isBad);
    this.#keyForm.hidden = kind !== "keyNeeded";
    this.#buttons.replaceChildren(...actions.map(([name, act]) => this.#button(name, act)));
    this.#box.hidden = false;
    clearInterval(this.#ticking);
    if (retryAfterSeconds > 0) this.#ticking = setInterval(() => this.#tick(), 1_000);
    this.render();
    if (kind === "keyNeeded") this.#keyForm.elements.key.focus();
  }

  hide() {
    clearInterval(this.#ticking);
    this.#shown = null;
    this.#box.hidden = true;
  }

  get kind() {
    return this.#shown?.kind ?? null;
  }

  /** Anew, as after another language was chosen. */
  render() {
    if (this.#shown === null) return;
    const { kind, detail } = this.#shown;
    this.#say(this.#title, this.#word(`call.${kind}.title`));
    this.#say(this.#text, this.#word(`call.${kind}.text`, { detail }));
    this.#tick();
    for (const button of this.#buttons.children) {
      button.textContent = this.#word(`call.${button.name}`);
    }
  }

  #tick() {
    const { kind, detail, until } = this.#shown;
    const seconds = Math.ceil((until - Date.now()) / 1_000);
    const hint = this.#word(`call.${kind}.hint`, { detail });
    this.#say(this.#hint, until === 0 ? hint : [hint, this.#wait(seconds)].join(" ").trim());
    if (until !== 0 && seconds <= 0) clearInterval(this.#ticking);
  }

  #wait(seconds) {
    if (seconds <= 0) return this.#word("call.nowAgain");
    if (seconds < 90) return this.#word("call.againInSeconds", { count: seconds });
    return this.#word("call.againInMinutes", { count: Math.ceil(seconds / 60) });
  }

  #button(name, act) {
    const button = document.createElement("button");
    button.type = "button";
    button.name = name;
    button.addEventListener("click", act);
    return button;
  }

  #say(element, text) {
    if (element.textContent !== text) element.textContent = text;
    element.hidden = !text;
  }
}
