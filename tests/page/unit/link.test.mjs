// The connection against a relay made of fakes: what it asks for, when it comes back, and what it resumes with.

import assert from 'node:assert/strict';
import test from 'node:test';

import { Clock, FakeRelay, modules, refusal, settle } from './support.mjs';

const { Link } = await import(new URL('link.js', modules));
const { DEAD_MS, PING_MS } = await import(new URL('link/patience.js', modules));
const CALL = `CA${'1'.repeat(32)}`;
const OTHER = `CA${'2'.repeat(32)}`;

/** A link, its relay and its clock, with all that it told; dice are in the middle. */
function world({ origin = 'https://relay.example', token = 'secret' } = {}) {
  const clock = new Clock();
  const relay = new FakeRelay();
  const link = new Link(origin, token, {
    fetch: relay.fetch,
    WebSocket: relay.WebSocket,
    now: clock.now,
    random: () => 0.5,
    timers: clock.timers,
  });
  const told = { state: [], message: [], frame: [], missed: [], lost: [] };
  for (const [type, list] of Object.entries(told)) link.addEventListener(type, ({ detail }) => list.push(detail));
  const states = () => told.state.map(({ state }) => state);
  return { clock, relay, link, told, states };
}

/** The same, greeted. */
async function open(options) {
  const all = world(options);
  all.link.open();
  await settle();
  all.relay.greet();
  all.relay.say({ type: 'calls', calls: [], more: false });
  return all;
}

const subscribed = (more = {}) => ({ type: 'subscribed', call_sid: CALL, audio_id: 7, journal: 'j1', resumed: true, zero_at: null, ...more });
const line = (seq, text = `line ${seq}`) => ({ type: 'transcript', call_sid: CALL, line: { seq, text, track: 'inbound', final: true } });
const sentTypes = (relay) => relay.socket.sent.map(({ type }) => type);
const subscribes = (relay) => relay.socket.sent.filter(({ type }) => type === 'subscribe');

/** What is logged meanwhile. */
async function logged(run) {
  const lines = [];
  const { log } = console;
  console.log = (text) => lines.push(text);
  try {
    await run();
  } finally {
    console.log = log;
  }
  return lines;
}
console.log = () => {};

test('a ticket opens each connection, and the token goes to the relay alone', async () => {
  const { clock, relay, link, states } = await open();
  const [{ url, init }] = relay.asked;
  assert.equal(url, 'https://relay.example/api/v1/tickets');
  assert.deepEqual([init.method, init.headers, init.redirect], ['POST', { Authorization: 'Bearer secret' }, 'error']);
  assert.equal(relay.socket.url, 'wss://relay.example/listen?ticket=t1');
  assert.equal(relay.socket.protocol, 'partyline.v1');
  assert.equal(relay.socket.binaryType, 'arraybuffer');
  assert.deepEqual(states(), ['connecting', 'open']);
  relay.cut(1006);
  await clock.pass(1_000);
  assert.equal(relay.socket.url, 'wss://relay.example/listen?ticket=t2');
  link.close();
  await clock.pass(60_000);
  assert.deepEqual([relay.sockets.length, clock.pending], [2, 0]);
});

test('a relay on this machine is spoken to as it is, and without a token where there is none', async () => {
  const { relay } = await open({ origin: 'http://127.0.0.1:8080', token: null });
  assert.deepEqual(relay.asked[0].init.headers, {});
  assert.equal(relay.socket.url, 'ws://127.0.0.1:8080/listen?ticket=t1');
});

