// Who may hold calls back does it from the page, by a key and by a button; for who may not there is nothing to press. A
// long transcript is there at once.
import { check, isSound, open, shot, start, story, tabTo, tell, until, wants } from './browser.mjs';

/** How often the page may look where a box stands, and so lay out all of it, while what is remembered comes. */
const MOST_LOOKS = 100;

/** Counts these looks; runs in the page before everything else. */
function countLooks() {
  window.looks = 0;
  const { get } = Object.getOwnPropertyDescriptor(Element.prototype, 'scrollHeight');
  Object.defineProperty(Element.prototype, 'scrollHeight', {
    get() {
      window.looks += 1;
      return get.call(this);
    },
  });
}

async function signedIn(browser, token) {
  const w = await open(browser);
  await w.context.addInitScript(countLooks);
  w.sockets = [];
  w.page.on('websocket', (socket) => w.sockets.push(socket));
  await w.page.goto(`${wants.url}/calls_monitoring/${wants.call}`);
  await w.page.waitForSelector('#token:focus');
  await w.page.keyboard.type(token);
  await w.page.keyboard.press('Enter');
  await until('all lines', async () => (await w.page.$$('.line')).length === wants.lines);
  return w;
}

await story(await start({ hosts: wants.hosts }), async (browser) => {
  const may = await signedIn(browser, wants.may);
  const { page } = may;
  const text = (selector) => page.textContent(selector);
  const looks = await page.evaluate(() => window.looks);
  check(looks < MOST_LOOKS, `${looks} looks at the layout for ${wants.lines} lines`);
  await until('its end to be seen', () => page.evaluate(() => {
    const box = document.getElementById('lines');
    return box.scrollTop > 0 && box.scrollHeight - box.scrollTop - box.clientHeight < 2;
  }));

  // While one is asked for, or the relay is away, there is nothing to press.
  const canAsk = () => page.waitForSelector('#do-hold:not([hidden]):not([aria-disabled="true"])');
  await canAsk();
  await page.waitForSelector('#call-held', { state: 'hidden' });
  await page.keyboard.press('h');
  await page.waitForSelector('#call-held:not([hidden])');
  await until('the list to say so', async () => (await text('#rows .c-state')) === 'paused');
  check((await text('#call-held')).startsWith('PAUSED'), await text('#call-held'));
  check((await text('#sound-state')).startsWith('Paused for everybody'), await text('#sound-state'));
  await until('who did it', async () => (await text('#events')).includes('Pausedalice'));
  for (const [width, height, colorScheme] of [[1280, 800, 'light'], [390, 844, 'dark']]) {
    await page.setViewportSize({ width, height });
    await page.emulateMedia({ colorScheme });
    await isSound(may, `held back, ${width}, ${colorScheme}`);
    await shot(may, `held-${width}-${colorScheme}`);
  }

  // All that another sees of it.
  const mayNot = await signedIn(browser, wants.mayNot);
  await mayNot.page.waitForSelector('#call-held:not([hidden])');
  check(await mayNot.page.isHidden('#do-hold'), 'there is nothing to press for who may not');
  await mayNot.page.keyboard.press('h');
  await isSound(mayNot, 'held back by another');

  await canAsk();
  await tabTo(may, '#do-hold');
  await page.keyboard.press('Enter');
  await page.waitForSelector('#call-held', { state: 'hidden' });
  await mayNot.page.waitForSelector('#call-held', { state: 'hidden' });
  check((await text('#do-hold')) === 'Hold call', await text('#do-hold'));

  // A page that the browser keeps for the way back holds no connection, and is as it was when it is shown again.
  const moves = (kind) => mayNot.page.evaluate((what) => dispatchEvent(new PageTransitionEvent(what, { persisted: true })), kind);
  await moves('pagehide');
  await until('the connection to be given up', () => mayNot.sockets.every((socket) => socket.isClosed()));
  const had = mayNot.sockets.length;
  await moves('pageshow');
  await until('another', () => mayNot.sockets.length > had && !mayNot.sockets.at(-1).isClosed());
  await until('it to be told', async () => (await mayNot.page.textContent('#link-text')) === 'Connected');

  // What cannot be done is said.
  await page.route('**/pause', (route) => route.abort());
  await canAsk();
  await page.keyboard.press('h');
  await until('why not', async () => (await text('#hold-wrong')) === 'Not held: The relay cannot be reached.');

  // A relay that begins anew knows the call no more: it does not stand there as if it were live.
  tell('may go');
  await until('the call to be unknown', async () => (await text('#call-gone')).includes('does not know this call'));
  check((await text('#call-marks')) === 'unknown', await text('#call-marks'));
  await isSound(may, 'a call that is unknown');
  tell('done');
});
