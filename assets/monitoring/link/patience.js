// How long a socket is waited for: when to ping, and when nobody is there any more. No socket and no clock in here:
// time is an argument, ms.

/**
 * How often we ping, ms: a proxy that cuts idle sockets does so after 60 s, and a lost network is noticed while
 * the relay's memory of audio still helps.
 */
export const PING_MS = 15_000;

/** Without any message for this long, ms, the relay is gone. */
export const DEAD_MS = 40_000;

/** How long a socket may take to open and to greet, ms. */
export const GREETING_MS = 10_000;

/**
 * A look at the clock that comes later than this, ms, says that we were stopped (a debugger, a machine asleep, a
 * tab in the background): what came meanwhile is still to be read, so that look is no judge of the silence. The
 * next one is.
 */
const STOPPED_MS = 3_000;

/** What a look says. */
export const WELL = 0;
export const PING = 1;
export const UNGREETED = 2;
export const DEAD = 3;

export class Patience {
  #heardAt;
  #openedAt;
  #lookedAt;
  #pingAt;
  #pinged = null;
  #pings = 0;
  /** The last message before which a late look was forgiven. */
  #forgiven = null;

  constructor(now) {
    this.#heardAt = this.#openedAt = this.#lookedAt = now;
    this.#pingAt = now + PING_MS;
  }

  /** Something came. */
  onMessage(now) {
    this.#heardAt = now;
  }

  look(now, greeted) {
    const stopped = now - this.#lookedAt > STOPPED_MS;
    this.#lookedAt = now;
    if (stopped && this.#forgiven !== this.#heardAt) this.#forgiven = this.#heardAt;
    else if (now - this.#heardAt >= DEAD_MS) return DEAD;
    else if (!greeted && now - this.#openedAt >= GREETING_MS) return UNGREETED;
    return greeted && now >= this.#pingAt ? PING : WELL;
  }

  /** A ping leaves: its id. */
  ping(now) {
    this.#pings += 1;
    this.#pingAt = now + PING_MS;
    this.#pinged = { id: this.#pings, at: now };
    return this.#pings;
  }

  /** A pong came: how long it took, ms; null for one that nobody waits for. */
  onPong(now, id) {
    if (this.#pinged === null || this.#pinged.id !== id) return null;
    const took = now - this.#pinged.at;
    this.#pinged = null;
    return took;
  }
}
