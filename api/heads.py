"""HTTP/1.1 as uvicorn reads it, with bounds on what comes before a body: it is kept in memory, and holds a connection, before
anybody looks at it."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from .one_write import INTO_HEAD, OneWrite

log = logging.getLogger("backchannel.api")

MAX_HEAD_BYTES = 65_536
"""Of the request line and all headers; a read more may be seen before it shows."""
HEAD_SECONDS = 30.0
"""Until the head of a request is whole, from its first read on, or from the connection's beginning."""


def _refusal(status: bytes, told: bytes) -> bytes:
    return b"HTTP/1.1 %b\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-length: %d\r\nconnection: close\r\n\r\n%b" % (
        status,
        len(told),
        told,
    )


_TOO_LARGE = _refusal(
    b"431 Request Header Fields Too Large", b"the request line and headers are too large; send less than 64 KiB"
)
_TOO_SLOW = _refusal(b"408 Request Timeout", b"the request line and headers took too long; send them within 30 seconds")


class BoundedHeads(HttpToolsProtocol):
    """Answers 431 or 408, and hangs up on who never comes to an end of the headers.

    (uvicorn bounds their size with h11 only, and their time not at all.)
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._deadline: asyncio.TimerHandle | None = None
        self._begun = False
        """Whether a request has come whose head is not whole."""
        self._in_head = True
        self._head_bytes = 0
        """Of the reads that hold nothing but a part of the head that is being read."""

    def connection_made(self, transport: asyncio.Transport) -> None:
        super().connection_made(transport)
        self._out = OneWrite(transport)
        self._expect_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._have_head()
        super().connection_lost(exc)

    def _expect_head(self) -> None:
        self._deadline = self.loop.call_later(HEAD_SECONDS, self._hang_up)

    def _have_head(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _hang_up(self) -> None:
        self._deadline = None
        if self.transport.is_closing():
            return
        if self.cycle is not None and not self.cycle.response_complete:  # pyright: ignore[reportUnnecessaryComparison]  # as below
            self._expect_head()  # a head that was sent ahead: the request before it is still being answered
            return
        if self._begun:  # else the client has asked for nothing
            log.warning("a request was refused whose headers were not there after %g s", HEAD_SECONDS)
            self.transport.write(_TOO_SLOW)
        self.transport.close()

    def data_received(self, data: bytes) -> None:
        self._head_bytes += len(data)
        super().data_received(data)
        if self._in_head and self._head_bytes > MAX_HEAD_BYTES and not self.transport.is_closing():
            log.warning("a request with more than %d bytes of headers was refused", MAX_HEAD_BYTES)
            self.transport.write(_TOO_LARGE)
            self.transport.close()
        elif self._begun and self._deadline is None:  # most come whole, and need no clock
            self._expect_head()

    def on_message_begin(self) -> None:
        self._begun = True
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._begun = self._in_head = False
        self._have_head()
        super().on_headers_complete()
        if self.cycle is not None:  # pyright: ignore[reportUnnecessaryComparison]  # it is, before the first request
            self.cycle.transport = self._out
            self.cycle.scope["extensions"] = {INTO_HEAD: {"take": self._out.into_head}}

    def on_message_complete(self) -> None:
        self._in_head = True
        self._head_bytes = 0
        super().on_message_complete()
