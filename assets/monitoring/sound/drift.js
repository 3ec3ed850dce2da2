// How much faster or slower the card's clock runs than the network's: from how deep the sound is buffered to the
// resampler's ratio. No clock: it is stepped with every slot.

/** The step, seconds. */
const STEP_S = 0.02;

/** How much of a step's news is believed: an average over two seconds. */
const SMOOTH = 0.01;

/** Ratio for each second too deep. */
const SHARE = 0.02;

/** And for each second of that, every second: a real offset is learnt in some minutes, without swinging. */
const GATHER = 0.0001;

/** Cards are off by so much at most; quartz is ten times better. */
const MAX_GATHERED = 0.003;

/** The ratio leaves 1 by so much at most: a twelfth of a semitone, which nobody hears. */
export const MAX_NUDGE = 0.005;

/** So much too deep or too shallow, seconds, is no clock: pauses mend it. */
const FAR_S = 0.1;

export class Drift {
  #smooth = NaN;
  #gathered = 0;

  /** The ratio for the next slot. `excessS` is how much too deep the buffer is; NaN where that says nothing. */
  step(excessS) {
    if (Number.isNaN(excessS)) {
      this.#smooth = NaN;
      return 1 - this.#gathered;
    }
    const excess = Math.min(Math.max(excessS, -FAR_S), FAR_S);
    if (Number.isNaN(this.#smooth)) this.#smooth = 0;
    this.#smooth += (excess - this.#smooth) * SMOOTH;
    this.#gathered = limit(this.#gathered + this.#smooth * STEP_S * GATHER, MAX_GATHERED);
    return 1 - limit(this.#smooth * SHARE + this.#gathered, MAX_NUDGE);
  }

  /** By how much the card is slower than the network, as far as learnt, ppm. */
  get ppm() {
    return this.#gathered * 1e6;
  }
}

function limit(value, most) {
  return Math.min(Math.max(value, -most), most);
}
