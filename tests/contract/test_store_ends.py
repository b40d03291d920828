"""The very moment in which a connection to the store ends, on both event loops."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from bus.errors import StoreUnavailable
from bus.store import Store
from tests.contract.stores import LOOPS, SOON, opened
from tests.servers import Server, server

pytestmark = pytest.mark.anyio


@pytest.fixture(params=LOOPS.values(), ids=LOOPS.keys())
def anyio_backend(request: pytest.FixtureRequest) -> tuple[str, dict[str, bool]]:
    return request.param


async def test_a_call_made_in_the_turn_in_which_the_connection_ends_is_answered(tmp_path: Path) -> None:
    """One that falls between the end of a connection and our learning of it is no call to nobody: it is made on the next one,
    or fails, and nothing else is raised."""
    with server(tmp_path) as valkey:
        async with opened(valkey.url) as store:
            for _ in range(3):
                await _call_on_while_it_ends(store, valkey)


async def _call_on_while_it_ends(store: Store, valkey: Server) -> None:
    loop = asyncio.get_running_loop()
    calls: list[asyncio.Future[Any]] = []
    over = asyncio.Event()

    def call_every_turn() -> None:
        calls.append(store.command("PING"))
        if not over.is_set():
            loop.call_soon(call_every_turn)

    call_every_turn()
    await asyncio.to_thread(_break_connections, valkey)
    over.set()
    async with asyncio.timeout(SOON):
        found = await asyncio.gather(*calls, return_exceptions=True)
    assert {type(each) for each in found} <= {str, StoreUnavailable}
    assert "PONG" in found


def _break_connections(valkey: Server) -> None:
    with valkey.client() as client:
        for kind in ("normal", "pubsub"):
            client.execute_command("CLIENT", "KILL", "TYPE", kind, "SKIPME", "yes")
