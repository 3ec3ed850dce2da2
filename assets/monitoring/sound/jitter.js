// The jitter buffer of one call, both tracks on one media clock. Frames go in as they come, slots of 20 ms come out
// as the card needs them. No clock in here: time is an argument, in ms since any start. It allocates when it is
// made and never again. The policy is that of the terminal's (tui/src/audio/jitter), but for what a browser is: it
// never holds sound back. What a stall, a pause or a cut kept away is left out, and it goes on at the live edge.
//
// A frame's place is where its timestamp puts it against the first frame of the call, to the nearest 20 ms; see
// lane.js. The depth is the delay of the least delayed frame, from its arrival until it leaves for the card. The
// target is what arrivals vary by, a margin, and what lies behind this buffer. Frames out of the relay's memory that
// come before anything live are a backlog: played behind live, and caught up with in pauses.

import { SAMPLES } from './mulaw.js';
import { APART, FRAME, HERE, JOINED, LOST, Lane, NOTHING, OPEN, ROOM } from './lane.js';
import {
  BURST_MS,
  CHANGE_EVERY,
  GATHER_MS,
  GROW_MS,
  IDLE_MS,
  LIVE_MS,
  LONG_HOLE,
  MARGIN_MS,
  MAX_BACK,
  MAX_EARLY_MS,
  MAX_HOLE,
  MAX_LEAP,
  MAX_TARGET_MS,
  MIN_TARGET_MS,
  NEARLY_MS,
  QUIET,
  SHED_MS,
  SKEW,
  SLOT_MS,
  START_MS,
  WAIT_SLOTS,
} from './policy.js';
import { Spread } from './spread.js';

/** What comes of a track in a slot. */
export const PLAY = 0;
export const CONCEAL = 1;
export const SILENCE = 2;

/** What it is at, between two pulls. */
export const WAITING = 0;
export const PLAYING = 1;
const REFILLING = 2;

/** A slot to be filled by `pull`: for each track a piece, its mu-law and how much of that counts. */
export function newSlot() {
  const none = new Uint8Array(FRAME);
  return { pieces: [SILENCE, SILENCE], audio: [none, none], lengths: [0, 0], cut: false };
}

export class Jitter {
  #lanes = [new Lane(), new Lane()];
  #spread = new Spread();
  #phase = WAITING;
  /** The place of the next slot, and one past the last that ever had a frame. */
  #next = 0;
  #end = 0;
  /** The newest timestamp as it came, and without its wrap; the place of ms 0. */
  #hasClock = false;
  #stamp = 0;
  #stampMs = 0;
  #zero = 0;
  #heardMs = -Infinity;
  /** When the first frame of a backlog came. */
  #gatheringMs = 0;
  /** A frame that was live came since the start. */
  #live = false;
  #behind = false;
  #wantsLive = false;
  /** The next slot does not follow the last one. */
  #cut = false;
  /** Slots covered up since the last one that was played. */
  #stalled = 0;
  /** Covered up while nothing came, ms: a loss if something still comes, the stream's stop if not. */
  #unsettledMs = 0;
  #wasQuiet = false;
  #sinceChange = 0;
  #downstreamMs = 0;
  #depthMs = 0;
  #views = [NOTHING, NOTHING];

  /** How it goes; ms, and frames. All that were received are played, dropped, late, doubles, joined, or waiting. */
  counts = { received: 0, played: 0, dropped: 0, late: 0, doubles: 0, joined: 0, concealedMs: 0, droppedMs: 0 };

