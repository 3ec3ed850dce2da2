// What the tests of the page's modules share: a clock that stands still until it is moved, a relay made of fakes, and
// sound to measure.

export const modules = new URL('../../../assets/monitoring/', import.meta.url);

/** Time and timers, ms; nothing happens unless it is moved. */
export class Clock {
  ms = 1_000;
  #timers = new Map();
  #ids = 0;

  timers = {
    setTimeout: (then, after) => this.#add(then, after, null),
    setInterval: (then, every) => this.#add(then, every, every),
    clearTimeout: (id) => this.#timers.delete(id),
    clearInterval: (id) => this.#timers.delete(id),
  };

  now = () => this.ms;

  #add(then, after, every) {
    this.#ids += 1;
    this.#timers.set(this.#ids, { then, at: this.ms + after, every });
    return this.#ids;
  }

  get pending() {
    return this.#timers.size;
  }

  /** Moves on, timer by timer. */
  async pass(ms) {
    const end = this.ms + ms;
    for (;;) {
      const next = [...this.#timers].filter(([, timer]) => timer.at <= end).sort((a, b) => a[1].at - b[1].at)[0];
      if (!next) break;
      const [id, timer] = next;
      this.ms = Math.max(this.ms, timer.at);
      if (timer.every === null) this.#timers.delete(id);
      else timer.at = this.ms + timer.every;
      timer.then();
      await settle();
    }
    this.ms = end;
  }

  /** Nothing ran for so long: each timer that fell due comes once, late. */
  async stall(ms) {
    this.ms += ms;
    await this.pass(0);
  }
}

/** Lets promises that are done say so. */
export async function settle() {
  for (let n = 0; n < 20; n += 1) await Promise.resolve();
}

/** A relay made of fakes: what is asked of it is kept, and it says what a test tells it to. */
export class FakeRelay {
  asked = [];
  sockets = [];
  /** What a request for a ticket is answered. */
  answer = () => ({ ok: true, status: 200, json: async () => ({ ticket: `t${this.asked.length}` }) });

  fetch = async (url, init) => {
    this.asked.push({ url: String(url), init });
    return this.answer();
  };

  get WebSocket() {
    const relay = this;
    return class {
      readyState = 0;
      sent = [];
      closed = null;

      constructor(url, protocol) {
        Object.assign(this, { url, protocol });
        relay.sockets.push(this);
      }

      send(text) {
        this.sent.push(JSON.parse(text));
      }

      close(code) {
        this.closed = code ?? null;
        this.readyState = 3;
      }
    };
  }

  get socket() {
    return this.sockets.at(-1);
  }

  open() {
    this.socket.readyState = 1;
    this.socket.onopen?.();
  }

  say(message) {
    this.socket.onmessage({ data: typeof message === 'string' ? message : JSON.stringify(message) });
  }

  play(frame) {
    this.socket.onmessage({ data: frameBytes(frame) });
  }

  greet(time = '2026-11-22T09:00:00.000Z') {
    this.open();
    this.say({ type: 'hello', protocol: 'partyline.v1', node: 'n1', user: { name: 'alice', role: 'admin', allow: [] }, features: [], time });
  }

  cut(code) {
    this.socket.readyState = 3;
    this.socket.onclose({ code, reason: '' });
  }
}

export function refusal(status, headers = {}) {
  return { ok: false, status, headers: new Headers(headers), json: async () => ({ error: {} }) };
}

/** A frame as the relay sends it. */
export function frameBytes({ kind = 1, track = 0, flags = 0, audioId = 7, chunk = 1, timestampMs = 0, mulaw = new Uint8Array(160).fill(255) }) {
  const bytes = new Uint8Array(16 + mulaw.length);
  const head = new DataView(bytes.buffer);
  head.setUint8(0, kind);
  head.setUint8(1, track);
  head.setUint16(2, flags);
  head.setUint32(4, audioId);
  head.setUint32(8, chunk);
  head.setUint32(12, timestampMs);
  bytes.set(mulaw, 16);
  return bytes.buffer;
}

/** The mu-law byte of a sample between -1 and 1, as shared/src/audio/g711.rs encodes. */
export function encode(sample) {
  const pcm = Math.max(Math.min(Math.trunc(sample * 32768), 32767), -32768);
  const magnitude = Math.min(Math.abs(pcm), 32635) + 0x84;
  const segment = 24 - Math.clz32(magnitude);
  const mantissa = (magnitude >> (segment + 3)) & 0x0f;
  return ~((pcm < 0 ? 0x80 : 0) | (segment << 4) | mantissa) & 0xff;
}

/** 20 ms of a tone, from media time `fromMs` on. */
export function tone(hz, fromMs, loud = 0.5) {
  const at = (n) => loud * Math.sin((2 * Math.PI * hz * (fromMs * 8 + n)) / 8000);
  return Uint8Array.from({ length: 160 }, (_, n) => encode(at(n)));
}

/** How much a sine of `hz` stands above all else in `samples`, dB, and its amplitude. */
export function purity(samples, hz, rate) {
  const w = (2 * Math.PI * hz) / rate;
  let [ss, cc, sc, xs, xc] = [0, 0, 0, 0, 0];
  samples.forEach((x, n) => {
    const [s, c] = [Math.sin(w * n), Math.cos(w * n)];
    ss += s * s;
    cc += c * c;
    sc += s * c;
    xs += x * s;
    xc += x * c;
  });
  const det = ss * cc - sc * sc;
  const a = (xs * cc - xc * sc) / det;
  const b = (xc * ss - xs * sc) / det;
  let [signal, noise] = [0, 0];
  samples.forEach((x, n) => {
    const y = a * Math.sin(w * n) + b * Math.cos(w * n);
    signal += y * y;
    noise += (x - y) ** 2;
  });
  return { db: 10 * Math.log10(signal / noise), amplitude: Math.hypot(a, b) };
}
