// The page's connection to the relay, partyline.v1: one logical connection over as many sockets as it takes. It
// gets a ticket for each, asks again for what is wanted with what was seen, pings, and comes back by close code
// and back-off. It knows nothing of the page and plays nothing.
//
// Events:
//   state    {state: 'connecting' | 'open' | 'waiting' | 'refused', why, retryInMs}; 'refused' stays until open()
//   message  a message of the relay, parsed; a line or event of a journal comes once and in order
//   frame    {callSid, audioId, track: 0 | 1, chunk, timestampMs, replayed, mulaw: Uint8Array}, each once, in order
//   missed   {callSid, track: 0 | 1, from, to, reason}: chunks that will not come, each once, in order with frames
//   lost     {callSid, why}: a call that is wanted no more: refused, taken away, or unknown to the relay for long

import { Backoff } from './link/backoff.js';
import { comesBack, meaning } from './link/close.js';
import { parseFrame } from './link/frame.js';
import { DEAD, PING, Patience, UNGREETED } from './link/patience.js';
import { MISSING_MS, Subscription } from './link/subscription.js';
import { askTicket } from './link/ticket.js';

const PROTOCOL = 'partyline.v1';

/** How often the clock is looked at, ms. */
const TICK_MS = 1_000;

/** Wire names of tracks, in the order of their numbers. */
const TRACKS = ['inbound', 'outbound'];

export class Link extends EventTarget {
  #origin;
  #token;
  #fetch;
  #WebSocket;
  #now;
  #random;
  #timers;
  #backoff = new Backoff();
  #wants = new Map();
  #watched = null;
  #state = 'closed';
  #socket = null;
  #attempt = null;
  #greeted = false;
  #retryAfterMs = null;
  #patience = null;
  #ticker = null;
  #waiter = null;
  /** How many `unsubscribe`s of a call are not answered. */
  #leaving = new Map();
  /** Our clock where the relay's is 0, ms: what a message took to come makes it late only. */
  #relayZero = null;

  /** The last ping's round trip, ms; null before the first. */
  roundTripMs = null;

