"""The edge: everything that holds for each request and answer whatever the route, in one pass of pure ASGI."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from time import perf_counter
from typing import Any

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Match, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from bus.errors import BusError
from bus.settings import Settings

from . import cors
from .errors import Refused, allowed_methods, bus_error, error
from .exchange import Around, Exchange
from .hosts import Hosts
from .metrics import OTHER, Metrics
from .proxies import Proxies
from .routing import Careful, PublicRoute
from .shortcut import Shortcut

log = logging.getLogger("backchannel.api")

_STATIC: tuple[tuple[bytes, bytes], ...] = (
    *cors.ANSWER,
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (
        b"content-security-policy",
        b"default-src 'self'; script-src 'self'; connect-src 'self'; style-src 'self' 'unsafe-inline'; "
        b"img-src 'self' data:; frame-ancestors 'none'; base-uri 'self'; form-action 'self'",
    ),
)
_LINKS = {"/openapi.json": "service-desc", "/.well-known/ai-manifest.json": "ai-manifest"}
_UNANSWERED = 499
"""The status that is counted when a request was given up before it was answered, as when the process ends."""


class Edge:
    """Wraps the routes. `routes` is called per preflight, so that what is added later counts."""

    def __init__(
        self, app: ASGIApp, *, settings: Settings, metrics: Metrics, routes: Callable[[], Sequence[BaseRoute]]
    ) -> None:
        self._app = app
        self._metrics = metrics
        self._routes = routes
        self._shortcut = Shortcut(routes())
        # FastAPI notes in the scope only which route of its own was found.
        self._plain_paths = frozenset(route.path for route in routes() if type(route) is Route)
        hosts = Hosts(settings)
        self._around = Around(
            max_body_bytes=settings.max_body_bytes,
            hosts=hosts,
            proxies=Proxies(settings),
            constant=(
                (b"x-ratelimit-limit", b"%d" % settings.rate_limit),
                (b"x-ratelimit-window", b"%d" % settings.rate_limit_window),
                *_STATIC,
            ),
            links=_links(hosts.advertised or "", routes()),
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun = perf_counter()
        exchange = Exchange(self._around, scope, receive, send)
        try:
            await self._serve(exchange)
        finally:
            self._metrics.note(
                exchange.method, self._template(exchange.scope), exchange.status or _UNANSWERED, perf_counter() - begun
            )

    def _template(self, scope: Scope) -> str:
        route = scope.get("route")
        if route is not None:
            return route.path_format
        return scope["path"] if scope["path"] in self._plain_paths else OTHER

    async def _serve(self, exchange: Exchange) -> None:
        try:
            exchange.check_length()
            if exchange.method == "OPTIONS":
                await self._preflight(exchange)
            else:
                await self._answer(exchange)
        except BusError as failed:
            if exchange.status:
                raise
            await exchange.answer(bus_error(Request(exchange.scope), failed))
        except Refused as refused:
            await exchange.answer(error(Request(exchange.scope), refused.code, refused.detail, refused.details))
        except ClientDisconnect:  # before all of its body was here, so nothing was done
            await exchange.answer(error(Request(exchange.scope), "client_gone", "the client left before its request was whole"))
        except Exception:  # the top of a request: whatever happened, the client gets an answer and no stack trace
            request_id = exchange.seen.request_id
            # The template, because a path may hold a secret, such as an invitation's id, and line breaks.
            log.exception("request %s failed: %s %s", request_id, exchange.method, self._template(exchange.scope))
            if exchange.status:
                raise
            message = f"the server failed; its log says more under request id {request_id}"
            await exchange.answer(error(Request(exchange.scope), "internal_server_error", message))

    async def _answer(self, exchange: Exchange) -> None:
        """Straight by its route where that can do: the layers in between cost as much as many a verb's own work."""
        scope, receive = exchange.scope, exchange.receive
        match, found = self._shortcut.matches(scope)
        route = found.get("route")
        # OpenTelemetry, where it is on, learns of the route from FastAPI.
        if match is Match.FULL and isinstance(route, PublicRoute) and route.plain and "fastapi.telemetry" not in scope:
            scope.update(found)
            try:
                await route.app(scope, receive, exchange.send)
            except Careful as wanted:
                receive = wanted.receive
            else:
                return
        await self._app(scope, receive, exchange.send)

    async def _preflight(self, exchange: Exchange) -> None:
        found = [route for route in self._routes() if route.matches({**exchange.scope})[0] != Match.NONE]
        if not found:
            raise Refused("not_found", f"there is nothing at {exchange.scope['path']}; GET /openapi.json lists every route")
        exchange.scope["route"] = found[0]
        allowed = allowed_methods(found, exchange.scope)
        from_allowed_page = exchange.seen.hosts.allowed_page(exchange.seen.origin)
        await exchange.answer(Response(None, 204, cors.preflight(allowed, from_allowed_page=from_allowed_page)))


def _links(base_url: str, routes: Sequence[BaseRoute]) -> list[tuple[bytes, bytes]]:
    """The descriptions of this API that are served. Where no base URL is advertised, a client knows it better."""
    served = {getattr(route, "path", None) for route in routes}
    return [(b"link", f'<{base_url}{path}>; rel="{relation}"'.encode()) for path, relation in _LINKS.items() if path in served]


def routes_of(app: Any) -> Callable[[], Sequence[BaseRoute]]:
    """The routes of an app as they are when asked."""
    return lambda: app.router.routes
