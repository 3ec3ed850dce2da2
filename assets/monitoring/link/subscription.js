// One wanted call: asked for on every socket with what was seen of it. No socket and no clock in here: time is an
// argument, ms.

import { Stream } from './chunks.js';
import { Journals } from './journals.js';

/**
 * More replay than the time since what was heard last, ms: one track may be behind the other, and both clocks
 * differ a little. What was heard already is dropped by its number.
 */
const REPLAY_SLACK_MS = 2_000;

/**
 * How long a call that we followed may be unknown to the relay before it counts as over, ms: as long as a relay
 * that was restarted needs to hear of it again.
 */
export const MISSING_MS = 30_000;

export class Subscription {
  /** What is wanted. */
  audio = false;
  #replayMs = 0;
  #wantedAt = 0;
  #journals = new Journals();
  #stream = null;
  /** When the last frame that was given was live: what follows it is what a relay has to replay. */
  #heardAt = null;
  /** Whether it ever stood. */
  stood = false;
  /** Whether the relay was asked, and has confirmed, over this socket. */
  asked = false;
  #standing = false;
  /** Since when a call that stood is unknown to the relay, over this socket. */
  missingSince = null;
  /** Whether a frame came since the subscription stands. */
  receiving = false;

  set(now, audio, replayMs) {
    if (audio && !this.audio) {
      // Who begins to hear has missed nothing of what was said before.
      this.#heardAt = null;
      this.#stream?.join();
    }
    this.audio = audio;
    this.#replayMs = replayMs;
    this.#wantedAt = now;
    this.asked = false;
  }

  /** The message that asks for it: what follows what was seen, and audio for as long as none came. */
  ask(now, callSid) {
    this.asked = true;
    let replay = 0;
    if (this.audio && this.#heardAt !== null) replay = now - this.#heardAt + REPLAY_SLACK_MS;
    else if (this.audio) replay = this.#replayMs + (this.stood ? now - this.#wantedAt : 0);
    const after = this.#journals.after();
    return {
      type: 'subscribe',
      call_sid: callSid,
      audio: this.audio,
      ...(after && { after }),
      replay_ms: Math.max(Math.round(replay), 0),
      save: false,
    };
  }

  /** The stream whose frames are wanted; null for none. */
  get audioId() {
    return this.audio && this.#stream?.live ? this.#stream.id : null;
  }

  /** `zeroAt`: our clock at media time 0, or null. Gives what will not come any more of the stream before. */
  onSubscribed(message, zeroAt) {
    let missed = [];
    const id = message.audio_id ?? null;
    if (id !== null && id !== this.#stream?.id) {
      missed = this.#stream?.flush() ?? [];
      this.#stream = new Stream(id, this.stood, !this.#standing);
    }
    if (this.#stream) {
      this.#stream.live = id !== null;
      if (zeroAt !== null) this.#stream.began(zeroAt);
    }
    this.#journals.enter(message.journal);
    this.stood = true;
    this.#standing = true;
    this.missingSince = null;
    return missed;
  }

  /** Whether a line is new. */
  takesLine(line) {
    return this.#standing && this.#journals.takeLine(line?.seq);
  }

  /** Whether an event is new. */
  takesEvent(event) {
    return this.#standing && this.#journals.takeEvent(event?.seq);
  }

  /** What is missing before a frame; null for one that was given before. */
  onFrame(now, frame) {
    const missing = this.#stream?.onChunk(frame.track, frame.chunk) ?? null;
    if (missing !== null) {
      const live = this.#stream.liveAt(now, frame);
      if (live !== null) this.#heardAt = Math.max(this.#heardAt ?? live, live);
    }
    return missing;
  }

  /** What is certainly missing by an announced gap; null for nothing yet. */
  onGap(track, from, to, reason) {
    return this.#stream?.onGap(track, from, to, reason) ?? null;
  }

  /** `no_such_call` came; whether to wait for the call instead of giving up. */
  onUnknown(now) {
    this.asked = false;
    if (this.stood) this.missingSince ??= now;
    return this.stood;
  }

  onClosed() {
    this.asked = false;
    this.#standing = false;
    this.receiving = false;
    // While no relay is there, none says that it does not know the call: the next is asked first.
    this.missingSince = null;
    this.#stream?.onClosed();
  }
}
