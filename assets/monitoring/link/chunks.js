// One stream's chunks: which frame is new, and what is missing before it. Everything between a track's first
// chunk and its last is accounted for exactly once. A missing range is `{from, to, reason}`; the reason is the
// relay's, or `away` (we were cut off), or `untold`.

/** Announced gaps kept until a frame shows where they lie; a relay announces one at a time. */
const MAX_GAPS = 64;

export class Stream {
  #tracks;
  /** Our clock at media time 0, ms, by the relay's word or the quickest live frame, whichever is earlier. */
  #zero = null;

  /**
   * `whole`: the subscription stood before the stream did, so its chunks count from 1; else we join late, and
   * what was before is not missing. `away`: it began, or may have, while no socket stood.
   */
  constructor(id, whole, away) {
    this.id = id;
    this.#tracks = [0, 1].map(() => ({ last: whole ? 0 : null, gaps: [], away }));
  }

  /** We join late, or again: what was before the next frame is not missing. */
  join() {
    for (const chunks of this.#tracks) Object.assign(chunks, { last: null, gaps: [], away: false });
  }

  /** A frame came: what is missing before it; null when it was given before. */
  onChunk(track, chunk) {
    const chunks = this.#tracks[track];
    if (chunks.last !== null && chunk <= chunks.last) return null;
    const missing = chunks.last === null ? [] : explain(chunks, chunk);
    chunks.gaps = chunks.gaps.filter((gap) => gap.to > chunk);
    chunks.last = chunk;
    chunks.away = false;
    return missing;
  }

  /**
   * A gap was announced: what is certainly missing by now, or null. One that begins further on waits for the
   * frame behind it, since the frames before it may still come.
   */
  onGap(track, from, to, reason) {
    const chunks = this.#tracks[track];
    if (chunks.last === null) return null;
    const next = chunks.last + 1;
    const gap = { from: Math.max(from, next), to, reason };
    if (gap.to < gap.from) return null;
    if (gap.from === next && chunks.gaps.length === 0) {
      chunks.last = to;
      return gap;
    }
    if (chunks.gaps.length >= MAX_GAPS) chunks.gaps.shift();
    chunks.gaps.push(gap);
    return null;
  }

  /** Nothing more comes of this stream: what was announced and never reached, with its track. */
  flush() {
    const all = [];
    for (const [track, chunks] of this.#tracks.entries()) {
      const end = chunks.gaps.reduce((most, gap) => Math.max(most, gap.to), 0);
      if (chunks.last !== null && end > chunks.last) {
        all.push(...explain(chunks, end + 1).map((range) => ({ track, ...range })));
        chunks.last = end;
      }
      chunks.gaps = [];
    }
    return all;
  }

  /** The socket is lost: what jumps next was missed while away. */
  onClosed() {
    for (const chunks of this.#tracks) chunks.away = true;
  }

  /** Media time 0 was at `zero` by our clock, or earlier. */
  began(zero) {
    if (this.#zero === null || zero < this.#zero) this.#zero = zero;
  }

  /**
   * When a frame that comes `now` was live: one that waited in buffers, or comes out of the relay's memory, is
   * older than its arrival. Null where nothing says so.
   */
  liveAt(now, frame) {
    if (!frame.replayed) this.began(now - frame.timestampMs);
    return this.#zero === null ? null : Math.min(Math.max(this.#zero + frame.timestampMs, 0), now);
  }
}

/** The chunks between the last and `next`, cut into ranges by what was announced of them. */
function explain(chunks, next) {
  const otherwise = chunks.away ? 'away' : 'untold';
  const ranges = [];
  let at = chunks.last + 1;
  for (const gap of [...chunks.gaps].sort((a, b) => a.from - b.from)) {
    const from = Math.max(gap.from, at);
    const to = Math.min(gap.to, next - 1);
    if (from > to) continue;
    if (from > at) ranges.push({ from: at, to: from - 1, reason: otherwise });
    ranges.push({ from, to, reason: gap.reason });
    at = to + 1;
  }
  if (at < next) ranges.push({ from: at, to: next - 1, reason: otherwise });
  return ranges;
}
