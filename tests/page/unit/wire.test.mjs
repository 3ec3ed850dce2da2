// Bytes and numbers: the frame's form, mu-law, close codes, back-off, and how far one was.

import assert from 'node:assert/strict';
import test from 'node:test';

import { encode, frameBytes, modules } from './support.mjs';

const { parseFrame } = await import(new URL('link/frame.js', modules));
const { comesBack, meaning } = await import(new URL('link/close.js', modules));
const { Backoff } = await import(new URL('link/backoff.js', modules));
const { Journals } = await import(new URL('link/journals.js', modules));
const { Stream } = await import(new URL('link/chunks.js', modules));
const { Transcript, MOST } = await import(new URL('transcript.js', modules));
const { PCM, SAMPLES } = await import(new URL('sound/mulaw.js', modules));

test("a frame's bytes are the contract's", () => {
  const wire = Uint8Array.of(1, 1, 0, 1, 0xfe, 2, 3, 4, 0, 0, 0, 7, 0xff, 11, 12, 13, 0xff, 0x7f);
  const { mulaw, ...head } = parseFrame(wire.buffer);
  assert.deepEqual(head, { audioId: 0xfe020304, track: 1, chunk: 7, timestampMs: 0xff0b0c0d, replayed: true });
  assert.deepEqual([...mulaw], [0xff, 0x7f]);
  assert.equal(mulaw.buffer, wire.buffer);
  assert.equal(parseFrame(frameBytes({})).replayed, false);
});

test('what is no frame, or one of a later kind, is ignored', () => {
  for (const bytes of [[], [1], new Array(16).fill(1), new Array(177).fill(1)]) {
    assert.equal(parseFrame(Uint8Array.from(bytes).buffer), null);
  }
  assert.equal(parseFrame(frameBytes({ kind: 2 })), null);
  assert.equal(parseFrame(frameBytes({ track: 2 })), null);
  assert.ok(parseFrame(frameBytes({ flags: 0x8000, mulaw: new Uint8Array(160) })));
});

test('mu-law is what ITU-T writes', () => {
  const known = { 0x80: 32124, 0x90: 15996, 0xa0: 7932, 0xbf: 1980, 0xcf: 924, 0xef: 132, 0xff: 0, 0x7f: 0, 0x00: -32124 };
  for (const [byte, pcm] of Object.entries(known)) assert.equal(PCM[byte], pcm, byte);
  for (let byte = 0; byte < 256; byte += 1) {
    assert.equal(encode(PCM[byte] / 32768), byte === 0x7f ? 0xff : byte);
    assert.equal(SAMPLES[byte], PCM[byte] / 32768);
  }
});

test('the close code says whether to come back', () => {
  for (const code of [1000, 1001, 1005, 1006, 1011, 4008, 4999]) assert.equal(comesBack(code), true, code);
  for (const code of [1002, 1007, 1008, 1009, 4001, 4009]) assert.equal(comesBack(code), false, code);
  assert.match(meaning(4001), /token/);
  assert.match(meaning(4321), /4321/);
});

test('limits double to the ceiling, begin anew, and what a relay asks is kept within reason', () => {
  const backoff = new Backoff();
  const limits = Array.from({ length: 9 }, () => backoff.next(1));
  assert.deepEqual(limits, [500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000]);
  assert.equal(backoff.next(0), 0);
  for (let n = 0; n < 2000; n += 1) backoff.next(1);
  assert.equal(backoff.next(1), 30_000);
  backoff.reset();
  assert.equal(backoff.next(0.5), 250);
  assert.deepEqual([backoff.asked(3000, 0), backoff.asked(3000, 1), backoff.asked(1e9, 0), backoff.asked(-5, 0)], [3000, 3500, 300_000, 0]);
});

test('a line of a journal is new once, also where journals take turns', () => {
  const journals = new Journals();
  assert.equal(journals.after(), undefined);
  assert.equal(journals.takeLine(1), false);
  assert.equal(journals.enter('a'), false);
  assert.deepEqual([journals.takeLine(1), journals.takeLine(1), journals.takeLine(5), journals.takeLine(4)], [true, false, true, false]);
  assert.equal(journals.takeEvent(2), true);
  assert.deepEqual(journals.after(), { journal: 'a', transcript: 5, event: 2 });
  assert.deepEqual([journals.enter('a'), journals.enter('b'), journals.enter('a')], [false, true, true]);
  assert.equal(journals.takeLine(5), false);
  for (const other of 'bcde') journals.enter(other);
  journals.enter('a');
  assert.equal(journals.takeLine(5), true, 'only the last four are remembered');
  assert.equal(journals.takeLine(undefined), false);
});

test('every chunk between the first and the last is given or missing, once and in order', () => {
  const late = new Stream(1, false, false);
  assert.deepEqual(late.onChunk(0, 10), []);
  assert.equal(late.onChunk(0, 10), null);
  assert.deepEqual(late.onChunk(0, 13), [{ from: 11, to: 12, reason: 'untold' }]);
  assert.deepEqual(late.onGap(0, 14, 20, 'slow_listener'), { from: 14, to: 20, reason: 'slow_listener' });
  assert.equal(late.onChunk(0, 20), null);
  assert.equal(late.onGap(0, 25, 26, 'upstream'), null);
  assert.deepEqual(late.onChunk(0, 30), [
    { from: 21, to: 24, reason: 'untold' },
    { from: 25, to: 26, reason: 'upstream' },
    { from: 27, to: 29, reason: 'untold' },
  ]);
  assert.equal(late.onGap(1, 1, 5, 'upstream'), null, 'a track that starts late is no gap');
  late.onClosed();
  assert.deepEqual(late.onChunk(0, 33), [{ from: 31, to: 32, reason: 'away' }]);
  late.onGap(0, 36, 38, 'relay_link');
  assert.deepEqual(late.flush(), [
    { track: 0, from: 34, to: 35, reason: 'untold' },
    { track: 0, from: 36, to: 38, reason: 'relay_link' },
  ]);
  assert.deepEqual(new Stream(2, true, false).onChunk(1, 3), [{ from: 1, to: 2, reason: 'untold' }]);
});

test('the transcript shows finals, one open partial a track, and what an older journal said', () => {
  const shown = new Transcript();
  const line = (track, text, final) => shown.add({ track, text, final });
  const texts = () => shown.entries.map(({ line: { text }, old }) => (old ? `(${text})` : text));
  shown.onSubscribed({ journal: 'a' });
  const first = line('inbound', 'he', false).entry;
  line('outbound', 'yes', false);
  assert.equal(line('inbound', 'hello', false).replaced, first);
  line('inbound', 'hello.', true);
  assert.equal(line('inbound', 'next', false).replaced, null);
  assert.deepEqual(texts(), ['hello.', 'yes', 'next']);
  assert.equal(shown.onSubscribed({ journal: 'a' }), false);
  assert.equal(shown.onSubscribed({ journal: 'b' }), true);
  line('inbound', 'again', true);
  assert.deepEqual(texts(), ['(hello.)', '(yes)', '(next)', 'again']);
  for (let n = 0; n < MOST; n += 1) line('inbound', `${n}`, true);
  assert.equal(shown.entries.length, MOST);
  assert.equal(line('inbound', 'one more', true).dropped[0].line.text, '0');
});
