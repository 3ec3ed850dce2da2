// The relay that people would write otherwise: Twilio's media streams in, partyline.v1 out, with `ws`, and as well as
// that is done without leaving JavaScript: one Buffer a frame for all listeners, no compression, no delay, a bound for
// the slow. What it leaves out (rights, transcripts, history, gaps) only makes it cheaper. `node relay.mjs [PORT]`.
import { randomInt } from "node:crypto";
import { createServer } from "node:http";
import { WebSocketServer } from "ws";

// Bytes that may wait for one listener, some 2.5 s of a call with two tracks; past it that listener loses frames.
const MAX_WAITING = 48 * 1024;
// Bytes of a message from Twilio or a listener; theirs are far smaller.
const MAX_MESSAGE = 64 * 1024;
const HEAD = 16;
const MAX_AUDIO = 160;

/** Calls by CallSid; one is made by whoever names it first, its stream or a listener. */
const calls = new Map();
let dropped = 0;

function callOf(sid) {
  let call = calls.get(sid);
  if (!call) {
    call = { audioId: randomInt(1, 2 ** 32), chunks: [0, 0], listeners: new Set(), isLive: false };
    calls.set(sid, call);
  }
  return call;
}

function forget(sid, call) {
  if (!call.isLive && call.listeners.size === 0) calls.delete(sid);
}

/** Twilio's base64 becomes one message, the same for all. */
function publish(call, media) {
  const track = media.track === "outbound" ? 1 : 0;
  const size = Math.min(Buffer.byteLength(media.payload, "base64"), MAX_AUDIO);
  const frame = Buffer.allocUnsafe(HEAD + size);
  frame[0] = 1;
  frame[1] = track;
  frame.writeUInt16BE(0, 2);
  frame.writeUInt32BE(call.audioId, 4);
  frame.writeUInt32BE(++call.chunks[track], 8);
  frame.writeUInt32BE(Number(media.timestamp) >>> 0, 12);
  frame.write(media.payload, HEAD, size, "base64");
  for (const listener of call.listeners) {
    if (listener.bufferedAmount > MAX_WAITING) dropped += 1;
    else listener.send(frame);
  }
}

function ingest(socket) {
  let sid = null;
  let call = null;
  socket.on("message", (data) => {
    let message;
    try {
      message = JSON.parse(data);
    } catch {
      socket.close(1007);
      return;
    }
    switch (message.event) {
      case "media":
        if (call) publish(call, message.media);
        break;
      case "start":
        sid = message.start.callSid;
        call = callOf(sid);
        call.isLive = true;
        break;
      case "stop":
        socket.close(1000);
        break;
    }
  });
  socket.on("close", () => {
    if (!call) return;
    call.isLive = false;
    forget(sid, call);
  });
}

function listen(socket) {
  const heard = new Map();
  const say = (message) => socket.send(JSON.stringify(message));
  say({ type: "hello", protocol: "partyline.v1", relay: "node", features: [], time: new Date().toISOString() });
  say({ type: "calls", calls: [], more: false });
  socket.on("message", (data, isBinary) => {
    if (isBinary) return;
    let message;
    try {
      message = JSON.parse(data);
    } catch {
      say({ type: "error", code: "bad_message", message: "not JSON" });
      return;
    }
    const sid = message.call_sid;
    switch (message.type) {
      case "subscribe": {
        const call = callOf(sid);
        say({ type: "subscribed", call_sid: sid, audio_id: call.audioId, journal: "0", resumed: false });
        call.listeners.add(socket);
        heard.set(sid, call);
        break;
      }
      case "unsubscribe": {
        const call = heard.get(sid);
        if (!call) break;
        heard.delete(sid);
        call.listeners.delete(socket);
        forget(sid, call);
        say({ type: "unsubscribed", call_sid: sid });
        break;
      }
      case "ping":
        say({ type: "pong", id: message.id, time: new Date().toISOString() });
        break;
    }
  });
  socket.on("close", () => {
    for (const [sid, call] of heard) {
      call.listeners.delete(socket);
      forget(sid, call);
    }
  });
}

const sockets = new WebSocketServer({
  noServer: true,
  perMessageDeflate: false,
  maxPayload: MAX_MESSAGE,
  handleProtocols: (offered) => (offered.has("partyline.v1") ? "partyline.v1" : false),
});
const server = createServer((_request, response) => response.writeHead(404).end());
server.on("upgrade", (request, tcp, head) => {
  tcp.setNoDelay(true);
  const { pathname } = new URL(request.url, "http://127.0.0.1");
  sockets.handleUpgrade(request, tcp, head, (socket) => {
    socket.on("error", () => socket.terminate());
    if (pathname === "/listen") listen(socket);
    else ingest(socket);
  });
});
server.listen({ port: Number(process.argv[2] ?? 0), host: "127.0.0.1", backlog: 4096 }, () => {
  console.log(`listening on http://127.0.0.1:${server.address().port}`);
});
process.on("SIGTERM", () => {
  console.error(`${dropped} frames dropped for slow listeners`);
  process.exit(0);
});
