"""A proxy that lets a connection break at a chosen moment of a request, or answers in the server's place."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Literal
from urllib.parse import urlsplit

Fault = Literal["before", "after", "held", "busy", "gateway", "fair"]
"""`before` the server has the request; `after` it has answered; while it is `held`, at `release`; 503 with Retry-After 1, or
502 without a word."""
_LENGTH = re.compile(rb"\r\ncontent-length: (\d+)", re.IGNORECASE)
_BUSY = (
    b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: %d\r\nContent-Length: %d\r\n\r\n%b",
    b'{"error":"store_unavailable","message":"the store is away","retry_after":%d}',
)


class Cutter:
    """`faults` are used up one by one by the requests that have `only` in their line; then all is fair.

    `seen`: the lines that came, such as `GET /health`; `passed`: those that the server got.
    """

    def __init__(self, url: str) -> None:
        there = urlsplit(url)
        self._host, self._port = there.hostname or "", there.port or 0
        self.faults: list[Fault] = []
        self.only = ""
        self.busy_seconds = 1
        self.seen: list[str] = []
        self.passed: list[str] = []
        self.held = 0
        self.release = asyncio.Event()
        self.url = ""

    def break_next(self, *faults: Fault, only: str = "") -> None:
        """So break the next requests that have `only` in their line; what came before is forgotten."""
        self.faults, self.only = list(faults), only
        self.seen.clear()
        self.passed.clear()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            while await self._exchange(reader, writer):
                pass
        writer.transport.abort()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """One request; False: no more on this connection."""
        request = await _message(reader)
        line = request.partition(b" HTTP/")[0].decode().partition("?")[0]
        self.seen.append(line)
        fault = self.faults.pop(0) if self.faults and self.only in line else "fair"
        if fault == "before":
            return False
        if fault == "busy":
            head, body = _BUSY
            said = body % self.busy_seconds
            writer.write(head % (self.busy_seconds, len(said), said))
            return True
        if fault == "gateway":
            writer.write(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n")
            return True
        self.passed.append(line)
        answer = await self._passed_on(request, held=fault == "held")
        if fault != "fair":
            return False
        writer.write(answer)
        await writer.drain()
        return True

    async def _passed_on(self, request: bytes, *, held: bool) -> bytes:
        reader, writer = await asyncio.open_connection(self._host, self._port)
        try:
            writer.write(request)
            if held:
                self.held += 1
                await self.release.wait()
                return b""
            return await _message(reader)
        finally:
            writer.transport.abort()


async def _message(reader: asyncio.StreamReader) -> bytes:
    """A whole request or answer; both have their length, or no body."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = _LENGTH.search(head)
    return head + (await reader.readexactly(int(length[1])) if length else b"")


@asynccontextmanager
async def cutting(url: str) -> AsyncGenerator[Cutter]:
    """A cutter before that server, at a `url` of its own."""
    cutter = Cutter(url)
    async with await asyncio.start_server(cutter.serve, "127.0.0.1", 0) as listening:
        cutter.url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
        yield cutter
