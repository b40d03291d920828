"""The edge: everything that holds for each request and answer whatever the route, in one pass of pure ASGI."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Sequence
from typing import Any
from uuid import uuid4

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .errors import Refused, allowed_methods, error
from .hosts import Hosts
from .seen import Seen, remember
from .shapes import RATE_LIMIT_WINDOW_SECONDS

log = logging.getLogger("backchannel.api")

MUTATING = frozenset({"POST", "PATCH", "PUT", "DELETE"})
_TRACEPARENT = re.compile(rb"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")
_STATIC: tuple[tuple[bytes, bytes], ...] = (
    (b"x-ratelimit-limit", b"0"),
    (b"x-ratelimit-window", str(RATE_LIMIT_WINDOW_SECONDS).encode()),
    (b"access-control-allow-origin", b"*"),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (
        b"content-security-policy",
        b"default-src 'self'; script-src 'self'; connect-src 'self'; style-src 'self' 'unsafe-inline'; "
        b"img-src 'self' data:; frame-ancestors 'none'; base-uri 'self'; form-action 'self'",
    ),
)
_HSTS = (b"strict-transport-security", b"max-age=31536000; includeSubDomains")
_LINKS = {"/openapi.json": "service-desc", "/.well-known/ai-manifest.json": "ai-manifest"}
_PREFLIGHT = {
    "Access-Control-Allow-Methods": "GET, POST, PATCH, DELETE, OPTIONS",
    "Access-Control-Allow-Headers": "Authorization, Content-Type, X-API-Key, Idempotency-Key, X-Admin-Token",
    "Access-Control-Max-Age": "86400",
}
_WANTED: dict[bytes, str] = {
    b"x-api-key": "api_key",
    b"authorization": "bearer",
    b"idempotency-key": "idempotency_key",
    b"host": "host",
    b"origin": "origin",
}


class Edge:
    """Wraps the routes. `routes` is called per preflight, so that what is added later counts."""

    def __init__(self, app: ASGIApp, *, hosts: Hosts, max_body_bytes: int, routes: Callable[[], Sequence[BaseRoute]]) -> None:
        self._app = app
        self._hosts = hosts
        self._max_body_bytes = max_body_bytes
        self._routes = routes
        self._links: list[tuple[bytes, bytes]] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        exchange = _Exchange(self, scope, receive, send)
        try:
            exchange.check_length()
            if scope["method"] == "OPTIONS":
                await self._preflight(exchange)
            else:
                await self._app(exchange.scope, exchange.receive, exchange.send)
        except Refused as refused:
            await exchange.answer(error(Request(exchange.scope), refused.code, refused.detail, refused.details))
        except Exception:  # the top of a request: whatever happened, the client gets an answer and no stack trace
            log.exception("request %s failed: %s %s", exchange.seen.request_id, scope["method"], scope["path"])
            if exchange.started:
                raise
            message = f"the server failed; its log says more under request id {exchange.seen.request_id}"
            await exchange.answer(error(Request(exchange.scope), "internal_server_error", message))

    async def _preflight(self, exchange: _Exchange) -> None:
        allowed = allowed_methods(self._routes(), exchange.scope)
        if not allowed:
            raise Refused("not_found", f"there is nothing at {exchange.scope['path']}; GET /openapi.json lists every route")
        await exchange.answer(Response(None, 204, {**_PREFLIGHT, "Allow": ", ".join(allowed)}))

    @property
    def max_body_bytes(self) -> int:
        return self._max_body_bytes

    @property
    def hosts(self) -> Hosts:
        return self._hosts

    @property
    def links(self) -> list[tuple[bytes, bytes]]:
        """The descriptions of this API that are served."""
        if self._links is None:
            served = {getattr(route, "path", None) for route in self._routes()}
            self._links = [
                (b"link", f'<{path}>; rel="{relation}"'.encode()) for path, relation in _LINKS.items() if path in served
            ]
        return self._links


class _Exchange:
    """One request and its answer."""

    def __init__(self, edge: Edge, scope: Scope, receive: Receive, send: Send) -> None:
        self._edge = edge
        self._receive = receive
        self._send = send
        self._received = 0
        self.receive: Receive = self._counted
        self.started = False
        self.declared_bytes = 0
        self._traceparent: bytes | None = None
        self.seen = Seen(str(uuid4()), edge.hosts, scope.get("server"), https=scope.get("scheme") == "https")
        self._method: str = scope["method"]
        # A copy only where the server that sends the answer must not see the change: it leaves out the body of a HEAD.
        self.scope: Scope = {**scope, "method": "GET"} if self._method == "HEAD" and scope["path"] != "/mcp" else scope
        self.scope["headers"] = self._read(scope["headers"], keep_content_type=scope["path"] == "/mcp")
        remember(self.scope, self.seen)

    def _read(self, headers: list[tuple[bytes, bytes]], *, keep_content_type: bool) -> list[tuple[bytes, bytes]]:
        """One pass. Drops Content-Type: bodies are JSON whatever a client calls them."""
        kept: list[tuple[bytes, bytes]] = []
        for name, value in headers:
            if found := _WANTED.get(name):
                setattr(self.seen, found, value.decode("latin-1"))
            elif name == b"content-length":
                self.declared_bytes = int(value[:19]) if value.isdigit() else 0
                self.receive = self._receive  # the server holds the body to its declared length
            elif name == b"traceparent" and _TRACEPARENT.fullmatch(value):
                self._traceparent = value
            elif name == b"x-forwarded-proto" and value == b"https":
                self.seen.https = True
            elif name == b"content-type" and not keep_content_type:
                continue
            kept.append((name, value))
        return kept

    def check_length(self) -> None:
        """Raises Refused when the request says itself that its body is too large."""
        if self.declared_bytes > self._edge.max_body_bytes:
            raise self.too_large()

    def too_large(self) -> Refused:
        limit = self._edge.max_body_bytes
        return Refused("body_too_large", f"the body is over {limit} bytes; send less", max_body_bytes=limit)

    async def _counted(self) -> Message:
        message = await self._receive()
        if message["type"] == "http.request":
            self._received += len(message.get("body", b""))
            if self._received > self._edge.max_body_bytes:
                raise self.too_large()
        return message

    async def answer(self, response: Response) -> None:
        await response(self.scope, self._receive, self.send)

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.started = True
            message["headers"] = [*message.get("headers", ()), *self._headers(message["status"])]
        elif self._method == "HEAD" and message["type"] == "http.response.body":
            message = {**message, "body": b""}
        await self._send(message)

    def _headers(self, status: int) -> list[tuple[bytes, bytes]]:
        request_id = self.seen.request_id
        trace = self._traceparent
        if trace is None:
            digits = request_id.replace("-", "")
            trace = f"00-{digits}-{digits[:16]}-01".encode()
        headers = [(b"x-request-id", request_id.encode()), (b"traceparent", trace), *_STATIC]
        if self.seen.https:
            headers.append(_HSTS)
        if status < 400:  # the first error status
            headers += self._edge.links
            if self.seen.idempotency_key is not None and self._method in MUTATING:
                headers.append((b"idempotency-key", self.seen.idempotency_key.encode("latin-1")))
                headers.append((b"x-idempotency-source", b"client"))
        return headers


def routes_of(app: Any) -> Callable[[], Sequence[BaseRoute]]:
    """The routes of an app as they are when asked."""
    return lambda: app.router.routes
