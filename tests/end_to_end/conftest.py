"""Real programs of a user each: `backchannel serve`, `backchannel-mcp`, a Valkey; and ways to see what they wait for."""

from __future__ import annotations

import asyncio
import re
import sys
import tempfile
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import httpx2
import pytest
import redis
from mcp.client import Client
from mcp.client.streamable_http import streamable_http_client

from bus.store.embedded import stop_embedded
from tests.mcp_server.processes import ROOT, Served, environment

SOON = 30.0


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def home() -> Iterator[Path]:
    """Short, for the socket in it; a server that killed processes left behind is stopped."""
    with tempfile.TemporaryDirectory(prefix="bce-", dir="/tmp") as folder:
        yield Path(folder)
        stop_embedded(Path(folder) / "data")


@asynccontextmanager
async def serve(home: Path, *, kill: bool = False, port: int = 0, **more: str) -> AsyncGenerator[str]:
    """`backchannel serve` on a free port: its base URL once it says that it serves. Ended by SIGTERM, or by SIGKILL."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "api.cli", "serve", "--port", str(port),
        env=environment(home, **more), cwd=ROOT, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        async with asyncio.timeout(SOON):
            first = (await process.stdout.readline()).decode()
        found = re.search(r"serves (http://\S+)", first)
        assert found, first
        yield found[1]
        if not kill:
            process.terminate()
            async with asyncio.timeout(SOON):
                assert await process.wait() == 0
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def minted(url: str, label: str) -> str:
    """A new API key."""
    async with httpx.AsyncClient(base_url=url) as http:
        answer = await http.post("/v1/keys", json={"agent_label": label})
        assert answer.status_code == 201, answer.text
        return answer.json()["key"]


@asynccontextmanager
async def over_http(url: str, api_key: str, mode: str) -> AsyncGenerator[Callable[..., Coroutine[Any, Any, dict[str, Any]]]]:
    """Calls tools by streamable HTTP with the SDK's client; an error fails the test."""
    async with (
        httpx2.AsyncClient(headers={"Authorization": f"Bearer {api_key}"}, timeout=SOON) as http,
        Client(streamable_http_client(f"{url}/mcp", http_client=http), mode=mode) as client,
    ):

        async def call(tool: str, **arguments: Any) -> dict[str, Any]:
            answer = await client.call_tool(tool, arguments)
            assert not answer.is_error, answer.content
            assert answer.structured_content is not None
            return answer.structured_content

        yield call


async def told(agent: Served, tool: str, **arguments: Any) -> dict[str, Any]:
    """A stdio session's structured answer; an error fails the test."""
    return await answered(agent, await agent.start_call(tool, **arguments))


async def answered(agent: Served, request: int) -> dict[str, Any]:
    result = (await agent.answer(request))["result"]
    assert not result["isError"], result["content"]
    return result["structuredContent"]


def fenced(answer: dict[str, Any], text: str) -> str:
    """As the answer shows what another agent wrote."""
    return f"<<{answer['fence']} {text} {answer['fence']}>>"


async def until_listening(socket: Path, redis_key: str) -> None:
    """Until somebody waits for news of this Redis key, as the store itself reports."""
    with redis.Redis(unix_socket_path=str(socket), decode_responses=True) as looking:
        async with asyncio.timeout(SOON):
            while f"__keyspace@0__:{redis_key}" not in looking.pubsub_channels():  # noqa: ASYNC110  # another process tells no event
                await asyncio.sleep(0.01)


async def until_ready(http: httpx.AsyncClient, status: int) -> None:
    async with asyncio.timeout(SOON):
        while (await http.get("/ready")).status_code != status:  # noqa: ASYNC110  # another process tells no event
            await asyncio.sleep(0.01)
