// The monitoring page: brings together the connection (link.js), the sound (sound.js) and what is seen (view/*.js), none
// of which know each other. Everything it shows comes over partyline.v1.
import { hold, mayHold } from './hold.js';
import { Link } from './link.js';
import { Sound } from './sound.js';
import { CallView } from './view/call.js';
import { $, make } from './view/dom.js';
import { Events } from './view/events.js';
import { setUp as setUpKeys } from './view/help.js';
import { List } from './view/list.js';
import { ask, forget, isLetIn, kept } from './view/signin.js';
import { say, show as showLink } from './view/state.js';
import { Transcript } from './view/transcript.js';
import { isOver } from './view/words.js';

const HOME = '/calls_monitoring';
/** Levels for the list, a second: meters that move, and no more than a phone's connection carries. */
const LEVELS_HZ = 5;
/** A bar of the wave is so many pieces of 20 ms. */
const SLOTS = 2;
/** A call that ends is heard to its end, ms: what is on its way, and what waits to be played, 200 ms at most. */
const PLAYS_OUT_MS = 500;

let link = null;
/** The token of who is signed in; null for nobody in particular. */
let mine = null;
/** All that is known of calls, and what of a list that comes in parts has come. */
let calls = new Map();
let coming = null;
/** The call that is looked at. */
let open = null;
/** Whether it is heard: `off`, `on`, or `held` (here only; the call goes on). */
let hearing = 'off';
/** Ends the sound of a call that is over, when its end was heard. */
let ending = null;
/** Whether calls are mine to hold back, and the one that is being asked for. */
let holds = false;
let holding = null;
let relayZero = null;
/** Whether what is shown is of now: the relay is there. */
let linked = false;
const sound = new Sound();

const now = () => (relayZero === null ? Date.now() : relayZero + performance.now());
const sidOf = (path) => /^\/calls_monitoring\/([A-Za-z0-9]{1,64})\/?$/.exec(path)?.[1] ?? null;

const list = new List(now, (sid) => look(sid, { push: true, focus: true }));
const transcript = new Transcript(say, now);
const events = new Events();
const view = new CallView(now, {
  listen, play, pause, stop, hold: holdOrResume, close: leave,
  volume: (volume) => { sound.volume = volume; },
  mute: (track, is) => sound.mute(track === 'inbound' ? 0 : 1, is),
});

// ----- one call -----

/** Looks at a call, or at none (null). */
function look(sid, { push = false, focus = false } = {}) {
  if (sid !== open) {
    stopHearing();
    for (const track of [0, 1]) sound.mute(track, false);
    if (open) link?.unsubscribe(open);
    open = sid;
    if (push) history.pushState(null, '', sid ? `${HOME}/${sid}` : HOME);
    const call = calls.get(sid) ?? null;
    view.reset(sid);
    transcript.reset(call);
    events.reset(call);
    if (sid) link?.subscribe(sid, { audio: false });
    if (call) view.show(call);
    $('desk').classList.toggle('has-call', sid !== null);
    if (!sid) document.title = 'Calls · Partyline';
    controls();
  }
  list.show(calls, open);
  if (sid && focus) $('call-title').focus();
}

function leave() {
  if (!open) return false;
  look(null, { push: true });
  // The row is drawn before the next picture.
  requestAnimationFrame(() => list.focus());
  return true;
}

// ----- its sound -----

/** A person's press of a button: only then may a page make sound. */
async function listen() {
  const sid = open;
  if (!sid || hearing !== 'off') return;
  hearing = 'on';
  controls();
  sound.volume = $('volume').valueAsNumber / 100;
  // Asked for meanwhile: who listens is on record before the first sound, and that takes as long.
  link.subscribe(sid, { audio: true });
  view.waves((track, n, into) => sound.columns(track, n, SLOTS, into));
  say('Listening');
  // Where it fails it says so by its state.
  await sound.start().catch(() => {});
}

function play() {
  if (sound.state === 'behind') sound.live();
  if (hearing === 'off') return;
  hearing = 'on';
  sound.start().catch(() => {});
  controls();
}

function pause() {
  if (hearing !== 'on') return;
  hearing = 'held';
  sound.pause();
  controls();
}

function stop() {
  if (hearing === 'off') return;
  if (open) link.subscribe(open, { audio: false });
  stopHearing();
  say('Not listening');
}

function stopHearing() {
  clearTimeout(ending);
  ending = null;
  hearing = 'off';
  sound.stop();
  sound.reset();
  view.waves(null);
  controls();
}

/** Holds the call back from everybody, or lets it go: another thing than pausing here. */
async function holdOrResume() {
  const [sid, call] = [open, calls.get(open)];
  if (!holds || !linked || !call || isOver(call) || holding === sid) return;
  holding = sid;
  controls();
  view.wrong('');
  const on = !call.paused;
  const answer = await hold(sid, on, mine);
  if (holding === sid) holding = null;
  if (open === sid) {
    if (answer.why) view.wrong(`${on ? 'Not held' : 'Not resumed'}: ${answer.why}`);
    else say(on ? 'The call is paused for everybody' : 'The call goes on');
  }
  controls();
}

