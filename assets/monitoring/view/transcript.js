// What is said in a call, line by line: a guess is replaced by the next and by what stays. Scrolls along only while the
// reader is at the end. What stays is read out too, a few lines at a time.
import { Transcript as Lines } from '../transcript.js';
import { $, make, once, tell } from './dom.js';
import { clock, duration, role, short, title } from './words.js';

/** How near the end counts as there, pixels. */
const NEAR = 32;
/** Read out at most every so often, ms: people speak faster than they are read out. */
const READ_EVERY_MS = 3000;
/** Older than this when it comes, ms: remembered, not said now, so not read out. */
const NEWS_MS = 10_000;

/**
 * Keeps a scrolled box at its end while whoever reads is there: `keep(change, anew)` makes a change, and with `anew` begins
 * at the end. Where the box stands is looked at once before many changes and once after them: each look lays out all of it.
 */
export function keeper(box, button) {
  const atEnd = () => box.scrollHeight - box.scrollTop - box.clientHeight < NEAR;
  const show = () => { if (button) button.hidden = atEnd(); };
  box.addEventListener('scroll', show, { passive: true });
  const end = () => { box.scrollTop = box.scrollHeight; show(); };
  button?.addEventListener('click', () => { end(); box.focus(); });
  let was = null;
  const settle = once(() => {
    const follows = was;
    was = null;
    if (follows) end();
    else show();
  });
  return (change, anew = false) => {
    was = anew || (was ?? atEnd());
    change();
    settle();
  };
}

export class Transcript {
  #box = $('lines');
  #keep = keeper($('lines'), $('latest'));
  #lines = new Lines();
  #elements = new Map();
  #call = null;
  #unread = [];
  #reader = null;
  #say;
  #now;

  /** `say(text)` reads out; `now()` is the relay's time, ms. */
  constructor(say, now) {
    [this.#say, this.#now] = [say, now];
  }

  /** Another call: nothing is known of it yet. */
  reset(call) {
    this.#call = call;
    this.#unread = [];
    this.#lines.clear();
    this.#elements.clear();
    this.#keep(() => this.#box.replaceChildren(make('p', { class: 'none' }, 'Nothing has been said yet.')), true);
  }

  /** Who is who may become known later. */
  know(call) {
    this.#call = call;
    for (const line of this.#elements.values()) this.#side(line);
  }

  /** A journal begins, or goes on: a `subscribed` of the relay's. What there is of an older one stays, marked. */
  begin(subscribed) {
    if (!this.#lines.onSubscribed(subscribed)) return;
    this.#keep(() => {
      for (const line of this.#elements.values()) line.classList.add('older');
      this.#box.append(make('p', { class: 'seam' }, 'The relay began anew; what follows may repeat what is above.'));
    });
  }

  /** A line of the journal, each once and in order. */
  add(line) {
    const { entry, replaced, dropped } = this.#lines.add(line);
    this.#keep(() => {
      const first = this.#box.firstElementChild;
      if (first?.className === 'none') first.remove();
      const element = (replaced && this.#elements.get(replaced.key)) ?? this.#made(line.track);
      if (replaced) this.#elements.delete(replaced.key);
      this.#elements.set(entry.key, element);
      const [, at, hole, said] = element.children;
      tell(at, Number.isFinite(line.start_ms) ? duration(line.start_ms) : clock(line.at));
      tell(hole, line.hole_ms ? `${short(line.hole_ms)} not heard` : '');
      tell(said, line.text);
      element.classList.toggle('partial', !line.final);
      for (const { key } of dropped) {
        this.#elements.get(key)?.remove();
        this.#elements.delete(key);
      }
    });
    if (line.final && this.#now() - Date.parse(line.at) < NEWS_MS) this.#read(line);
  }

  #made(track) {
    const element = make('p', { class: 'line', 'data-track': track }, make('span', { class: 'who' }),
      make('span', { class: 'at' }), make('span', { class: 'hole' }), make('span', { class: 'said' }));
    this.#box.append(element);
    this.#side(element);
    return element;
  }

  #side(line) {
    const side = role(this.#call ?? {}, line.dataset.track);
    line.classList.toggle('customer', side === 'customer');
    line.classList.toggle('agent', side === 'agent');
    tell(line.firstElementChild, title(side));
  }

  #read(line) {
    this.#unread.push(`${title(role(this.#call ?? {}, line.track))}: ${line.text}`);
    this.#reader ??= setTimeout(() => {
      this.#reader = null;
      if (this.#unread.length > 0) this.#say(this.#unread.splice(0).join('\n'));
    }, READ_EVERY_MS);
  }
}
