// What comes out for the card: pitch, purity, seams, loudness, and how the card's clock is followed.

import assert from 'node:assert/strict';
import test from 'node:test';

import { encode, modules, purity, tone } from './support.mjs';

const { Resampler } = await import(new URL('sound/resample.js', modules));
const { Concealer } = await import(new URL('sound/conceal.js', modules));
const { Mixer } = await import(new URL('sound/mixer.js', modules));
const { Drift, MAX_NUDGE } = await import(new URL('sound/drift.js', modules));
const { Player } = await import(new URL('sound/player.js', modules));
const { Peaks } = await import(new URL('sound/peaks.js', modules));
const { PLAY, CONCEAL, SILENCE } = await import(new URL('sound/jitter.js', modules));

/** The samples that come of a wave at `rate`, in quanta of 128; the input comes in pieces of odd size. */
function resampled(rate, wave, seconds, nudge = () => 1) {
  const resampler = new Resampler(rate);
  const out = [[], []];
  const quantum = [new Float32Array(128), new Float32Array(128)];
  let at = 0;
  const feed = (inputs, from) => {
    const count = 1 + ((at * 7) % 160);
    for (let n = 0; n < count; n += 1) {
      inputs[0][from + n] = wave(at);
      inputs[1][from + n] = -wave(at);
      at += 1;
    }
    return count;
  };
  for (let n = 0; n * 128 < rate * seconds; n += 1) {
    resampler.nudge(nudge(n));
    resampler.process(...quantum, feed);
    out[0].push(...quantum[0]);
    out[1].push(...quantum[1]);
  }
  return { out, taken: at - resampler.waiting };
}

const sine = (hz, loud = 0.5) => (n) => loud * Math.sin((2 * Math.PI * hz * n) / 8000);

test('a tone comes out pure and as loud, at every rate of a card', () => {
  for (const rate of [8_000, 16_000, 22_050, 44_100, 48_000, 96_000, 192_000]) {
    for (const [hz, db] of [[300, 70], [1000, 70], [3000, 60], [3400, 45]]) {
      const { out } = resampled(rate, sine(hz), 0.5);
      const { db: pure, amplitude } = purity(out[0].slice(rate / 10), hz, rate);
      assert.ok(pure > db, `${hz} Hz at ${rate}: ${pure} dB`);
      assert.ok(Math.abs(20 * Math.log10(amplitude / 0.5)) < 0.15, `${hz} Hz at ${rate}: ${amplitude}`);
      assert.ok(out[0].every((sample, n) => sample === -out[1][n]), 'both tracks in step');
    }
  }
});

test('a level stays what it is, and neither quanta nor pieces are heard', () => {
  const { out } = resampled(44_100, () => 0.5, 0.5);
  assert.ok(out[0].slice(441).every((sample) => Math.abs(sample - 0.5) < 1e-4));
});

test('a nudge changes how much is taken, without a click', () => {
  const rate = 48_000;
  for (const nudge of [0.995, 1.005]) {
    const { out, taken } = resampled(rate, sine(1000), 4, () => nudge);
    assert.ok(Math.abs((out[0].length / taken / 6 / nudge) - 1) < 1e-4, `${nudge}`);
  }
  const { out } = resampled(rate, sine(1000), 2, (n) => 1 + 0.005 * Math.sin(n));
  const steps = out[0].slice(1).map((sample, n) => Math.abs(sample - out[0][n]));
  assert.ok(Math.max(...steps.slice(480)) < 0.5 * 2 * Math.PI * (1000 / rate) * 1.02);
});

