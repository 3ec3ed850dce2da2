// One track's frames into samples without a seam: a lost frame is the last waveform again, fading; every join is made
// without a step. A frame that follows the one before is passed through untouched. Allocates when it is made, and
// never again.

import { CONCEAL, PLAY } from './jitter.js';
import { FRAME } from './lane.js';
import { SAMPLES } from './mulaw.js';

/** How many samples are remembered: 40 ms. */
const PAST = 2 * FRAME;

/** The shortest and the longest period of a voice that is looked for, samples: 400 Hz and 50 Hz. */
const SHORTEST = 20;
const LONGEST = FRAME;

/** Samples over which a seam is closed: 5 ms. */
export const SEAM = 40;

/** Samples after which a covered loss is silent: 60 ms. */
const FADE = 3 * FRAME;

/** What was played last. */
const REST = 0;
const WHOLE = 1;
const COVER = 2;

export class Concealer {
  #past = new Float32Array(PAST);
  #before = REST;
  /** How many samples in place of frames were given. */
  #covered = 0;
  /** The period that is repeated, its length, and where in it the next sample is. */
  #period = new Float32Array(LONGEST);
  #length = 1;
  #phase = 0;
  /** The step from the past to the period, and over how many samples it was spread so far. */
  #step = 0;
  #stepped = 0;

  /** Fills `out`, 20 ms, with a piece. `cut`: something was left out before it. */
  next(piece, audio, length, cut, out) {
    if (piece === PLAY) {
      this.#play(audio, length, cut, out);
    } else if (piece === CONCEAL) {
      this.#cover(out);
    } else {
      fadeOut(this.#last(), out, 0, FRAME);
      this.#before = REST;
    }
    this.#remember(out, FRAME);
  }

  /** Fills the first `count` samples of `out` where time stands still: what sounded dies away. */
  rest(count, out) {
    fadeOut(this.#last(), out, 0, count);
    this.#before = REST;
    this.#remember(out, count);
  }

  #play(audio, length, cut, out) {
    for (let n = 0; n < length; n += 1) out[n] = SAMPLES[audio[n]];
    if (this.#before === REST) {
      this.#bridge(out);
    } else if (this.#before === COVER) {
      this.#blend(this.#covered, out);
    } else if (cut) {
      this.#findPeriod();
      this.#blend(0, out);
    }
    this.#before = WHOLE;
    if (length < FRAME) {
      fadeOut(length > 0 ? out[length - 1] : this.#last(), out, length, FRAME);
      this.#before = REST;
    }
  }

  /** Begins with what would have been covered up, and ends with the frame. */
  #blend(covered, out) {
    for (let n = 0; n < SEAM; n += 1) {
      const share = (n + 1) / (SEAM + 1);
      out[n] = this.#repeat() * gain(covered + n) * (1 - share) + out[n] * share;
    }
  }

  #cover(out) {
    if (this.#before === REST) {
      fadeOut(this.#last(), out, 0, FRAME);
      return;
    }
    if (this.#before === WHOLE) {
      this.#findPeriod();
      this.#covered = 0;
    }
    for (let n = 0; n < FRAME; n += 1) out[n] = this.#repeat() * gain(this.#covered + n);
    this.#before = COVER;
    this.#covered = Math.min(this.#covered + FRAME, FADE);
  }

  /** Bends the start so that it follows what was played without a step. */
  #bridge(out) {
    const step = this.#last() - out[0];
    for (let n = 0; n < SEAM; n += 1) out[n] += step * (1 - (n + 1) / SEAM);
  }

  #last() {
    return this.#past[PAST - 1];
  }

  #remember(out, count) {
    this.#past.copyWithin(0, count);
    for (let n = 0; n < count; n += 1) this.#past[PAST - count + n] = out[n];
  }

  #repeat() {
    this.#stepped = Math.min(this.#stepped + 1, SEAM);
    const sample = this.#period[this.#phase] + this.#step * (1 - this.#stepped / SEAM);
    this.#phase = this.#phase + 1 < this.#length ? this.#phase + 1 : 0;
    return sample;
  }

  /** Finds the period after which the past is most like itself, and makes its last one join itself. */
  #findPeriod() {
    let best = -Infinity;
    let length = FRAME;
    for (let tried = SHORTEST; tried <= LONGEST; tried += 1) {
      const likeness = this.#likeness(tried);
      // A multiple of a period is as like; the shortest is meant.
      if (likeness > best + 0.01) {
        best = likeness;
        length = tried;
      }
    }
    const start = PAST - length;
    for (let n = 0; n < length; n += 1) this.#period[n] = this.#past[start + n];
    // What came before the period leads into it; its own end is led there over a quarter of it.
    const seam = Math.min(Math.max(Math.floor(length / 4), 1), SEAM);
    for (let n = 0; n < seam; n += 1) {
      const share = (n + 1) / seam;
      const at = length - seam + n;
      this.#period[at] = this.#period[at] * (1 - share) + this.#past[start - seam + n] * share;
    }
    // The first time around starts where the past ended, not where the period's own predecessor did.
    this.#step = this.#last() - this.#past[start - 1];
    this.#stepped = 0;
    this.#length = length;
    this.#phase = 0;
  }

  /** How like the last 20 ms are to those `length` samples before, at most 1. */
  #likeness(length) {
    const past = this.#past;
    let product = 0;
    let late = 1e-9;
    let early = 1e-9;
    for (let n = PAST - FRAME; n < PAST; n += 1) {
      product += past[n] * past[n - length];
      late += past[n] * past[n];
      early += past[n - length] * past[n - length];
    }
    return product / Math.sqrt(late * early);
  }
}

/** How loud a cover is after so many samples. */
function gain(covered) {
  return 1 - Math.min(covered, FADE) / FADE;
}

/** From a sample down to silence, in `out[from..to]`. */
function fadeOut(sample, out, from, to) {
  for (let n = from; n < to; n += 1) out[n] = sample * (1 - Math.min(n - from + 1, SEAM) / SEAM);
}
