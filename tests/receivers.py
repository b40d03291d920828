"""A receiver of webhooks on a loopback port: it keeps what comes and answers what it is told to."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

SOON = 10.0
TAKEN = b"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n"
BROKEN = b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n"
Answer = bytes | Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Received:
    target: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def delivery(self) -> str:
        return self.headers["x-backchannel-delivery"]


class Receiver:
    """Answers with what stands in `answers`, then with `always`. `connections` counts also those that sent nothing."""

    def __init__(self) -> None:
        self.port = 1  # nobody listens there
        self.received: asyncio.Queue[Received] = asyncio.Queue()
        self.answers: deque[Answer] = deque()
        self.always: Answer = TAKEN
        self.connections = 0
        self._serving: set[asyncio.Task[None]] = set()

    def url(self, path: str = "/hook", *, host: str = "127.0.0.1", scheme: str = "http") -> str:
        return f"{scheme}://{host}:{self.port}{path}"

    async def next(self) -> Received:
        return await asyncio.wait_for(self.received.get(), SOON)

    def all(self) -> list[Received]:
        """What has come and was not looked at."""
        return [self.received.get_nowait() for _ in range(self.received.qsize())]

    async def end(self) -> None:
        """Hang up on whoever is still there."""
        for serving in self._serving:
            serving.cancel()
        await asyncio.gather(*self._serving, return_exceptions=True)

    def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        serving = asyncio.get_running_loop().create_task(self._serve(reader, writer))
        self._serving.add(serving)
        serving.add_done_callback(self._serving.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:] if line)}
            body = await reader.readexactly(int(headers["content-length"]))
            self.received.put_nowait(Received(head[0].split(" ")[1], headers, body))
            answer = self.answers.popleft() if self.answers else self.always
            if isinstance(answer, bytes):
                writer.write(answer)
            else:
                await answer(reader, writer)
            await writer.drain()
        except (OSError, asyncio.IncompleteReadError, ssl.SSLError):
            return  # the sender went away
        finally:
            writer.close()


@asynccontextmanager
async def receiving(identity: ssl.SSLContext | None = None) -> AsyncGenerator[Receiver]:
    """A receiver, over TLS where it has an identity."""
    receiver = Receiver()
    server = await asyncio.start_server(receiver.serve, "127.0.0.1", 0, ssl=identity)
    receiver.port = server.sockets[0].getsockname()[1]
    try:
        yield receiver
    finally:
        server.close()
        await receiver.end()


async def hang(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
    """Answers nothing, until the sender goes away."""
    await reader.read()