test('what is lost is covered up, fades, and no seam is a step', () => {
  const concealer = new Concealer();
  const out = new Float32Array(160);
  const all = [];
  const piece = (kind, audio = null, length = 160, cut = false) => {
    concealer.next(kind, audio, length, cut, out);
    all.push(...out);
  };
  const hz = 217;
  for (let n = 0; n < 10; n += 1) piece(PLAY, tone(hz, n * 20));
  for (let n = 0; n < 2; n += 1) piece(CONCEAL);
  for (let n = 12; n < 16; n += 1) piece(PLAY, tone(hz, n * 20));
  for (let n = 0; n < 6; n += 1) piece(CONCEAL);
  for (let n = 22; n < 26; n += 1) piece(PLAY, tone(hz, n * 20));
  // Something was left out; a frame that is short; silence.
  for (let n = 0; n < 4; n += 1) piece(PLAY, tone(hz, n * 20 + 7), 160, n === 0);
  piece(PLAY, tone(hz, 87), 50);
  piece(PLAY, tone(hz, 3));
  piece(SILENCE);
  for (let n = 0; n < 3; n += 1) {
    concealer.rest(40, out);
    all.push(...out.subarray(0, 40));
  }
  const most = 0.5 * 2 * Math.PI * (hz / 8000);
  const steps = all.slice(1).map((sample, n) => Math.abs(sample - all[n]));
  assert.ok(Math.max(...steps) < most * 1.6, `a step of ${Math.max(...steps)}, where the tone has ${most}`);
  const loud = (from, to) => Math.max(...all.slice(from * 160, to * 160).map(Math.abs));
  assert.ok(loud(10, 11) > 0.3, 'the first 20 ms are covered');
  assert.ok(loud(19, 22) < 0.01, 'after 60 ms it is silent');
  assert.ok(loud(31, 32) > 0 && all.slice(-120).every((sample) => Math.abs(sample) < 1e-6));
  // What followed the frame before was passed through untouched.
  assert.deepEqual(all.slice(160, 320), [...Float32Array.from(all.slice(160, 320))]);
});

test('gains ramp, sides are sides, and two who shout stay within full scale', () => {
  const mixer = new Mixer(48_000);
  const run = (a, b, n = 4800) => {
    const ears = [new Float32Array(n).fill(a), new Float32Array(n).fill(b)];
    mixer.mix(...ears);
    return ears;
  };
  assert.deepEqual(run(1, 1).map((ear) => ear.at(-1)), [0, 0], 'silent until it is told');
  mixer.set([1, 1], [-1, 1]);
  const [left, right] = run(0.5, -0.25);
  assert.ok(left.slice(1).every((sample, n) => Math.abs(sample - left[n]) < 0.5 / 400));
  assert.deepEqual([left.at(-1), right.at(-1)], [0.5, -0.25]);
  mixer.set([1, 0], [0, 0]);
  run(0, 0);
  assert.deepEqual(run(0.5, 0.9).map((ear) => ear.at(-1).toFixed(4)), ['0.3536', '0.3536']);
  mixer.set([1, 1], [0, 0]);
  run(0, 0);
  const shout = run(0.98, 0.98);
  assert.ok(Math.max(...shout[0]) <= 0.9851);
  assert.ok(run(0.1, 0.1, 96_000)[0].at(-1) > 0.141, 'and what the limiter took it gives back');
});

test("the card's pace is learnt, and never heard", () => {
  for (const ppm of [-300, 100, 1000]) {
    const drift = new Drift();
    let excess = 0;
    for (let n = 0; n < 60 * 60 * 50; n += 1) {
      const ratio = drift.step(excess);
      assert.ok(Math.abs(ratio - 1) <= MAX_NUDGE);
      // A ratio above 1 makes more of the same input: the buffer gets deeper.
      excess += 0.02 * (ppm * 1e-6 + ratio - 1);
    }
    assert.ok(Math.abs(drift.ppm - ppm) < 30, `${ppm}: ${drift.ppm}`);
    assert.ok(Math.abs(excess) < 0.005, `${ppm}: ${excess} s`);
    const learnt = drift.step(NaN);
    assert.ok(Math.abs(1 - learnt - drift.ppm * 1e-6) < 1e-9, 'and kept over a pause');
  }
});

/** A call that is played to a card whose clock runs fast by `ppm`. `frame` gives a track's mu-law at a media time. */
class Card {
  constructor(rate, frame, { ppm = 0, late = () => 20 } = {}) {
    this.player = new Player(rate);
    Object.assign(this, { rate, frame, ppm, late, quanta: 0, sent: 0, out: [[], []] });
    this.ears = [new Float32Array(128), new Float32Array(128)];
  }

  run(seconds, keep = true) {
    const end = this.quanta + Math.round((seconds * this.rate) / 128);
    for (; this.quanta < end; this.quanta += 1) {
      const nowMs = (this.quanta * 128 * 1000) / this.rate;
      const realMs = nowMs / (1 + this.ppm * 1e-6);
      for (; this.sent * 20 + this.late(this.sent) <= realMs; this.sent += 1) {
        for (const track of [0, 1]) {
          const mulaw = this.frame(track, this.sent * 20);
          if (mulaw) this.player.frame(nowMs, track, this.sent + 1, this.sent * 20, false, mulaw);
        }
      }
      this.player.render(nowMs, ...this.ears);
      if (keep) this.ears.forEach((ear, n) => this.out[n].push(...ear));
    }
    return this;
  }
}

