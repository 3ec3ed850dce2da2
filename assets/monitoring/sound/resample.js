// 8 kHz to the card's rate, both tracks in step, by a ratio that may be nudged: a windowed sinc, kept at PHASES points
// between two samples and interpolated between them. Allocates when it is made, and never again.

/** What comes in, samples a second. */
export const RATE = 8000;

/**
 * Length of the filter in samples of the input, even: a delay of 3 ms. With this window it is flat up to 3.4 kHz,
 * which is all that a telephone has.
 */
const TAPS = 48;

/** Points between two samples at which the filter is kept. */
const PHASES = 256;

/** Kaiser's beta: what lies above 4 kHz is 70 dB down. */
const BETA = 7;

/** Samples that can wait: three slots and the filter. */
const ROOM = 1024;

/** The delay, samples of the input. */
export const DELAY = TAPS / 2;

const FILTER = filter();

export class Resampler {
  #step;
  #ratio;
  /** What came in, of each track. */
  #input = [new Float32Array(ROOM), new Float32Array(ROOM)];
  /** How many of these are there; before the first are zeros, so that it begins in silence. */
  #filled = DELAY;
  /** Where the filter begins, whole and in part. */
  #at = 0;
  #part = 0;

  /** To `rate` samples a second. */
  constructor(rate) {
    this.#ratio = RATE / rate;
    this.#step = this.#ratio;
  }

  /** From now on, `relative` times the samples come out of the same input. */
  nudge(relative) {
    this.#step = this.#ratio / relative;
  }

  /** Samples that came in and have not come out, in part too. */
  get waiting() {
    return this.#filled - this.#at - this.#part - DELAY;
  }

  /**
   * Fills `first` and `second`. Where the input does not last, `feed(inputs, at)` is called: it writes samples of both
   * tracks from `at` on, a slot at most, and says how many.
   */
  process(first, second, feed) {
    const [a, b] = this.#input;
    for (let n = 0; n < first.length; n += 1) {
      while (this.#at + TAPS > this.#filled) {
        this.#makeRoom();
        this.#filled += feed(this.#input, this.#filled);
      }
      const phase = this.#part * PHASES;
      const whole = Math.floor(phase);
      const share = phase - whole;
      const left = whole * TAPS;
      const right = left + TAPS;
      let sumA = 0;
      let sumB = 0;
      for (let tap = 0; tap < TAPS; tap += 1) {
        const low = FILTER[left + tap];
        const weight = low + (FILTER[right + tap] - low) * share;
        sumA += a[this.#at + tap] * weight;
        sumB += b[this.#at + tap] * weight;
      }
      first[n] = sumA;
      second[n] = sumB;
      this.#part += this.#step;
      const steps = Math.floor(this.#part);
      this.#part -= steps;
      this.#at += steps;
    }
  }

  #makeRoom() {
    if (this.#at < ROOM / 2) return;
    for (const input of this.#input) input.copyWithin(0, this.#at, this.#filled);
    this.#filled -= this.#at;
    this.#at = 0;
  }
}

/** `PHASES + 1` filters, one after the other: the last is the first, moved by a sample. */
function filter() {
  const table = new Float32Array((PHASES + 1) * TAPS);
  for (let phase = 0; phase <= PHASES; phase += 1) {
    let sum = 0;
    for (let tap = 0; tap < TAPS; tap += 1) {
      const x = tap - (DELAY - 1) - phase / PHASES;
      const across = x / DELAY;
      const window = Math.abs(across) >= 1 ? 0 : bessel(BETA * Math.sqrt(1 - across * across)) / bessel(BETA);
      table[phase * TAPS + tap] = sinc(x) * window;
      sum += table[phase * TAPS + tap];
    }
    // A level stays what it is, whatever the phase.
    for (let tap = 0; tap < TAPS; tap += 1) table[phase * TAPS + tap] /= sum;
  }
  return table;
}

function sinc(x) {
  return x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x);
}

/** The modified Bessel function of order 0. */
function bessel(x) {
  let sum = 1;
  let term = 1;
  for (let n = 1; n < 50; n += 1) {
    term *= (x / (2 * n)) ** 2;
    sum += term;
  }
  return sum;
}
