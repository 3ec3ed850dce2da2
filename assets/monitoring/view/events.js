// What happened in a call, apart from what was said, and which sound this page missed.
import { $, make } from './dom.js';
import { keeper } from './transcript.js';
import { TROUBLE, clock, event as words, gap } from './words.js';

/** Kept on the page: what a relay remembers, and as much again. */
const MOST = 4000;

export class Events {
  #box = $('events');
  #keep = keeper($('events'), null);
  #call = null;
  #journal = null;
  #seen = 0;

  /** Another call: nothing is known of it yet. */
  reset(call) {
    [this.#call, this.#journal, this.#seen] = [call, null, 0];
    this.#keep(() => this.#box.replaceChildren(make('p', { class: 'none' }, 'Nothing has happened yet.')), true);
  }

  /** Who is who may become known later; what is written stays. */
  know(call) {
    this.#call = call;
  }

  /** A journal begins, or goes on. */
  begin(journal) {
    if (this.#journal !== null && this.#journal !== journal) {
      for (const row of this.#box.querySelectorAll('.event')) row.classList.add('older');
      this.#seen = 0;
    }
    this.#journal = journal;
  }

  /** An event of the journal, each once and in order. */
  add(event) {
    if (event.seq <= this.#seen) return;
    this.#seen = event.seq;
    const { what, more } = words(this.#call, event);
    this.#row(event.at, what, more, TROUBLE.has(event.kind));
  }

  /** Sound that did not reach this page: `{track, from_chunk, to_chunk, reason}`. */
  missed(missing, now) {
    this.#row(new Date(now).toISOString(), 'Not heard here', gap(this.#call, missing), true);
  }

  #row(at, what, more, isTrouble) {
    this.#keep(() => {
      const first = this.#box.firstElementChild;
      if (first?.className === 'none') first.remove();
      this.#box.append(make('p', { class: isTrouble ? 'event trouble' : 'event' },
        make('span', { class: 'at' }, clock(at)), make('span', { class: 'what' }, what), make('span', { class: 'more' }, more)));
      for (let over = this.#box.children.length - MOST; over > 0; over -= 1) this.#box.firstElementChild.remove();
    });
  }
}
