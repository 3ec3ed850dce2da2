// The keys, as they are: what is shown here is what is obeyed. Single keys can be switched off, for who dictates.
import { $, isTyping, make } from './dom.js';

const KEPT = 'partyline.keys';

/** Shows the table of keys and obeys it: `[key, words, action]`; a key is as browsers name it. */
export function setUp(keys) {
  const [dialog, on] = [$('help'), $('help-on')];
  const move = [['↑ ↓', 'another call of the list'], ['Home End', 'first, last call'], ['Enter', 'open the call'],
    ['Tab', 'next button or text']];
  for (const [key, words] of [...move, ...keys]) {
    $('help-keys').append(make('div', {}, make('dt', {}, make('kbd', {}, key === 'Escape' ? 'Esc' : key)), make('dd', {}, words)));
  }
  on.checked = sessionStorage.getItem(KEPT) !== 'off';
  on.addEventListener('change', () => sessionStorage.setItem(KEPT, on.checked ? 'on' : 'off'));
  const open = () => dialog.showModal();
  $('help-open').addEventListener('click', open);
  document.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || dialog.open || event.defaultPrevented) return;
    const isEscape = event.key === 'Escape';
    if (!isEscape && (isTyping(event.target) || !on.checked)) return;
    const action = event.key === '?' ? open : keys.find(([key]) => key === event.key)?.[2];
    if (action && action() !== false) event.preventDefault();
  });
}
