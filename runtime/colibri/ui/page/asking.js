/** Search as one types: a call waits until the keys rest, and of several the last one's answer counts, whatever comes when. */

export const WAIT_MS = 120;

export class Asking {
  #ask;
  #waiting = 0;
  #running = null;

  /** ask(request, signal) gives a promise; `on` has start(), answer(answer, request), fail(error, request). */
  constructor(ask, on) {
    this.#ask = ask;
    this.on = on;
  }

  /** Whether an answer is still to come. */
  get busy() {
    return this.#waiting !== 0 || this.#running !== null;
  }

  /** When the keys have rested. */
  later(request) {
    this.stop();
    this.on.start();
    this.#waiting = setTimeout(() => this.#run(request), WAIT_MS);
  }

  /** At once. */
  now(request) {
    this.stop();
    this.on.start();
    return this.#run(request);
  }

  /** Neither a waiting call nor the answer of a running one counts any more. */
  stop() {
    clearTimeout(this.#waiting);
    this.#waiting = 0;
    this.#running?.abort();
    this.#running = null;
  }

  async #run(request) {
    this.#waiting = 0;
    const mine = new AbortController();
    this.#running = mine;
    try {
      const answer = await this.#ask(request, mine.signal);
      if (this.#running === mine) this.on.answer(answer, request);
    } catch (error) {
      if (this.#running === mine && error.name !== "AbortError") this.on.fail(error, request);
    } finally {
      if (this.#running === mine) this.#running = null;
    }
  }
}
