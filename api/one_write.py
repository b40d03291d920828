"""The head of an answer and its body in one write: uvicorn makes two, and each is a system call that wakes the client."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Final

INTO_HEAD: Final = "backchannel.into_head"
"""In the ASGI scope's extensions: `take` takes lines that go into the head of the answer that begins next."""


def lines(headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    """Headers as they go over the wire."""
    return b"".join([b"%b: %b\r\n" % header for header in headers])


class OneWrite(asyncio.Transport):
    """What an answer is written to. Every other part waits for the one after it, but no longer than a turn of the loop."""

    def __init__(self, transport: asyncio.Transport) -> None:
        super().__init__()
        self._transport = transport
        self._loop = asyncio.get_running_loop()
        self._held: bytes | bytearray | memoryview | None = None
        self._flushing = False
        self._lines = b""

    def into_head(self, more: bytes) -> None:
        """Put these lines into the head, which is what is written next."""
        self._lines = more

    def write(self, data: bytes | bytearray | memoryview) -> None:
        if self._lines:
            data, self._lines = b"%b%b\r\n" % (data[:-2], self._lines), b""
        if self._held is not None:
            held, self._held = self._held, None
            self._transport.writelines((held, data))
            return
        self._held = data
        if not self._flushing:
            self._flushing = True
            self._loop.call_soon(self._flush)

    def _flush(self) -> None:
        self._flushing = False
        if self._held is not None:
            held, self._held = self._held, None
            if not self._transport.is_closing():
                self._transport.write(held)

    def is_closing(self) -> bool:
        return self._transport.is_closing()

    def close(self) -> None:
        self._flush()
        self._transport.close()