test('it comes back after these codes, at once by back-off, and asks for what follows', async () => {
  for (const code of [1000, 1001, 1005, 1006, 1011, 4008]) {
    const { clock, relay, link, told, states } = await open();
    link.subscribe(CALL, { audio: false });
    relay.say(subscribed());
    relay.say(line(1));
    relay.say(line(2));
    relay.say({ type: 'event', call_sid: CALL, event: { seq: 9, kind: 'mark' } });
    relay.cut(code);
    const { state, why, retryInMs } = told.state.at(-1);
    assert.deepEqual([state, retryInMs], ['waiting', 250], code);
    assert.ok(why.length > 0);
    await clock.pass(300);
    assert.equal(relay.sockets.length, 2, code);
    relay.greet();
    assert.deepEqual(subscribes(relay), [
      { type: 'subscribe', call_sid: CALL, audio: false, after: { journal: 'j1', transcript: 2, event: 9 }, replay_ms: 0, save: false },
    ]);
    assert.deepEqual(states(), ['connecting', 'open', 'waiting', 'connecting', 'open']);
    link.close();
  }
});

test('it stays away after these codes until somebody says so', async () => {
  for (const code of [1002, 1007, 1008, 1009, 4001, 4009]) {
    const { clock, relay, link, told } = await open();
    relay.cut(code);
    const { state, why, retryInMs } = told.state.at(-1);
    assert.deepEqual([state, retryInMs], ['refused', null], code);
    assert.ok(why.length > 0);
    await clock.pass(600_000);
    assert.deepEqual([relay.asked.length, clock.pending], [1, 0], code);
    link.renew('another');
    link.open();
    await settle();
    assert.equal(relay.asked[1].init.headers.Authorization, 'Bearer another');
  }
});

test('a ticket that is refused says whether to come back, and when', async () => {
  for (const status of [401, 403]) {
    const { clock, relay, link, told } = world();
    relay.answer = () => refusal(status);
    link.open();
    await settle();
    assert.equal(told.state.at(-1).state, 'refused');
    await clock.pass(600_000);
    assert.equal(relay.asked.length, 1);
  }
  const later = [
    [() => refusal(429, { 'Retry-After': '7' }), 7_250],
    [() => refusal(503, { 'Retry-After': '2' }), 2_250],
    [() => refusal(503, { 'Retry-After': 'Sun, 22 Nov 2026 09:00:00 GMT' }), 250],
    [() => refusal(502), 250],
    [() => ({ ok: true, status: 200, json: async () => ({}) }), 250],
    [() => { throw new TypeError('Failed to fetch'); }, 250],
  ];
  for (const [answer, waits] of later) {
    const { clock, relay, link, told } = world();
    relay.answer = answer;
    link.open();
    await settle();
    const { state, retryInMs, why } = told.state.at(-1);
    assert.deepEqual([state, retryInMs], ['waiting', waits]);
    assert.doesNotMatch(why, /secret|Failed to fetch/);
    await clock.pass(waits - 1);
    assert.equal(relay.asked.length, 1);
    await clock.pass(2);
    assert.equal(relay.asked.length, 2);
    link.close();
  }
});

test('a relay that fails again and again is stayed away from for longer, until something comes of it', async () => {
  const { clock, relay, told } = await open();
  const waits = [];
  for (let n = 0; n < 4; n += 1) {
    relay.cut(1006);
    waits.push(told.state.at(-1).retryInMs);
    await clock.pass(waits.at(-1) + 1);
    relay.greet();
  }
  assert.deepEqual(waits, [250, 500, 1000, 2000]);
  relay.say({ type: 'calls', calls: [], more: false });
  relay.cut(1006);
  assert.equal(told.state.at(-1).retryInMs, 250);
});

test("the relay's goodbye says when to come back", async () => {
  const { clock, relay, told } = await open();
  relay.say({ type: 'goodbye', reason: 'draining', retry_after_ms: 2300 });
  relay.cut(1001);
  assert.equal(told.state.at(-1).retryInMs, 2550);
  await clock.pass(2600);
  relay.greet();
  relay.say({ type: 'calls', calls: [], more: false });
  relay.cut(1001);
  assert.equal(told.state.at(-1).retryInMs, 250, 'it said so of that time only');
});

