"""Clients by others, from npm, and servers for them: `backchannel-mcp` over stdio, and the whole HTTP API."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
import tempfile
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import anyio
import pytest
import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

from api.app import create_app
from bus import Settings
from bus.store.embedded import stop_embedded
from tests.mcp_server.conftest import eventually
from tests.mcp_server.processes import environment
from tools import mcp_clients

PATIENCE = 60.0


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def home() -> Iterator[Path]:
    """Short, because a unix socket's path may have 107 characters only."""
    with tempfile.TemporaryDirectory(prefix="bcm-", dir="/tmp") as folder:
        yield Path(folder)
        stop_embedded(Path(folder) / "data")


@pytest.fixture(scope="session")
def from_npm() -> None:
    """Skips the test where they are not installed."""
    if why := mcp_clients.missing():
        pytest.skip(why)


@dataclass(frozen=True)
class Ended:
    """A program that came to its end."""

    code: int
    out: str
    err: str

    def __str__(self) -> str:
        return f"exit code {self.code}\n{self.out[-4000:]}\n{self.err[-4000:]}"


def bus_command() -> list[str]:
    """How a client starts the MCP server of this project."""
    return [sys.executable, "-m", "mcp_server"]


def variables(home: Path) -> dict[str, str]:
    """What the MCP server needs to hear of its client's user: clients pass on little of their own environment."""
    theirs = environment(home)
    return {name: value for name, value in theirs.items() if name.startswith(("BACKCHANNEL_", "PYTHONPATH"))}


async def ran(command: Sequence[str | Path], env: dict[str, str], cwd: Path, *, within: float = PATIENCE) -> Ended:
    """Run it to its end, which has to come in time; its children are ended with it otherwise."""
    process = await asyncio.create_subprocess_exec(
        *map(str, command), env=env, cwd=cwd, start_new_session=True,
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        async with asyncio.timeout(within):
            out, err = await process.communicate()
    finally:
        if process.returncode is None:
            os.killpg(process.pid, 9)
            await process.wait()
    assert process.returncode is not None
    return Ended(process.returncode, out.decode(), err.decode())


class WithKey:
    """The API as one finds it who has a key: puts one into each request that brings none."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.api_key = ""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and not {b"authorization", b"x-api-key"} & {name for name, _ in scope["headers"]}:
            scope["headers"] = [*scope["headers"], (b"x-api-key", self.api_key.encode())]
        await self.app(scope, receive, send)


@dataclass(frozen=True)
class Api:
    """`open_url` needs no key, for clients that cannot send one."""

    url: str
    open_url: str
    api_key: str


@asynccontextmanager
async def listening(app: ASGIApp, *, lifespan: str) -> AsyncGenerator[str]:
    """The app on a loopback port."""
    port = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(app, log_level="warning", lifespan="on" if lifespan == "on" else "off", ws="none")
    server = uvicorn.Server(config)
    async with anyio.create_task_group() as group:
        group.start_soon(lambda: server.serve([port]))
        await eventually(lambda: server.started)
        yield f"http://127.0.0.1:{port.getsockname()[1]}"
        server.should_exit = True


@pytest.fixture
async def api(tmp_path: Path) -> AsyncGenerator[Api]:
    """The HTTP API with its MCP endpoint, whole, over a bus of this test's own."""
    settings = Settings(
        redis_url="memory://", base_url=None, api_key=None, prefix=f"{tmp_path.name}:", rate_limit=0, mcp_log=None,
        config_dir=tmp_path / "config", data_dir=tmp_path / "data",
    )  # fmt: skip
    app = create_app(settings)
    keyed = WithKey(app)
    async with listening(app, lifespan="on") as url, listening(keyed, lifespan="off") as open_url:
        keyed.api_key = (await app.state.bus.credentials.issue("visitor")).api_key
        yield Api(url, open_url, keyed.api_key)
