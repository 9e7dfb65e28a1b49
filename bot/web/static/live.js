// Asks for a reading while the drawing changes: soon, not too often, and never shows an answer older than the one shown.

const PAUSE = 16; // milliseconds from the first change to its request: one frame
const INTERVAL = 80; // milliseconds between requests while a stroke goes on
const AT_ONCE = 2; // requests on their way

export class Live {
  #read;
  #show;
  #timer = null;
  #requested = -Infinity; // when
  #changed = 0; // when
  #newest = 0; // number of the last request
  #shown = 0; // number of the request whose answer was shown last
  #onTheirWay = 0;
  #again = false;

  // read() -> promise of an answer; show(answer, milliseconds since the change that it answers).
  constructor(read, show) {
    this.#read = read;
    this.#show = show;
  }

  // Whether an answer to the last change is still to come.
  get pending() {
    return this.#timer !== null || this.#again || this.#shown < this.#newest;
  }

  changed() {
    this.#changed = performance.now();
    const wait = Math.max(PAUSE, this.#requested + INTERVAL - this.#changed);
    this.#timer ??= setTimeout(() => this.#ask(), wait);
  }

  // The stroke has ended: what has changed is asked for now.
  finished() {
    if (this.#timer !== null) this.#ask();
  }

  async #ask() {
    clearTimeout(this.#timer);
    this.#timer = null;
    this.#again = this.#onTheirWay === AT_ONCE;
    if (this.#again) return;
    const [number, changed] = [++this.#newest, this.#changed];
    this.#requested = performance.now();
    this.#onTheirWay++;
    const answer = await this.#read().finally(() => this.#onTheirWay--);
    if (this.#again) this.#ask();
    if (number < this.#shown) return;
    this.#shown = number;
    this.#show(answer, performance.now() - changed);
  }
}
