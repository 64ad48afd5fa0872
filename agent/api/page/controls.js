// Mute, hang up, which microphone, and how loud it is.

const LEVEL_MS = 100;

/** Lives as long as the page; between `begin` and `end` there is a call. */
export class Controls {
  #mute = document.getElementById("mute");
  #picker = document.getElementById("microphones");
  #row = document.getElementById("microphone");
  #level = document.getElementById("level");
  #word;
  #onChosen;
  #onFailure;
  #microphone = null;
  #measuring = null;
  #onDevices = () => this.refresh();

  constructor(word, { onHangUp, onChosen, onFailure }) {
    this.#word = word;
    this.#onChosen = onChosen;
    this.#onFailure = onFailure;
    document.getElementById("hang-up").addEventListener("click", onHangUp);
    this.#mute.addEventListener("click", () => this.#toggle());
    this.#picker.addEventListener("change", () => this.#choose());
  }

  /** Without a microphone there is nothing to mute. */
  begin(microphone) {
    this.#microphone = microphone;
    this.#mute.hidden = this.#row.hidden = microphone === null;
    this.render();
    if (microphone === null) return;
    this.#measuring = setInterval(() => {
      this.#level.style.transform = `scaleX(${microphone.level().toFixed(3)})`;
    }, LEVEL_MS);
    navigator.mediaDevices.addEventListener("devicechange", this.#onDevices);
    this.refresh();
  }

  end() {
    clearInterval(this.#measuring);
    navigator.mediaDevices?.removeEventListener("devicechange", this.#onDevices);
    this.#microphone = null;
  }

  /** Which microphones there are, and which one is used. */
  async refresh() {
    const devices = (await this.#microphone?.devices().catch(() => [])) ?? [];
    if (this.#microphone === null) return;
    const options = devices.map(({ deviceId, label }, at) => {
      const option = document.createElement("option");
      option.value = deviceId;
      option.textContent = label || `${this.#word("call.microphone")} ${at + 1}`;
      return option;
    });
    this.#picker.replaceChildren(...options);
    this.#picker.value = this.#microphone.deviceId;
    this.#picker.disabled = options.length < 2;
  }

  render() {
    const isMuted = this.#microphone?.isMuted ?? false;
    this.#mute.textContent = this.#word(isMuted ? "call.unmute" : "call.mute");
    this.#mute.classList.toggle("is-on", isMuted);
  }

  async #toggle() {
    try {
      await this.#microphone?.mute(!this.#microphone.isMuted);
    } catch (failure) {
      this.#onFailure(failure);
    }
    this.render();
  }

  async #choose() {
    try {
      await this.#microphone?.choose(this.#picker.value);
      this.#onChosen();
    } catch (failure) {
      this.#onFailure(failure);
    }
    this.refresh();
  }
}
