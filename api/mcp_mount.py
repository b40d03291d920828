"""The MCP endpoint /mcp in the API's own process: the key is checked here, the tools find the caller in the scope."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import cast

from fastapi import FastAPI, Request
from mcp.server.auth.middleware.auth_context import auth_context_var
from mcp.server.auth.middleware.bearer_auth import AuthenticatedUser
from mcp.server.auth.provider import AccessToken
from mcp.server.transport_security import TransportSecuritySettings
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from bus.bus import Bus
from mcp_server.server import TOOLS, create_server

from .admission import admit_key
from .deps import api_key
from .discovery.facts import Tool
from .errors import Refused
from .given_up import GivingUp
from .seen import seen

PATH = "/mcp"


def tools() -> list[Tool]:
    """The tools that are served there, for the documents."""
    return [Tool(tool.name, f"{tool.description.partition('. ')[0].rstrip('.')}.") for tool in TOOLS]


def add_route(app: FastAPI) -> None:
    """An exact route: a mount would answer with redirects, or swallow the API's own 404.

    POST alone: a GET would open a stream that never says anything, and a session is only a name, with nothing to DELETE.
    """
    app.router.routes.append(Route(PATH, endpoint=KeyAuth(), methods=["POST"], include_in_schema=False))


@asynccontextmanager
async def running(app: FastAPI, bus: Bus, *, max_body_bytes: int) -> AsyncGenerator[None]:
    """Serves MCP while the context lasts. Stateless over SSE: the one way in which a client that closes its connection
    cancels its call whatever protocol version it speaks, and any replica can answer."""
    server = create_server(bus)
    mcp_app = server.streamable_http_app(
        stateless_http=True,
        max_request_body_size=max_body_bytes,
        # Host and Origin are checked by KeyAuth, by the rule that holds for the whole API.
        transport_security=TransportSecuritySettings(enable_dns_rebinding_protection=False),
    )
    async with server.session_manager.run():
        (route,) = mcp_app.routes
        app.state.mcp = GivingUp(cast("Route", route).endpoint)
        yield


class KeyAuth:
    """Lets a request with a good API key through, as the caller that the key stands for."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope)
        here = seen(scope)
        if not here.hosts.known(here.host):
            raise Refused(
                "host_not_allowed",
                "this server does not go by that Host name; its operator can allow it with BACKCHANNEL_ALLOWED_HOSTS",
            )
        if not here.own_origin:
            raise Refused("origin_not_allowed", "web pages of another origin may not use this MCP endpoint")
        bus: Bus = request.app.state.bus
        caller = await admit_key(scope, bus)
        user = AuthenticatedUser(
            AccessToken(token=api_key(here), client_id=caller.key_id, scopes=sorted(caller.scopes or ()), subject=caller.label)
        )
        scope["user"] = user
        serve: ASGIApp = request.app.state.mcp
        token = auth_context_var.set(user)
        try:
            await serve(scope, receive, send)
        finally:
            auth_context_var.reset(token)