  constructor(origin, token, options = {}) {
    super();
    this.#origin = origin;
    this.#token = token;
    this.#fetch = options.fetch ?? ((...args) => globalThis.fetch(...args));
    this.#WebSocket = options.WebSocket ?? globalThis.WebSocket;
    this.#now = options.now ?? (() => performance.now());
    this.#random = options.random ?? Math.random;
    this.#timers = options.timers ?? {
      setTimeout: (...args) => globalThis.setTimeout(...args),
      clearTimeout: (id) => globalThis.clearTimeout(id),
      setInterval: (...args) => globalThis.setInterval(...args),
      clearInterval: (id) => globalThis.clearInterval(id),
    };
  }

  /** Connects, or tries at once instead of later. Changes nothing while a socket stands. */
  open() {
    if (this.#socket || this.#attempt) return;
    this.#timers.clearTimeout(this.#waiter);
    this.#waiter = null;
    this.#connect();
  }

  /** Leaves. What is wanted, and what was seen, stays: open() goes on from there. */
  close() {
    this.#timers.clearTimeout(this.#waiter);
    this.#waiter = null;
    this.#attempt?.abort();
    this.#attempt = null;
    const socket = this.#socket;
    this.#drop();
    socket?.close(1000);
    this.#state = 'closed';
  }

  /** Another token from now on; an open socket is told. */
  renew(token) {
    this.#token = token;
    if (this.#greeted && token) this.#send({ type: 'auth', token });
  }

  /** Wants a call; a second time changes the first. */
  subscribe(callSid, { audio = false, replay_ms = 0 } = {}) {
    let wanted = this.#wants.get(callSid);
    if (!wanted) this.#wants.set(callSid, (wanted = new Subscription()));
    wanted.set(this.#now(), audio, replay_ms);
    if (this.#greeted) this.#send(wanted.ask(this.#now(), callSid));
  }

  /** Wants a call no more; wanted anew it begins at the beginning. */
  unsubscribe(callSid) {
    if (this.#wants.delete(callSid) && this.#greeted) {
      this.#leaving.set(callSid, (this.#leaving.get(callSid) ?? 0) + 1);
      this.#send({ type: 'unsubscribe', call_sid: callSid });
    }
  }

  /** Wants levels of all calls `hz` times a second; 0 ends it. */
  watch(hz) {
    this.#watched = hz > 0 ? hz : null;
    if (this.#greeted) this.#send({ type: 'watch', levels_hz: hz, call_sids: null });
  }

  async #connect() {
    const attempt = (this.#attempt = new AbortController());
    this.#tell('connecting', null, null);
    // Whoever was told may have said close().
    if (this.#attempt !== attempt) return;
    const answer = await askTicket(this.#fetch, this.#origin, this.#token, attempt.signal);
    if (this.#attempt !== attempt) return;
    this.#attempt = null;
    if (answer.refused) this.#refuse(answer.refused);
    else if (answer.later) this.#stayAway(answer.later, answer.afterMs);
    else this.#dial(answer.ticket);
  }

  #dial(ticket) {
    const url = new URL('/listen', this.#origin);
    url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
    url.searchParams.set('ticket', ticket);
    let socket;
    try {
      socket = new this.#WebSocket(url.href, PROTOCOL);
    } catch {
      this.#stayAway('This browser does not open the connection.', null);
      return;
    }
    socket.binaryType = 'arraybuffer';
    this.#socket = socket;
    this.#patience = new Patience(this.#now());
    this.#retryAfterMs = null;
    this.#ticker = this.#timers.setInterval(() => this.#tick(), TICK_MS);
    socket.onmessage = (event) => {
      if (this.#socket !== socket) return;
      this.#patience.onMessage(this.#now());
      if (typeof event.data === 'string') this.#onText(event.data);
      else this.#onBinary(event.data);
    };
    // A close follows, and says all that there is to know.
    socket.onerror = () => {};
    socket.onclose = (event) => {
      if (this.#socket === socket) this.#onClosed(event.code, null);
    };
  }

  #tick() {
    const now = this.#now();
    const look = this.#patience.look(now, this.#greeted);
    if (look === DEAD || look === UNGREETED) {
      this.#lose(look === DEAD ? 'Nothing came from the relay for 40 s.' : 'The relay did not answer.');
      return;
    }
    if (look === PING) this.#send({ type: 'ping', id: this.#patience.ping(now) });
    for (const [callSid, wanted] of this.#wants) {
      if (wanted.missingSince !== null && now - wanted.missingSince >= MISSING_MS) {
        this.#forget(callSid, 'The relay does not know this call any more.');
      }
    }
  }

  /** A socket that nobody answers on: its close would wait for the peer, so it is let go of at once. */
  #lose(why) {
    const socket = this.#socket;
    this.#onClosed(1006, why);
    socket.close();
  }

  #onClosed(code, why) {
    const afterMs = this.#retryAfterMs;
    const greeted = this.#greeted;
    this.#drop();
    if (!comesBack(code)) this.#refuse(meaning(code));
    else this.#stayAway(why ?? (code === 1006 && !greeted ? 'The relay cannot be reached.' : meaning(code)), afterMs);
  }

  #drop() {
    const socket = this.#socket;
    this.#socket = null;
    this.#greeted = false;
    this.#leaving.clear();
    this.#timers.clearInterval(this.#ticker);
    this.#ticker = null;
    if (socket) {
      socket.onmessage = socket.onclose = null;
      for (const wanted of this.#wants.values()) wanted.onClosed();
    }
  }

  #refuse(why) {
    this.#tell('refused', why, null);
  }

  #stayAway(why, askedMs) {
    const dice = this.#random();
    const retryInMs = askedMs === null ? this.#backoff.next(dice) : this.#backoff.asked(askedMs, dice);
    this.#tell('waiting', why, retryInMs);
    // Whoever was told may have said close(), or open(), already.
    if (this.#state !== 'waiting') return;
    this.#waiter = this.#timers.setTimeout(() => {
      this.#waiter = null;
      this.#connect();
    }, retryInMs);
  }

  #onText(text) {
    let message;
    try {
      message = JSON.parse(text);
    } catch {
      return;
    }
    if (typeof message?.type !== 'string') return;
    if (this.#onMessage(message)) this.#dispatch('message', message);
  }

  /** Whether the page is to know. */
  #onMessage(message) {
    const now = this.#now();
    const callSid = message.call_sid;
    const wanted = this.#wants.get(callSid);
    switch (message.type) {
      case 'hello':
        this.#onHello(now, message);
        return true;
      case 'calls':
        this.#backoff.reset();
        if (!Array.isArray(message.calls)) return false;
        for (const call of message.calls) this.#onCall(now, call);
        return true;
      case 'call':
        this.#onCall(now, message.call);
        return true;
      case 'call_removed':
        this.#wants.delete(callSid);
        return true;
      case 'subscribed':
        return wanted !== undefined && this.#onSubscribed(wanted, message);
      case 'unsubscribed': {
        // The answer to an `unsubscribe` of ours may come when the call is wanted anew.
        if (this.#isAnswer(callSid)) return false;
        if (wanted) this.#forget(callSid, 'This call is no longer granted.');
        return true;
      }
      case 'transcript':
        this.#backoff.reset();
        return wanted !== undefined && wanted.takesLine(message.line);
      case 'event':
        this.#backoff.reset();
        return wanted !== undefined && wanted.takesEvent(message.event);
      case 'gap': {
        const { from_chunk: from, to_chunk: to, reason } = message;
        const track = TRACKS.indexOf(message.track);
        if (track < 0 || !Number.isInteger(from) || !Number.isInteger(to)) return false;
        const missed = wanted?.onGap(track, from, to, reason);
        if (missed) this.#missed(callSid, track, missed);
        return wanted !== undefined;
      }
      case 'error':
        return this.#onError(now, message);
      case 'goodbye':
        this.#retryAfterMs = Number.isFinite(message.retry_after_ms) ? message.retry_after_ms : null;
        return true;
      case 'ping':
        this.#send({ type: 'pong', id: message.id });
        return false;
      case 'pong':
        this.roundTripMs = this.#patience.onPong(now, message.id) ?? this.roundTripMs;
        return false;
      default:
        return true;
    }
  }

  #onHello(now, message) {
    this.#greeted = true;
    const time = Date.parse(message.time);
    if (!Number.isNaN(time)) this.#relayZero = Math.min(this.#relayZero ?? Infinity, now - time);
    console.log('Partyline: connected');
    this.#tell('open', null, null);
    if (!this.#greeted) return;
    if (this.#watched !== null) this.#send({ type: 'watch', levels_hz: this.#watched, call_sids: null });
    for (const [callSid, wanted] of this.#wants) {
      if (!wanted.asked) this.#send(wanted.ask(now, callSid));
    }
  }

  /** The relay shows a call that it did not know when it was asked. */
  #onCall(now, call) {
    const wanted = this.#wants.get(call?.call_sid);
    if (wanted) wanted.missingSince = null;
    if (wanted && this.#greeted && !wanted.asked) this.#send(wanted.ask(now, call.call_sid));
  }

  #onSubscribed(wanted, message) {
    const zeroAt = Date.parse(message.zero_at ?? '');
    const known = this.#relayZero !== null && !Number.isNaN(zeroAt);
    const missed = wanted.onSubscribed(message, known ? this.#relayZero + zeroAt : null);
    for (const range of missed) this.#missed(message.call_sid, range.track, range);
    wanted.receiving = false;
    console.log(`Partyline: subscription confirmed ${message.call_sid}`);
    return true;
  }

  #isAnswer(callSid) {
    const count = this.#leaving.get(callSid);
    if (!count) return false;
    if (count === 1) this.#leaving.delete(callSid);
    else this.#leaving.set(callSid, count - 1);
    return true;
  }

  #onError(now, message) {
    const wanted = this.#wants.get(message.re);
    if (!wanted) return true;
    if (message.code === 'no_such_call' && wanted.onUnknown(now)) return false;
    this.#forget(message.re, message.message ?? 'The relay refuses this call.');
    return true;
  }

  #forget(callSid, why) {
    this.#wants.delete(callSid);
    this.#dispatch('lost', { callSid, why });
  }

  #onBinary(buffer) {
    const frame = parseFrame(buffer);
    if (!frame) return;
    for (const [callSid, wanted] of this.#wants) {
      if (wanted.audioId !== frame.audioId) continue;
      const missing = wanted.onFrame(this.#now(), frame);
      if (missing === null) return;
      this.#backoff.reset();
      if (!wanted.receiving) {
        wanted.receiving = true;
        console.log('Partyline: receiving');
      }
      for (const range of missing) this.#missed(callSid, frame.track, range);
      frame.callSid = callSid;
      this.#dispatch('frame', frame);
      return;
    }
  }

  #missed(callSid, track, { from, to, reason }) {
    this.#dispatch('missed', { callSid, track, from, to, reason });
  }

  #send(message) {
    if (this.#socket?.readyState === 1) this.#socket.send(JSON.stringify(message));
  }

  #tell(state, why, retryInMs) {
    this.#state = state;
    this.#dispatch('state', { state, why, retryInMs });
  }

  #dispatch(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}
