"""Standard input and output as the wire of one session, so that a signal ends it as orderly as a closed input does."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import threading
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any, BinaryIO, Final, cast

import anyio
from mcp.server.stdio import stdio_server

from .unheard import Unheard

ANSWER_GRACE_SECONDS: Final = 1.0
_CHUNK_BYTES: Final = 65_536


class Wire:
    """Lines in, lines out, and which requests are unanswered.

    The SDK's own reader sits in a thread that nothing but a closed input ends, so a process with a call in flight would
    outlive its Ctrl-C. This one reads in a daemon thread, which dies with the process.
    """

    def __init__(self, source: int, sink: BinaryIO) -> None:
        self.unheard = Unheard()
        self._source = source
        self._sink = sink
        self._loop = asyncio.get_running_loop()
        self._lines: asyncio.Queue[str | None] = asyncio.Queue()
        self._unanswered: set[str | int] = set()
        self._all_answered = asyncio.Event()
        self._all_answered.set()
        threading.Thread(target=self._read, name="stdin", daemon=True).start()

    def _read(self) -> None:
        # On the bare descriptor: a buffered reader's lock, held by a daemon thread, is fatal when the interpreter ends.
        rest = b""
        with suppress(RuntimeError):  # the loop is closed: the process is about to end
            with suppress(OSError):
                while chunk := os.read(self._source, _CHUNK_BYTES):
                    *lines, rest = (rest + chunk).split(b"\n")
                    for line in lines:
                        self._put(line.decode("utf-8", errors="replace"))
            self._put(None)

    def _put(self, line: str | None) -> None:
        self._loop.call_soon_threadsafe(self._lines.put_nowait, line)

    async def end(self) -> None:
        """No more input: what was asked is answered first, for up to a second."""
        with anyio.move_on_after(ANSWER_GRACE_SECONDS):
            await self._all_answered.wait()
        self._lines.put_nowait(None)

    async def __aiter__(self) -> AsyncIterator[str]:
        while (line := await self._lines.get()) is not None:
            self._note(line, asked=True)
            yield line

    async def write(self, text: str) -> None:
        await anyio.to_thread.run_sync(self._write, text.encode())
        self._note(text, asked=False)

    async def flush(self) -> None:
        """Every write is flushed."""

    def _write(self, data: bytes) -> None:
        try:
            self._sink.write(data)
            self._sink.flush()
        except BrokenPipeError:  # the client was killed: nobody reads, and its input, which ends too, ends this process
            null = os.open(os.devnull, os.O_WRONLY)
            os.dup2(null, self._sink.fileno(), inheritable=False)
            os.close(null)

    def _note(self, line: str, *, asked: bool) -> None:
        try:
            message: Any = json.loads(line)
        except (ValueError, RecursionError):
            return  # the SDK says so to the client
        if not isinstance(message, dict):
            return
        fields = cast("dict[str, Any]", message)
        match fields:
            case {"method": "notifications/cancelled", "params": {"requestId": str() | int() as request}} if asked:
                self._unanswered.discard(request)
                self.unheard.given_up(request)
            case {"method": str(), "id": str() | int() as request} if asked:
                self._unanswered.add(request)
            case {"id": str() | int() as request} if not asked and "method" not in fields:
                self.unheard.answered(request, fields)
                if request not in self._unanswered:  # given up while its answer was being written
                    self.unheard.given_up(request)
                self._unanswered.discard(request)
            case _:
                return
        if self._unanswered:
            self._all_answered.clear()
        else:
            self._all_answered.set()


@asynccontextmanager
async def standard_wire() -> AsyncGenerator[tuple[Wire, Any, Any]]:
    """The wire on this process's standard streams, and the SDK's two message streams over it.

    While it is open, descriptor 0 is the null device and 1 is standard error: neither a stray print nor a child process
    can touch the wire. It is not given back: a process serves once.
    """
    wire = Wire(_private(0, os.O_RDONLY), os.fdopen(_private(1, os.O_WRONLY), "wb"))
    stream = cast("anyio.AsyncFile[str]", wire)
    async with stdio_server(stdin=stream, stdout=stream) as (incoming, outgoing):
        yield wire, incoming, outgoing


def _private(descriptor: int, mode: int) -> int:
    sys.stdout.flush()
    private = os.dup(descriptor)
    os.set_inheritable(private, False)
    if mode == os.O_WRONLY:
        os.dup2(2, descriptor)
    else:
        null = os.open(os.devnull, mode)
        os.dup2(null, descriptor)
        os.close(null)
    return private