test('lines and events come once and in order, whatever the relay repeats', async () => {
  const { clock, relay, link, told } = await open();
  link.subscribe(CALL);
  relay.say(line(1));
  relay.say(subscribed());
  for (const seq of [1, 2, 2, 1, 5]) relay.say(line(seq));
  relay.cut(1006);
  await clock.pass(300);
  relay.greet();
  relay.say(subscribed({ resumed: false }));
  for (const seq of [2, 5, 6]) relay.say(line(seq));
  relay.say(subscribed({ journal: 'j2', resumed: false }));
  for (const seq of [1, 2]) relay.say(line(seq));
  const seqs = told.message.filter(({ type }) => type === 'transcript').map((message) => message.line.seq);
  assert.deepEqual(seqs, [1, 2, 5, 6, 1, 2]);
});

test('frames of the stream come once, those of others never, and holes are told in their place', async () => {
  const { relay, link, told } = await open();
  link.subscribe(CALL, { audio: true, replay_ms: 3000 });
  assert.equal(subscribes(relay)[0].replay_ms, 3000);
  relay.say(subscribed());
  relay.play({ chunk: 5, timestampMs: 100, flags: 1 });
  relay.play({ chunk: 5, timestampMs: 100 });
  relay.play({ audioId: 8, chunk: 6 });
  relay.say({ type: 'gap', call_sid: CALL, track: 'inbound', from_chunk: 6, to_chunk: 8, reason: 'slow_listener' });
  relay.play({ chunk: 9, timestampMs: 180 });
  relay.play({ track: 1, chunk: 3, timestampMs: 180 });
  relay.play({ chunk: 12, timestampMs: 240 });
  // Another stream takes over: its chunks count from 1.
  relay.say(subscribed({ audio_id: 8 }));
  relay.play({ chunk: 13, timestampMs: 260 });
  relay.play({ audioId: 8, chunk: 2, timestampMs: 20 });
  // An unknown stream is none.
  relay.say(subscribed({ audio_id: null }));
  relay.play({ audioId: 8, chunk: 3 });
  assert.deepEqual(
    told.frame.map(({ callSid, audioId, track, chunk, replayed }) => [callSid === CALL, audioId, track, chunk, replayed]),
    [
      [true, 7, 0, 5, true],
      [true, 7, 0, 9, false],
      [true, 7, 1, 3, false],
      [true, 7, 0, 12, false],
      [true, 8, 0, 2, false],
    ],
  );
  assert.deepEqual(
    told.missed.map(({ track, from, to, reason }) => [track, from, to, reason]),
    [
      [0, 6, 8, 'slow_listener'],
      [0, 10, 11, 'untold'],
      [0, 1, 1, 'untold'],
    ],
  );
});

test('after a cut the audio since is asked for, and what was heard is not heard again', async () => {
  const { clock, relay, link, told } = await open();
  link.subscribe(CALL, { audio: true });
  relay.say(subscribed({ zero_at: '2026-11-22T08:59:50.000Z' }));
  relay.play({ chunk: 500, timestampMs: 9_980 });
  await clock.pass(4_000);
  relay.cut(1006);
  await clock.pass(300);
  relay.greet('2026-11-22T09:00:04.300Z');
  // 4.32 s since that frame was live, and 2 s of slack.
  assert.equal(subscribes(relay)[0].replay_ms, 6_320);
  relay.say(subscribed());
  for (const chunk of [499, 500, 503]) relay.play({ chunk, timestampMs: chunk * 20 - 20, flags: 1 });
  assert.deepEqual(told.frame.map(({ chunk }) => chunk), [500, 503]);
  assert.deepEqual(told.missed.map(({ from, to, reason }) => [from, to, reason]), [[501, 502, 'away']]);
});

