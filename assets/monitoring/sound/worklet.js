// The sound's own thread in the browser: hands what comes over its port to a Player, and 128 samples at a time to the
// card. It waits for nothing, and makes nothing while it renders; how it goes is told four times a second.

import { Player } from './player.js';

/** How often it is told how it goes, seconds. */
const TELL_S = 0.25;

class Processor extends AudioWorkletProcessor {
  #player = new Player(sampleRate);
  #alive = true;
  #toldAt = 0;
  /** Messages with a frame that were taken: who sends stops where these do not follow. */
  #taken = 0;
  /** The other ear, where the card has one only. */
  #spare = new Float32Array(128);

  constructor() {
    super();
    this.port.onmessage = ({ data }) => this.#take(data);
  }

  #take(message) {
    const player = this.#player;
    switch (message.kind) {
      case 'frame':
        this.#taken += 1;
        player.frame(
          currentTime * 1000,
          message.track,
          message.chunk,
          message.timestampMs,
          message.replayed,
          message.mulaw,
        );
        break;
      case 'missed':
        player.jitter.onMissed(message.track, message.to);
        break;
      case 'mix':
        player.mix(message.gains, message.sides);
        break;
      case 'stream':
        player.jitter.stream();
        break;
      case 'restart':
        player.jitter.restart();
        break;
      case 'forget':
        player.jitter.forget();
        break;
      case 'live':
        player.jitter.toLive();
        break;
      case 'end':
        this.#alive = false;
        break;
    }
  }

  process(_inputs, outputs) {
    const ears = outputs[0];
    const left = ears[0];
    if (left.length > this.#spare.length) this.#spare = new Float32Array(left.length);
    const right = ears.length > 1 ? ears[1] : this.#spare;
    this.#player.render(currentTime * 1000, left, right);
    if (currentTime - this.#toldAt >= TELL_S) {
      this.#toldAt = currentTime;
      this.#tell();
    }
    return this.#alive;
  }

  #tell() {
    const jitter = this.#player.jitter;
    this.port.postMessage({
      ...jitter.counts,
      taken: this.#taken,
      state: jitter.state,
      depthMs: jitter.depthMs,
      targetMs: jitter.targetMs,
      behindMs: jitter.behindMs,
      waiting: jitter.waiting,
      driftPpm: this.#player.driftPpm,
    });
  }
}

registerProcessor('partyline', Processor);
