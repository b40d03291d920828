"""A TCP proxy on loopback that can be cut, slowed or made to swallow everything, and that finds a server which accepts."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Literal

Weather = Literal["fair", "cut", "silent"]
_CHUNK = 65_536


class Proxy:
    """Forwards each connection to the first of its targets, by turns, that accepts it.

    `delay_seconds` is added to each direction, without making the line narrower. `silent`: what is connected then is
    forgotten, as by a firewall: whatever is sent, now and later, arrives nowhere.
    """

    def __init__(self, ports: Sequence[int]) -> None:
        self._ports = ports
        self._turn = itertools.count()
        self._weather: Weather = "fair"
        self._pipes: set[asyncio.StreamWriter] = set()
        self._forgotten: set[asyncio.StreamWriter] = set()
        self.delay_seconds = 0.0
        self.port = 0

    def set_weather(self, weather: Weather) -> None:
        self._weather = weather
        if weather == "cut":
            self.break_all()
        elif weather == "silent":
            self._forgotten |= self._pipes

    def break_all(self) -> None:
        """Every connection breaks off; new ones are made as the weather allows."""
        for writer in list(self._pipes):
            writer.transport.abort()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        found = None if self._weather == "cut" else await self._connected()
        if found is None:
            writer.transport.abort()
            return
        far_reader, far_writer = found
        self._pipes |= {writer, far_writer}
        if self._weather == "silent":
            self._forgotten |= {writer, far_writer}
        pipes = [
            asyncio.ensure_future(self._pipe(reader, far_writer)),
            asyncio.ensure_future(self._pipe(far_reader, writer)),
        ]
        try:
            await asyncio.wait(pipes, return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:  # the proxy ends; asyncio would report it as an accident
            return
        finally:
            for pipe in pipes:
                pipe.cancel()
            self._pipes -= {writer, far_writer}
            self._forgotten -= {writer, far_writer}
            writer.close()  # what was sent goes out first
            far_writer.close()

    async def _connected(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter] | None:
        first = next(self._turn)
        for n in range(len(self._ports)):
            with suppress(OSError):
                return await asyncio.open_connection("127.0.0.1", self._ports[(first + n) % len(self._ports)])
        return None

    async def _pipe(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Until all that comes in has gone out, or either end breaks."""
        loop = asyncio.get_running_loop()
        late: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()

        async def read() -> None:
            data = b"."
            while data:
                try:
                    data = await reader.read(_CHUNK)
                except OSError:
                    data = b""
                late.put_nowait((loop.time() + self.delay_seconds, data))

        reading = asyncio.ensure_future(read())
        try:
            while True:
                at, data = await late.get()
                await asyncio.sleep(max(at - loop.time(), 0))
                if writer in self._forgotten:
                    continue
                if not data:
                    return
                with suppress(OSError):
                    writer.write(data)
                    await writer.drain()
        finally:
            reading.cancel()


@asynccontextmanager
async def proxy(*ports: int) -> AsyncGenerator[Proxy]:
    """A proxy to servers on loopback ports, on a port of its own."""
    found = Proxy(ports)
    async with await asyncio.start_server(found.serve, "127.0.0.1", 0) as listening:
        found.port = listening.sockets[0].getsockname()[1]
        yield found
        listening.close()
        found.break_all()
