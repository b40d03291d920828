"""HTTP/1.1 as uvicorn reads it, with a bound on what comes before a body: that is kept in memory before anybody looks at it."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from .one_write import OneWrite

log = logging.getLogger("backchannel.api")

MAX_HEAD_BYTES = 65_536
"""Of the request line and all headers; a read more may be seen before it shows."""
_TOO_LARGE = b"the request line and headers are too large; send less than 64 KiB"
_ANSWER = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-type: text/plain; charset=utf-8\r\n"
    b"content-length: %d\r\nconnection: close\r\n\r\n%b" % (len(_TOO_LARGE), _TOO_LARGE)
)


class BoundedHeads(HttpToolsProtocol):
    """Answers 431 and hangs up on who never comes to an end of the headers. (uvicorn bounds them with h11 only.)"""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._in_head = True
        self._head_bytes = 0
        """Of the reads that hold nothing but a part of the head that is being read."""

    def connection_made(self, transport: asyncio.Transport) -> None:
        super().connection_made(transport)
        self._out = OneWrite(transport)

    def data_received(self, data: bytes) -> None:
        self._head_bytes += len(data)
        super().data_received(data)
        if self._in_head and self._head_bytes > MAX_HEAD_BYTES and not self.transport.is_closing():
            log.warning("a request with more than %d bytes of headers was refused", MAX_HEAD_BYTES)
            self.transport.write(_ANSWER)
            self.transport.close()

    def on_headers_complete(self) -> None:
        self._in_head = False
        super().on_headers_complete()
        if self.cycle is not None:  # pyright: ignore[reportUnnecessaryComparison]  # it is, before the first request
            self.cycle.transport = self._out

    def on_message_complete(self) -> None:
        self._in_head = True
        self._head_bytes = 0
        super().on_message_complete()
