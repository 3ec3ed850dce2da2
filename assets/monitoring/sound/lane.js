// One track's frames by their place on the media clock, in slots of 20 ms, in memory that is taken once.
//
// A track starts at its first frame's timestamp; later chunks join by their number, whatever their timestamps,
// until those differ by more than REANCHOR: then the timestamp is believed again.

/** Bytes of a full frame. */
export const FRAME = 160;

/** Frames kept of a track, a power of 2: 20 s, twice what a relay replays by default. */
export const ROOM = 1024;

/**
 * Chunks that joined may be so far from where their timestamps say, in slots: 200 ms, as two tracks may stray from
 * each other before it is heard in a conversation.
 */
const REANCHOR = 10;

/** A short frame is continued by one whose timestamp is at most so much later, ms: two frames. */
const JOIN_MS = 40;

/** Chunks may be said to be missing so far ahead, in slots: 5 min. More is another count. */
const MAX_MISSED = 15_000;

/** What a track has at a place: a frame; lost for certain; nothing was said there; it may still come. */
export const HERE = 0;
export const LOST = 1;
export const NOTHING = 2;
export const OPEN = 3;

/** What became of a frame that could follow a short one: it is its own; it is part of that; some of it still is one. */
export const APART = 0;
export const JOINED = 1;
export const JOINED_IN_PART = 2;

export class Lane {
  /** By `place & (ROOM - 1)`: whose place it is, NaN for none. */
  #places = new Float64Array(ROOM).fill(NaN);
  #audio = new Uint8Array(ROOM * FRAME);
  #lengths = new Uint8Array(ROOM);
  #stamps = new Uint32Array(ROOM);
  /** What lies before it was not sent, rather than lost. */
  #afterPause = new Uint8Array(ROOM);
  /** A view of each slot's room, so that reading one makes nothing. */
  #views = Array.from({ length: ROOM }, (_, n) => this.#audio.subarray(n * FRAME, (n + 1) * FRAME));
  /** The first and the last place that waits; Infinity and -Infinity for none. */
  front = Infinity;
  back = -Infinity;
  count = 0;
  /** The newest frame that was placed; NaN before the first. */
  #newestPlace = NaN;
  #newestChunk = 0;
  /** Up to here it is known what will not come. */
  #missedTo = -Infinity;
  /** When the last frame came, ms; -Infinity before the first. */
  heardMs = -Infinity;
  /** Some of it was played. */
  begun = false;
  /** Slots covered up in a row. */
  covered = 0;

  /** Numbers count anew; what waits goes on waiting. */
  renumber() {
    this.#newestPlace = NaN;
    this.#missedTo = -Infinity;
  }

  /** Where a chunk belongs whose timestamp says `stamped`; `afterPause` is set by it. */
  place(chunk, stamped) {
    this.afterPause = true;
    if (Number.isNaN(this.#newestPlace)) return stamped;
    const step = (chunk - this.#newestChunk) | 0;
    const joined = this.#newestPlace + step;
    if (Math.abs(joined - stamped) <= REANCHOR) {
      this.afterPause = false;
      return joined;
    }
    if (step > 0) return Math.max(stamped, this.#newestPlace + 1);
    this.afterPause = false;
    return stamped;
  }

  /** Whether what lies before the chunk that was asked about last is a pause. */
  afterPause = true;

  /** Puts a frame at its place; false where there is one already. Who calls has seen to it that there is room. */
  put(place, chunk, stamp, mulaw) {
    if (!(place <= this.#newestPlace)) {
      this.#newestPlace = place;
      this.#newestChunk = chunk;
    }
    const at = place & (ROOM - 1);
    if (this.#places[at] === place) return false;
    this.#places[at] = place;
    this.#stamps[at] = stamp;
    this.#lengths[at] = Math.min(mulaw.length, FRAME);
    this.#afterPause[at] = this.afterPause ? 1 : 0;
    const room = this.#views[at];
    for (let n = 0; n < this.#lengths[at]; n += 1) room[n] = mulaw[n];
    this.count += 1;
    this.front = Math.min(this.front, place);
    this.back = Math.max(this.back, place);
    return true;
  }

  /**
   * Joins a frame to the newest one where that is short and still waits: a source that sends pieces of odd length
   * means them to be played without a hole. What did not fit is a frame of the next place.
   */
  join(chunk, stamp, mulaw) {
    const place = this.#newestPlace;
    const at = place & (ROOM - 1);
    if (Number.isNaN(place) || this.#places[at] !== place || chunk !== ((this.#newestChunk + 1) >>> 0)) return APART;
    const length = this.#lengths[at];
    if (length >= FRAME || ((stamp - this.#stamps[at]) >>> 0) > JOIN_MS) return APART;
    const fitsNot = place + 1 - this.front >= ROOM || this.has(place + 1);
    if (length + mulaw.length > FRAME && fitsNot) return APART;
    const room = this.#views[at];
    const fits = Math.min(FRAME - length, mulaw.length);
    for (let n = 0; n < fits; n += 1) room[length + n] = mulaw[n];
    this.#lengths[at] = length + fits;
    this.#newestChunk = chunk;
    if (fits === mulaw.length) return JOINED;
    this.afterPause = false;
    this.put(place + 1, chunk, (this.#stamps[at] + 20) >>> 0, mulaw.subarray(fits));
    return JOINED_IN_PART;
  }

  /** Chunks up to `to` will not come. */
  onMissed(to) {
    const step = (to - this.#newestChunk) | 0;
    if (Number.isNaN(this.#newestPlace) || step < 1 || step > MAX_MISSED) return;
    this.#missedTo = Math.max(this.#missedTo, this.#newestPlace + step);
  }

  /** What is at `place`, before which nothing waits. `live`: more is expected of this track. */
  view(place, live) {
    if (this.count > 0) {
      if (this.front <= place) return HERE;
      return this.#afterPause[this.front & (ROOM - 1)] === 1 || !this.begun ? NOTHING : LOST;
    }
    if (this.begun && this.#missedTo >= place) return LOST;
    return live ? OPEN : NOTHING;
  }

  /** Whether a frame waits at `place`. */
  has(place) {
    return this.#places[place & (ROOM - 1)] === place;
  }

  /** The audio at `place`, where one is: a view that stays true until its room is taken again. */
  audio(place) {
    return this.#views[place & (ROOM - 1)];
  }

  /** How many bytes of it count. */
  length(place) {
    return this.#lengths[place & (ROOM - 1)];
  }

  /** Lets go of the frame at `place`, where there is one; its audio can still be read. */
  take(place) {
    if (!this.has(place)) return false;
    this.#places[place & (ROOM - 1)] = NaN;
    this.count -= 1;
    if (this.count === 0) {
      this.front = Infinity;
      this.back = -Infinity;
    } else if (place === this.front) {
      do this.front += 1;
      while (!this.has(this.front));
    }
    return true;
  }

  /** Lets go of all before `place`; how many there were. */
  dropBefore(place) {
    let dropped = 0;
    while (this.front < place) {
      this.take(this.front);
      dropped += 1;
    }
    return dropped;
  }
}
