// The call that is looked at: who, how long, its two sides and the buttons of its sound. Decides nothing: what a button
// should do is told by `on`.
import { $, enable, enabled, make, tell } from './dom.js';
import { meter } from './list.js';
import { Wave } from './wave.js';
import { address, agent, clock, customer, duration, isOver, lasted, role, short, state, title, way } from './words.js';

/** A loss in chunks is so many ms each. */
const CHUNK_MS = 20;
/** A picture of the sound every so often, ms; and where the reader wants no motion. */
const PICTURE_MS = 50;
const STILL_MS = 1000;

export class CallView {
  #call = null;
  #now;
  #sides = {};
  #facts = {};
  #columns = null;
  #drawn = 0;
  #still = matchMedia('(prefers-reduced-motion: reduce)');

  /** `now()` is the relay's time, ms; `on` has `listen`, `play`, `pause`, `stop`, `hold`, `volume(0..1)`, `mute(track, is)`, `close`. */
  constructor(now, on) {
    this.#now = now;
    for (const name of ['listen', 'play', 'pause', 'stop', 'hold']) {
      const button = $(`do-${name}`);
      button.addEventListener('click', () => enabled(button) && on[name]());
    }
    $('call-close').addEventListener('click', () => on.close());
    $('volume').addEventListener('input', (event) => on.volume(event.target.valueAsNumber / 100));
    for (const track of ['inbound', 'outbound']) {
      const name = make('span', { class: 'name' });
      const who = make('span', { class: 'who' });
      const canvas = make('canvas', { role: 'img' });
      const level = meter('');
      const mute = make('button', { type: 'button', class: 'mute', 'aria-pressed': 'false' }, 'Mute');
      mute.addEventListener('click', () => {
        const is = mute.getAttribute('aria-pressed') !== 'true';
        mute.setAttribute('aria-pressed', String(is));
        on.mute(track, is);
      });
      const element = make('section', { class: 'side' }, make('h3', {}, name, who), level.element, canvas, mute);
      this.#sides[track] = { element, name, who, canvas, mute, level, wave: null, peaks: undefined };
    }
    $('sides').append(this.#sides.inbound.element, this.#sides.outbound.element);
    for (const fact of ['State', 'Time', 'Began', 'Customer no.', 'Way', 'Talk', 'Listeners', 'Missing', 'Transcription', 'Call']) {
      const value = make('dd');
      this.#facts[fact] = value;
      $('call-facts').append(make('div', {}, make('dt', {}, fact), value));
    }
    setInterval(() => this.#tick(), 1000);
  }

  /** Another call, or none; `sid` is its name while nothing else is known. */
  reset(sid) {
    this.#call = null;
    $('call').hidden = sid === null;
    if (sid === null) return;
    tell($('call-title'), 'Call');
    $('call-marks').replaceChildren();
    for (const value of Object.values(this.#facts)) this.#fact(value, '');
    this.#fact(this.#facts.Call, sid);
    this.gone('');
    this.wrong('');
    $('call-held').hidden = true;
    for (const side of Object.values(this.#sides)) {
      side.mute.setAttribute('aria-pressed', 'false');
      side.level.set(null);
      side.wave?.draw([]);
    }
  }

  /** What is known of it. */
  show(call) {
    this.#call = call;
    const title_ = `${address(customer(call))} with ${agent(call) ? address(agent(call)) : 'no agent'}`;
    tell($('call-title'), title_);
    document.title = `${title_} · Partyline`;
    const now = state(call);
    const marks = [make('span', { class: 'mark', 'data-mood': now.mood }, make('span', { class: 'dot', 'aria-hidden': 'true' }), now.word)];
    const shown = $('call-marks');
    if (shown.textContent !== marks.map((mark) => mark.textContent).join('')) shown.replaceChildren(...marks);
    $('call-held').hidden = !call.paused || isOver(call);
    tell($('held-words'), 'Nobody hears this call now, and what is said is neither kept nor written down.');
    tell($('do-hold'), call.paused ? 'Resume call' : 'Hold call');
    const facts = this.#facts;
    this.#fact(facts.State, String(call.status).replaceAll('-', ' '));
    this.#fact(facts.Began, clock(call.started_at));
    this.#fact(facts['Customer no.'], call.customer_id ?? '');
    this.#fact(facts.Way, way(call));
    this.#fact(facts.Listeners, String(call.listeners ?? 0));
    this.#fact(facts.Missing, call.lost_chunks > 0 ? short(call.lost_chunks * CHUNK_MS) : '');
    this.#fact(facts.Talk, talk(call));
    this.#fact(facts.Transcription, transcription(call));
    this.#fact(facts.Call, call.call_sid);
    for (const [track, side] of Object.entries(this.#sides)) {
      const is = role(call, track);
      side.element.classList.toggle('customer', is === 'customer');
      side.element.classList.toggle('agent', is === 'agent');
      tell(side.name, title(is));
      const who = is === 'customer' ? customer(call) : agent(call);
      tell(side.who, who ? address(who) : '');
      side.mute.setAttribute('aria-label', `Mute ${is}`);
      side.canvas.setAttribute('aria-label', `Sound of the ${is}`);
      side.level.element.classList.toggle('customer', is === 'customer');
      side.level.element.classList.toggle('agent', is === 'agent');
      if (isOver(call) || call.stream !== 'live' || call.paused) side.level.set(null);
      side.wave ??= new Wave(side.canvas);
      side.wave.dress();
    }
    const first = role(call, 'inbound') === 'customer' ? 'inbound' : 'outbound';
    if ($('sides').firstElementChild !== this.#sides[first].element) $('sides').prepend(this.#sides[first].element);
    this.#tick();
  }

  /** How loud it is. */
  level(level) {
    for (const [track, side] of Object.entries(this.#sides)) side.level.set(level[track]);
  }

  /** The relay does not know it now, and says so by `why`: what is shown of it is of before. */
  waits(why) {
    this.#call = null;
    $('call-marks').replaceChildren(make('span', { class: 'mark' }, 'unknown'));
    for (const name of ['State', 'Listeners']) this.#fact(this.#facts[name], '');
    $('call-held').hidden = true;
    this.level({});
    this.#tick();
    this.gone(why);
  }

  /** Why there is nothing more of it; empty where there is. */
  gone(why) {
    $('call-gone').hidden = why === '';
    tell($('call-gone'), why);
  }

  /** Why what was asked for was not done; empty where there is nothing. */
  wrong(why) {
    tell($('hold-wrong'), why);
  }

  /** What can be done now, and how its sound stands, in words. `hold`: the call may be held back, `asking`: it is asked for. */
  controls({ listen, play, pause, stop, hold, asking, words, mood }) {
    $('do-hold').hidden = !hold;
    enable($('do-hold'), !asking);
    for (const [name, can] of Object.entries({ listen, play, pause, stop })) enable($(`do-${name}`), can);
    const place = $('sound-state');
    tell(place, words);
    place.dataset.mood = mood;
  }

  /** Draws `columns(track, n, into)` from now on, an array that may be filled again; null ends it. */
  waves(columns) {
    const was = this.#columns;
    this.#columns = columns;
    if (columns && !was) requestAnimationFrame((at) => this.#picture(at));
    if (!columns) for (const side of Object.values(this.#sides)) side.wave?.draw([]);
  }

  /** Moves the volume by a step, as a key would. */
  louder(by) {
    const slider = $('volume');
    if (by > 0) slider.stepUp();
    else slider.stepDown();
    slider.dispatchEvent(new Event('input'));
  }

  /** Presses the mute button of a side. */
  toggleMute(side) {
    for (const known of Object.values(this.#sides)) if (known.element.classList.contains(side)) known.mute.click();
  }

  #picture(at) {
    if (!this.#columns) return;
    if (at - this.#drawn >= (this.#still.matches ? STILL_MS : PICTURE_MS)) {
      this.#drawn = at;
      for (const [number, track] of ['inbound', 'outbound'].entries()) {
        const side = this.#sides[track];
        if (!side.wave) continue;
        const { room } = side.wave;
        side.peaks = this.#columns(number, room, side.peaks?.length === room ? side.peaks : undefined);
        side.wave.draw(side.peaks);
      }
    }
    requestAnimationFrame((next) => this.#picture(next));
  }

  #fact(place, text) {
    tell(place, text);
    place.parentElement.hidden = text === '';
  }

  #tick() {
    const ms = this.#call && lasted(this.#call, this.#now());
    this.#fact(this.#facts.Time, ms === null || ms === undefined ? '' : duration(ms));
  }
}

/** Who has talked, in shares of what was said. */
function talk(call) {
  const both = call.talk?.both_ms ?? 0;
  const spoken = { inbound: (call.talk?.inbound_ms ?? 0) + both, outbound: (call.talk?.outbound_ms ?? 0) + both };
  const all = spoken.inbound + spoken.outbound;
  if (all === 0) return '';
  const track = role(call, 'inbound') === 'customer' ? 'inbound' : 'outbound';
  const share = Math.round((100 * spoken[track]) / all);
  return `customer ${share} %, agent ${100 - share} %`;
}

/** Whether it is written down. */
function transcription(call) {
  const states = ['inbound', 'outbound'].map((track) => call.transcription?.[track]).filter((one) => one && one.state !== 'none');
  const known = states.find((one) => one.state === 'failed') ?? states[0];
  return known ? `${known.engine ?? ''} ${known.state}`.trim() : '';
}
