// By keys alone: signs in, sees a call come, listens to it, reads along, stops, and is sent away.
import { check, heard, isSound, open, shot, sleep, start, story, tabTo, tell, until, wants } from './browser.mjs';

/** How long is listened, ms. */
const LISTENS = 3000;

await story(await start({ hosts: wants.hosts }), async (browser) => {
  const w = await open(browser, { taps: true });
  const { page, said, context } = w;
  const text = (selector) => page.textContent(selector);

  await page.goto(`${wants.url}/calls_monitoring`);
  await page.waitForSelector('#token:focus');
  await isSound(w, 'sign-in');
  await shot(w, 'signin-1280-light');
  await page.keyboard.type('not-a-token');
  await page.keyboard.press('Enter');
  await page.waitForSelector('#signin-wrong:not(:empty)');
  check((await text('#signin-wrong')).includes('not valid'), `a wrong token: ${await text('#signin-wrong')}`);
  await isSound(w, 'a wrong token');
  await shot(w, 'wrong-1280-light');
  await page.keyboard.type(wants.token);
  await page.keyboard.press('Enter');
  await page.waitForSelector('#none:not([hidden])');
  await until('connected', async () => (await text('#link-text')) === 'Connected');
  await isSound(w, 'an empty list');

  tell('ready');
  await page.waitForSelector('#rows tr');
  await until('a level', () => page.evaluate(() => [...document.querySelectorAll('#rows .fill')]
    .some((fill) => Number(/scaleX\(([\d.]+)\)/.exec(fill.style.transform)?.[1] ?? 0) > 0.1)));
  await isSound(w, 'the list');
  await shot(w, 'list-1280-light');

  // Into the list, along it, and into the call.
  await page.keyboard.press('ArrowDown');
  await page.waitForSelector('#rows tr:focus');
  await page.keyboard.press('End');
  await page.keyboard.press('Enter');
  await page.waitForSelector('#call-title:focus');
  const sid = new URL(page.url()).pathname.split('/').at(-1);
  check(/^CA[0-9a-f]{32}$/.test(sid), `the address names the call: ${page.url()}`);
  await tabTo(w, '#do-listen');
  await page.keyboard.press('Enter');
  await until('sound', async () => (await text('#sound-state')) === 'Live');
  await tabTo(w, `.side.${wants.mutes} .mute`);
  await page.keyboard.press('Space');
  await page.waitForSelector(`.side.${wants.mutes} .mute[aria-pressed=true]`);
  // What was on its way when it was pressed.
  await sleep(500);
  await heard(page);
  await sleep(LISTENS);
  tell('heard', await heard(page));

  await until('what was said', () => page.evaluate((wanted) => [...document.querySelectorAll('.line:not(.partial)')]
    .some((line) => line.classList.contains('customer') && line.textContent.includes(wanted)), wants.says));
  await until('what happened', async () => (await text('#events')).includes('Stream began'));
  await until('bars', () => page.evaluate(() => [...document.querySelectorAll('.side canvas')].every((canvas) => {
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    return data.some((value, n) => n % 4 === 3 && value > 0);
  })));
  await until('it to be read out, with its side', () => page.evaluate((wanted) => window.readOut
    .some((text) => text.includes(`Customer: ${wanted}`)), wants.says));
  for (const [width, height] of [[1280, 800], [390, 844]]) {
    for (const colorScheme of ['light', 'dark']) {
      await page.setViewportSize({ width, height });
      await page.emulateMedia({ colorScheme });
      await isSound(w, `the call, ${width}, ${colorScheme}`);
      await shot(w, `call-${width}-${colorScheme}`);
    }
  }

  await page.keyboard.press('p');
  await until('a pause', async () => (await text('#sound-state')).startsWith('Paused here'));
  await page.keyboard.press('p');
  await until('sound again', async () => (await text('#sound-state')) === 'Live');
  await page.keyboard.press('-');
  check(await page.inputValue('#volume') === '95', 'the volume moves by a key');
  await page.keyboard.press('l');
  await until('silence', async () => (await text('#sound-state')) === 'Not listening');

  const states = ['Partyline: connected', `Partyline: subscription confirmed ${sid}`, 'Partyline: receiving'];
  const places = states.map((state) => said.indexOf(state));
  check(places.every((place, n) => place >= 0 && place > (places[n - 1] ?? -1)), `the console: ${said.join(' | ')}`);

  // The keys, and back.
  await page.keyboard.press('?');
  await page.waitForSelector('#help[open]');
  await isSound(w, 'the keys');
  await page.keyboard.press('Escape');
  await page.keyboard.press('Escape');
  await page.waitForSelector('#rows tr:focus');
  check(new URL(page.url()).pathname === '/calls_monitoring', `back at the list: ${page.url()}`);
  for (const colorScheme of ['dark', 'light']) {
    await page.emulateMedia({ colorScheme });
    await isSound(w, `the list, 390, ${colorScheme}`);
    await shot(w, `list-390-${colorScheme}`);
  }
  await page.keyboard.press('/');
  await page.keyboard.type('no such call');
  await page.waitForSelector('#none:not([hidden])');
  await page.keyboard.press('Control+A');
  await page.keyboard.press('Delete');
  await page.waitForSelector('#rows tr');
  await page.goBack();
  await page.waitForSelector('#call:not([hidden])');

  // The address is enough where this tab knows the token, and says nothing of it.
  await page.setViewportSize({ width: 1280, height: 800 });
  await page.reload();
  await until('the call again', async () => (await text('#lines')).includes(wants.says));
  check(new URL(page.url()).pathname === `/calls_monitoring/${sid}`, page.url());
  const kept = await page.evaluate(() => [localStorage.length, document.cookie, location.href, document.documentElement.outerHTML]);
  check(kept[0] === 0 && kept[1] === '' && !kept[2].includes(wants.token) && !kept[3].includes(wants.token), 'the token is kept for the tab only');
  check((await context.cookies()).length === 0, 'no cookies');

  tell('done');
  await page.waitForSelector('#token:focus');
  check((await text('#signin-wrong')).includes('not valid'), 'it is said why');
  check(await page.isHidden('#desk') && await page.evaluate(() => sessionStorage.getItem('partyline.token')) === null, 'nothing is left');
  await isSound(w, 'sent away');
});