/** How the sound stands, in words, and whether that is good. */
function soundWords(call) {
  const can = Sound.available();
  if (!can.ok) return [`No sound here. ${can.why}`, 'trouble'];
  if (hearing === 'held') return ['Paused here; Play goes on live', 'plain'];
  if (call?.paused) return ['Paused for everybody: no sound comes', 'held'];
  if (!linked && hearing === 'on') return ['Connection lost; the sound comes back with it', 'trouble'];
  if (hearing === 'off') {
    if (sound.state === 'failed') return [sound.why, 'trouble'];
    return [call && isOver(call) ? 'The call is over' : 'Not listening', 'plain'];
  }
  switch (sound.state) {
    case 'live': return ['Live', 'good'];
    case 'behind': return ['Behind; Play goes live', 'plain'];
    case 'blocked': return ['The browser holds the sound back; press Play', 'trouble'];
    default: return ['Waiting for sound', 'plain'];
  }
}

function controls() {
  const call = calls.get(open);
  const there = call !== undefined && !isOver(call);
  const on = hearing !== 'off';
  const [words, mood] = soundWords(call);
  view.controls({
    listen: Sound.available().ok && there && !on,
    play: hearing === 'held' || (on && ['behind', 'blocked'].includes(sound.state)),
    pause: hearing === 'on',
    stop: on,
    hold: holds && there,
    asking: holding === open || !linked,
    words,
    mood,
  });
}

sound.addEventListener('state', ({ detail }) => {
  if (detail.state === 'failed' && hearing !== 'off') {
    if (open) link?.subscribe(open, { audio: false });
    hearing = 'off';
    view.waves(null);
    say(detail.why);
  }
  controls();
});

// ----- what the relay says -----

function onMessage(message) {
  switch (message.type) {
    case 'hello': return onHello(message);
    case 'calls': return onCalls(message);
    case 'call': return onCall(message.call);
    case 'call_removed': return onRemoved(message.call_sid);
    case 'levels': return onLevels(message.levels ?? []);
    default: if (message.call_sid === open && open !== null) onOpen(message);
  }
}

function onHello({ user, time }) {
  const at = Date.parse(time);
  if (!Number.isNaN(at)) relayZero = at - performance.now();
  const place = $('user');
  place.hidden = !user;
  place.replaceChildren(make('span', { class: 'name' }, user?.name ?? ''), ` ${user?.role ?? ''}`);
  coming = new Map();
  holds = mayHold(user);
  controls();
}

function onCalls({ calls: some, more }) {
  coming ??= new Map(calls);
  for (const call of some ?? []) coming.set(call.call_sid, call);
  if (more) return;
  const before = calls.get(open);
  [calls, coming] = [coming, null];
  if (open && calls.has(open)) update(calls.get(open));
  else if (before && !isOver(before)) view.waits('The relay does not know this call now. If the call goes on, it comes back here.');
  list.show(calls, open);
  controls();
}

function onCall(call) {
  calls.set(call.call_sid, call);
  coming?.set(call.call_sid, call);
  list.show(calls, open);
  if (call.call_sid === open) update(call);
}

/** The call that is looked at has changed. */
function update(call) {
  view.show(call);
  view.gone('');
  transcript.know(call);
  events.know(call);
  if (!isOver(call)) {
    clearTimeout(ending);
    ending = null;
  } else if (hearing !== 'off') {
    ending ??= setTimeout(ended, PLAYS_OUT_MS);
  }
  controls();
}

/** What was said last has been heard. */
function ended() {
  link?.subscribe(open, { audio: false });
  stopHearing();
  say('The call is over');
}

function onRemoved(sid) {
  calls.delete(sid);
  coming?.delete(sid);
  list.show(calls, open);
  if (sid === open) onLost('This call is no longer to be had: it was taken away, or is too long over.');
}

function onLevels(levels) {
  list.levels(levels);
  const mine = levels.find((level) => level.call_sid === open);
  if (mine) view.level(mine);
}

function onOpen(message) {
  switch (message.type) {
    case 'subscribed':
      transcript.begin(message);
      if (!calls.has(open)) learn(open);
      events.begin(message.journal);
      controls();
      break;
    case 'transcript': transcript.add(message.line); break;
    case 'event': events.add(message.event); break;
  }
}

/** A call that is over for so long that the list has it no more. */
async function learn(sid) {
  const headers = mine === null ? {} : { authorization: `Bearer ${mine}` };
  const answer = await fetch(`/api/v1/calls/${sid}`, { headers, cache: 'no-store', credentials: 'omit' }).catch(() => null);
  const call = answer?.ok ? await answer.json().catch(() => null) : null;
  if (call && open === sid && !calls.has(sid)) update(call);
}

