// Things in words: states, parties, durations, events. The monitor in the terminal says the same.

const TRACKS = ['inbound', 'outbound'];

/** `m:ss`, or `h:mm:ss` from an hour on. */
export function duration(ms) {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const [h, m, s] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  const two = (n) => String(n).padStart(2, '0');
  return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}

/** `840 ms`, `4.2 s`, `3:20`: a loss. */
export function short(ms) {
  if (ms < 1000) return `${ms} ms`;
  return ms < 60_000 ? `${(Math.floor(ms / 100) / 10).toFixed(1)} s` : duration(ms);
}

/** The time of day where the page is read. */
export const clock = (at) => (at ? new Date(at).toLocaleTimeString([], { hourCycle: 'h23' }) : '');

/** Whether a call is over. */
export const isOver = (call) => call.ended_at !== null && call.ended_at !== undefined;

/** A call's state: a word, and what to make of it. */
export function state(call) {
  const made = (word, mood) => ({ word, mood });
  switch (call.status) {
    case 'busy': return made('busy', 'over');
    case 'no-answer': return made('no answer', 'over');
    case 'failed': return made('failed', 'over');
    case 'canceled': return made('canceled', 'over');
    case 'completed': return made('ended', 'over');
  }
  if (isOver(call)) return made('ended', 'over');
  if (call.paused) return made('paused', 'held');
  if (call.status === 'queued' || call.status === 'initiated') return made('dialling', 'plain');
  if (call.status === 'ringing') return made('ringing', 'plain');
  switch (call.stream) {
    case 'live': return made('live', 'good');
    case 'stopped': return made('stopped', 'plain');
    case 'lost': return made('lost', 'trouble');
    default: return made('no stream', 'plain');
  }
}

/** Who is on a track: `customer` or `agent`; one of each, whatever is said. */
export function role(call, track) {
  const roles = call.roles ?? {};
  if (roles[track] === 'agent' || roles[track] === 'customer') return roles[track];
  const other = roles[track === 'inbound' ? 'outbound' : 'inbound'];
  if (other === 'agent' || other === 'customer') return other === 'agent' ? 'customer' : 'agent';
  return track === 'inbound' ? 'customer' : 'agent';
}

/** The tracks, the customer's first. */
export const sides = (call) => (role(call, 'inbound') === 'customer' ? TRACKS : [...TRACKS].reverse());

/** `Customer`, `Agent`. */
export const title = (word) => word.charAt(0).toUpperCase() + word.slice(1);

/** An address as people say it: a softphone by its name. */
export const address = (text) => (text ?? 'unknown').replace(/^(client|sip):/, '');

/** The agent's address, or null. */
export const agent = (call) => call.agent ?? null;

/** The customer's address, or null: whichever party is not the agent. */
export function customer(call) {
  const parties = role(call, 'inbound') === 'agent' ? [call.to, call.dialed, call.from] : [call.from, call.to, call.dialed];
  return parties.find((party) => party && party !== call.agent) ?? null;
}

/** Who called whom, seen by the people in the call. */
export function way(call) {
  if (!call.from) return call.direction ?? '';
  return call.from === call.agent ? 'outgoing' : 'incoming';
}

/** How long a call has lasted by `now`, ms. */
export function lasted(call, now) {
  const from = Date.parse(call.answered_at ?? call.started_at ?? '');
  if (Number.isNaN(from)) return null;
  return Math.max(0, (isOver(call) ? Date.parse(call.ended_at) : now) - from);
}

/** All that a filter looks at. */
export function searched(call) {
  const texts = [call.customer_id, call.from, call.to, call.agent, call.dialed, call.call_sid, state(call).word];
  return texts.filter(Boolean).join(' ').toLowerCase();
}

const KINDS = {
  stream_started: 'Stream began', stream_stopped: 'Stream ended', stream_lost: 'Stream lost',
  stream_stalled: 'No sound for 10 s', stream_replaced: 'Another stream took over', stream_refused: 'Stream refused',
  bad_message: 'Bad message', transcription_started: 'Transcription began', transcription_stopped: 'Transcription ended',
  transcription_failed: 'Transcription failed', gap: 'Sound missing', keyword: 'Keyword', paused: 'Paused',
  resumed: 'Resumed', listener_joined: 'Listens', listener_left: 'Listens no more', mark: 'Mark', error: 'Error',
};

/** What is trouble among events. */
export const TROUBLE = new Set(['stream_lost', 'stream_stalled', 'stream_refused', 'bad_message', 'transcription_failed',
  'gap', 'error']);

/** What makes sound be missing. */
const REASONS = {
  slow_listener: 'this page was too slow', upstream: 'lost before the relay', relay_link: 'lost between relays',
  paused: 'paused',
};

/** An event as `{what, more}`. */
export function event(call, { kind = '', detail = {} }) {
  const what = KINDS[kind] ?? title(kind.replaceAll('_', ' '));
  if (kind === 'gap') return { what, more: gap(call, detail) };
  if (kind === 'call_status') return { what: detail.leg === 'dialed' ? 'Dialled' : 'Call', more: String(detail.status ?? '') };
  if (kind.startsWith('listener_') && detail.name) return { what: `${detail.name} ${what.toLowerCase()}`, more: '' };
  if (kind === 'mark' && detail.by) return { what: `${detail.by} marked ${clock(detail.at)}`, more: String(detail.text ?? '') };
  const known = Object.entries(detail)
    .filter(([name, value]) => value !== null && typeof value !== 'object' && !/_sid$|^(audio_id|by|count|provider|source|replaced)$/.test(name));
  const more = known.map(([name, value]) => {
    if (name === 'track' && TRACKS.includes(value)) return role(call, value);
    return ['status', 'name', 'who', 'reason', 'engine', 'word', 'message', 'digit'].includes(name)
      ? String(value) : `${name.replaceAll('_', ' ')} ${value}`;
  });
  return { what, more: more.join(', ') };
}

/** A gap: whose sound, how much of it, and why. */
export function gap(call, { track, from_chunk: from, to_chunk: to, reason }) {
  const parts = [TRACKS.includes(track) ? role(call, track) : null];
  if (Number.isFinite(from) && Number.isFinite(to)) parts.push(short((to - from + 1) * 20));
  parts.push(REASONS[reason] ?? reason);
  return parts.filter(Boolean).join(', ');
}
