// A page that stands still for a while, and one whose relay goes and comes back.
import { check, heard, isSound, open, shot, sleep, start, story, tell, until, wants } from './browser.mjs';

/** What is heard at the end of it, ms. */
const HEARS = 1500;

await story(await start(), async (browser) => {
  const w = await open(browser, { taps: true });
  const { page, context } = w;
  const text = (selector) => page.textContent(selector);
  const isLive = async () => (await text('#sound-state')) === 'Live';

  // Nobody has a token here: the page is open at once.
  await page.goto(`${wants.url}/calls_monitoring`);
  await until('connected', async () => (await text('#link-text')) === 'Connected');
  tell('ready');
  await page.waitForSelector('#rows tr');
  await page.focus('#rows tr');
  await page.keyboard.press('Enter');
  await page.waitForSelector('#do-listen[aria-disabled=false]');
  const sid = new URL(page.url()).pathname.split('/').at(-1);
  const call = await page.evaluate((path) => fetch(path).then((answer) => answer.json()), `/api/v1/calls/${sid}`);
  await page.keyboard.press('l');
  await until('sound', isLive);
  await page.keyboard.press(call.roles.outbound === 'agent' ? 'a' : 'c');

  // As in a debugger: nothing of the page runs, and whoever sends to it has to see how to get rid of it.
  const debug = await context.newCDPSession(page);
  await debug.send('Debugger.enable');
  const stopped = new Promise((go) => { debug.once('Debugger.paused', go); });
  await debug.send('Debugger.pause');
  await stopped;
  await sleep(wants.stall);
  await debug.send('Debugger.resume');
  await debug.send('Debugger.disable');
  // What it says at first is from before; a second is enough to catch up with half a minute.
  await sleep(1000);
  await until('sound again', isLive);
  await heard(page);
  await sleep(HEARS);
  tell('heard', await heard(page));
  await isSound(w, 'after a stall');

  tell('may go');
  await until('the loss to be told', async () => (await text('#link-text')).startsWith('Reconnecting'));
  check(await page.evaluate(() => [...document.querySelectorAll('.fill')].every((fill) => fill.style.transform === 'scaleX(0)')),
    'no level is shown as if it were of now');
  await isSound(w, 'away');
  await shot(w, 'away-1280-light');
  tell('gone');
  await until('connected again', async () => (await text('#link-text')) === 'Connected');
  await page.keyboard.press('Escape');
  await until('the list of now', () => page.evaluate((old) => {
    const rows = [...document.querySelectorAll('#rows tr')].map((row) => row.dataset.sid);
    return rows.length === 1 && rows[0] !== old;
  }, sid));
  await page.focus('#rows tr');
  await page.keyboard.press('Enter');
  await until('the call of now', async () => (await text('#events')).includes('Stream began'));
  await isSound(w, 'back');
});
