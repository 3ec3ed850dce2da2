// The page's side of the sound, over an AudioContext of fakes: when frames are handed on, and what it says of itself.

import assert from 'node:assert/strict';
import { mock, test } from 'node:test';

import { modules, settle } from './support.mjs';

/** What stands in for the browser; `context` is the last one that was made. */
const browser = { state: 'running', context: null, node: null, module: async () => {} };

globalThis.AudioContext = class {
  sampleRate = 48_000;
  destination = {};
  state = browser.state;
  asked = [];
  audioWorklet = { addModule: (url) => browser.module(url) };

  constructor() {
    browser.context = this;
  }

  async resume() {
    this.asked.push('resume');
    if (this.state === 'suspended' && browser.state === 'running') this.become('running');
  }

  async suspend() {
    this.become('suspended');
  }

  async close() {
    this.state = 'closed';
  }

  become(state) {
    this.state = state;
    this.onstatechange?.();
  }
};

class Node {
  messages = [];
  port = { postMessage: (message) => this.messages.push(message) };

  constructor() {
    browser.node = this;
  }

  connect() {}

  disconnect() {
    this.gone = true;
  }

  /** What came since the last look. */
  kinds() {
    return this.messages.splice(0).map(({ kind }) => kind);
  }

  tell(more) {
    const taken = this.messages.length;
    this.port.onmessage({ data: { taken, state: 'live', depthMs: 40, ...more } });
  }
}
globalThis.AudioWorkletNode = Node;
globalThis.isSecureContext = true;

const { Sound } = await import(new URL('sound.js', modules));

const frame = (chunk, more = {}) => ({ callSid: 'CA1', audioId: 7, track: 0, chunk, timestampMs: chunk * 20, replayed: false, mulaw: new Uint8Array(160), ...more });

async function started(state = 'running') {
  browser.state = state;
  browser.module = async () => {};
  const sound = new Sound();
  const states = [];
  sound.addEventListener('state', ({ detail }) => states.push(detail.state));
  await sound.start();
  return { sound, states, node: browser.node, context: browser.context };
}

test('it says where there can be no sound, and why', async () => {
  assert.deepEqual(Sound.available(), { ok: true, why: null });
  globalThis.isSecureContext = false;
  assert.match(Sound.available().why, /https/);
  const sound = new Sound();
  await assert.rejects(sound.start(), /https/);
  assert.equal(sound.state, 'failed');
  // Waveforms there are all the same.
  sound.hear(frame(1, { mulaw: new Uint8Array(160).fill(0x80) }));
  assert.ok(sound.columns(0, 1)[0] > 0.9);
  globalThis.isSecureContext = true;
  delete globalThis.AudioWorkletNode;
  assert.match(Sound.available().why, /AudioWorklet/);
  globalThis.AudioWorkletNode = Node;
});

test('from a click it begins, once, and hands frames on', async () => {
  const { sound, states, node, context } = await started();
  assert.deepEqual(context.asked, ['resume'], 'while the click counts');
  assert.deepEqual(node.kinds(), ['mix', 'restart', 'mix']);
  await Promise.all([sound.start(), sound.start()]);
  assert.equal(browser.node, node);
  sound.hear(frame(1));
  sound.gap(0, 2, 3);
  sound.gap(0, 3, 2);
  assert.deepEqual(node.messages.filter(({ kind }) => kind !== 'mix'), [
    { kind: 'frame', track: 0, chunk: 1, timestampMs: 20, replayed: false, mulaw: new Uint8Array(160) },
    { kind: 'missed', track: 0, to: 3 },
  ]);
  node.tell();
  assert.deepEqual(states, ['starting', 'waiting', 'live']);
  assert.deepEqual([sound.stats().state, sound.stats().depthMs, sound.stats().sampleRate], ['live', 40, 48_000]);
});

test('two calls of start at once make one context', async () => {
  const sound = new Sound();
  browser.state = 'running';
  const before = browser.node;
  await Promise.all([sound.start(), sound.start()]);
  assert.notEqual(browser.node, before);
  assert.deepEqual(browser.node.kinds(), ['mix', 'restart', 'mix']);
});

test('what a browser holds back piles up nowhere, and it goes on live', async () => {
  mock.timers.enable({ apis: ['setTimeout'] });
  const { sound, states, node, context } = await started('suspended');
  sound.hear(frame(1));
  assert.deepEqual([node.kinds(), sound.stats().unheard, states.at(-1)], [['mix'], 1, 'starting']);
  mock.timers.tick(1_000);
  assert.equal(states.at(-1), 'blocked');
  mock.timers.reset();
  context.become('running');
  sound.hear(frame(2));
  assert.deepEqual(node.kinds(), ['restart', 'mix', 'frame']);
  // A telephone call comes in.
  context.become('interrupted');
  assert.equal(sound.state, 'blocked');
  sound.hear(frame(3));
  sound.gap(0, 3, 4);
  assert.deepEqual(node.kinds(), []);
  context.become('running');
  assert.deepEqual(node.kinds(), ['restart', 'mix']);
});

