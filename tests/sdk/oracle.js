// What Twilio's own library says of requests: it makes them, signs them and judges them, one JSON object a line.
//
//   node oracle.js random SEED COUNT             requests of every kind, right and wrong, each with the library's verdict
//   node oracle.js call ORIGIN TOKEN ACCOUNT CALL   the five webhooks of one call and its stream's handshake, signed
//
// A request of `random`: url, body, json (what kind the body is), header, token, verdict, and `how` it was made.
"use strict";

const { createRequire } = require("module");
// The folder that the library was installed into is the one that this is run in.
const fromHere = createRequire(process.cwd() + "/");
const sdk = fromHere("twilio/lib/webhooks/webhooks");
const querystring = require("querystring");

// mulberry32: the same requests for the same seed.
function random(seed) {
    let a = seed >>> 0;
    const next = () => {
        a = (a + 0x6d2b79f5) >>> 0;
        let t = a;
        t = Math.imul(t ^ (t >>> 15), t | 1);
        t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
        return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
    };
    const below = (n) => Math.floor(next() * n);
    const one = (list) => list[below(list.length)];
    return { next, below, one, chance: (p) => next() < p };
}

const TEXTS = [
    "", " ", "  a ", "a", "b", "A", "CallSid", "From", "To", "Sid", "SidAccount", "+15550100001", "hello there", "a+b",
    "100%", "%41", "a&b=c", "=", "&", "?", "#", "/", "'", "\"", "<x>", "é", "e\u0301", "São Paulo", "日本語", "🎧", "\u0000",
    "\r\n", "\t", "\u00a0", "\u200b", "\u202e", "ı", "ß", "x".repeat(300), "~!*()'._-", "{\"transcript\":\"hi\"}",
];
const CHARS = [..."abcXYZ019 +%&=?#/:;@,'\"<>[]{}|^`~!*()-_.éßüñ日本🎧\u0000\n"];

function text(r) {
    if (r.chance(0.7)) return r.one(TEXTS);
    let made = "";
    for (let n = r.below(12); n > 0; n--) made += r.one(CHARS);
    return made;
}

function params(r) {
    const made = Object.create(null);
    for (let n = r.below(9); n > 0; n--) {
        // Names beyond the basic plane and just below its end are sorted by units of UTF-16 here: rare, and told.
        const name = r.chance(0.004) ? r.one(["\u{1f3a7}z", "\uffee", "\ue000q"]) : text(r);
        if (name === "__proto__") continue;
        if (r.chance(0.2)) {
            made[name] = [];
            for (let m = 1 + r.below(4); m > 0; m--) made[name].push(text(r));
        } else {
            made[name] = text(r);
        }
    }
    return made;
}

// The same text, written as some client may write it.
function encoded(r, plain) {
    let made = "";
    for (const byte of Buffer.from(plain, "utf-8")) {
        const char = String.fromCharCode(byte);
        const hex = byte.toString(16).padStart(2, "0");
        if (/[A-Za-z0-9._*-]/.test(char) && !r.chance(0.02)) made += char;
        else if (char === " " && r.chance(0.5)) made += "+";
        else made += "%" + (r.chance(0.5) ? hex.toUpperCase() : hex);
    }
    return made;
}

function body(r, fields) {
    const pairs = [];
    for (const name of Object.keys(fields)) {
        for (const value of [].concat(fields[name])) pairs.push([name, value]);
    }
    for (let i = pairs.length - 1; i > 0; i--) {
        const j = r.below(i + 1);
        // A name's values keep their order nowhere: what is signed is sorted.
        [pairs[i], pairs[j]] = [pairs[j], pairs[i]];
    }
    return pairs.map(([name, value]) => encoded(r, name) + "=" + encoded(r, value)).join("&");
}

function byCodePoint(a, b) {
    return Buffer.compare(Buffer.from(a, "utf-8"), Buffer.from(b, "utf-8"));
}

// Whether the library sorts these otherwise than by bytes.
function sortsOtherwise(fields) {
    const differs = (list) => {
        const mine = [...list].sort(byCodePoint);
        return [...list].sort().some((item, i) => item !== mine[i]);
    };
    return differs(Object.keys(fields)) || Object.values(fields).some((v) => Array.isArray(v) && differs(v));
}

function url(r) {
    const scheme = r.one(["https", "https", "https", "http", "wss"]);
    const host = r.one(["calls.example.com", "calls.example.com", "tcare.pro", "127.0.0.1", "[::1]"]);
    const port = r.one(["", "", "", ":443", ":80", ":8443", ":8080"]);
    const user = r.chance(0.05) ? "user:pass@" : "";
    const path = r.one(["/twilio/voice", "/twilio/status", "/cable", "/cable/", "/", "/a%20b", "/S%C3%A3o", "/x;y=1"]);
    let query = "";
    if (r.chance(0.4)) {
        const fields = [];
        for (let n = 1 + r.below(3); n > 0; n--) {
            const raw = r.one(["a=1", "b", "customer_id=12345", "x=%2B1", "x=%2b1", "q=a+b", "q=a%20b", "o=O'Neill", "e=", "=", "c=%C3%A9",
                "d=1&d=2", "s=a/b:c@d", "t=~!*()", "u=[1]", "2=x&1=y"]);
            fields.push(raw);
        }
        query = "?" + fields.join("&");
    }
    return { scheme, host, port, user, path, query, whole: () => `${scheme}://${user}${host}${port}${path}${query}` };
}

