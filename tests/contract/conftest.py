"""One suite for every promise: each test runs in every world, with a channel and callers of its own."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from pathlib import Path
from uuid import uuid4

import pytest

from bus import Bus, Caller

from .worlds import REDIS_SERVER, WORLDS, World, opened

NOT_IN: dict[tuple[str, str], str] = {}
"""What a world cannot do: (world, test) -> why. Such a test is expected to fail there, and to be told when it does not."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        callspec = getattr(item, "callspec", None)
        world = callspec.params.get("world") if callspec else None
        if why := NOT_IN.get((str(world), getattr(item, "originalname", item.name))):
            item.add_marker(pytest.mark.xfail(reason=why, strict=True))


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def contract_data_dir() -> Generator[Path]:
    """Short, because a socket lies in it."""
    folder = Path(tempfile.mkdtemp(prefix="bcc-", dir="/tmp"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="package", params=WORLDS)
async def world(request: pytest.FixtureRequest, anyio_backend: str, contract_data_dir: Path) -> AsyncGenerator[World]:
    """Shared by the tests: what they do to the store stays inside their channel, or is undone."""
    if request.param.startswith("redis_server") and REDIS_SERVER is None:
        pytest.skip("there is no redis-server on PATH")
    async with opened(request.param, contract_data_dir) as one:
        yield one


@pytest.fixture
def bus(world: World) -> Bus:
    return world.bus


@pytest.fixture
def somebody(bus: Bus) -> Callable[[str], Awaitable[Caller]]:
    """Makes a caller with an API key of its own; the label is made unique."""

    async def make(name: str) -> Caller:
        issued = await bus.credentials.issue(f"{name}-{uuid4().hex[:8]}")
        return await bus.credentials.verify(issued.api_key)

    return make


@pytest.fixture
async def ann(somebody: Callable[[str], Awaitable[Caller]]) -> Caller:
    """Posts, as a rule; so channels are hers."""
    return await somebody("ann")


@pytest.fixture
async def bob(somebody: Callable[[str], Awaitable[Caller]]) -> Caller:
    """Works, as a rule."""
    return await somebody("bob")


@pytest.fixture
async def eve(somebody: Callable[[str], Awaitable[Caller]]) -> Caller:
    """Has nothing to do with it, as a rule."""
    return await somebody("eve")


@pytest.fixture
def channel() -> str:
    return f"work-{uuid4().hex[:10]}"
