"""HTTP/1.1 with as little client as there can be, so that what is measured is the server."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

_LENGTH = re.compile(rb"\r\ncontent-length: (\d+)", re.IGNORECASE)


class Connection:
    """One kept-alive connection. Raises RuntimeError for an answer that is an error."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def open(cls, base_url: str) -> Connection:
        there = urlsplit(base_url)
        return cls(*await asyncio.open_connection(there.hostname, there.port))

    async def ask(self, request: bytes) -> bytes:
        """Sends one packed request; the answer's body."""
        self._writer.write(request)
        head = await self._reader.readuntil(b"\r\n\r\n")
        length = _LENGTH.search(head)
        body = await self._reader.readexactly(int(length[1])) if length else b""
        if head[9:10] != b"2":
            asked = request.partition(b"\r\n")[0]
            raise RuntimeError(f"{asked!r} was answered {head[9:12]!r}: {body[:200]!r}")
        return body

    def close(self) -> None:
        self._writer.close()


def packed(method: str, path: str, api_key: str = "", body: Any = None) -> bytes:
    """A request as it goes over the wire."""
    head = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n"
    if api_key:
        head += f"X-API-Key: {api_key}\r\n"
    if body is None:
        return f"{head}\r\n".encode()
    content = json.dumps(body).encode()
    return f"{head}Content-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n".encode() + content


async def rate(connections: Sequence[Connection], requests: Sequence[bytes]) -> float:
    """Requests per second, all connections at work."""
    left = iter(requests)

    async def work(connection: Connection) -> None:
        for request in left:
            await connection.ask(request)

    start = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for connection in connections:
            group.create_task(work(connection))
    return len(requests) / (time.perf_counter() - start)
