// The browser of a story: opens the page of a relay, keeps what it says and what is wrong with it, and has what goes
// to its loudspeaker. A story is told by STORY, an object; the packages are in the folder PACKAGES.
import { createRequire } from 'node:module';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const fromHere = createRequire(join(process.env.PACKAGES ?? process.cwd(), 'x'));
const { chromium } = fromHere('playwright-core');
const AXE = readFileSync(fromHere.resolve('axe-core/axe.min.js'), 'utf8');

/** What a healthy page does within milliseconds, on a machine that is busy with other things. */
export const SOON = 20_000;

/** Where the programs of browsers are. */
const PROGRAMS = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

/** What is wrong for people who cannot see, hear or point. */
const GRAVE = ['serious', 'critical'];

/** What the story wants. */
export const wants = JSON.parse(process.env.STORY ?? '{}');

/** Says something to the story, a line of JSON. */
export function tell(what, more = {}) {
  process.stdout.write(`${JSON.stringify({ what, ...more })}\n`);
}

/** Fails the story. */
export function check(is, why) {
  if (!is) throw new Error(why);
}

/** Starts a browser. `hosts`: Chromium's rules for names, e.g. `MAP calls.example.com:443 127.0.0.1:4711`. */
export async function start({ hosts = '' } = {}) {
  const executablePath = PROGRAMS.find((path) => existsSync(path));
  check(executablePath, `no browser among ${PROGRAMS}: run \`make test\` once, which installs it`);
  const args = ['--no-sandbox', '--disable-dev-shm-usage', '--disable-gpu', '--mute-audio'];
  if (hosts) args.push(`--host-resolver-rules=${hosts}`);
  return chromium.launch({ executablePath, args, timeout: 2 * SOON });
}

/** What goes to the loudspeaker of any AudioContext is kept too; runs in the page before everything else. */
function tap() {
  // Pieces of 10 ms kept while the page stands still; the oldest go.
  const KEPT = 200;
  const heard = { pieces: [], rate: 0 };
  window.heard = heard;
  const connect = AudioNode.prototype.connect;
  AudioNode.prototype.connect = function connectAndTap(target, ...more) {
    if (target instanceof AudioDestinationNode) {
      const stream = this.context.createMediaStreamDestination();
      connect.call(this, stream);
      const processor = new MediaStreamTrackProcessor({ track: stream.stream.getAudioTracks()[0], maxBufferSize: KEPT });
      (async () => {
        for await (const data of processor.readable) {
          const piece = new Float32Array(data.numberOfFrames);
          data.copyTo(piece, { planeIndex: 0, format: 'f32-planar' });
          heard.rate = data.sampleRate;
          heard.pieces.push(piece);
          data.close();
        }
      })();
    }
    return connect.call(this, target, ...more);
  };
}

/** A window of its own, with what it said. */
export async function open(browser, { width = 1280, height = 800, dark = false, calm = false, taps = false } = {}) {
  const context = await browser.newContext({
    viewport: { width, height },
    ignoreHTTPSErrors: true,
    colorScheme: dark ? 'dark' : 'light',
    reducedMotion: calm ? 'reduce' : 'no-preference',
    locale: 'en-US',
    timezoneId: 'UTC',
  });
  context.setDefaultTimeout(SOON);
  if (taps) await context.addInitScript(tap);
  await context.addInitScript(() => {
    window.violations = [];
    // What a screen reader would read out by itself.
    window.readOut = [];
    document.addEventListener('DOMContentLoaded', () => {
      const place = document.getElementById('say');
      new MutationObserver(() => place.textContent && window.readOut.push(place.textContent)).observe(place, { childList: true });
    });
    document.addEventListener('securitypolicyviolation', (event) => {
      window.violations.push(`${event.violatedDirective}: ${event.blockedURI} ${event.sourceFile ?? ''}:${event.lineNumber ?? ''}`);
    });
  });
  const page = await context.newPage();
  const said = [];
  page.on('console', (message) => said.push(message.text()));
  page.on('pageerror', (error) => said.push(`ERROR ${error.stack ?? error}`));
  return { context, page, said };
}

/** Waits until `look()` is true; it may ask the page. */
export async function until(what, look) {
  const end = Date.now() + SOON;
  while (Date.now() < end) {
    if (await look()) return;
    await new Promise((go) => setTimeout(go, 25));
  }
  throw new Error(`${what}: was not so within ${SOON} ms`);
}

/** Fails where the page is hard to use for somebody, or breaks its own policy, or has a fault. */
export async function isSound({ page, said }, state) {
  // In the page's own world the policy would refuse it, rightly.
  await page.evaluate(AXE);
  const { violations } = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ['violations'] }));
  const grave = violations.filter((one) => GRAVE.includes(one.impact));
  const told = grave.map((one) => `${one.id} (${one.impact}): ${one.nodes.map((node) => `${node.target} ${node.failureSummary}`).join('; ')}`);
  check(told.length === 0, `${state}: ${told.join('\n')}`);
  const broken = await page.evaluate(() => window.violations);
  check(broken.length === 0, `${state}: against the policy: ${broken.join('\n')}`);
  const wide = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
  check(wide[0] <= wide[1], `${state}: ${wide[0]} pixels wide in a window of ${wide[1]}`);
  const faults = said.filter((line) => line.startsWith('ERROR') || line.includes('Content Security Policy'));
  check(faults.length === 0, `${state}: ${faults.join('\n')}`);
}

/** A picture for people to look at, in the folder that the story names. */
export async function shot({ page }, name) {
  const folder = process.env.SHOTS;
  if (!folder) return;
  mkdirSync(folder, { recursive: true });
  await page.screenshot({ path: join(folder, `${name}.png`) });
}

/** What went to the loudspeaker since the last time: float32 in base64, its rate, and when it was asked for. */
export async function heard(page) {
  return page.evaluate(() => {
    const now = Date.now();
    const { pieces, rate } = window.heard;
    const all = new Float32Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
    let at = 0;
    for (const piece of pieces) {
      all.set(piece, at);
      at += piece.length;
    }
    window.heard.pieces = [];
    const bytes = new Uint8Array(all.buffer);
    let text = '';
    for (let n = 0; n < bytes.length; n += 32_768) text += String.fromCharCode(...bytes.subarray(n, n + 32_768));
    return { at: now, rate, samples: btoa(text) };
  });
}

/** Presses Tab until `selector` has the focus: whoever has keys only gets there. */
export async function tabTo({ page }, selector) {
  for (let presses = 0; presses < 60; presses += 1) {
    if (await page.evaluate((wanted) => document.activeElement?.matches(wanted) ?? false, selector)) return;
    await page.keyboard.press('Tab');
  }
  throw new Error(`${selector} cannot be reached by Tab`);
}

/** Runs a story to its end, and says why where it fails. */
export async function story(browser, work) {
  try {
    await work(browser);
  } catch (error) {
    process.stderr.write(`${error.stack ?? error}\n`);
    process.exitCode = 1;
  } finally {
    await browser.close();
  }
}

export const sleep = (ms) => new Promise((go) => setTimeout(go, ms));