test('several calls are read over one socket, one of them is heard, and each is left by itself', async () => {
  const { relay, link, told } = await open();
  link.subscribe(CALL, { audio: true });
  link.subscribe(OTHER);
  relay.say(subscribed());
  relay.say(subscribed({ call_sid: OTHER, audio_id: 9 }));
  relay.play({ audioId: 9 });
  assert.equal(told.frame.length, 0);
  link.subscribe(CALL, { audio: false });
  link.subscribe(OTHER, { audio: true });
  assert.deepEqual(subscribes(relay).slice(2).map(({ call_sid, audio, after }) => [call_sid === CALL, audio, after.journal]), [
    [true, false, 'j1'],
    [false, true, 'j1'],
  ]);
  relay.play({ audioId: 7 });
  relay.play({ audioId: 9, chunk: 40 });
  assert.deepEqual(told.frame.map(({ callSid, chunk }) => [callSid, chunk]), [[OTHER, 40]]);
  assert.deepEqual(told.missed, [], 'who begins to hear has missed nothing');
  link.unsubscribe(CALL);
  assert.deepEqual(relay.socket.sent.at(-1), { type: 'unsubscribe', call_sid: CALL });
  // Wanted anew before that is answered: it begins at the beginning, and the answer ends nothing.
  link.subscribe(CALL);
  assert.equal('after' in relay.socket.sent.at(-1), false);
  relay.say({ type: 'unsubscribed', call_sid: CALL });
  relay.say(subscribed());
  relay.say(line(1));
  assert.equal(told.message.filter(({ type }) => type === 'transcript').length, 1);
  assert.deepEqual(told.lost, []);
  relay.say({ type: 'unsubscribed', call_sid: CALL });
  assert.deepEqual(told.lost.map(({ callSid }) => callSid), [CALL]);
});

test('a call that is refused is wanted no more; one that a restarted relay does not know yet is waited for', async () => {
  const { clock, relay, link, told } = await open();
  link.subscribe(OTHER);
  relay.say({ type: 'error', code: 'no_such_call', message: 'no such call', re: OTHER });
  assert.deepEqual(told.lost, [{ callSid: OTHER, why: 'no such call' }]);
  link.subscribe(CALL);
  relay.say(subscribed());
  relay.cut(1001);
  await clock.pass(300);
  relay.greet();
  relay.say({ type: 'error', code: 'no_such_call', message: 'no such call', re: CALL });
  await clock.pass(20_000);
  assert.equal(told.lost.length, 1);
  relay.say({ type: 'call', call: { call_sid: CALL } });
  assert.equal(subscribes(relay).length, 2, 'asked again once the relay shows it');
  relay.say({ type: 'error', code: 'no_such_call', message: 'no such call', re: CALL });
  for (let n = 0; n < 31; n += 1) {
    await clock.pass(1_000);
    relay.say({ type: 'levels', levels: [] });
  }
  assert.deepEqual(told.lost.map(({ callSid }) => callSid), [OTHER, CALL]);
  relay.cut(1006);
  await clock.pass(600);
  relay.greet();
  assert.equal(subscribes(relay).length, 0);
});

test('levels are asked for over each socket, and a renewed token is told', async () => {
  const { clock, relay, link } = await open();
  link.watch(5);
  link.renew('newer');
  relay.cut(1006);
  await clock.pass(300);
  relay.greet();
  assert.deepEqual(relay.sockets[0].sent, [
    { type: 'watch', levels_hz: 5, call_sids: null },
    { type: 'auth', token: 'newer' },
  ]);
  assert.equal(relay.asked[1].init.headers.Authorization, 'Bearer newer');
  assert.deepEqual(sentTypes(relay), ['watch']);
  link.watch(0);
  relay.cut(1006);
  await clock.pass(1_100);
  relay.greet();
  assert.deepEqual(sentTypes(relay), []);
});

test('it pings, answers pings, and leaves a relay that says nothing', async () => {
  const { clock, relay, link, told } = await open();
  relay.say({ type: 'ping', id: 3 });
  assert.deepEqual(relay.socket.sent, [{ type: 'pong', id: 3 }]);
  await clock.pass(PING_MS);
  assert.deepEqual(relay.socket.sent[1], { type: 'ping', id: 1 });
  clock.ms += 40;
  relay.say({ type: 'pong', id: 1, time: '2026-11-22T09:00:00.000Z' });
  assert.equal(link.roundTripMs, 40);
  const silent = relay.socket;
  await clock.pass(DEAD_MS - 1_000);
  assert.equal(silent.readyState, 1);
  await clock.pass(2_000);
  assert.equal(silent.readyState, 3);
  assert.ok(told.state.some(({ state, why }) => state === 'waiting' && /40 s/.test(why)));
});