test('a pause is silence and leaves out what is said; then it is live', async () => {
  mock.timers.enable({ apis: ['setTimeout'] });
  const { sound, node, context } = await started();
  node.kinds();
  sound.pause();
  const [mix] = node.messages.splice(0);
  assert.deepEqual(mix.gains, [0, 0]);
  node.tell();
  assert.equal(sound.state, 'paused');
  for (let n = 0; n < 2000; n += 1) sound.hear(frame(n));
  mock.timers.tick(100);
  assert.equal(context.state, 'suspended');
  assert.deepEqual([node.kinds(), sound.state], [[], 'paused']);
  browser.state = 'running';
  sound.play();
  await settle();
  sound.hear(frame(2001));
  assert.deepEqual(node.kinds(), ['restart', 'mix', 'frame']);
  // So short a pause that the context never stood.
  sound.pause();
  sound.play();
  mock.timers.tick(100);
  assert.equal(context.state, 'running');
  assert.deepEqual(node.kinds(), ['mix', 'restart', 'mix']);
  mock.timers.reset();
});

test('a pause while it begins stays one', async () => {
  browser.state = 'running';
  const sound = new Sound();
  const begins = sound.start();
  sound.pause();
  await begins;
  assert.equal(sound.state, 'paused');
  sound.hear(frame(1));
  assert.deepEqual(browser.node.kinds(), ['mix']);
  sound.play();
  await settle();
  assert.equal(sound.state, 'waiting');
  sound.stop();
});

test('a thread at a standstill gets no more than it can be given', async () => {
  const { sound, node } = await started();
  node.kinds();
  for (let n = 0; n < 5000; n += 1) sound.hear(frame(n));
  assert.equal(node.messages.length, 500);
  node.messages = [];
  node.tell({ taken: 400 });
  sound.hear(frame(5000));
  assert.deepEqual(node.kinds(), []);
  node.tell({ taken: 500 });
  sound.hear(frame(5001));
  assert.deepEqual(node.kinds(), ['restart', 'mix', 'frame']);
});

test('another stream, and another call, are told before their first frame', async () => {
  const { sound, node } = await started();
  sound.hear(frame(900));
  node.kinds();
  sound.hear(frame(1, { audioId: 8 }));
  assert.deepEqual(node.kinds(), ['stream', 'frame']);
  sound.hear(frame(1, { audioId: 9, callSid: 'CA2' }));
  assert.deepEqual(node.kinds(), ['forget', 'frame']);
  assert.equal(sound.stats().unheard, 0);
  sound.reset();
  assert.deepEqual(node.kinds(), ['forget']);
});

test('volume, mutes and sides reach the mixer', async () => {
  const { sound, node } = await started();
  const last = () => node.messages.at(-1);
  sound.volume = 0.5;
  assert.deepEqual(last(), { kind: 'mix', gains: [0.25, 0.25], sides: [0, 0] });
  sound.mute(1, true);
  assert.deepEqual([last().gains, sound.isMuted(0), sound.isMuted(1)], [[0.25, 0], false, true]);
  sound.stereo(0);
  assert.deepEqual(last().sides, [1, -1]);
  sound.stereo(null);
  assert.deepEqual(last().sides, [0, 0]);
  for (const [said, is] of [[7, 1], [-1, 0], [NaN, 0], ['0.5', 0.5]]) {
    sound.volume = said;
    assert.equal(sound.volume, is);
  }
});

test('it ends, and can begin anew; what fails says so', async () => {
  mock.timers.enable({ apis: ['setTimeout'] });
  const { sound, node, context } = await started();
  sound.stop();
  sound.hear(frame(1));
  mock.timers.tick(100);
  assert.deepEqual([sound.state, context.state, node.gone, node.messages.at(-1).kind], ['stopped', 'closed', true, 'end']);
  await sound.start();
  assert.notEqual(browser.node, node);
  browser.node.onprocessorerror();
  assert.equal(sound.state, 'failed');
  mock.timers.tick(100);
  browser.module = async () => { throw new Error('no such file'); };
  await assert.rejects(sound.start(), /no such file/);
  assert.match(sound.why, /no such file/);
  browser.module = async () => {};
  await sound.start();
  assert.equal(sound.state, 'waiting');
  // Left while it begins.
  const other = new Sound();
  const begins = other.start();
  other.stop();
  await begins;
  mock.timers.tick(100);
  assert.deepEqual([other.state, browser.context.state], ['stopped', 'closed']);
  mock.timers.reset();
});
