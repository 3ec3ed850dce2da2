// The jitter buffer in simulated time: a network that says when each frame comes, a card that takes 20 ms every 20 ms,
// and what was played when.

import assert from 'node:assert/strict';
import test from 'node:test';

import { encode, modules } from './support.mjs';

const { Jitter, newSlot, PLAY, CONCEAL, SILENCE } = await import(new URL('sound/jitter.js', modules));
const { BURST_MS, MAX_TARGET_MS } = await import(new URL('sound/policy.js', modules));
const { FRAME } = await import(new URL('sound/lane.js', modules));

const LOUD = encode(0.5);
const HUSH = 0xff;

/** A frame's audio: something loud, or nothing, and first its number, in bytes that are hardly heard. */
function audio(number, byte = LOUD) {
  const bytes = new Uint8Array(FRAME).fill(byte);
  for (let n = 0; n < 6; n += 1) bytes[n] = 0xf0 | ((number >> (4 * n)) & 0x0f);
  return bytes;
}

function numberOf(bytes) {
  return bytes.slice(0, 6).reduce((number, byte, n) => number | ((byte & 0x0f) << (4 * n)), 0);
}

/** mulberry32: the same dice for the same seed. */
function dice(seed) {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A call that is heard: both tracks from `from` to `to`, ms; `at` says when a frame comes, null for never. */
class Call {
  jitter = new Jitter();
  #slot = newSlot();
  #frames = [];
  nowMs = 0;
  /** By pull: what each track did, the numbers that were played, and how late those were. */
  heard = [];

  say(from, to, { at = (ms) => ms + 20, byte = () => LOUD, replayed = false, first = 0, tracks = [0, 1] } = {}) {
    for (let ms = from; ms < to; ms += 20) {
      for (const track of tracks) {
        const atMs = at(ms, track);
        const timestampMs = ms - first;
        if (atMs !== null) this.#frames.push({ atMs, track, chunk: timestampMs / 20 + 1, timestampMs, replayed, mulaw: audio(ms / 20, byte(ms)) });
      }
    }
    this.#frames.sort((a, b) => a.atMs - b.atMs);
    return this;
  }

  until(ms) {
    for (; this.nowMs < ms; this.nowMs += 5) {
      while (this.#frames[0]?.atMs <= this.nowMs) {
        const { track, chunk, timestampMs, replayed, mulaw } = this.#frames.shift();
        this.jitter.onFrame(this.nowMs, track, chunk, timestampMs, replayed, mulaw);
      }
      // A slot lasts; a wait is looked at again after 5 ms, as the player does.
      if (this.#busyUntil > this.nowMs) continue;
      const due = this.jitter.pull(this.nowMs, 0, this.#slot);
      if (due) this.#busyUntil = this.nowMs + 20;
      this.heard.push(this.#record(due));
    }
    return this;
  }

  #busyUntil = 0;

  #record(due) {
    const pieces = due ? [...this.#slot.pieces] : null;
    const numbers = [0, 1].map((track) => {
      return pieces?.[track] === PLAY ? numberOf(this.#slot.audio[track]) : null;
    });
    const lateMs = numbers.map((number) => (number === null ? null : this.nowMs - number * 20));
    return { atMs: this.nowMs, pieces, numbers, lateMs, cut: due && this.#slot.cut };
  }

  /** What was heard from then on. */
  since(ms) {
    return this.heard.filter(({ atMs }) => atMs >= ms);
  }

  /** The numbers of a track, in the order in which they were played. */
  numbers(track, since = 0) {
    return this.since(since).map(({ numbers }) => numbers[track]).filter((number) => number !== null);
  }

  latest(since) {
    return Math.max(...this.since(since).flatMap(({ lateMs }) => lateMs.filter((late) => late !== null)));
  }

  assertSums() {
    const { received, played, dropped, late, doubles, joined } = this.jitter.counts;
    assert.equal(received, played + dropped + late + doubles + joined + this.jitter.waiting);
  }
}

const range = (from, to) => Array.from({ length: to - from }, (_, n) => from + n);
const increasing = (numbers) => numbers.every((number, n) => n === 0 || number > numbers[n - 1]);

test('an even pace is played whole, and soon after it came', () => {
  const call = new Call().say(0, 30_000).until(31_000);
  for (const track of [0, 1]) assert.deepEqual(call.numbers(track), range(0, 1500));
  assert.equal(call.jitter.counts.concealedMs, 0);
  assert.ok(call.latest(0) <= 90, `${call.latest(0)} ms after it was said`);
  call.assertSums();
});

test('pauses bring it nearer to live where the network is even', () => {
  const byte = (ms) => (ms % 2000 < 400 ? HUSH : LOUD);
  const call = new Call().say(0, 120_000, { byte }).until(121_000);
  assert.ok(call.latest(100_000) <= 70, `${call.latest(100_000)}`);
  assert.ok(call.jitter.counts.dropped <= 6, 'only silence, and only what has to be');
  assert.equal(call.jitter.counts.concealedMs, 0);
});

test('what arrivals vary by is waited for, and not more', () => {
  for (const seed of [1, 2, 3]) {
    const roll = dice(seed);
    const byte = (ms) => (ms % 2000 < 400 ? HUSH : LOUD);
    let before = 0;
    // Up to 80 ms late, in order, as over one TCP connection.
    const at = (ms) => (before = Math.max(before, ms + 20 + roll() ** 3 * 80));
    const call = new Call().say(0, 60_000, { at, byte }).until(20_000);
    const learnt = call.jitter.counts.concealedMs;
    call.until(61_000);
    const concealed = call.jitter.counts.concealedMs - learnt;
    assert.ok(concealed <= 400, `${concealed} ms of 40 s covered up`);
    assert.ok(call.latest(20_000) <= 170, `${call.latest(20_000)} ms`);
    assert.ok(increasing(call.numbers(0)) && increasing(call.numbers(1)));
    call.assertSums();
  }
});

test('a hole is covered up in its place, told or not, and shifts nothing', () => {
  for (const told of [true, false]) {
    const lost = (ms) => ms >= 4000 && ms < 4060;
    const call = new Call().say(0, 8000, { at: (ms, track) => (track === 0 && lost(ms) ? null : ms + 20) });
    call.until(4020);
    if (told) call.jitter.onMissed(0, 203);
    call.until(9000);
    assert.deepEqual(call.numbers(0), range(0, 400).filter((number) => number < 200 || number > 202));
    assert.deepEqual(call.numbers(1), range(0, 400));
    const covered = call.heard.filter(({ atMs, pieces }) => atMs < 8_000 && pieces?.[0] === CONCEAL);
    assert.equal(covered.length, 3);
    assert.ok(call.latest(4200) <= 90, `${call.latest(4200)}`);
  }
});

test('a hole in both tracks is waited for, then covered up', () => {
  const lost = (ms) => ms >= 4000 && ms < 4100;
  const call = new Call().say(0, 8000, { at: (ms) => (lost(ms) ? null : ms + 20) }).until(9000);
  assert.deepEqual(call.numbers(0), range(0, 400).filter((number) => number < 200 || number > 204));
  assert.ok(call.latest(6000) <= 110, `${call.latest(6000)}`);
});

test('a page that stood still for 30 s goes on at the live edge', () => {
  for (const stall of [700, 5_000, 30_000, 120_000]) {
    const back = 10_000 + stall;
    const at = (ms) => (ms + 20 < 10_000 ? ms + 20 : Math.max(ms + 20, back + Math.min((ms - 9980) / stall, 1) * 60));
    const byte = (ms) => (ms % 2000 < 400 ? HUSH : LOUD);
    const call = new Call().say(0, back + 5_000, { at, byte }).until(back + 5_500);
    // The burst takes 60 ms to come; then what is heard is live, and after the next pauses it is as before.
    assert.ok(call.latest(back + 120) <= 20 + MAX_TARGET_MS + BURST_MS, `${stall}: ${call.latest(back + 120)} ms`);
    assert.ok(call.latest(back + 4_000) <= 160, `${stall}: ${call.latest(back + 4_000)} ms`);
    const stale = call.since(back).filter(({ lateMs }) => lateMs[0] > 700);
    assert.ok(stale.length <= 8, `${stall}: ${stale.length} slots that are old`);
    assert.ok(call.jitter.waiting === 0);
    assert.ok(call.numbers(0, back + 200).length >= 235);
    call.assertSums();
  }
});

test('a relay that dropped what a stalled page did not take leaves no hole to wait for', () => {
  // The first 2 s of the stall lie in buffers, then 26 s are gone, and the last 2 s come.
  const at = (ms) => {
    if (ms + 20 < 10_000 || ms + 20 > 40_000) return ms + 20;
    return ms < 12_000 || ms > 38_000 ? 40_000 : null;
  };
  const call = new Call().say(0, 45_000, { at });
  call.until(40_000);
  call.jitter.onMissed(0, 1900);
  call.jitter.onMissed(1, 1900);
  call.until(46_000);
  assert.ok(call.latest(40_100) <= 260, `${call.latest(40_100)}`);
  assert.ok(call.numbers(0, 40_100).length > 240);
});

test('a card that stood still while frames came goes on at the live edge', () => {
  const jitter = new Jitter();
  const slot = newSlot();
  let sent = 0;
  const send = (nowMs) => {
    for (const track of [0, 1]) jitter.onFrame(nowMs, track, sent + 1, sent * 20, false, audio(sent));
    sent += 1;
  };
  let last = 0;
  const pull = (nowMs) => {
    if (jitter.pull(nowMs, 0, slot) && slot.pieces[0] === PLAY) last = numberOf(slot.audio[0]);
  };
  for (let n = 0; n < 200; n += 1) {
    send(n * 20);
    pull(n * 20);
  }
  // By the card's clock nothing passes: 10 s of frames come at once.
  for (let n = 0; n < 500; n += 1) send(4_000);
  for (let n = 0; n < 5; n += 1) {
    send(4_000 + n * 20);
    pull(4_000 + n * 20);
  }
  assert.ok((sent - last) * 20 <= 20 + MAX_TARGET_MS + BURST_MS, `${(sent - last) * 20} ms behind`);
  assert.equal(jitter.state, 'live');
});

test('what a person paused is left out, and it goes on live', () => {
  const call = new Call().say(0, 5_000).until(5_100);
  // Nothing is handed on meanwhile.
  call.say(65_000, 70_000).until(65_000);
  call.jitter.restart();
  call.until(71_000);
  assert.deepEqual(call.numbers(0), [...range(0, 250), ...range(3250, 3500)]);
  assert.ok(call.latest(65_000) <= 90);
  assert.equal(call.since(65_000).find(({ pieces }) => pieces).cut, true);
});

test('memory that is asked for is played behind live, and pauses catch up with it', () => {
  const byte = (ms) => (ms % 1000 < 400 ? HUSH : LOUD);
  const call = new Call().say(0, 8_000, { at: () => 8_000, replayed: true, byte }).say(8_000, 60_000, { byte });
  call.until(9_000);
  assert.equal(call.jitter.state, 'behind');
  assert.ok(call.jitter.behindMs > 6_000);
  call.until(61_000);
  assert.equal(call.numbers(0)[0], 0);
  assert.ok(increasing(call.numbers(0)));
  const loud = new Set(range(0, 3000).filter((number) => byte(number * 20) === LOUD));
  for (const track of [0, 1]) {
    const played = new Set(call.numbers(track));
    assert.deepEqual([...loud].filter((number) => !played.has(number)), [], 'only silence is left out');
  }
  assert.ok(call.latest(50_000) < 300, `${call.latest(50_000)}`);
});

test('who says live is live', () => {
  const call = new Call().say(0, 8_000, { at: () => 8_000, replayed: true }).say(8_000, 20_000);
  call.until(9_000);
  call.jitter.toLive();
  call.until(20_500);
  assert.ok(call.latest(9_020) <= 300, `${call.latest(9_020)}`);
  assert.notEqual(call.jitter.state, 'behind');
});

test('what a relay plays again after a cut is left out', () => {
  const call = new Call().say(0, 5_000).say(5_000, 9_000, { at: () => 9_020, replayed: true }).say(9_000, 12_000).until(13_000);
  assert.deepEqual(call.numbers(0), [...range(0, 250), ...range(450, 600)]);
  assert.ok(call.latest(9_000) <= 120, `${call.latest(9_000)}`);
  call.assertSums();
});

test('a track that starts late, and one that ends, wait for nobody', () => {
  const call = new Call().say(0, 6_000, { tracks: [0] }).say(2_000, 10_000, { tracks: [1] }).until(11_000);
  assert.deepEqual(call.numbers(0), range(0, 300));
  assert.deepEqual(call.numbers(1), range(100, 500));
  assert.ok(call.latest(0) <= 130, `${call.latest(0)}`);
  for (const { numbers: [a, b] } of call.since(1_000)) assert.ok(a === null || b === null || a === b, 'side by side');
});

test('another stream follows, whatever its numbers', () => {
  const call = new Call().say(0, 3_000).until(3_100);
  call.jitter.stream();
  call.say(3_500, 6_500, { first: 3_500 }).until(7_500);
  assert.deepEqual(call.numbers(0), [...range(0, 150), ...range(175, 325)]);
  assert.ok(call.latest(3_500) <= 90);
});

test('a clock that wraps or leaps loses nothing', () => {
  const jitter = new Jitter();
  const slot = newSlot();
  let played = 0;
  const one = (nowMs, n, stamp) => {
    jitter.onFrame(nowMs, 0, (n + 1) >>> 0, stamp >>> 0, false, audio(n));
    if (jitter.pull(nowMs, 0, slot) && slot.pieces[0] === PLAY) played += 1;
  };
  for (let n = 0; n < 200; n += 1) one(n * 20, n, 2 ** 32 - 2000 + n * 20);
  for (let n = 200; n < 400; n += 1) one(n * 20, n, 5e8 + n * 20);
  for (let n = 400; n < 600; n += 1) one(n * 20, n, n * 20);
  assert.ok(played >= 590, `${played}`);
  assert.equal(jitter.counts.dropped + jitter.counts.late, 0);
});

test('short frames are joined', () => {
  const jitter = new Jitter();
  const slot = newSlot();
  const bytes = [];
  const pieces = [100, 100, 100, 20, 160, 160, 160];
  let at = 0;
  pieces.forEach((length, n) => {
    const mulaw = Uint8Array.from({ length }, (_, i) => (at + i) & 0x7f);
    jitter.onFrame(0, 0, n + 1, Math.floor(at / 8), false, mulaw);
    at += length;
  });
  for (let now = 100; now < 1000; now += 20) {
    if (jitter.pull(now, 0, slot) && slot.pieces[0] === PLAY) bytes.push(...slot.audio[0].slice(0, slot.lengths[0]));
  }
  assert.deepEqual(bytes, range(0, 800).map((n) => n & 0x7f));
});

test('whatever comes, nothing is lost without being counted, and memory is bounded', () => {
  for (let seed = 0; seed < 40; seed += 1) {
    const roll = dice(seed);
    const jitter = new Jitter();
    const slot = newSlot();
    let [now, base] = [0, 0];
    for (let n = 0; n < 4_000; n += 1) {
      const what = roll();
      now += roll() < 0.01 ? roll() * 40_000 : roll() * 15;
      if (what < 0.7) {
        if (roll() < 0.01) base = Math.floor(roll() * 2 ** 32);
        const chunk = Math.floor(now / 20 + roll() * 20 + base) >>> 0;
        const length = roll() < 0.9 ? 160 : 1 + Math.floor(roll() * 160);
        jitter.onFrame(now, Number(roll() < 0.5), chunk, Math.imul(chunk, 20) >>> 0, roll() < 0.1, new Uint8Array(length));
      } else if (what < 0.95) {
        jitter.pull(now, roll() * 30, slot);
        for (const piece of slot.pieces) assert.ok([PLAY, CONCEAL, SILENCE].includes(piece));
      } else if (what < 0.97) jitter.onMissed(Number(roll() < 0.5), Math.floor(roll() * 2 ** 32));
      else if (what < 0.98) jitter.stream();
      else if (what < 0.985) jitter.restart();
      else if (what < 0.99) jitter.toLive();
      const { received, played, dropped, late, doubles, joined } = jitter.counts;
      assert.equal(received, played + dropped + late + doubles + joined + jitter.waiting, `seed ${seed}, step ${n}`);
      assert.ok(jitter.waiting <= 2048);
      assert.ok(Number.isFinite(jitter.depthMs) && jitter.targetMs <= MAX_TARGET_MS);
    }
  }
});