test('a page that was stopped does not take its own silence for the relay’s', async () => {
  const { clock, relay, told } = await open();
  // A debugger, for 90 s: the look comes before the messages that wait.
  await clock.stall(90_000);
  assert.equal(relay.socket.readyState, 1);
  relay.say({ type: 'levels', levels: [] });
  await clock.pass(5_000);
  assert.deepEqual(told.state.map(({ state }) => state), ['connecting', 'open']);
  // The machine slept, and there is nothing to read: the next look says so.
  await clock.stall(90_000);
  assert.equal(relay.sockets.length, 1);
  await clock.pass(1_000);
  assert.equal(told.state.at(-1).state, 'waiting');
});

test('a socket that opens and never greets is left', async () => {
  const { clock, relay, link, told } = world();
  link.open();
  await settle();
  relay.open();
  await clock.pass(11_000);
  assert.equal(relay.sockets[0].readyState, 3);
  assert.ok(told.state.some(({ state }) => state === 'waiting'));
});

test('who is told may leave, or come back at once', async () => {
  for (const at of ['connecting', 'open', 'waiting']) {
    const { clock, relay, link } = world();
    link.addEventListener('state', ({ detail }) => detail.state === at && link.close());
    link.open();
    await settle();
    if (relay.socket) relay.greet();
    if (at === 'waiting') relay.cut(1006);
    await clock.pass(60_000);
    assert.equal(clock.pending, 0, at);
    assert.equal(relay.sockets.length, at === 'connecting' ? 0 : 1, at);
  }
  const { clock, relay, link } = await open();
  link.addEventListener('state', ({ detail }) => detail.state === 'waiting' && link.open());
  relay.cut(1006);
  await settle();
  assert.equal(relay.sockets.length, 2);
  relay.greet();
  await clock.pass(5_000);
  assert.equal(relay.sockets.length, 2);
});

test('noise changes nothing', async () => {
  const { relay, link, told } = await open();
  link.subscribe(CALL, { audio: true });
  relay.say(subscribed());
  const before = told.message.length;
  for (const text of ['', '{', 'null', '7', '"x"', '[]', '{}']) relay.say(text);
  for (const type of ['transcript', 'event', 'gap', 'error', 'unsubscribed', 'call', 'calls', 'pong', 'subscribed']) relay.say({ type });
  relay.say({ type: 'transcript', call_sid: CALL });
  relay.say({ type: 'gap', call_sid: CALL, track: 'third', from_chunk: 1, to_chunk: 2 });
  relay.say({ type: 'of tomorrow', value: 1 });
  relay.socket.onmessage({ data: new ArrayBuffer(3) });
  assert.equal(told.message.slice(before).some(({ type }) => type === 'of tomorrow'), true);
  relay.say(line(1));
  assert.equal(told.message.at(-1).line.seq, 1);
  assert.deepEqual([told.frame.length, told.missed.length, told.lost.length], [0, 0, 0]);
});

test('the old page’s three states are logged', async () => {
  const lines = await logged(async () => {
    const { clock, relay, link } = await open();
    link.subscribe(CALL, { audio: true });
    for (let n = 0; n < 2; n += 1) {
      relay.say(subscribed());
      relay.play({ chunk: 10 * n + 1 });
      relay.play({ chunk: 10 * n + 2 });
      if (n === 1) break;
      relay.cut(1006);
      await clock.pass(300);
      relay.greet();
    }
  });
  const once = ['Partyline: connected', `Partyline: subscription confirmed ${CALL}`, 'Partyline: receiving'];
  assert.deepEqual(lines, [...once, ...once]);
});
