// The page's sound: an AudioContext, and the worklet that plays in it. Frames are handed on as they come; nothing waits
// here. Where nothing plays (not started, paused, held back by the browser, its thread at a standstill) frames are not
// handed on at all, so that what was said meanwhile piles up nowhere and sound goes on at the live edge. Knows no relay.
//
// Event `state`, detail {state, why}:
//   stopped | starting
//   blocked   the browser holds the sound back (a click is missing, a telephone call came in): start() again
//   waiting   nothing comes   live    what is heard is live   behind    it was said a while ago; see live()
//   paused    failed (`why` says why)

import { Peaks } from './sound/peaks.js';

/** Frames on their way to the worklet, 5 s of a call: more, and its thread stands still. */
const MOST_ON_THE_WAY = 500;

/** So few are on their way again where it goes on. */
const FEW_ON_THE_WAY = 20;

/** What was heard has died away by then, ms. */
const DYING_MS = 60;

/** How long a browser may take to let the sound flow, ms; then it holds it back. */
const HOPING_MS = 1_000;

const WORKLET = new URL('./sound/worklet.js', import.meta.url);

export class Sound extends EventTarget {
  #context = null;
  #node = null;
  #starting = null;
  #paused = false;
  #flowing = false;
  #sent = 0;
  #told = null;
  #unheard = 0;
  #audioId = null;
  #callSid = null;
  #peaks = new Peaks();
  #volume = 1;
  #muted = [false, false];
  #sides = [0, 0];
  #state = 'stopped';
  #why = null;
  #dying = null;
  /** The browser was asked to let the sound flow, and may still. */
  #hoping = null;

  /** Whether this page can sound: `{ok, why}`. */
  static available() {
    const scope = globalThis;
    if (typeof scope.AudioContext !== 'function') return { ok: false, why: 'This browser plays no sound (no Web Audio).' };
    if (!scope.isSecureContext) {
      return {
        ok: false,
        why: 'Browsers play this sound on secure pages only: open this page by https:, or on the relay’s own machine by http://localhost.',
      };
    }
    if (typeof scope.AudioWorkletNode !== 'function') {
      return { ok: false, why: 'This browser plays no sound (no AudioWorklet): a current Chromium, Firefox or Safari does.' };
    }
    return { ok: true, why: null };
  }

  constructor() {
    super();
    globalThis.document?.addEventListener('visibilitychange', () => {
      if (!document.hidden) this.#wake();
    });
  }

  get state() {
    return this.#state;
  }

  /** Why it failed, or null. */
  get why() {
    return this.#why;
  }

