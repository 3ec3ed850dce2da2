// A page of anybody's with an <audio> element, whose URL has a ticket: it plays a call until that ends.
import { createServer } from 'node:http';
import { check, open, start, story, tell, until, wants } from './browser.mjs';

await story(await start(), async (browser) => {
  const { page } = await open(browser);
  const other = createServer((_, answer) => {
    answer.setHeader('content-type', 'text/html');
    answer.end('<!doctype html><p id="say"></p><audio id="call"></audio>');
  });
  await new Promise((go) => other.listen(0, '127.0.0.1', go));
  await page.goto(`http://127.0.0.1:${other.address().port}/`);
  await page.evaluate((url) => {
    const call = document.getElementById('call');
    // Browsers let nothing sound that nobody has clicked on.
    call.muted = true;
    call.src = url;
    call.play();
  }, wants.url);
  const call = () => page.evaluate(() => {
    const { currentTime, ended, error } = document.getElementById('call');
    return { seconds: currentTime, ended, why: error?.message ?? '' };
  });
  const goesOn = async (is) => {
    const now = await call();
    check(now.why === '', now.why);
    return is(now);
  };
  await until('what is played', () => goesOn(({ seconds }) => seconds > 1));
  tell('plays');
  await until('the end', () => goesOn(({ ended }) => ended));
  tell('ended', { seconds: (await call()).seconds });
  other.close();
});