// What is signed instead of the URL as it was requested; `how` names it.
function signedUrl(r, parts) {
    const at = (scheme, port, path = parts.path, query = parts.query) =>
        `${scheme}://${parts.user}${parts.host}${port}${path}${query}`;
    const usual = parts.scheme === "https" || parts.scheme === "wss" ? ":443" : ":80";
    const normal = () => new URL(parts.whole()).toString();
    const escaped = () => {
        const [before, query] = normal().split(/\?(.*)/s);
        return query ? before + "?" + querystring.stringify(querystring.parse(query)) : before;
    };
    const ways = {
        "as requested": () => parts.whole(),
        "without port": () => at(parts.scheme, ""),
        "usual port": () => at(parts.scheme, usual),
        "port 80": () => at(parts.scheme, ":80"),
        "other port": () => at(parts.scheme, ":4433"),
        "slash more": () => at(parts.scheme, parts.port, parts.path + "/"),
        "slash less": () => at(parts.scheme, parts.port, parts.path.replace(/\/$/, "")),
        "as a browser writes it": normal,
        "query escaped anew": escaped,
        "other scheme": () => at(parts.scheme === "https" ? "wss" : "https", parts.port),
        "other host": () => parts.whole().replace(parts.host, "evil.example"),
        "other path": () => at(parts.scheme, parts.port, "/twilio/other"),
        "other query": () => at(parts.scheme, parts.port, parts.path, parts.query + (parts.query ? "&" : "?") + "z=1"),
    };
    const how = r.chance(0.45) ? "as requested" : r.one(Object.keys(ways));
    return { how, url: ways[how]() };
}

function request(r) {
    const token = r.one(["0123456789abcdef0123456789abcdef", "12345", "tökén"]);
    const parts = url(r);
    const isJson = parts.scheme !== "wss" && r.chance(0.15);
    let fields = parts.scheme === "wss" ? {} : params(r);
    let sent;
    if (isJson) {
        fields = {};
        sent = JSON.stringify({ event: text(r), n: r.below(100), list: [text(r)] });
        const hash = sdk.getExpectedBodyHash(sent);
        const shown = r.one([hash, hash, hash, hash, hash.toUpperCase(), sdk.getExpectedBodyHash("{}"), ""]);
        parts.query += (parts.query ? "&" : "?") + "bodySHA256=" + shown;
        if (r.chance(0.05)) parts.query += "&bodySHA256=" + hash;
    } else {
        sent = body(r, fields);
    }
    const signed = signedUrl(r, parts);
    let how = signed.how;
    let header = sdk.getExpectedTwilioSignature(r.chance(0.05) ? ((how = "other token"), "another") : token, signed.url, fields);
    if (r.chance(0.15)) {
        const damage = r.one(["header cut", "header changed", "no header", "field changed", "field more", "body changed"]);
        const before = header + sent;
        const at = r.below(27);
        if (damage === "header cut") header = header.slice(0, at);
        if (damage === "header changed") header = header.slice(0, at) + (header[at] === "A" ? "B" : "A") + header.slice(at + 1);
        if (damage === "no header") header = "";
        if (damage === "field changed" && Object.keys(fields).length) {
            fields[r.one(Object.keys(fields))] = text(r) + "!";
            sent = body(r, fields);
        }
        if (damage === "field more" && !isJson) {
            fields[text(r) + "more"] = text(r);
            sent = body(r, fields);
        }
        if (damage === "body changed" && isJson) sent = sent.replace('"n":', '"n":1');
        // Where there was nothing to damage it is what it was.
        if (header + sent !== before) how = damage;
    }
    if (sortsOtherwise(fields)) how = "sorted by UTF-16";
    const whole = parts.whole();
    const verdict = isJson
        ? sdk.validateRequestWithBody(token, header, whole, sent)
        : sdk.validateRequest(token, header, whole, fields);
    return { url: whole, body: sent, json: isJson, header, token, verdict, how, port: parts.port, query: parts.query };
}

function call(origin, token, account, sid) {
    const wss = origin.replace(/^http/, "ws").replace(/^ws:/, "wss:") + "/cable";
    const common = { AccountSid: account, CallSid: sid };
    const hooks = {
        "/twilio/voice?customer_id=12345": {
            ...common, From: "client:agent", To: "+15550100002", Direction: "inbound", CallStatus: "ringing", ApiVersion: "2010-04-01",
            FromCity: "", ToCity: "SÃO PAULO",
        },
        "/twilio/notice": { ...common, From: "+12125550100", To: "+15550100002", CallStatus: "in-progress" },
        "/twilio/status": { ...common, CallStatus: "in-progress", SequenceNumber: "1", CallbackSource: "call-progress-events" },
        "/twilio/stream": { ...common, StreamSid: "MZ" + "4".repeat(32), StreamEvent: "stream-started", StreamName: "MZ" + "4".repeat(32) },
        "/twilio/transcription": {
            ...common, TranscriptionSid: "GT" + "3".repeat(32), TranscriptionEvent: "transcription-content", SequenceId: "1",
            Track: "inbound_track", Final: "true", TranscriptionData: JSON.stringify({ transcript: "héllo there", confidence: 0.98 }),
        },
    };
    for (const [path, fields] of Object.entries(hooks)) {
        const header = sdk.getExpectedTwilioSignature(token, origin + path, fields);
        console.log(JSON.stringify({ path, body: querystring.stringify(fields), header }));
    }
    console.log(JSON.stringify({ path: "/cable", body: "", header: sdk.getExpectedTwilioSignature(token, wss, {}) }));
}

const [what, ...rest] = process.argv.slice(2);
if (what === "random") {
    const r = random(Number(rest[0]));
    let lines = "";
    for (let n = Number(rest[1]); n > 0; n--) lines += JSON.stringify(request(r)) + "\n";
    process.stdout.write(lines);
} else if (what === "call") {
    call(...rest);
} else {
    console.error("say `random SEED COUNT` or `call ORIGIN TOKEN ACCOUNT CALL`");
    process.exitCode = 2;
}
