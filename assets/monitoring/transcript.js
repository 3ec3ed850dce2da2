// What is shown of one call's lines, in order: finals, and each track's open partial. It is given what `Link`
// tells (each line of a journal once) and knows nothing of the page: `add` says what to put where.
//
// An entry is `{key, line, old}`: a number of its own, the relay's Line, and whether it is of an older journal.

/** Entries kept, the oldest go: the relay itself remembers 2,000 finals of a journal. */
export const MOST = 4_000;

export class Transcript {
  #entries = [];
  #partials = new Map();
  #journal = null;
  #keys = 0;

  /** All entries, the oldest first. */
  get entries() {
    return this.#entries;
  }

  /** A `subscribed` came; whether lines that are shown are of an older journal from now on. */
  onSubscribed(message) {
    if (this.#journal === message.journal) return false;
    const before = this.#journal !== null && this.#entries.length > 0;
    for (const entry of this.#entries) entry.old = true;
    this.#partials.clear();
    this.#journal = message.journal;
    return before;
  }

  /**
   * A line came. `{entry, replaced, dropped}`: where `replaced` is an entry, `entry` stands in its place (the
   * partial that it follows or closes), else it is the last; `dropped` are entries that are too many now.
   */
  add(line) {
    const entry = { key: ++this.#keys, line, old: false };
    const partial = this.#partials.get(line.track) ?? null;
    const at = partial === null ? -1 : this.#entries.lastIndexOf(partial);
    if (line.final) this.#partials.delete(line.track);
    else this.#partials.set(line.track, entry);
    if (at >= 0) this.#entries[at] = entry;
    else this.#entries.push(entry);
    const dropped = this.#entries.splice(0, Math.max(this.#entries.length - MOST, 0));
    return { entry, replaced: at >= 0 ? partial : null, dropped };
  }

  /** Another call, or the same from its beginning. */
  clear() {
    this.#entries = [];
    this.#partials.clear();
    this.#journal = null;
  }
}
