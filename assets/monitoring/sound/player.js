// All that happens between a frame's arrival and the card, without a card: jitter buffer, decoding, covering up,
// resampling, mixing. The worklet runs it, and tests do. Time is an argument, ms. Rendering allocates nothing.

import { Concealer } from './conceal.js';
import { Drift } from './drift.js';
import { Jitter, newSlot } from './jitter.js';
import { FRAME } from './lane.js';
import { Mixer } from './mixer.js';
import { RATE, Resampler } from './resample.js';

/** Where time stands still it does so for so many samples, 5 ms: a frame that comes is not kept waiting for longer. */
const REST = 40;

const MS = 1000 / RATE;

export class Player {
  #jitter = new Jitter();
  #slot = newSlot();
  #concealers = [new Concealer(), new Concealer()];
  #samples = new Float32Array(FRAME);
  #resampler;
  #drift = new Drift();
  #mixer;
  #gains = [1, 1];
  #sides = [0, 0];
  #nowMs = 0;
  /** Made once: the resampler calls it from within a quantum. */
  #feed = (inputs, at) => this.#next(inputs, at);

  /** For a card of `rate` samples a second. */
  constructor(rate) {
    this.#resampler = new Resampler(rate);
    this.#mixer = new Mixer(rate);
    this.#mixer.set(this.#gains, this.#sides);
  }

  /** The jitter buffer: for what it counts. */
  get jitter() {
    return this.#jitter;
  }

  /** By how much the card is slower than the network, as far as learnt, ppm. */
  get driftPpm() {
    return this.#drift.ppm;
  }

  frame(nowMs, track, chunk, timestampMs, replayed, mulaw) {
    this.#jitter.onFrame(nowMs, track, chunk, timestampMs, replayed, mulaw);
  }

  /** How loud each track is, and on which side (-1, 0, 1). */
  mix(gains, sides) {
    this.#gains = gains;
    this.#sides = sides;
    this.#mixer.set(gains, sides);
  }

  /** Fills both ears with what is to be heard from `nowMs` on. */
  render(nowMs, left, right) {
    this.#nowMs = nowMs;
    this.#resampler.process(left, right, this.#feed);
    this.#mixer.mix(left, right);
  }

  #next(inputs, at) {
    const slot = this.#slot;
    const due = this.#jitter.pull(this.#nowMs, this.#resampler.waiting * MS, slot);
    this.#resampler.nudge(this.#drift.step(due ? this.#jitter.excess() / 1000 : NaN));
    const count = due ? FRAME : REST;
    const samples = this.#samples;
    for (let track = 0; track < 2; track += 1) {
      const concealer = this.#concealers[track];
      if (due) concealer.next(slot.pieces[track], slot.audio[track], slot.lengths[track], slot.cut, samples);
      else concealer.rest(count, samples);
      const input = inputs[track];
      for (let n = 0; n < count; n += 1) input[at + n] = samples[n];
    }
    return count;
  }
}