  /** Another stream begins: numbers and timestamps count anew. What waits is played first. */
  stream() {
    this.#hasClock = false;
    this.#cut = true;
    this.#spread.clear();
    for (const lane of this.#lanes) lane.renumber();
  }

  /** All that waits is left out, and what comes is live: after a pause, or another call. */
  restart() {
    this.#dropBefore(Infinity);
    this.stream();
    for (const lane of this.#lanes) {
      lane.begun = false;
      lane.covered = 0;
      lane.heardMs = -Infinity;
    }
    this.#phase = WAITING;
    this.#next = Math.max(this.#next, this.#end);
    this.#heardMs = -Infinity;
    this.#live = this.#behind = this.#wantsLive = false;
    this.#stalled = 0;
    this.#unsettledMs = 0;
  }

  /** The same, and it counts anew. */
  forget() {
    this.restart();
    for (const what of Object.keys(this.counts)) this.counts[what] = 0;
  }

  /** Leaves out what lies between what is played and what is live. */
  toLive() {
    this.#wantsLive = true;
  }

  /** A frame came. */
  onFrame(nowMs, track, chunk, stamp, replayed, mulaw) {
    const counts = this.counts;
    counts.received += 1;
    // After a cut the relay plays what was missed; it was said a while ago.
    if (replayed && this.#live && !this.#behind) {
      this.#count(1);
      return;
    }
    if (nowMs - this.#heardMs > IDLE_MS) this.#spread.clear();
    this.#heardMs = nowMs;
    const lane = this.#lanes[track];
    lane.heardMs = nowMs;
    const joined = lane.join(chunk, stamp, mulaw);
    if (joined !== APART) {
      if (joined === JOINED) counts.joined += 1;
      this.#afterPut(lane);
      return;
    }
    let place = this.#find(lane, chunk, stamp);
    if (this.#isLeap(nowMs, place, replayed)) {
      this.stream();
      place = this.#find(lane, chunk, stamp);
    }
    this.#see(stamp);
    if (replayed) {
      this.#behind = true;
    } else {
      this.#live = true;
      const delay = nowMs - place * SLOT_MS;
      this.#spread.onArrival(nowMs, delay);
      if (this.#isPast(place) || (this.#stalled > 0 && place === this.#next)) this.#spread.onLate(delay);
    }
    if (this.#isPast(place)) {
      counts.late += 1;
      return;
    }
    const first = Math.min(this.#hasBegun() ? this.#next : Infinity, this.#front());
    // Only a page that did not take its frames for long gets here: what is too old goes.
    if (place - first >= ROOM) this.#leaveOutBefore(place - ROOM + 1);
    else if (this.#end - place >= ROOM) {
      counts.late += 1;
      return;
    }
    if (this.#isEmpty()) this.#gatheringMs = nowMs;
    if (lane.put(place, chunk, stamp, mulaw)) this.#afterPut(lane);
    else counts.doubles += 1;
  }

  /** Chunks up to `to` will not come. */
  onMissed(track, to) {
    this.#lanes[track].onMissed(to);
  }

  #hasBegun() {
    return this.#lanes[0].begun || this.#lanes[1].begun;
  }

  #isEmpty() {
    return this.#lanes[0].count === 0 && this.#lanes[1].count === 0;
  }

  #front() {
    return Math.min(this.#lanes[0].front, this.#lanes[1].front);
  }

  /** Before the first slot nothing is: earlier frames may still come. */
  #isPast(place) {
    return this.#hasBegun() && place < this.#next;
  }

  #ms(stamp) {
    return this.#stampMs + ((stamp - this.#stamp) | 0);
  }

  #find(lane, chunk, stamp) {
    if (!this.#hasClock) {
      this.#hasClock = true;
      this.#stamp = stamp;
      this.#stampMs = 0;
      this.#zero = Math.max(this.#end, this.#next);
    }
    return lane.place(chunk, this.#zero + Math.floor((this.#ms(stamp) + SLOT_MS / 2) / SLOT_MS));
  }

  #see(stamp) {
    const ms = this.#ms(stamp);
    if (ms > this.#stampMs) {
      this.#stampMs = ms;
      this.#stamp = stamp;
    }
  }

  /** Whether a frame at this place cannot belong to the clock of those before. */
  #isLeap(nowMs, place, replayed) {
    if (place > this.#end + MAX_LEAP) return true;
    if (!replayed && this.#spread.base - (nowMs - place * SLOT_MS) > MAX_EARLY_MS) return true;
    if (this.#hasBegun()) return !replayed && place < this.#next - MAX_BACK;
    return place < this.#end - (replayed ? MAX_LEAP : MAX_BACK);
  }

  #afterPut(lane) {
    this.#end = Math.max(this.#end, lane.back + 1);
  }

  #count(frames) {
    this.counts.dropped += frames;
  }

