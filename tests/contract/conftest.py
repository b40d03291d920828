"""One suite for every promise: each test runs in every world, with a channel and callers of its own."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import uuid4

import pytest

from bus import Bus, Caller, Settings
from bus.streams import bus_over, connect_engine

from .worlds import FLEETS, REDIS_SERVER, WORLDS, Replica, World, opened

NOT_IN: dict[tuple[str, str], str] = {}
"""What a world cannot do: (world, test) -> why. Such a test is expected to fail there, and to be told when it does not."""


ON_FLEETS = ("test_leases.py", "test_waiting.py")
"""What is tried on stores of many servers each time. BACKCHANNEL_TEST_STORES=all (`make test-stores`): everything is."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if os.environ.get("BACKCHANNEL_TEST_STORES") != "all":
        left_out = [
            item for item in items if any(f"[{name}" in item.name for name in FLEETS) and item.path.name not in ON_FLEETS
        ]
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in set(left_out)]
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
def replica(world: World) -> Replica:
    """Another process on the same store, with limits of its own."""

    @asynccontextmanager
    async def start(**limits: int) -> AsyncGenerator[Bus]:
        async with connect_engine(Settings(**{**world.settings.model_dump(), **limits})) as engine:
            yield bus_over(engine)

    return start


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
