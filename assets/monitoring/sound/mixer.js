// Two tracks to left and right: how loud, on which side, and never over full scale. Gains ramp, so that no key clicks;
// where nothing changes and nothing is too loud, samples pass as they are.

/** A gain takes so long to change, seconds. */
const RAMP_S = 0.01;

/** A track on both ears keeps its power of one ear alone, and two that speak at once stay within full scale. */
const MIDDLE = Math.SQRT1_2;

/** Up to here nothing is limited: above the loudest that mu-law can say (32,124 of 32,768). */
const CEILING = 0.985;

/** In this time two thirds of what the limiter took are given back, seconds. */
const RELEASE_S = 0.1;

/** So near to nothing taken the limiter lets go. */
const NOTHING = 1e-4;

/** By track and ear: inbound left, inbound right, outbound left, outbound right. */
const GAINS = 4;

export class Mixer {
  #now = new Float64Array(GAINS);
  #step = new Float64Array(GAINS);
  #end = new Float64Array(GAINS);
  #ramp;
  #release;
  #limit = 1;

  /** For a card of `rate`; silent until it is told. */
  constructor(rate) {
    this.#ramp = RAMP_S * rate;
    this.#release = 1 / (RELEASE_S * rate);
  }

  /** How loud each track is, 0 to 1, and where it is heard: -1 left, 0 on both sides, 1 right. */
  set(gains, sides) {
    for (let track = 0; track < 2; track += 1) {
      const side = sides[track];
      this.#aim(2 * track, gains[track] * (side === 0 ? MIDDLE : Number(side < 0)));
      this.#aim(2 * track + 1, gains[track] * (side === 0 ? MIDDLE : Number(side > 0)));
    }
  }

  #aim(which, end) {
    if (this.#end[which] === end) return;
    this.#end[which] = end;
    this.#step[which] = (end - this.#now[which]) / this.#ramp;
  }

  #gain(which) {
    if (this.#now[which] !== this.#end[which]) {
      this.#now[which] += this.#step[which];
      if ((this.#end[which] - this.#now[which]) * this.#step[which] <= 0) this.#now[which] = this.#end[which];
    }
    return this.#now[which];
  }

  /** Mixes in place: in are the inbound and the outbound track, out are the left and the right ear. */
  mix(first, second) {
    for (let n = 0; n < first.length; n += 1) {
      const inbound = first[n];
      const outbound = second[n];
      const left = inbound * this.#gain(0) + outbound * this.#gain(2);
      const right = inbound * this.#gain(1) + outbound * this.#gain(3);
      const peak = Math.max(Math.abs(left), Math.abs(right));
      this.#limit += (1 - this.#limit) * this.#release;
      if (this.#limit > 1 - NOTHING) this.#limit = 1;
      if (peak * this.#limit > CEILING) this.#limit = CEILING / peak;
      first[n] = left * this.#limit;
      second[n] = right * this.#limit;
    }
  }
}
