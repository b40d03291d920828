"""The streamable HTTP server on a loopback port, and clients that call it in the name of an API key."""

from __future__ import annotations

import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import anyio
import httpx2
import uvicorn
from mcp.client import Client
from mcp.client.streamable_http import streamable_http_client
from starlette.types import ASGIApp, Receive, Scope, Send

from bus import Bus, Caller
from mcp_server.desk import CALLER
from mcp_server.server import create_server

from .conftest import Agent, eventually


class AsCaller:
    """Stands in for the API's key check: puts the verified caller into the request's scope."""

    def __init__(self, app: ASGIApp, bus: Bus) -> None:
        self.app = app
        self.bus = bus

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and (api_key := dict(scope["headers"]).get(b"x-api-key")):
            scope[CALLER] = await self.bus.credentials.verify(api_key.decode())
        await self.app(scope, receive, send)


@asynccontextmanager
async def served(bus: Bus) -> AsyncGenerator[str]:
    """The streamable HTTP server on a loopback port; its URL."""
    app = create_server(bus).streamable_http_app(stateless_http=True)
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(AsCaller(app, bus), log_level="warning", lifespan="on", ws="none"))
    async with anyio.create_task_group() as group:
        group.start_soon(lambda: server.serve([listening]))
        await eventually(lambda: server.started)
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/mcp"
        server.should_exit = True


@asynccontextmanager
async def over_http(url: str, api_key: str | None, mode: str, **more: str) -> AsyncGenerator[Agent]:
    """`more`: headers, with `_` for `-`."""
    headers = {"X-API-Key": api_key} if api_key else {}
    headers |= {name.replace("_", "-"): value for name, value in more.items()}
    async with (
        httpx2.AsyncClient(headers=headers, timeout=60) as http,
        Client(streamable_http_client(url, http_client=http), mode=mode) as client,
    ):
        yield Agent(client, None)


@asynccontextmanager
async def remote(bus: Bus, api_key: str, mode: str = "auto", url: str | None = None) -> AsyncGenerator[Agent]:
    """A client of a replica of its own, which knows nothing but what is in the bus; of that at `url`, if given."""
    if url is not None:
        async with over_http(url, api_key, mode) as agent:
            yield agent
        return
    async with served(bus) as own, over_http(own, api_key, mode) as agent:
        yield agent


async def caller_of(bus: Bus, label: str) -> Caller:
    """Whoever has a new API key of that label."""
    return await bus.credentials.verify((await bus.credentials.issue(label)).api_key)


def key(caller: Caller) -> str:
    """The API key itself."""
    assert caller.api_key is not None
    return caller.api_key
