#!/usr/bin/env python3
"""A poor line between two sites: limits the rate, adds delay, has outages, cuts connections.

Prints the port it listens on; writes what it counted to --counts when it is stopped. During an outage nothing
moves and nobody can connect; what was under way goes on afterwards, as a patient connection would see it.
"""
import argparse
import asyncio
import json
import signal
import socket
import time

BUFFER = 16 * 1024  # of each socket: what hides in buffers is not on the line
QUEUE_SECONDS = 0.5  # what a modem holds before it makes the sender wait


class Direction:
    """One way of the line, shared by all connections."""

    def __init__(self, rate_bits):
        self.rate = rate_bits / 8 if rate_bits else None
        self.free_at = 0.0
        self.bytes = 0

    async def take(self, count, gate):
        """Waits until so many bytes have gone onto the line."""
        self.bytes += count
        if self.rate is None:
            return
        now = time.monotonic()
        self.free_at = max(self.free_at, now) + count / self.rate
        wait = self.free_at - now - QUEUE_SECONDS
        if wait > 0:
            await asyncio.sleep(wait)
        await gate.wait()

    def leaves_at(self):
        return max(self.free_at, time.monotonic()) if self.rate else time.monotonic()


class Line:
    def __init__(self, options):
        self.options = options
        self.host, port = options.to.rsplit(":", 1)
        self.port = int(port)
        self.up, self.down = Direction(options.rate), Direction(options.rate)
        self.gate = asyncio.Event()
        self.gate.set()
        self.connections = self.cuts = 0
        self.up_seconds, self.up_since = 0.0, time.monotonic()
        self.server = None
        self.listen_port = options.listen

    async def listen(self):
        self.server = await asyncio.start_server(self.connect, "127.0.0.1", self.listen_port, limit=BUFFER)
        self.listen_port = self.server.sockets[0].getsockname()[1]

    async def connect(self, reader, writer):
        self.connections += 1
        try:
            far_reader, far_writer = await asyncio.open_connection(self.host, self.port, limit=BUFFER)
        except OSError:
            writer.transport.abort()
            return
        for end in (writer, far_writer):
            end.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
            end.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER)
            end.transport.set_write_buffer_limits(high=BUFFER)
        both = (writer, far_writer)
        passed = [0]
        try:
            await asyncio.gather(self.move(reader, far_writer, self.up, both, passed, False),
                                 self.move(far_reader, writer, self.down, both, passed, True),
                                 return_exceptions=True)
        except asyncio.CancelledError:
            pass  # the proxy is stopped
        for end in both:
            end.transport.abort()

    async def move(self, reader, writer, direction, both, passed, counted):
        queue = asyncio.Queue()
        bringing = asyncio.ensure_future(self.bring(queue, writer))
        try:
            while True:
                await self.gate.wait()
                data = await reader.read(4096)
                if not data:
                    break
                await direction.take(len(data), self.gate)
                queue.put_nowait((direction.leaves_at() + self.options.delay / 1000, data))
                if counted:
                    passed[0] += len(data)
                    limit = self.options.cut_after
                    if limit and self.cuts < self.options.cuts and passed[0] >= limit:
                        self.cuts += 1
                        for end in both:
                            end.transport.abort()
                        return
            queue.put_nowait((direction.leaves_at() + self.options.delay / 1000, None))
            await bringing
        finally:
            bringing.cancel()

    async def bring(self, queue, writer):
        while True:
            when, data = await queue.get()
            await asyncio.sleep(max(0.0, when - time.monotonic()))
            await self.gate.wait()
            if data is None:
                writer.write_eof()
                return
            writer.write(data)
            await writer.drain()

    async def windows(self):
        while True:
            self.up_since = time.monotonic()
            await asyncio.sleep(self.options.up)
            self.up_seconds += time.monotonic() - self.up_since
            self.up_since = None
            self.gate.clear()
            self.server.close()
            await asyncio.sleep(self.options.down)
            await self.listen()
            self.gate.set()

    def counts(self):
        up = self.up_seconds + (time.monotonic() - self.up_since if self.up_since else 0.0)
        return {"bytes_up": self.up.bytes, "bytes_down": self.down.bytes, "connections": self.connections,
                "cuts": self.cuts, "up_seconds": up}


async def run(options):
    line = Line(options)
    await line.listen()
    print(line.listen_port, flush=True)
    stop = asyncio.Event()
    for each in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(each, stop.set)
    windows = asyncio.ensure_future(line.windows()) if options.down else None
    await stop.wait()
    if windows:
        windows.cancel()
    if options.counts:
        with open(options.counts, "w", encoding="utf-8") as file:
            json.dump(line.counts(), file)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--listen", type=int, default=0)
    parser.add_argument("--to", required=True, metavar="HOST:PORT")
    parser.add_argument("--rate", type=float, default=0, help="bits a second each way; 0: as fast as it goes")
    parser.add_argument("--delay", type=float, default=0, help="milliseconds each way")
    parser.add_argument("--up", type=float, default=30, help="seconds of a window")
    parser.add_argument("--down", type=float, default=0, help="seconds between windows; 0: always up")
    parser.add_argument("--cut-after", type=int, default=0, help="cuts a connection after so many bytes down")
    parser.add_argument("--cuts", type=int, default=1, help="so often")
    parser.add_argument("--counts", help="a file for what was counted")
    asyncio.run(run(parser.parse_args()))


if __name__ == "__main__":
    main()
