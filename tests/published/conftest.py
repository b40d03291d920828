"""The clients that were published, as they came from the package index, against `backchannel serve`."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import tempfile
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import anyio
import httpx
import pytest

from bus.store.embedded import stop_embedded
from tests.end_to_end.conftest import serve
from tests.mcp_server.processes import Served, spoken_to
from tools import published_clients

SOON = 60.0
ADMIN_TOKEN = "operator-of-this-test"
DRIVERS = Path(__file__).parent / "drivers"
Agent = httpx.AsyncClient
"""Plain HTTP with an API key, for what the published clients have no verb for."""
OpenMcp = Callable[..., AbstractAsyncContextManager[Served]]


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session", autouse=True)
def published() -> None:
    """They are installed; a machine that cannot install them fails the tests that need them."""
    try:
        published_clients.install()
    except subprocess.CalledProcessError as failed:
        pytest.fail(f"pip could not install {', '.join(published_clients.PINS)}: {failed}", pytrace=False)


@pytest.fixture
def home() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="bcp-", dir="/tmp") as folder:
        yield Path(folder)


@asynccontextmanager
async def a_server(**settings: str) -> AsyncGenerator[str]:
    """`backchannel serve` on a store of its own; its data directory is short, for the socket in it."""
    with tempfile.TemporaryDirectory(prefix="bcp-", dir="/tmp") as folder:
        try:
            async with serve(Path(folder), **settings) as url:
                yield url
        finally:
            stop_embedded(Path(folder) / "data")


@pytest.fixture(scope="package")
async def url() -> AsyncGenerator[str]:
    """One server for all; nobody is limited, because one address makes all the requests."""
    async with a_server(BACKCHANNEL_ADMIN_TOKEN=ADMIN_TOKEN, BACKCHANNEL_WEBHOOK_ALLOW="127.0.0.1") as address:
        yield address


@pytest.fixture
def channel() -> str:
    return f"lane-{uuid4().hex[:8]}"


@pytest.fixture
async def agent(url: str) -> AsyncGenerator[Callable[[str], Awaitable[Agent]]]:
    """Makes an agent with a key of its own; its label is made unique."""
    made: list[Agent] = []

    async def make(name: str) -> Agent:
        client = httpx.AsyncClient(base_url=url, timeout=30)
        made.append(client)
        issued = await client.post("/v1/keys", json={"agent_label": f"{name}-{uuid4().hex[:8]}"})
        assert issued.status_code == 201, issued.text
        client.headers["X-API-Key"] = issued.json()["key"]
        return client

    yield make
    for client in made:
        await client.aclose()


def user(home: Path, **more: str) -> dict[str, str]:
    """The environment of a user who has nothing but this home."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("BACKCHANNEL_", "PYTHON", "XDG_"))}
    return kept | {"HOME": str(home), **more}


async def drive(driver: str, url: str, home: Path, **more: str) -> dict[str, Any]:
    """What a driver prints: a program that uses a published client as its documents show."""
    process = await asyncio.create_subprocess_exec(
        str(published_clients.program("python")), str(DRIVERS / f"{driver}.py"),
        env=user(home, BACKCHANNEL_BASE_URL=url, **more), cwd=home,
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        async with asyncio.timeout(SOON):
            out, err = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode == 0, err.decode()
    return json.loads(out)


@asynccontextmanager
async def open_mcp(url: str, home: Path, label: str = "", **more: str) -> AsyncGenerator[Served]:
    """The published `backchannel-mcp` over stdio, handshake done; killed at the end. It keeps its key under `home`."""
    unique = f"{label or 'session'}-{uuid4().hex[:8]}"
    environment = user(home, BACKCHANNEL_BASE_URL=url, BACKCHANNEL_AGENT_LABEL=unique, BACKCHANNEL_MCP_LOG="ERROR", **more)
    program = str(published_clients.program("backchannel-mcp"))
    process = await anyio.open_process([program], env=environment, cwd=home, stderr=None)
    async with spoken_to(process) as session:
        yield session


def kept_key(home: Path) -> str:
    """The API key that the published MCP server minted by itself and kept."""
    return (home / ".config" / "backchannel" / "key").read_text(encoding="utf-8").strip()


async def text(session: Served, tool: str, **arguments: Any) -> str:
    """A tool's text. Errors of the bus are texts too; only what the tool's schema refuses is an error."""
    result = await session.call(tool, **arguments)
    assert not result.get("isError"), result
    (block,) = result["content"]
    return block["text"]


async def said(session: Served, tool: str, **arguments: Any) -> Any:
    """A tool's answer, which is no error."""
    answer = await text(session, tool, **arguments)
    assert not answer.startswith(("Backchannel error", "Unhandled error")), answer
    return json.loads(answer)