  #dropBefore(place) {
    const inbound = this.#lanes[0].dropBefore(place);
    const outbound = this.#lanes[1].dropBefore(place);
    this.#count(inbound + outbound);
    this.counts.droppedMs += Math.max(inbound, outbound) * SLOT_MS;
  }

  #leaveOutBefore(place) {
    this.#dropBefore(place);
    if (place > this.#next) {
      this.#next = place;
      this.#cut = true;
    }
  }

  /**
   * Fills `slot` with the next 20 ms, for which the card has a place now; false where time stands still: the last
   * sound is to end. `downstreamMs` is how long its first sample will take from here to the card.
   */
  pull(nowMs, downstreamMs, slot) {
    this.#measure(nowMs, downstreamMs);
    if (!this.#isReady(nowMs)) return false;
    this.#shed();
    if (!this.#fill(nowMs, slot)) {
      this.#phase = WAITING;
      return false;
    }
    slot.cut = this.#cut;
    this.#cut = false;
    return true;
  }

  /** How much too deep the buffer is, ms; NaN while that says nothing about the card's clock. */
  excess() {
    return this.#phase === PLAYING && !this.#behind ? this.#depthMs - this.#targetMs() : NaN;
  }

  /** `waiting`, `live` or `behind`. */
  get state() {
    if (this.#phase === WAITING) return 'waiting';
    return this.#behind ? 'behind' : 'live';
  }

  /** The delay from a frame's arrival until the card has it; 0 while nothing is played. */
  get depthMs() {
    return this.#phase === WAITING ? 0 : this.#depthMs;
  }

  get targetMs() {
    return this.#targetMs();
  }

  /** How far behind live, ms. */
  get behindMs() {
    return this.#behind ? Math.max(this.#levelMs() - this.#targetMs(), 0) : 0;
  }

  /** Frames that wait. */
  get waiting() {
    return this.#lanes[0].count + this.#lanes[1].count;
  }

  #targetMs() {
    const wanted = this.#downstreamMs + this.#spread.allowance + MARGIN_MS;
    return Math.min(Math.max(wanted, this.#hasBegun() ? MIN_TARGET_MS : START_MS), MAX_TARGET_MS);
  }

  /** The delay of the next slot's first sample against the fastest way through. */
  #measure(nowMs, downstreamMs) {
    // A second's average.
    this.#downstreamMs += (downstreamMs - this.#downstreamMs) / 50;
    const place = this.#phase === WAITING && !this.#isEmpty() ? this.#front() : this.#next;
    const base = this.#spread.base;
    this.#depthMs = Number.isNaN(base) ? this.#levelMs() : nowMs + downstreamMs - base - place * SLOT_MS;
    if (this.#behind && this.#hasBegun() && this.#phase !== WAITING && this.#surplusMs() <= LIVE_MS) this.#behind = false;
  }

  /** What waits here and behind, by its length. */
  #levelMs() {
    const first = this.#phase === WAITING ? Math.min(this.#front(), this.#end) : this.#next;
    return Math.max(this.#end - first, 0) * SLOT_MS + this.#downstreamMs;
  }

  /** What is there above the target by both measures: by the clock, and really. */
  #surplusMs() {
    return Math.min(this.#depthMs, this.#levelMs()) - this.#targetMs();
  }

  /** Whether a slot is due; begins, or ends, what has to. */
  #isReady(nowMs) {
    const empty = this.#isEmpty();
    if (this.#phase !== WAITING) {
      if (!empty || nowMs - this.#heardMs <= IDLE_MS) return true;
      // It stopped; nothing of it is missing.
      this.#behind = false;
      this.#unsettledMs = 0;
      this.#phase = WAITING;
      return false;
    }
    if (empty) return false;
    const enough = this.#behind ? nowMs - this.#gatheringMs >= GATHER_MS : this.#depthMs >= this.#targetMs();
    if (!enough) return false;
    // Nothing was said in between, or it was lost while nothing else came.
    this.#next = this.#hasBegun() ? Math.max(this.#next, this.#front()) : this.#front();
    this.#phase = PLAYING;
    return true;
  }

  /** Leaves out what is too much. */
  #shed() {
    const surplus = this.#surplusMs();
    if (this.#wantsLive || (surplus > BURST_MS && !this.#behind)) {
      this.#wantsLive = this.#behind = false;
      if (surplus >= SLOT_MS) this.#skip(Math.floor(surplus / SLOT_MS));
      return;
    }
    if (this.#behind) {
      const hole = this.#front() - this.#next;
      if (hole > MAX_HOLE && hole < Infinity) this.#skip(hole);
    }
    const calm = this.#phase === PLAYING && this.#wasQuiet && this.#sinceChange >= CHANGE_EVERY;
    if (calm && surplus >= SHED_MS && this.#isQuiet()) {
      // What is behind catches up: its pauses become 100 ms.
      this.#sinceChange = 0;
      this.#skip(1);
      for (let n = 0; this.#behind && n < LONG_HOLE && this.#surplusMs() >= SHED_MS && this.#isQuiet(); n += 1) this.#skip(1);
    }
  }

  #skip(slots) {
    this.#depthMs -= slots * SLOT_MS;
    this.#leaveOutBefore(this.#next + slots);
  }

  /** Nobody speaks in the next slot. */
  #isQuiet() {
    return this.#quietAt(this.#lanes[0]) && this.#quietAt(this.#lanes[1]);
  }

  #quietAt(lane) {
    if (!lane.has(this.#next)) return true;
    const audio = lane.audio(this.#next);
    const length = lane.length(this.#next);
    let power = 0;
    for (let n = 0; n < length; n += 1) power += SAMPLES[audio[n]] ** 2;
    return power < QUIET * length;
  }

  /** Fills the slot that is due; false where neither track has, or expects, anything. */
  #fill(nowMs, slot) {
    for (let track = 0; track < 2; track += 1) {
      const lane = this.#lanes[track];
      this.#views[track] = lane.view(this.#next, lane.begun && nowMs - lane.heardMs <= IDLE_MS);
    }
    const open = this.#any(OPEN);
    if (!open && !this.#any(HERE) && !this.#any(LOST) && this.#isEmpty()) return false;
    if (open && this.#waits()) {
      this.#stalled += 1;
      this.#phase = REFILLING;
      this.#stand(slot, true);
      return true;
    }
    const short = this.#targetMs() - this.#depthMs;
    if (this.#phase === REFILLING && short > NEARLY_MS && !this.#behind) {
      this.#stand(slot, true);
      return true;
    }
    this.#phase = PLAYING;
    const quiet = this.#isQuiet();
    if (quiet && this.#wasQuiet && this.#sinceChange >= CHANGE_EVERY && short >= GROW_MS && !this.#behind) {
      this.#sinceChange = 0;
      this.#stand(slot, false);
      return true;
    }
    this.#wasQuiet = quiet;
    this.#sinceChange += 1;
    this.#stalled = 0;
    for (let track = 0; track < 2; track += 1) {
      const lane = this.#lanes[track];
      if (lane.take(this.#next)) {
        lane.begun = true;
        lane.covered = 0;
        this.counts.played += 1;
        slot.pieces[track] = PLAY;
        slot.audio[track] = lane.audio(this.#next);
        slot.lengths[track] = lane.length(this.#next);
      } else {
        this.#cover(slot, track, this.#views[track] !== NOTHING);
      }
    }
    this.counts.concealedMs += concealedMs(slot) + this.#unsettledMs;
    this.#unsettledMs = 0;
    this.#next += 1;
    return true;
  }

  #any(view) {
    return this.#views[0] === view || this.#views[1] === view;
  }

  /**
   * Whether what is missing is worth waiting for: always while nothing at all is there; else for a while, unless the
   * other track is so far ahead that it must be lost.
   */
  #waits() {
    if (this.#isEmpty()) return true;
    const back = Math.max(this.#lanes[0].back, this.#lanes[1].back);
    return this.#stalled < WAIT_SLOTS && back < this.#next + SKEW;
  }

  /** 20 ms in which the place does not move. */
  #stand(slot, late) {
    for (let track = 0; track < 2; track += 1) this.#cover(slot, track, late && this.#lanes[track].begun);
    this.#unsettledMs += concealedMs(slot);
  }

  #cover(slot, track, lost) {
    const lane = this.#lanes[track];
    lane.covered += 1;
    slot.pieces[track] = lost && lane.covered <= LONG_HOLE ? CONCEAL : SILENCE;
  }
}

/** How much of a slot is covered up, ms. */
function concealedMs(slot) {
  return slot.pieces[0] === CONCEAL || slot.pieces[1] === CONCEAL ? SLOT_MS : 0;
}
