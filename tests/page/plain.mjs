// A page that came over plain HTTP from another machine: it has no sound, says so, and does all else.
import { check, isSound, open, shot, start, story, tell, until, wants } from './browser.mjs';

await story(await start({ hosts: wants.hosts }), async (browser) => {
  const w = await open(browser, { width: 390, height: 844, calm: true });
  const { page } = w;
  const text = (selector) => page.textContent(selector);

  await page.goto(`${wants.url}/calls_monitoring/${wants.call}`);
  check((await text('#insecure')).includes('https:'), 'it is said at once');
  await page.waitForSelector('#token:focus');
  // Who guesses is slowed down, and told so; a token that begins otherwise is not.
  await page.keyboard.type('a-token-that-is-none');
  await until('too many tries', async () => {
    await page.keyboard.press('Enter');
    await page.waitForSelector('#signin-wrong:not(:empty)');
    return (await text('#signin-wrong')).startsWith('Too many tries');
  });
  await page.keyboard.type(wants.token);
  await page.keyboard.press('Enter');
  await until('the call', async () => (await text('#events')).includes('Stream began'));
  check(await page.getAttribute('#do-listen', 'aria-disabled') === 'true', 'there is nothing to press');
  await page.keyboard.press('l');
  check((await text('#sound-state')).startsWith('No sound here'), await text('#sound-state'));
  await isSound(w, 'without sound');
  await shot(w, 'plain-390-light');
  await page.click('#sign-out');
  await page.waitForSelector('#token:focus');
  check(new URL(page.url()).pathname === '/calls_monitoring' && await page.isHidden('#desk'), 'signed out');

  // A call that is not hers, or nobody's: both say the same, and which tab it was is over with the tab.
  for (const call of wants.others) {
    await page.goto(`${wants.url}/calls_monitoring/${call}`);
    await page.waitForSelector('#token:focus');
    await page.keyboard.type(wants.token);
    await page.keyboard.press('Enter');
    await page.waitForSelector('#call-gone:not([hidden])');
    check((await text('#call-gone')).includes('no such call'), await text('#call-gone'));
    await page.click('#sign-out');
  }
  tell('done');
});
