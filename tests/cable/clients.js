// The clients that people of Action Cable have, side by side in one process: three of Rails', one of AnyCable's.
//
//     node clients.js URL NAME…        NAME: rails61 rails72 rails81 anycable
//
// On stdin one JSON object a line:
//     {"do":"subscribe","channel":"CallStreamChannel","params":{"call_id":"CA…"}}      each client does it
//     {"do":"unsubscribe","channel":…,"params":…}   {"do":"again",…}: a second object of the same identifier
// On stdout one a line: {"client", "what": "open"|"closed"|"said"|"connected"|"rejected"|"disconnected"|"received", …}.
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

const require = createRequire(process.cwd() + "/");
const { WebSocket } = require("ws");
const [url, ...names] = process.argv.slice(2);
const tell = (client, what, more = {}) => process.stdout.write(JSON.stringify({ client, what, ...more }) + "\n");

// What a browser has and these clients look for.
globalThis.self = globalThis;
globalThis.window ??= globalThis;
globalThis.document ??= { visibilityState: "visible", addEventListener() {}, removeEventListener() {} };
globalThis.addEventListener ??= () => {};
globalThis.removeEventListener ??= () => {};

// A socket that tells what its client does.
const spied = (client) =>
  class Spied extends WebSocket {
    constructor(url, protocols) {
      super(url, protocols);
      this.on("open", () => tell(client, "open", { offered: [protocols].flat(), agreed: this.protocol }));
      this.on("close", (code) => tell(client, "closed", { code }));
      this.on("error", (error) => tell(client, "error", { error: String(error.message) }));
      this.on("message", (data) => {
        const { type, reason, reconnect } = JSON.parse(data);
        if (type && type !== "ping") tell(client, "told", { type, reason, reconnect });
      });
    }
    send(data) {
      tell(client, "said", JSON.parse(data));
      super.send(data);
    }
  };

const rails = (client) => {
  const cable = require(client);
  cable.adapters.WebSocket = spied(client);
  const consumer = cable.createConsumer(url);
  const subscribe = (channel, params) => {
    const what = (what) => (more) => tell(client, what, { channel, ...more });
    return consumer.subscriptions.create(
      { channel, ...params },
      {
        connected: what("connected"),
        rejected: what("rejected"),
        disconnected: what("disconnected"),
        received: (message) => what("received")({ message }),
      },
    );
  };
  return { subscribe, unsubscribe: (subscription) => subscription.unsubscribe() };
};

const anycable = async (client) => {
  const { createCable } = await import(pathToFileURL(require.resolve("@anycable/core")).href);
  const cable = createCable(url, { websocketImplementation: spied(client) });
  const subscribe = (channel, params) => {
    const what = (what) => (more) => tell(client, what, { channel, ...more });
    const subscription = cable.subscribeTo(channel, params);
    subscription.on("connect", () => what("connected")());
    subscription.on("disconnect", () => what("disconnected")());
    subscription.on("close", (why) => what(why?.name === "SubscriptionRejectedError" ? "rejected" : "left")({}));
    subscription.on("message", (message) => what("received")({ message }));
    return subscription;
  };
  return { subscribe, unsubscribe: (subscription) => subscription.disconnect() };
};

const clients = await Promise.all(names.map((name) => (name === "anycable" ? anycable(name) : rails(name))));
const known = new Map();
for await (const line of createInterface({ input: process.stdin })) {
  const { do: what, channel, params } = JSON.parse(line);
  clients.forEach((client, at) => {
    const name = JSON.stringify([at, channel, params]);
    if (what === "unsubscribe") {
      client.unsubscribe(known.get(name));
    } else {
      const subscription = client.subscribe(channel, params);
      if (what === "subscribe") known.set(name, subscription);
    }
  });
}
process.exit(0);
