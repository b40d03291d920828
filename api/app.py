"""The HTTP API as one ASGI application over one bus."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from bus import Settings, __version__, connect
from bus.bus import Bus

from . import errors, mcp_mount
from .discovery.documents import Documents
from .metrics import Metrics
from .middleware import Edge, routes_of
from .routes import ALL
from .routing import SECURITY_SCHEMES
from .shortcut import Shortcut

Connect = Callable[[Settings], AbstractAsyncContextManager[Bus]]
_DESCRIPTION = (
    "Agents hand work to each other through named channels. A claimable channel gives each task to one actor at a time, "
    "under a lease; a broadcast channel shows each message to every reader. Get a key with POST /v1/keys, send it as "
    "X-API-Key."
)


class _Api(FastAPI):
    """Gives requests to the edge at once. The three layers that FastAPI puts before it, and asks about OpenTelemetry
    before those, do nothing for an edge that answers every failure itself, at 5 % of what a verb costs."""

    _edge: Edge | None = None
    """None before the app has started, and where OpenTelemetry is on: it sees requests in the first of those layers."""

    def build_middleware_stack(self) -> ASGIApp:
        stack: Any = super().build_middleware_stack()
        if not self._native_telemetry.enabled():  # asked once: whoever sets it up does so before the server starts
            layer = stack
            while not isinstance(layer, Edge):
                layer = layer.app
            self._edge = layer
        return stack

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._edge is None or scope["type"] != "http":
            await super().__call__(scope, receive, send)
            return
        scope["app"] = self
        await self._edge(scope, receive, send)


def create_app(settings: Settings | None = None, *, connect: Connect = connect) -> FastAPI:
    """The API, and the MCP endpoint at /mcp, over the bus that `connect` opens while the app's lifespan runs.

    `settings` None: from the environment. Their `base_url` is the address that the server gives out; the bus does not
    see it, because a server stands on a store.
    A store that is down does not keep the app from starting: requests get `store_unavailable` until it is there.
    """
    given = settings or Settings()
    chosen = given.model_copy(update={"base_url": None})

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncGenerator[None]:
        async with connect(chosen) as bus:
            app.state.bus = bus
            async with mcp_mount.running(app, bus, max_body_bytes=chosen.max_body_bytes):
                yield

    app = _Api(
        title="Backchannel",
        version=__version__,
        description=_DESCRIPTION,
        lifespan=lifespan,
        docs_url=None,
        openapi_url=None,  # api.discovery serves it, with this server's address
        redoc_url=None,
        redirect_slashes=False,
        strict_content_type=False,
    )
    # Flat, not include_router: an included router is matched twice for each request.
    for router in ALL:
        app.router.routes.extend(router.routes)
    app.router.routes.insert(0, Shortcut(app.router.routes))
    mcp_mount.add_route(app)
    errors.install(app)
    app.state.metrics = Metrics()
    app.add_middleware(Edge, settings=given, metrics=app.state.metrics, routes=routes_of(app))
    app.openapi = lambda: _openapi(app)
    app.state.documents = Documents(chosen, app.openapi, mcp_mount.tools())
    return app


def _openapi(app: FastAPI) -> dict[str, Any]:
    """The document, made once."""
    if app.openapi_schema is None:
        document = get_openapi(
            title=app.title, version=app.version, description=app.description, routes=app.routes, openapi_version="3.1.0"
        )
        components: dict[str, Any] = document.setdefault("components", {})
        components["securitySchemes"] = SECURITY_SCHEMES
        # FastAPI's own shape of a 422, which it defines whether or not an answer has it; ours has one shape for all.
        for unused in ("HTTPValidationError", "ValidationError"):
            components["schemas"].pop(unused, None)
        for route in app.routes:
            if isinstance(route, APIRoute) and route.include_in_schema:
                _restore_examples(document["paths"][route.path_format], route)
        app.openapi_schema = document
    return app.openapi_schema


def _restore_examples(path: dict[str, Any], route: APIRoute) -> None:
    """FastAPI drops every null from what it documents, also from examples, where a null says something."""
    for method in route.methods or ():
        answers = path[method.lower()]["responses"]
        # FastAPI says of whatever takes a parameter that it may be wrong; what ours answer, they say themselves.
        if answers.get("422", {}).get("description") == "Validation Error":
            del answers["422"]
        for status, answer in (route.responses or {}).items():
            if "content" not in answer:  # 204
                continue
            answers[str(status)]["content"]["application/json"]["example"] = answer["content"]["application/json"]["example"]
