// The page's own connection against a real relay, as a program: hears a call until it has so many frames of each track and
// so many lines, then writes what came, as one JSON object. What is logged goes to stderr.
//
//   node live.mjs ORIGIN CALL_SID FRAMES LINES FOLDER      FOLDER has node_modules, with a WebSocket for a Node without

import { createRequire } from 'node:module';
import { join } from 'node:path';

import { modules } from './support.mjs';

const [origin, callSid, frames, lines, folder] = process.argv.slice(2);
const { Link } = await import(new URL('link.js', modules));
const { WebSocket } = createRequire(join(folder, 'package.json'))('ws');
console.log = console.error;

const heard = { inbound: [], outbound: [], lines: [], missed: [], states: [], sockets: 0 };
const audio = [heard.inbound, heard.outbound];
const link = new Link(origin, null, { WebSocket });

link.addEventListener('state', ({ detail }) => {
  heard.states.push(detail.state);
  if (detail.state === 'open') heard.sockets += 1;
});
link.addEventListener('frame', ({ detail }) => {
  audio[detail.track].push({ chunk: detail.chunk, mulaw: Buffer.from(detail.mulaw).toString('base64') });
  end();
});
link.addEventListener('missed', ({ detail }) => heard.missed.push(detail));
link.addEventListener('message', ({ detail }) => {
  if (detail.type === 'transcript') heard.lines.push(detail.line.text);
  end();
});

function end() {
  if (audio.some((track) => track.length < Number(frames)) || heard.lines.length < Number(lines)) return;
  link.close();
  process.stdout.write(`${JSON.stringify(heard)}\n`);
}

link.open();
link.subscribe(callSid, { audio: true, replay_ms: 10_000 });