function onMissed({ callSid, track, from, to, reason }) {
  if (callSid !== open || hearing === 'off') return;
  sound.gap(track, from, to);
  const name = track === 0 ? 'inbound' : 'outbound';
  events.missed({ track: name, from_chunk: from, to_chunk: to, reason }, now());
}

function onLost(why) {
  stopHearing();
  view.gone(why);
  say(why);
}

// ----- coming and going -----

/** The relay takes this page no more: the token's fault, or something that a person has to see to. */
async function onRefused(token, why) {
  const answer = await isLetIn(token);
  if (answer.wrong) {
    forget();
    end();
    begin(await ask(answer.why));
    return;
  }
  const again = make('button', { type: 'button', class: 'quiet' }, 'Try again');
  again.addEventListener('click', () => { again.remove(); link.open(); });
  $('link').append(again);
  showLink('refused', why);
}

/** The relay is there, or not: then nothing that is shown moves, nor looks as if it were of now. */
function onLinked(is) {
  if (is === linked) return;
  linked = is;
  $('desk').classList.toggle('stale', !is);
  if (!is) {
    list.quiet();
    view.level({});
  }
  controls();
}

function end() {
  stopHearing();
  linked = false;
  link?.close();
  [link, mine] = [null, null];
  [calls, coming, open] = [new Map(), null, null];
  [holds, holding] = [false, null];
  view.reset(null);
  list.show(calls, null);
  $('desk').classList.remove('has-call');
  for (const id of ['desk', 'user', 'sign-out']) $(id).hidden = true;
  showLink('idle');
}

/** Somebody is let in; null is nobody in particular, as --insecure allows. */
function begin(token) {
  $('desk').hidden = false;
  $('sign-out').hidden = token === null;
  mine = token;
  link = new Link(location.origin, token);
  const here = link;
  link.addEventListener('state', ({ detail: { state, why, retryInMs } }) => {
    if (link !== here) return;
    onLinked(state === 'open');
    $('link').querySelector('button')?.remove();
    if (state === 'refused') onRefused(token, why);
    else showLink(state, why, retryInMs);
  });
  link.addEventListener('message', ({ detail }) => onMessage(detail));
  link.addEventListener('frame', ({ detail }) => { if (detail.callSid === open && hearing !== 'off') sound.hear(detail); });
  link.addEventListener('missed', ({ detail }) => onMissed(detail));
  link.addEventListener('lost', ({ detail }) => { if (detail.callSid === open) onLost(lostWords(detail.why)); });
  link.watch(document.hidden ? 0 : LEVELS_HZ);
  link.open();
  list.show(calls, open);
  const sid = sidOf(location.pathname);
  if (sid) look(sid, { focus: true });
}

function lostWords(why) {
  return calls.has(open) ? why : 'There is no such call, or it is not yours to hear.';
}

window.addEventListener('popstate', () => { if (link) look(sidOf(location.pathname), { focus: true }); });
document.addEventListener('visibilitychange', () => link?.watch(document.hidden ? 0 : LEVELS_HZ));
// A page that is left may be kept as it is and shown again: it holds no connection meanwhile, and is heard by nobody.
window.addEventListener('pagehide', () => {
  stop();
  link?.close();
});
window.addEventListener('pageshow', ({ persisted }) => { if (persisted) link?.open(); });
window.addEventListener('online', () => { if ($('link').dataset.state === 'waiting') link?.open(); });
$('sign-out').addEventListener('click', async () => {
  forget();
  end();
  history.replaceState(null, '', HOME);
  document.title = 'Calls · Partyline';
  begin(await ask());
});

setUpKeys([
  ['/', 'filter the list', () => $('desk').hidden || $('list').offsetParent === null ? false : $('filter').focus()],
  ['l', 'listen, or stop', () => (open ? void (hearing === 'off' ? $('do-listen').click() : stop()) : false)],
  ['p', 'pause, or play, here', () => (hearing === 'off' ? false : void (hearing === 'on' ? pause() : play()))],
  ['h', 'hold the call for everybody, or resume it', () => (holds && open ? void $('do-hold').click() : false)],
  ['c', 'mute the customer', () => (open ? void view.toggleMute('customer') : false)],
  ['a', 'mute the agent', () => (open ? void view.toggleMute('agent') : false)],
  ['+', 'louder', () => (open ? void view.louder(1) : false)],
  ['-', 'quieter', () => (open ? void view.louder(-1) : false)],
  ['t', 'to the transcript', () => (open ? void $('lines').focus() : false)],
  ['Escape', 'back to the list', () => leave()],
  ['?', 'these keys', () => false],
]);

const can = Sound.available();
if (!can.ok) {
  $('insecure').hidden = false;
  $('insecure').textContent = `Sound cannot be played here: ${can.why} Everything else works.`;
}

(async () => {
  const token = kept();
  const answer = await isLetIn(token);
  if (answer.ok) return begin(token);
  if (token === null && answer.wrong) return begin(await ask());
  // A relay that is not there now says nothing about a token that was right.
  if (token !== null && !answer.wrong) return begin(token);
  forget();
  begin(await ask(answer.why));
})();
