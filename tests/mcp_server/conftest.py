"""Servers over a real bus in this process, and the SDK's client connected to them."""

from __future__ import annotations

import tempfile
import time
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp.client import Client
from mcp_types import CallToolResult

from bus import Bus, Settings, connect
from bus.store.embedded import stop_embedded
from mcp_server.server import create_server
from mcp_server.session import Session


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def home() -> Iterator[Path]:
    """Short, because a unix socket's path may have 107 characters only."""
    with tempfile.TemporaryDirectory(prefix="bc-", dir="/tmp") as folder:
        yield Path(folder)
        stop_embedded(Path(folder) / "data")  # its processes have ended, but it waits for the next one


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A bus of this test's own, in this process."""
    return Settings(
        redis_url="memory://", base_url=None, api_key=None, agent_label=None, prefix=f"{tmp_path.name}:",
        config_dir=tmp_path / "config", data_dir=tmp_path / "data", mcp_log=None,
    )  # fmt: skip


@pytest.fixture
async def bus(settings: Settings) -> AsyncGenerator[Bus]:
    async with connect(settings) as opened:
        yield opened


@dataclass
class Agent:
    """A client of a stdio session's server, with the two ways in which a tool can answer."""

    client: Client
    session: Session | None

    async def call(self, tool: str, **arguments: Any) -> dict[str, Any]:
        """The structured answer; fails the test for an error."""
        answer = await self.client.call_tool(tool, arguments)
        assert not answer.is_error, text(answer)
        assert answer.structured_content is not None
        return answer.structured_content

    async def refused(self, tool: str, **arguments: Any) -> str:
        """The text of the error; fails the test for a success."""
        answer = await self.client.call_tool(tool, arguments)
        assert answer.is_error, answer.structured_content
        assert answer.structured_content is None
        return text(answer)


def inside(answer: dict[str, Any], fenced: str) -> str:
    """What stands in the envelope of this answer; fails the test for text that stands in none."""
    opening, closing = f"<<{answer['fence']} ", f" {answer['fence']}>>"
    assert fenced.startswith(opening), fenced
    assert fenced.endswith(closing), fenced
    return fenced.removeprefix(opening).removesuffix(closing)


@dataclass
class Clock:
    """Seconds that pass when a test says so."""

    at: float = 1000.0

    def __call__(self) -> float:
        return self.at

    def passes(self, seconds: float) -> None:
        self.at += seconds


Connect = Callable[..., AbstractAsyncContextManager[Agent]]


def text(answer: CallToolResult) -> str:
    return "".join(block.text for block in answer.content if block.type == "text")


@pytest.fixture
def agent(bus: Bus, settings: Settings) -> Connect:
    """`async with agent("ann") as ann`: a session of its own with that label, sharing this user's key."""

    @asynccontextmanager
    async def open_agent(
        label: str = "ann", *, mode: str = "auto", clock: Callable[[], float] = time.monotonic, **changes: Any
    ) -> AsyncGenerator[Agent]:
        session = Session(settings.model_copy(update={"agent_label": label, **changes}), clock)
        async with Client(create_server(bus, session), mode=mode) as client:
            yield Agent(client, session)

    return open_agent


async def eventually(holds: Callable[[], Any], *, within: float = 15) -> Any:
    """Poll until it holds, an awaitable's value too; fails the test after `within` seconds. Returns what held."""
    with anyio.fail_after(within):
        while True:
            found = holds()
            found = await found if hasattr(found, "__await__") else found
            if found:
                return found
            await anyio.sleep(0.02)
