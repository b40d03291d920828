"""Clients that give up: they cut a call at a limit of their own, as those of real agents do, and call again."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Any, Protocol

import anyio
import httpx2
from mcp.client import Client
from mcp.client.stdio import StdioServerParameters, stdio_client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.exceptions import MCPError
from mcp_types import CONNECTION_CLOSED, REQUEST_TIMEOUT

from tests.mcp_server.processes import Served, environment, served

PATIENCE = 30.0


class Cut(Exception):
    """The client's own limit passed before the answer came; whatever is answered later it never sees."""


class Gone(Exception):
    """The server's process has ended."""


class Refused(Exception):
    """The tool's error, as the model reads it."""


class Hasty(Protocol):
    async def call(self, tool: str, limit: float = PATIENCE, /, **arguments: Any) -> dict[str, Any]:
        """The structured answer. Raises Cut after `limit` seconds, Gone, and Refused for an error of the tool."""
        ...


class Library:
    """The SDK's client, which has a time limit for each call and tells the server that it gave up."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self.told: list[str] = []
        """Progress messages."""

    async def _hear(self, done: float, total: float | None, message: str | None) -> None:
        self.told.append(message or "")

    async def call(self, tool: str, limit: float = PATIENCE, /, **arguments: Any) -> dict[str, Any]:
        try:
            answer = await self._client.call_tool(tool, arguments, read_timeout_seconds=limit, progress_callback=self._hear)
        except MCPError as error:
            if error.code != REQUEST_TIMEOUT:
                raise
            raise Cut from None
        if answer.is_error:
            raise Refused("".join(block.text for block in answer.content if block.type == "text"))
        assert answer.structured_content is not None
        return answer.structured_content


class Piped:
    """A pipe with JSON-RPC on it. `polite`: it tells the server what it gave up; others just stop to listen."""

    def __init__(self, server: Served, *, polite: bool) -> None:
        self.server = server
        self._polite = polite
        self._waiting: dict[int, asyncio.Future[dict[str, Any]]] = {}

    async def call(self, tool: str, limit: float = PATIENCE, /, **arguments: Any) -> dict[str, Any]:
        found: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        request = self.server.sent + 1
        self._waiting[request] = found
        with _gone_when_broken():
            try:
                async with asyncio.timeout(limit):
                    await self.server.start_call(tool, **arguments)
                    message = await found
            except TimeoutError:
                if self._polite:
                    await self.server.notify("notifications/cancelled", {"requestId": request, "reason": "time limit"})
                raise Cut from None
            finally:
                self._waiting.pop(request, None)
        if message.get("error", {}).get("code") == CONNECTION_CLOSED:
            raise Gone
        result = message["result"]
        if result["isError"]:
            raise Refused(result["content"][0]["text"])
        return result["structuredContent"]

    async def listen(self) -> None:
        """Hand out what comes, until the process has ended."""
        with suppress(anyio.EndOfStream, anyio.IncompleteRead, anyio.ClosedResourceError, anyio.BrokenResourceError):
            while True:
                message = await self.server.next()
                waiting = self._waiting.get(message.get("id", 0))
                if waiting is not None and not waiting.done():
                    waiting.set_result(message)
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_exception(Gone())


@contextmanager
def _gone_when_broken() -> Iterator[None]:
    """A pipe that breaks under a call means that the process has ended."""
    try:
        yield
    except (anyio.BrokenResourceError, anyio.ClosedResourceError):
        raise Gone from None


@asynccontextmanager
async def library(home: Path, mode: str, **more: str) -> AsyncGenerator[Library]:
    """The SDK's client with a server process of its own, in the era of the protocol that `mode` names."""
    command = StdioServerParameters(command=sys.executable, args=["-m", "mcp_server"], env=environment(home, **more), cwd=home)
    async with Client(stdio_client(command), mode=mode) as client:
        yield Library(client)


@asynccontextmanager
async def over_http(url: str, api_key: str, mode: str) -> AsyncGenerator[Library]:
    """The SDK's client of a streamable HTTP server."""
    async with (
        httpx2.AsyncClient(headers={"Authorization": f"Bearer {api_key}"}, timeout=PATIENCE) as http,
        Client(streamable_http_client(f"{url}/mcp", http_client=http), mode=mode) as client,
    ):
        yield Library(client)


@asynccontextmanager
async def piped(home: Path, *, polite: bool = True, **more: str) -> AsyncGenerator[Piped]:
    """A pipe to a server process of its own, which is killed at the end."""
    async with served(home, **more) as server, asyncio.TaskGroup() as group:
        pipe = Piped(server, polite=polite)
        listening = group.create_task(pipe.listen())
        yield pipe
        listening.cancel()
