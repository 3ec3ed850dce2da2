// The line that says how the page stands with the relay, and what is read out. A count of seconds is seen, not read out.
import { $, tell } from './dom.js';

let waiting = null;
let last = '';

/** Reads something out, once; the same again is read out again. */
export function say(text) {
  const place = $('say');
  place.textContent = '';
  // A change is noticed between two turns, not within one.
  setTimeout(() => { place.textContent = text; }, 50);
}

/** Shows a state of the link: `idle`, `connecting`, `open`, `waiting` (comes back in `retryInMs`), `refused`. */
export function show(state, why, retryInMs) {
  clearInterval(waiting);
  const line = $('link');
  line.dataset.state = state;
  line.title = why ?? '';
  const because = why ? `: ${why}` : '';
  const text = {
    idle: '', connecting: 'Connecting …', open: 'Connected', waiting: `Connection lost${because}`,
    refused: `Refused${because}`,
  }[state] ?? state;
  if (state === 'waiting') {
    const until = performance.now() + (retryInMs ?? 0);
    const count = () => {
      const seconds = Math.max(0, Math.ceil((until - performance.now()) / 1000));
      tell($('link-text'), seconds > 0 ? `Reconnecting in ${seconds} s${because}` : `Reconnecting …${because}`);
    };
    count();
    waiting = setInterval(count, 250);
  } else {
    tell($('link-text'), text);
  }
  // Attempts that come and go are not news.
  if (state !== last && state !== 'connecting' && text) {
    if (state !== 'open' || last !== '') say(text);
    last = state;
  }
}