test('a call is heard on both sides, pure, at 44.1, 48 and 96 kHz', () => {
  for (const rate of [44_100, 48_000, 96_000]) {
    const card = new Card(rate, (track, ms) => tone(track === 0 ? 440 : 1000, ms));
    card.player.mix([1, 1], [-1, 1]);
    card.run(2);
    // Mu-law itself leaves 38 dB; the ratio follows the depth a little.
    for (const [track, hz] of [440, 1000].entries()) {
      const samples = card.out[track].slice(rate, rate + rate / 50);
      const { db, amplitude } = purity(samples, hz, rate);
      assert.ok(db > 30, `${hz} Hz at ${rate}: ${db} dB`);
      assert.ok(Math.abs(amplitude - 0.5) < 0.01);
    }
    assert.equal(card.player.jitter.counts.concealedMs, 0);
    assert.ok(card.player.jitter.depthMs < 90);
  }
});

test('a card of another pace is followed without a loss', () => {
  const pieces = [tone(300, 0), new Uint8Array(160).fill(0xff)];
  for (const ppm of [-500, 500]) {
    const card = new Card(8_000, (_, ms) => pieces[Number(ms % 3000 < 600)], { ppm, late: (n) => 20 + ((n * 7) % 11) });
    card.run(30, false);
    const { concealedMs } = card.player.jitter.counts;
    card.run(150, false);
    const jitter = card.player.jitter;
    assert.equal(jitter.counts.concealedMs - concealedMs, 0, `${ppm}`);
    assert.equal(jitter.counts.late, 0);
    assert.ok(jitter.counts.dropped < 20, `${jitter.counts.dropped}`);
    assert.ok(jitter.depthMs > 15 && jitter.depthMs < 90, `${ppm}: ${jitter.depthMs} ms`);
  }
});

test('a mute does not click, and nothing said is silence', () => {
  const card = new Card(48_000, (track, ms) => (ms < 3000 ? tone(300, ms) : null));
  card.run(1);
  card.player.mix([0, 0], [0, 0]);
  card.run(1);
  card.player.mix([1, 1], [0, 0]);
  card.run(3);
  const left = card.out[0];
  const step = left.slice(1).reduce((most, sample, n) => Math.max(most, Math.abs(sample - left[n])), 0);
  assert.ok(step < 0.035, `${step}`);
  assert.ok(left.slice(48_000 * 1.5, 48_000 * 2).every((sample) => sample === 0));
  assert.ok(left.slice(-48_000).every((sample) => Math.abs(sample) < 1e-6));
});

test('what is drawn is the peak of each 20 ms, side by side, over streams, holes and wraps', () => {
  const peaks = new Peaks();
  const at = (track, timestampMs, loud) => peaks.add({ track, timestampMs: timestampMs >>> 0, mulaw: new Uint8Array(160).fill(encode(loud)) });
  assert.deepEqual([...peaks.columns(0, 3)], [0, 0, 0]);
  at(0, -20, 0.5);
  at(1, 0, 0.25);
  at(0, 40, -0.75);
  const rounded = (track, n, slots) => [...peaks.columns(track, n, slots)].map((peak) => Math.round(peak * 20) / 20);
  assert.deepEqual(rounded(0, 5), [0, 0.5, 0, 0, 0.75]);
  assert.deepEqual(rounded(1, 4), [0, 0.25, 0, 0]);
  assert.deepEqual(rounded(0, 2, 2), [0.5, 0.75]);
  peaks.stream();
  at(1, 5_000, 0.5);
  assert.deepEqual(rounded(1, 4), [0.25, 0, 0, 0.5]);
  assert.deepEqual(rounded(0, 3), [0, 0.75, 0]);
  at(1, 5_000 + 8192 * 20 * 3, 0.5);
  assert.deepEqual(rounded(1, 3), [0, 0, 0.5]);
  assert.equal(Math.max(...peaks.columns(0, 8192)), 0, 'what is too old is forgotten');
  at(1, 0, 0.25);
  assert.deepEqual(rounded(1, 2), [0.5, 0.25], 'another clock goes on behind');
  const into = new Float32Array(4);
  assert.equal(peaks.columns(1, 4, 1, into), into);
  peaks.clear();
  assert.deepEqual([...peaks.columns(1, 2)], [0, 0]);
});
