// How far we are in a call's journals. A journal can come back (two relays taking turns behind one address), so
// the last few are remembered. A line or event of a journal is given once and in order.

/** Journals remembered for a call: more relays than stand behind one address. */
const REMEMBERED = 4;

export class Journals {
  /** The current one last. */
  #seen = [];

  /** What `subscribe` says; undefined before the first `subscribed`. */
  after() {
    const current = this.#seen.at(-1);
    return current && { ...current };
  }

  /** A `subscribed` names the journal; whether it is another one than before. */
  enter(journal) {
    const at = this.#seen.findIndex((seen) => seen.journal === journal);
    if (at >= 0 && at === this.#seen.length - 1) return false;
    const first = this.#seen.length === 0;
    const entry = at >= 0 ? this.#seen.splice(at, 1)[0] : { journal, transcript: 0, event: 0 };
    this.#seen.push(entry);
    if (this.#seen.length > REMEMBERED) this.#seen.shift();
    return !first;
  }

  /** Whether line `seq` of the current journal is new; it counts as seen then. */
  takeLine(seq) {
    return this.#advance('transcript', seq);
  }

  /** The same of an event. */
  takeEvent(seq) {
    return this.#advance('event', seq);
  }

  #advance(what, seq) {
    const current = this.#seen.at(-1);
    if (!current || !(seq > current[what])) return false;
    current[what] = seq;
    return true;
  }
}
