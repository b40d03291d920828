"""One request and its answer as the edge sees them: what came in its headers, and the headers that every answer bears."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from random import getrandbits
from typing import Any

from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from .errors import Refused
from .hosts import Hosts
from .one_write import INTO_HEAD, lines
from .proxies import Proxies, source
from .seen import Seen, remember

MUTATING = frozenset({"POST", "PATCH", "PUT", "DELETE"})
_TRACEPARENT = re.compile(rb"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")
_HSTS = (b"strict-transport-security", b"max-age=31536000; includeSubDomains")
_NONE_REMAINING = (b"x-ratelimit-remaining", b"0")
_WANTED: dict[bytes, str] = {
    b"x-api-key": "api_key",
    b"authorization": "bearer",
    b"idempotency-key": "idempotency_key",
    b"host": "host",
    b"origin": "origin",
}


@dataclass(frozen=True, slots=True)
class Around:
    """What is the same for every exchange of one app. `constant`: headers of every answer; `links`: of every success.
    `*_lines`: the same as they go over the wire."""

    max_body_bytes: int
    hosts: Hosts
    proxies: Proxies
    constant: Sequence[tuple[bytes, bytes]]
    links: Sequence[tuple[bytes, bytes]]
    constant_lines: bytes = field(init=False)
    success_lines: bytes = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "constant_lines", lines(self.constant))
        object.__setattr__(self, "success_lines", lines((*self.constant, *self.links)))


class Exchange:
    """One request and its answer."""

    def __init__(self, around: Around, scope: Scope, receive: Receive, send: Send) -> None:
        self._around = around
        self._receive = receive
        self._send = send
        self._received = 0
        self.receive: Receive = self._counted
        self.status = 0
        """Of the answer; 0 while it has not begun."""
        self.declared_bytes = 0
        self._traceparent: bytes | None = None
        extensions: Mapping[str, Any] = scope.get("extensions") or {}
        self._server: Mapping[str, Any] = extensions.get(INTO_HEAD, {})
        self.seen = Seen(_new_request_id(), around.hosts, scope.get("server"), https=scope.get("scheme") == "https")
        self.method: str = scope["method"]
        self.seen.head = self.method == "HEAD"
        # A copy only where the server that sends the answer must not see the change: it leaves out the body of a HEAD.
        self.scope: Scope = {**scope, "method": "GET"} if self.method == "HEAD" and scope["path"] != "/mcp" else scope
        headers = scope["headers"]
        self.scope["headers"] = self._read(headers, keep_content_type=scope["path"] == "/mcp")
        if scope.get("client"):
            self._came_by(scope["client"][0], headers)
        remember(self.scope, self.seen)

    def _came_by(self, peer: str, headers: list[tuple[bytes, bytes]]) -> None:
        if not self._around.proxies.trusts(peer):
            self.seen.client = source(peer)
            return
        said = self._around.proxies.forwarded(peer, headers)
        self.seen.client = said.client
        self.seen.host = said.host or self.seen.host
        if said.https is not None:
            self.seen.https = said.https

    def _read(self, headers: list[tuple[bytes, bytes]], *, keep_content_type: bool) -> list[tuple[bytes, bytes]]:
        """One pass. Drops Content-Type: bodies are JSON whatever a client calls them."""
        kept: list[tuple[bytes, bytes]] = []
        for name, padded in headers:
            value = padded.strip(b" \t")  # no part of it (RFC 9110), but the parser leaves what is behind it
            if found := _WANTED.get(name):
                before, text = getattr(self.seen, found), value.decode("latin-1")
                # Two of one name are one list (RFC 9110), which is no API key, no host and no idempotency key.
                setattr(self.seen, found, text if before is None else f"{before}, {text}")
            elif name == b"content-length":
                self.declared_bytes = int(value[:19]) if value.isdigit() else 0
                self.receive = self._receive  # the server holds the body to its declared length
            elif name == b"traceparent" and _TRACEPARENT.fullmatch(value):
                self._traceparent = value
            elif name == b"content-type" and not keep_content_type:
                continue
            kept.append((name, value))
        return kept

    def check_length(self) -> None:
        """Raises Refused when the request says itself that its body is too large."""
        if self.declared_bytes > self._around.max_body_bytes:
            raise self.too_large()

    def too_large(self) -> Refused:
        limit = self._around.max_body_bytes
        return Refused("body_too_large", f"the body is over {limit} bytes; send less", max_body_bytes=limit)

    async def _counted(self) -> Message:
        message = await self._receive()
        if message["type"] == "http.request":
            self._received += len(message.get("body", b""))
            if self._received > self._around.max_body_bytes:
                raise self.too_large()
        return message

    async def answer(self, response: Response) -> None:
        await response(self.scope, self._receive, self.send)

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self._add_headers(message)
        elif self.method == "HEAD" and message["type"] == "http.response.body":
            message = {**message, "body": b""}
        await self._send(message)

    def _add_headers(self, message: Message) -> None:
        """Where the server takes them as bytes, all that is not the client's: it would check each of twenty every time."""
        around, succeeded = self._around, self.status < 400  # the first error status
        own = self._own_headers(succeeded=succeeded)
        take = self._server.get("take")
        if take is None:
            links = around.links if succeeded else ()
            message["headers"] = [*message.get("headers", ()), *own, *around.constant, *links]
        else:
            take(lines(own) + (around.success_lines if succeeded else around.constant_lines))
        if succeeded and self.seen.idempotency_key is not None and self.method in MUTATING:
            repeated = (b"idempotency-key", self.seen.idempotency_key.encode("latin-1"))
            message["headers"] = [*message.get("headers", ()), repeated, (b"x-idempotency-source", b"client")]

    def _own_headers(self, *, succeeded: bool) -> list[tuple[bytes, bytes]]:
        """What this answer bears and no other."""
        request_id = self.seen.request_id
        trace = self._traceparent
        if trace is None:
            digits = request_id.replace("-", "")
            trace = f"00-{digits}-{digits[:16]}-01".encode()
        headers = [(b"x-request-id", request_id.encode()), (b"traceparent", trace)]
        if self.seen.https:
            headers.append(_HSTS)
        if self.seen.allowance is not None:
            headers.append((b"x-ratelimit-remaining", b"%d" % self.seen.allowance.remaining))
        elif succeeded:
            headers.append(_NONE_REMAINING)
        return headers


def _new_request_id() -> str:
    """A random UUID (version 4) without the system call that `uuid4` makes: there is one per request, and it guards nothing."""
    digits = f"{getrandbits(128):032x}"
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"
