#!/usr/bin/env python3
"""Floods a relay in every way that a stranger or a listener gone wild can, and says what became of each.

    flood.py HOST PORT [--tls] [--token T] [--signature S] [--sockets N] FLOOD...

One line of JSON a flood: what it was, how many connections it opened, what it sent, how many of them the relay ended
and how, and the longest that one of these lasted. Nothing beside Python's own library. It judges nothing: the story
that runs it does. `flood.py --list` names the floods.
"""

import argparse
import asyncio
import base64
import collections
import json
import os
import resource
import socket
import ssl
import struct
import time

# How long a connection is watched, s: past the 10 s that each may last, so that one that lasts longer is seen.
WATCH = 20.0
# Between two bytes of what is sent slowly, s: far below every time-out that looks at a single byte.
DRIP = 0.3
# Between two connections of a flood, s: a thousand a second.
RAMP = 0.001
# Bytes written at a time where there is no end to what is written.
PIECE = 64 << 10
# TCP's state while both sides are there, as TCP_INFO begins.
ESTABLISHED = 1

FLOODS = {}


def flood(connections, what):
    """Registers a flood: how many connections it makes (0: --sockets), and what it is, for the table."""

    def register(function):
        FLOODS[function.__name__.replace("_", "-")] = (function, connections, what)
        return function

    return register


class Ended(Exception):
    """The relay has ended the connection; says how."""


class Connection:
    """One connection: sends, and watches for its end."""

    def __init__(self, options):
        self.options = options
        self.sent = 0
        self.begun = None
        self.reader = self.writer = self.raw = None

    async def open(self, narrow=False, tls=None):
        raw = socket.socket(socket.AF_INET6 if ":" in self.options.host else socket.AF_INET)
        if narrow:
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        raw.setblocking(False)
        loop = asyncio.get_running_loop()
        self.raw = raw
        await loop.sock_connect(raw, (self.options.host, self.options.port))
        self.begun = time.monotonic()
        context = None
        if self.options.tls if tls is None else tls:
            context = ssl.create_default_context()
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        limit = 4096 if narrow else PIECE
        self.reader, self.writer = await asyncio.open_connection(
            sock=raw, ssl=context, server_hostname="localhost" if context else None, limit=limit
        )

    def close(self):
        if self.writer:
            self.writer.transport.abort()
        elif self.raw:
            self.raw.close()

    async def send(self, data):
        try:
            self.writer.write(data)
            await self.writer.drain()
        except (ConnectionError, ssl.SSLError) as error:
            raise Ended("reset") from error
        self.sent += len(data)

    async def drip(self, head, endless):
        """Sends `head` at once, then a piece of `endless` again and again, looking whether there is an end."""
        await self.send(head)
        while True:
            await self.send(endless)
            if await self.ended(DRIP):
                return

    async def ended(self, wait):
        """Reads for a while; raises where the relay has ended the connection."""
        try:
            data = await asyncio.wait_for(self.reader.read(PIECE), wait)
        except asyncio.TimeoutError:
            return False
        except (ConnectionError, ssl.SSLError) as error:
            raise Ended("reset") from error
        if not data:
            raise Ended("closed")
        return False

    async def end(self):
        """Reads to the end of an HTTP connection; says what the last answer was."""
        status = "closed"
        while True:
            try:
                data = await self.reader.read(PIECE)
            except (ConnectionError, ssl.SSLError):
                raise Ended(status if status != "closed" else "reset")
            if not data:
                raise Ended(status)
            if data.startswith(b"HTTP/1.1 "):
                status = "HTTP " + data[9:12].decode()

    async def while_reading(self, sending):
        """Sends without end and reads at once, as who wants to keep the connection would."""
        reading = asyncio.ensure_future(self.end())
        writing = asyncio.ensure_future(sending)
        try:
            await asyncio.wait([reading, writing], return_when=asyncio.FIRST_COMPLETED)
            # What the relay said last comes behind what could not be sent any more.
            await asyncio.wait([reading], timeout=2)
            if reading.done():
                reading.result()
            writing.result()
        finally:
            reading.cancel()
            writing.cancel()

    async def until_gone(self):
        """Never reads: asks the kernel whether the other side is there."""
        while True:
            info = self.raw_state()
            if info != ESTABLISHED:
                raise Ended("reset")
            await asyncio.sleep(DRIP)

    def raw_state(self):
        raw = self.writer.get_extra_info("socket")
        if raw is None or raw.fileno() < 0:
            return 0
        return raw.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0]

    # WebSocket, no more than it takes to misuse it.

    async def upgrade(self, path, headers=()):
        key = base64.b64encode(os.urandom(16)).decode()
        lines = [
            f"GET {path} HTTP/1.1",
            f"Host: {self.options.host}:{self.options.port}",
            "Connection: Upgrade",
            "Upgrade: websocket",
            "Sec-WebSocket-Version: 13",
            f"Sec-WebSocket-Key: {key}",
            *headers,
        ]
        await self.send(("\r\n".join(lines) + "\r\n\r\n").encode())
        head = await self.reader.readuntil(b"\r\n\r\n")
        status = head.split(b" ", 2)[1]
        if status != b"101":
            raise Ended("HTTP " + status.decode())

    async def frames(self):
        """Reads the relay's frames up to its close; says the code."""
        while True:
            try:
                first, second = await self.reader.readexactly(2)
                length = second & 0x7F
                if length == 126:
                    (length,) = struct.unpack(">H", await self.reader.readexactly(2))
                elif length == 127:
                    (length,) = struct.unpack(">Q", await self.reader.readexactly(8))
                payload = await self.reader.readexactly(length)
            except asyncio.IncompleteReadError as error:
                raise Ended("closed") from error
            except (ConnectionError, ssl.SSLError) as error:
                raise Ended("reset") from error
            if first & 0x0F == 8:
                code = struct.unpack(">H", payload[:2])[0] if len(payload) >= 2 else 1005
                raise Ended(str(code))

    async def say(self, endless, at_most=None):
        """Says `endless` again and again and reads what comes, up to the relay's close."""
        reading = asyncio.ensure_future(self.frames())

        async def write():
            left = at_most
            while left is None or left > 0:
                await self.send(endless)
                # Others have their turn.
                await asyncio.sleep(0)
                left = None if left is None else left - 1

        writing = asyncio.ensure_future(write())
        try:
            await asyncio.wait([reading, writing], return_when=asyncio.FIRST_COMPLETED)
            # A close that came before the reset, or all was said and the end is still to come.
            await asyncio.wait([reading], timeout=None if not writing.cancelled() and writing.done() and not writing.exception() else 2)
            if reading.done():
                reading.result()
            writing.result()
        finally:
            reading.cancel()
            writing.cancel()


