// Asks for a reading after each change: one request at a time, never an answer older than the drawing's last.

const PAUSE = 16; // milliseconds without change before a request: one frame

export class Live {
  #read;
  #show;
  #timer = 0;
  #busy = false;
  #again = false;

  // read() -> promise of an answer; show(answer, milliseconds since the last change).
  constructor(read, show) {
    this.#read = read;
    this.#show = show;
  }

  // Whether the drawing has changed since what was shown last was asked for.
  get pending() {
    return this.#again;
  }

  changed() {
    this.#again = true;
    this.since = performance.now();
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#run(), PAUSE);
  }

  async #run() {
    if (this.#busy) return;
    this.#busy = true;
    try {
      while (this.#again) {
        this.#again = false;
        const since = this.since;
        const answer = await this.#read();
        this.#show(answer, performance.now() - since);
      }
    } finally {
      this.#busy = false;
    }
  }
}
