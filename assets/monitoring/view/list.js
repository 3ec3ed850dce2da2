// The list of calls: a table that keys move in. Draws what it is given; whoever opens a call is told by `onOpen`.
import { $, make, once, tell } from './dom.js';
import { address, agent, clock, customer, duration, isOver, lasted, role, searched, sides, state } from './words.js';

/** What is shown as silence, dBFS: a quiet line hisses at -55. */
const QUIET_DB = -54;
/** From here on somebody speaks, dBFS. */
const SPEAKS_DB = -42;

/** How full a meter is by a level, 0 to 1. */
export const fullness = (db) => (db === null || db === undefined ? 0 : Math.min(1, Math.max(0, 1 - db / QUIET_DB)));

/** A meter of one side, and how to set it. */
export function meter(side) {
  const fill = make('span', { class: 'fill' });
  const element = make('span', { class: `meter ${side}`, 'aria-hidden': 'true' }, fill);
  let shown = -1;
  const set = (db) => {
    const full = Math.round(fullness(db) * 50) / 50;
    if (full === shown) return;
    shown = full;
    fill.style.transform = `scaleX(${full})`;
  };
  set(null);
  return { element, set };
}

export class List {
  #rows = new Map();
  #calls = new Map();
  #open = null;
  #at = null;
  #newestFirst = true;
  /** Another call is looked at than when it was drawn last. */
  #isNew = false;
  #now;
  #onOpen;
  /** Draws all of it, soon. */
  draw = once(() => this.#draw());

  /** `now()` is the relay's time, ms. */
  constructor(now, onOpen) {
    this.#now = now;
    this.#onOpen = onOpen;
    const rows = $('rows');
    rows.addEventListener('click', (event) => this.#choose(event.target.closest('tr')));
    rows.addEventListener('keydown', (event) => this.#key(event));
    rows.addEventListener('focusin', (event) => this.#stand(event.target.closest('tr')?.dataset.sid ?? null));
    // Arrows are for the list where nothing else has the focus.
    document.addEventListener('keydown', (event) => {
      if (event.target !== document.body || !['ArrowDown', 'ArrowUp'].includes(event.key)) return;
      if ($('list').offsetParent === null || rows.children.length === 0) return;
      event.preventDefault();
      this.focus();
    });
    $('filter').addEventListener('input', this.draw);
    $('ended').addEventListener('change', this.draw);
    $('filter').addEventListener('keydown', (event) => {
      if (event.key !== 'ArrowDown' && event.key !== 'Enter') return;
      event.preventDefault();
      this.focus();
    });
    $('sort').addEventListener('click', () => {
      this.#newestFirst = !this.#newestFirst;
      $('by-start').setAttribute('aria-sort', this.#newestFirst ? 'descending' : 'ascending');
      this.draw();
    });
    setInterval(() => this.#tick(), 1000);
  }

  /** These calls, of which `open` is looked at. */
  show(calls, open) {
    this.#isNew ||= open !== null && open !== this.#open;
    [this.#calls, this.#open] = [calls, open];
    this.draw();
  }

  /** How loud calls are, as `levels` tells it. */
  levels(levels) {
    for (const level of levels) {
      const row = this.#rows.get(level.call_sid);
      const call = this.#calls.get(level.call_sid);
      if (!row || !call) continue;
      const speaking = [];
      for (const track of sides(call)) {
        const side = role(call, track);
        row.meters[side].set(level[track]);
        if ((level[track] ?? -90) > SPEAKS_DB) speaking.push(side);
      }
      tell(row.speaks, speaking.length === 0 ? 'quiet' : `${speaking.join(' and ')} speaking`);
    }
  }

  /** Nothing is known of how loud they are. */
  quiet() {
    for (const row of this.#rows.values()) this.#hush(row);
  }

  /** Puts the focus into the list. */
  focus() {
    const row = $('rows').querySelector('tr[tabindex="0"]');
    if (row) row.focus();
    else $('filter').focus();
  }

  #draw() {
    const words = $('filter').value.toLowerCase().split(/\s+/).filter(Boolean);
    const withEnded = $('ended').checked;
    const all = [...this.#calls.values()];
    const live = all.filter((call) => !isOver(call));
    const shown = (withEnded ? all : all.filter((call) => !isOver(call) || call.call_sid === this.#open))
      .filter((call) => words.every((word) => searched(call).includes(word)));
    const order = this.#newestFirst ? -1 : 1;
    const began = (call) => call.started_at ?? '';
    shown.sort((a, b) => order * (began(a) < began(b) ? -1 : began(a) > began(b) ? 1 : a.call_sid < b.call_sid ? -1 : 1));

    const body = $('rows');
    const focused = document.activeElement?.closest?.('#rows tr');
    const place = focused ? [...body.children].indexOf(focused) : -1;
    const wanted = new Set(shown.map((call) => call.call_sid));
    for (const [sid, row] of this.#rows) {
      if (wanted.has(sid)) continue;
      row.element.remove();
      this.#rows.delete(sid);
    }
    let next = body.firstElementChild;
    for (const call of shown) {
      const row = this.#row(call);
      this.#fill(row, call);
      if (row.element === next) next = next.nextElementSibling;
      else body.insertBefore(row.element, next);
    }
    if (!wanted.has(this.#at)) this.#at = wanted.has(this.#open) ? this.#open : null;
    this.#stand(this.#at ?? (body.children[Math.max(0, Math.min(place, body.children.length - 1))]?.dataset.sid ?? null));
    // Whoever was in a row that went, or moved, goes on in the one that is there now.
    if (focused && document.activeElement !== focused) this.focus();

    // Beside the call the list has less room, so its rows stand elsewhere.
    if (this.#isNew) this.#rows.get(this.#open)?.element.scrollIntoView({ block: 'nearest' });
    this.#isNew = false;

    tell($('count'), words.length > 0 ? `${shown.length} of ${withEnded ? all.length : live.length}` : `${live.length} live`);
    const none = $('none');
    none.hidden = shown.length > 0;
    tell(none, words.length > 0 ? 'No call matches the filter.' : 'No calls now. A call appears here as soon as it begins.');
  }

  #row(call) {
    const known = this.#rows.get(call.call_sid);
    if (known) return known;
    const cell = (name, ...inside) => make('td', { role: 'gridcell', class: `c-${name}` }, ...inside);
    const cells = Object.fromEntries(['customer', 'agent', 'number', 'way', 'start', 'time', 'ears']
      .map((name) => [name, cell(name)]));
    const word = make('span', { class: 'word' });
    const stateCell = cell('state', make('span', { class: 'dot', 'aria-hidden': 'true' }), word);
    const meters = { customer: meter('customer'), agent: meter('agent') };
    const speaks = make('span', { class: 'unseen' });
    const level = cell('level', meters.customer.element, meters.agent.element, speaks);
    const { customer: who, agent: whom, number, way, start, time, ears } = cells;
    const element = make('tr', { role: 'row', 'data-sid': call.call_sid, tabindex: '-1' },
      stateCell, who, whom, number, way, start, time, level, ears);
    const row = { element, cells, stateCell, word, meters, speaks, shown: null };
    this.#rows.set(call.call_sid, row);
    return row;
  }

  #fill(row, call) {
    const selected = String(call.call_sid === this.#open);
    if (row.element.getAttribute('aria-selected') !== selected) row.element.setAttribute('aria-selected', selected);
    // A call that changes comes as another object.
    if (row.shown === call) return;
    row.shown = call;
    const now = state(call);
    tell(row.word, now.word);
    row.stateCell.dataset.mood = now.mood;
    row.element.classList.toggle('over', isOver(call));
    tell(row.cells.customer, address(customer(call)));
    tell(row.cells.agent, agent(call) ? address(agent(call)) : 'no agent');
    tell(row.cells.number, call.customer_id ?? '–');
    tell(row.cells.way, `${address(call.from)} → ${address(call.to)}`);
    tell(row.cells.start, clock(call.started_at));
    tell(row.cells.ears, String(call.listeners ?? 0));
    row.cells.ears.classList.toggle('some', call.listeners > 0);
    row.cells.ears.classList.toggle('one', call.listeners === 1);
    if (isOver(call) || call.stream !== 'live' || call.paused) {
      this.#hush(row);
    } else if (row.speaks.textContent === '') {
      tell(row.speaks, 'quiet');
    }
    this.#time(row, call);
  }

  #hush(row) {
    for (const side of ['customer', 'agent']) row.meters[side].set(null);
    tell(row.speaks, 'no sound');
  }

  #time(row, call) {
    const ms = lasted(call, this.#now());
    tell(row.cells.time, ms === null ? '' : duration(ms));
  }

  #tick() {
    for (const [sid, row] of this.#rows) {
      const call = this.#calls.get(sid);
      if (call && !isOver(call)) this.#time(row, call);
    }
  }

  /** The one row that Tab comes to. */
  #stand(sid) {
    this.#at = sid;
    for (const [other, row] of this.#rows) row.element.tabIndex = other === sid ? 0 : -1;
  }

  #choose(row) {
    if (row) this.#onOpen(row.dataset.sid);
  }

  #key(event) {
    const row = event.target.closest('tr');
    if (!row || event.ctrlKey || event.metaKey || event.altKey) return;
    const all = [...$('rows').children];
    const at = all.indexOf(row);
    const page = 10;
    const to = {
      ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: all.length - 1, PageDown: at + page, PageUp: at - page,
    }[event.key];
    if (to !== undefined) all[Math.max(0, Math.min(to, all.length - 1))]?.focus();
    else if (event.key === 'Enter' || event.key === ' ') this.#choose(row);
    else return;
    event.preventDefault();
  }
}