def frame(kind, payload=b"", fin=True, length=None):
    """A client's frame, masked by zeros."""
    length = len(payload) if length is None else length
    head = bytes([(0x80 if fin else 0) | kind])
    if length < 126:
        head += bytes([0x80 | length])
    elif length < 1 << 16:
        head += bytes([0x80 | 126]) + struct.pack(">H", length)
    else:
        head += bytes([0x80 | 127]) + struct.pack(">Q", length)
    return head + bytes(4) + payload


def many(piece):
    return piece * max(1, PIECE // len(piece))


def listener(options):
    return [f"Authorization: Bearer {options.token}"] if options.token else []


def request(options, method="GET", path="/healthz", headers=()):
    lines = [f"{method} {path} HTTP/1.1", f"Host: {options.host}:{options.port}", *headers]
    return ("\r\n".join(lines) + "\r\n").encode()


# What follows is a flood each.


@flood(0, "connections that say nothing")
async def idle(c):
    await c.open(tls=False)
    await c.end()


@flood(100, "a header line every 0.3 s")
async def slow_headers(c):
    await c.open()
    await c.drip(request(c.options), b"X-More: 1\r\n")


@flood(100, "a signature of no worth, and a body byte by byte")
async def slow_body(c):
    await c.open()
    worthless = base64.b64encode(bytes(20)).decode()
    headers = [
        f"X-Twilio-Signature: {worthless}",
        "Content-Type: application/x-www-form-urlencoded",
        "Content-Length: 60000",
    ]
    await c.drip(request(c.options, "POST", "/twilio/voice", headers) + b"\r\n", b"a")


@flood(50, "requests without end, and no answer read")
async def slow_read(c):
    await c.open(narrow=True)
    c.writer.transport.pause_reading()
    asked = many(request(c.options) + b"\r\n")

    async def ask():
        while True:
            await c.send(asked)

    asking = asyncio.ensure_future(ask())
    try:
        await c.until_gone()
    finally:
        asking.cancel()


@flood(100, "GET /healthz each second on one connection")
async def refresh(c):
    await c.open()

    async def ask():
        while True:
            await c.send(request(c.options) + b"\r\n")
            await asyncio.sleep(1)

    await c.while_reading(ask())


@flood(50, "headers without end")
async def header_bomb(c):
    await c.open()

    async def headers():
        await c.send(request(c.options))
        while True:
            await c.send(many(b"X-More: " + b"x" * 1000 + b"\r\n"))

    await c.while_reading(headers())


@flood(50, "one header line without end")
async def long_header(c):
    await c.open()

    async def line():
        await c.send(request(c.options) + b"X-Long: ")
        while True:
            await c.send(b"x" * PIECE)

    await c.while_reading(line())


@flood(50, "a body of a terabyte, as fast as it is taken")
async def huge_body(c):
    await c.open()

    async def body():
        await c.send(request(c.options, "POST", "/twilio/voice", ["Content-Length: 1000000000000"]) + b"\r\n")
        while True:
            await c.send(b"a" * PIECE)

    await c.while_reading(body())


@flood(100, "bytes by chance")
async def garbage(c):
    await c.open(tls=False)

    async def noise():
        while True:
            await c.send(os.urandom(1024))

    await c.while_reading(noise())


@flood(100, "half of a TLS handshake")
async def half_tls(c):
    await c.open(tls=False)
    hello = ssl.MemoryBIO()
    context = ssl.create_default_context()
    handshake = context.wrap_bio(ssl.MemoryBIO(), hello, server_hostname="localhost")
    try:
        handshake.do_handshake()
    except ssl.SSLWantReadError:
        pass
    whole = hello.read()
    await c.send(whole[: len(whole) // 2])
    await c.end()


@flood(40, "WebSockets that say nothing, without a token")
async def silent_listeners(c):
    await c.open()
    await c.upgrade("/listen")
    await c.frames()


@flood(40, "signed WebSockets that say nothing")
async def silent_streams(c):
    await c.open()
    await c.upgrade("/cable", [f"X-Twilio-Signature: {c.options.signature}"])
    await c.frames()


@flood(4, "a million pings by a listener")
async def pings(c):
    await c.open()
    await c.upgrade("/listen", listener(c.options))
    await c.say(many(frame(9, bytes(125))), 1_000_000 * 131 // PIECE)


@flood(4, "a million empty continuations by a listener")
async def continuations(c):
    await c.open()
    await c.upgrade("/listen", listener(c.options))
    await c.send(frame(1, b"{", fin=False))
    await c.say(many(frame(0, b"", fin=False)), 1_000_000 * 6 // PIECE)


@flood(4, "a frame of a terabyte by a listener")
async def oversize(c):
    await c.open()
    await c.upgrade("/listen", listener(c.options))
    await c.send(frame(1, b"", length=1 << 40))
    await c.say(b"x" * PIECE)


@flood(4, "a million messages by a listener")
async def messages(c):
    await c.open()
    await c.upgrade("/listen", listener(c.options))
    await c.say(many(frame(1, b'{"type":"ping","id":1}')), 1_000_000 * 28 // PIECE)


@flood(4, "a million pings before a start, signed")
async def stream_pings(c):
    await c.open()
    await c.upgrade("/cable", [f"X-Twilio-Signature: {c.options.signature}"])
    await c.say(many(frame(9, bytes(125))), 1_000_000 * 131 // PIECE)


@flood(4, "WebSocket by chance, by a listener")
async def noise(c):
    await c.open()
    await c.upgrade("/listen", listener(c.options))
    await c.say(os.urandom(PIECE))


async def one(function, options, number):
    """Runs one connection; gives how it ended (`None`: not at all), after how long, and what was sent."""
    connection = Connection(options)
    how = None
    # All at the same moment would only meet the kernel, which has those wait that do not fit into its queue.
    await asyncio.sleep(number * RAMP)
    try:
        await asyncio.wait_for(function(connection), WATCH)
        how = "closed"
    except Ended as ended:
        how = str(ended)
    except asyncio.TimeoutError:
        pass
    except (asyncio.IncompleteReadError, ConnectionError, ssl.SSLError):
        how = "reset"
    lasted = time.monotonic() - (connection.begun or time.monotonic())
    connection.close()
    return how, lasted, connection.sent


async def run(name, options):
    function, connections, what = FLOODS[name]
    count = connections or options.sockets
    done = await asyncio.gather(*(one(function, options, number) for number in range(count)))
    how = collections.Counter(how for how, _, _ in done if how)
    print(
        json.dumps(
            {
                "flood": name,
                "what": what,
                "connections": count,
                "sent": sum(sent for _, _, sent in done),
                "ended": sum(how.values()),
                "how": dict(how.most_common()),
                "longest_s": round(max(lasted for _, lasted, _ in done), 1),
            }
        ),
        flush=True,
    )


async def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("host", nargs="?")
    parser.add_argument("port", nargs="?", type=int)
    parser.add_argument("floods", nargs="*")
    parser.add_argument("--tls", action="store_true")
    parser.add_argument("--token", default="")
    parser.add_argument("--signature", default="")
    parser.add_argument("--sockets", type=int, default=1000)
    parser.add_argument("--list", action="store_true")
    options = parser.parse_intermixed_args()
    if options.list:
        print("\n".join(FLOODS))
        return
    # Many systems let a program have 1,024 files until it asks for more.
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    await asyncio.gather(*(run(name, options) for name in options.floods))


if __name__ == "__main__":
    asyncio.run(main())
