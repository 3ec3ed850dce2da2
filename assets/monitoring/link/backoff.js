// How long to stay away from a relay: full jitter, so that the pages of a relay that was restarted do not all
// come back in one moment. Knows no clock: the dice, drawn evenly from 0 to 1, are handed in.

/** The first limit, ms; the second attempt waits up to twice as long, and so on. */
export const FLOOR_MS = 500;

/** The last limit, ms: long enough to spare a relay that is down, short enough to be waited for. */
export const CEILING_MS = 30_000;

/** The longest wait that a relay can ask for, ms, so that a wrong `Retry-After` does not end us. */
const LONGEST_ASKED_MS = 300_000;

export class Backoff {
  #attempts = 0;

  /** The next wait, ms. */
  next(dice) {
    const limit = Math.min(FLOOR_MS * 2 ** Math.min(this.#attempts, 20), CEILING_MS);
    this.#attempts += 1;
    return limit * unit(dice);
  }

  /** The wait where the relay has said one, ms, and up to the floor more, since it said so to others too. */
  asked(byRelayMs, dice) {
    return Math.min(Math.max(byRelayMs, 0), LONGEST_ASKED_MS) + FLOOR_MS * unit(dice);
  }

  /** Something was achieved: the next wait is a first one. */
  reset() {
    this.#attempts = 0;
  }
}

function unit(dice) {
  return Math.min(Math.max(dice, 0), 1);
}