  /** From a person's click: begins, or goes on where the browser held the sound back. Rejects where there is none. */
  async start() {
    const { ok, why } = Sound.available();
    if (!ok) {
      this.#become('failed', why);
      throw new Error(why);
    }
    this.#paused = false;
    if (this.#node) return this.play();
    this.#starting ??= this.#begin().finally(() => (this.#starting = null));
    return this.#starting;
  }

  async #begin() {
    this.#become('starting', null);
    const context = (this.#context = new AudioContext({ latencyHint: 'interactive' }));
    context.onstatechange = () => this.#follow(context);
    try {
      // At once, while the click still counts; where it does not, the promise waits for the next one.
      context.resume().catch(() => {});
      await context.audioWorklet.addModule(WORKLET);
      if (this.#context !== context) return;
      const node = new AudioWorkletNode(context, 'partyline', { numberOfInputs: 0, outputChannelCount: [2] });
      node.port.onmessage = ({ data }) => this.#hearBack(node, data);
      node.onprocessorerror = () => this.#fail('The browser’s sound stopped. Start it again.');
      node.connect(context.destination);
      this.#node = node;
      this.#sent = 0;
      this.#told = null;
      this.#mix();
      this.#hope(context);
    } catch (error) {
      if (this.#context !== context) return;
      this.#fail(`There is no sound: ${error.message}`);
      throw error;
    }
  }

  #fail(why) {
    this.#end();
    this.#become('failed', why);
  }

  /** A frame of the link's. */
  hear(frame) {
    if (frame.callSid !== this.#callSid) {
      if (this.#callSid !== null) this.reset();
      this.#callSid = frame.callSid;
    }
    if (frame.audioId !== this.#audioId) {
      if (this.#audioId !== null) {
        this.#peaks.stream();
        this.#post({ kind: 'stream' });
      }
      this.#audioId = frame.audioId;
    }
    this.#peaks.add(frame);
    if (!this.#canFlow()) {
      this.#unheard += 1;
      return;
    }
    this.#sent += 1;
    const { track, chunk, timestampMs, replayed, mulaw } = frame;
    this.#node.port.postMessage({ kind: 'frame', track, chunk, timestampMs, replayed, mulaw });
  }

  /** Chunks of a track that will not come. */
  gap(track, from, to) {
    if (this.#flowing && to >= from) this.#post({ kind: 'missed', track, to });
  }

  /** Another call: what waits, was counted and drawn is forgotten. */
  reset() {
    this.#peaks.clear();
    this.#audioId = null;
    this.#callSid = null;
    this.#unheard = 0;
    this.#post({ kind: 'forget' });
  }

  /** Silence; what is said meanwhile is left out. */
  pause() {
    this.#paused = true;
    this.#flowing = false;
    if (!this.#context) return;
    this.#mix();
    const context = this.#context;
    clearTimeout(this.#dying);
    this.#dying = setTimeout(() => {
      if (this.#paused && this.#context === context) context.suspend().catch(() => {});
    }, DYING_MS);
    this.#become('paused', null);
  }

  /** Goes on, live. */
  play() {
    this.#paused = false;
    clearTimeout(this.#dying);
    if (!this.#context) return;
    // Also where it seems to run: the end of a short pause may be on its way.
    this.#context.resume().catch(() => {});
    this.#hope(this.#context);
  }

  /** The end; start() begins anew. */
  stop() {
    this.#paused = false;
    this.#end();
    this.#become('stopped', null);
  }

  /** Leaves out what lies between what is heard and what is live. */
  live() {
    this.#post({ kind: 'live' });
  }

  /** 0 to 1, as an ear finds it even: the gain is its square. */
  get volume() {
    return this.#volume;
  }

  set volume(volume) {
    this.#volume = Math.min(Math.max(Number(volume) || 0, 0), 1);
    this.#mix();
  }

  mute(track, muted) {
    this.#muted[track] = muted;
    this.#mix();
  }

  isMuted(track) {
    return this.#muted[track];
  }

  /** The agent's track on the right ear, the other on the left; null: both on both. */
  stereo(agentTrack) {
    this.#sides = agentTrack === null ? [0, 0] : [0, 1].map((track) => (track === agentTrack ? 1 : -1));
    this.#mix();
  }

  /**
   * Peaks (0 to 1) of a track, the newest last, `n` of them of `slots` times 20 ms each, of all that came, whether it
   * was heard or not. `into`: an array to fill again.
   */
  columns(track, n, slots = 1, into = undefined) {
    return this.#peaks.columns(track, n, slots, into);
  }

  /** How it goes: the worklet's numbers, at most 250 ms old, and what was not handed on. */
  stats() {
    const context = this.#context;
    return {
      depthMs: 0,
      targetMs: 0,
      behindMs: 0,
      concealedMs: 0,
      droppedMs: 0,
      received: 0,
      played: 0,
      dropped: 0,
      late: 0,
      doubles: 0,
      joined: 0,
      waiting: 0,
      driftPpm: 0,
      ...this.#told,
      state: this.#state,
      unheard: this.#unheard,
      sampleRate: context?.sampleRate ?? null,
      deviceMs: context ? ((context.baseLatency ?? 0) + (context.outputLatency ?? 0)) * 1000 : null,
    };
  }

  /** Whether a frame can be handed on. */
  #canFlow() {
    if (!this.#flowing) return false;
    const onTheWay = this.#sent - (this.#told?.taken ?? 0);
    if (onTheWay < MOST_ON_THE_WAY) return true;
    this.#flowing = false;
    return false;
  }


  /** Frames are handed on from now on. */
  #flow() {
    clearTimeout(this.#hoping);
    this.#hoping = null;
    if (this.#flowing) return;
    this.#flowing = true;
    this.#post({ kind: 'restart' });
    this.#mix();
    this.#become('waiting', null);
  }

  #follow(context) {
    if (this.#context !== context || !this.#node || this.#paused) return;
    if (context.state === 'running') {
      this.#flow();
      return;
    }
    this.#flowing = false;
    if (this.#hoping === null) this.#become('blocked', 'The browser holds the sound back.');
  }

  /** The sound may flow in a moment. */
  #hope(context) {
    if (this.#paused) return;
    clearTimeout(this.#hoping);
    this.#hoping = setTimeout(() => {
      this.#hoping = null;
      this.#follow(context);
    }, HOPING_MS);
    if (context.state !== 'running') this.#become('starting', null);
    this.#follow(context);
  }

  /** The browser may have held the sound back while nobody looked. */
  #wake() {
    if (this.#context && !this.#paused && this.#context.state !== 'running') this.#context.resume().catch(() => {});
  }

  #hearBack(node, told) {
    if (node !== this.#node) return;
    this.#told = told;
    if (this.#paused || this.#context.state !== 'running') return;
    if (this.#flowing) this.#become(told.state, null);
    else if (this.#sent - told.taken <= FEW_ON_THE_WAY) this.#flow();
  }

  #mix() {
    const gain = this.#paused ? 0 : this.#volume ** 2;
    this.#post({ kind: 'mix', gains: this.#muted.map((muted) => (muted ? 0 : gain)), sides: this.#sides });
  }

  #post(message) {
    this.#node?.port.postMessage(message);
  }

  #end() {
    this.#flowing = false;
    clearTimeout(this.#dying);
    clearTimeout(this.#hoping);
    this.#hoping = null;
    const context = this.#context;
    this.#post({ kind: 'mix', gains: [0, 0], sides: this.#sides });
    const node = this.#node;
    this.#node = null;
    this.#context = null;
    if (!context) return;
    context.onstatechange = null;
    setTimeout(() => {
      node?.port.postMessage({ kind: 'end' });
      node?.disconnect();
      context.close().catch(() => {});
    }, DYING_MS);
  }

  #become(state, why) {
    if (state === this.#state && why === this.#why) return;
    this.#state = state;
    this.#why = why;
    this.dispatchEvent(new CustomEvent('state', { detail: { state, why } }));
  }
}
