// How unevenly frames come: each one's delay against the least delayed of the last seconds, ms. Only differences
// count, so neither clock has to be right. Allocates when it is made, and never again.

/** How many arrivals are looked at: 8 s of both tracks. */
const WINDOW = 800;

/** Arrivals between two looks at all of them: 100 ms of both tracks. */
const EVERY = 10;

/** So many arrivals after a start say little yet: half a second of both tracks. */
const WARM = 50;

/**
 * A frame by so much faster than all before it, while the window is still warming up, shows that those came out
 * of a backlog, ms: they are forgotten.
 */
const BACKLOG_MS = 5;

/** The share of frames that are to be in time by their own delay; a margin is for the rest. */
const IN_TIME = 0.995;

/**
 * In this time what was needed once is forgotten to a third, ms: delay is given back far more slowly than taken, or
 * every second burst would be heard.
 */
const FALL_MS = 30_000;

/** What is assumed of a connection that nothing is known of, ms. */
export const ASSUMED_MS = 20;

export class Spread {
  #seen = new Float64Array(WINDOW);
  #sorted = new Float64Array(WINDOW);
  #count = 0;
  #at = 0;
  #sinceLook = 0;
  #lookedMs = 0;
  #edge = 0;
  /** `edge - base`, kept over a break. */
  #allowed = ASSUMED_MS;

  /** The least delay of the window; NaN before the first frame. */
  base = NaN;

  /** How much later than the least delayed a frame may come, ms. */
  get allowance() {
    return Number.isNaN(this.base) ? this.#allowed : Math.max(this.#edge - this.base, 0);
  }

  /** The media clock or the way changed: delays from now on have nothing to do with those before. */
  clear() {
    this.#allowed = this.allowance;
    this.base = NaN;
    this.#restart();
  }

  #restart() {
    this.#count = 0;
    this.#at = 0;
    this.#sinceLook = 0;
  }

  onArrival(nowMs, delay) {
    if (Number.isNaN(this.base)) {
      this.base = delay;
      this.#edge = delay + this.#allowed;
      this.#lookedMs = nowMs;
      this.#push(delay);
      return;
    }
    const warming = this.#count < WARM;
    if (warming && delay < this.base - BACKLOG_MS) this.#restart();
    if (delay < this.base) {
      this.base = delay;
      if (warming) this.#edge = delay + this.#allowed;
    }
    this.#push(delay);
    this.#sinceLook += 1;
    if (this.#sinceLook >= EVERY && this.#count >= WARM) {
      this.#sinceLook = 0;
      this.#look(nowMs);
    }
  }

  /** A frame was waited for in vain, and came with this delay. */
  onLate(delay) {
    this.#edge = Math.max(this.#edge, delay);
  }

  #push(delay) {
    this.#seen[this.#at] = delay;
    this.#at = (this.#at + 1) % WINDOW;
    this.#count = Math.min(this.#count + 1, WINDOW);
  }

  #look(nowMs) {
    const sorted = this.#sorted;
    for (let n = 0; n < WINDOW; n += 1) sorted[n] = n < this.#count ? this.#seen[n] : Infinity;
    sorted.sort();
    const needed = sorted[Math.min(Math.floor(this.#count * IN_TIME), this.#count - 1)];
    const past = Math.min(Math.max(nowMs - this.#lookedMs, 0), FALL_MS);
    this.#lookedMs = nowMs;
    this.base = sorted[0];
    if (needed >= this.#edge) this.#edge = needed;
    else this.#edge -= ((this.#edge - needed) * past) / FALL_MS;
  }
}
