// How loud each side was, for a waveform: the peak of every 20 ms on the media clock, so that both sides lie under
// each other. Filled as frames come, so there is a picture where there is no sound too.

import { SAMPLES } from './mulaw.js';

/** A slot, ms. */
const SLOT_MS = 20;

/** Slots kept, a power of 2: 164 s. */
const KEPT = 8192;

export class Peaks {
  #peaks = [0, 1].map(() => new Float32Array(KEPT));
  /** The newest slot; -1 before the first. */
  #newest = -1;
  /** The stream's first timestamp, and its slot; null before it. */
  #first = null;
  #zero = 0;

  /** Another stream: its timestamps count anew, behind what is there. */
  stream() {
    this.#first = null;
  }

  clear() {
    for (const peaks of this.#peaks) peaks.fill(0);
    this.#newest = -1;
    this.#first = null;
  }

  add({ track, timestampMs, mulaw }) {
    let slot = this.#slot(timestampMs);
    // So far back is another clock.
    if (slot <= this.#newest - KEPT) {
      this.stream();
      slot = this.#slot(timestampMs);
    }
    if (slot > this.#newest + KEPT) this.#newest = slot - KEPT;
    for (let n = this.#newest + 1; n <= slot; n += 1) {
      for (const peaks of this.#peaks) peaks[n & (KEPT - 1)] = 0;
    }
    this.#newest = Math.max(this.#newest, slot);
    let peak = 0;
    for (let n = 0; n < mulaw.length; n += 1) peak = Math.max(peak, Math.abs(SAMPLES[mulaw[n]]));
    const peaks = this.#peaks[track];
    peaks[slot & (KEPT - 1)] = Math.max(peaks[slot & (KEPT - 1)], peak);
  }

  #slot(timestampMs) {
    if (this.#first === null) {
      this.#zero = this.#newest + 1;
      this.#first = timestampMs;
    }
    // A difference of 32 bits: the clock may wrap.
    return this.#zero + Math.round(((timestampMs - this.#first) | 0) / SLOT_MS);
  }

  /**
   * The last `n` columns of a track, each the peak (0 to 1) of `slots` times 20 ms, the newest last; columns lie at
   * multiples of their width, so that a picture moves and does not flicker. Fills `into` where one is given.
   */
  columns(track, n, slots = 1, into = new Float32Array(n)) {
    const peaks = this.#peaks[track];
    const last = Math.floor(this.#newest / slots);
    for (let column = 0; column < n; column += 1) {
      const from = (last - n + 1 + column) * slots;
      let peak = 0;
      for (let slot = Math.max(from, this.#newest - KEPT + 1, 0); slot < from + slots && slot <= this.#newest; slot += 1) {
        peak = Math.max(peak, peaks[slot & (KEPT - 1)]);
      }
      into[column] = peak;
    }
    return into;
  }
}
