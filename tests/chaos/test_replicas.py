"""Several API replicas on one Redis: any of them will do, and they are replaced while they are in use."""

from __future__ import annotations

import asyncio
import tempfile
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bus import Bus, Settings, connect
from bus.models import State
from bus.streams.scripts import script
from tests.end_to_end.conftest import serve, until_listening
from tests.servers import Server, server

from .faults import Fault
from .history import read
from .run import play
from .stage import Size
from .strikes import roll_the_replicas

pytestmark = pytest.mark.anyio
SOON = 10.0
LONG = timedelta(seconds=30)


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@dataclass(frozen=True)
class Replicas:
    """A bus over each of two replicas, and the store beneath them."""

    here: Bus
    there: Bus
    store: Server


@pytest.fixture(scope="module")
async def replicas() -> AsyncGenerator[Replicas]:
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bcx-", dir="/tmp")))
        store = stack.enter_context(server(folder, tcp=True))
        environment = {"BACKCHANNEL_REDIS_URL": store.url, "BACKCHANNEL_SWEEP_SECONDS": "0.05"}
        urls = [await stack.enter_async_context(serve(folder, **environment)) for _ in range(2)]
        here, there = [await stack.enter_async_context(connect(Settings(base_url=url))) for url in urls]
        yield Replicas(here, there, store)


async def test_a_rolling_restart_under_load_fails_no_call() -> None:
    """Both replicas are told to stop and replaced, one after the other, behind a balancer that only forwards connections:
    every call over HTTP is answered, those that wait too; at worst a 503 is tried again."""
    fault = Fault("a rolling restart", roll_the_replicas)
    with tempfile.TemporaryDirectory(prefix="bcx-", dir="/tmp") as folder:
        played = await play(fault, Path(folder) / "run", Size(100, 40), 1, times=1)
        failed = [event for event in read(Path(folder) / "run") if event.at in ("unknown", "refused")]
    assert played.report.broken == []
    assert [f"{event.process} {event.op}: {event.facts}" for event in failed if event.at == "unknown"] == []
    assert {event.facts["code"] for event in failed} <= {"store_unavailable", "lease_lost"}


async def test_a_wait_at_one_replica_is_woken_by_an_ack_at_the_other(replicas: Replicas) -> None:
    """And a claim that waits there by a post here."""
    here, there = replicas.here, replicas.there
    caller = await here.credentials.verify((await here.credentials.issue("ann")).api_key)
    posted = await here.tasks.post(caller, "writers", "do it")
    claim = await there.tasks.claim(caller, "writers")
    assert claim is not None
    result = asyncio.create_task(here.tasks.await_result(caller, posted.message.id, wait=LONG))
    next_task = asyncio.create_task(there.tasks.claim(caller, "writers", wait=LONG))
    await until_listening(replicas.store.socket, f"bc:{{writers}}:result:{posted.message.id.rpartition(':')[2]}")
    await until_listening(replicas.store.socket, "bc:{writers}:bell")
    async with asyncio.timeout(SOON):
        await there.tasks.ack(caller, claim.id, claim_token=claim.claim_token, result="done")
        assert (await result).state is State.DONE
        later = await here.tasks.post(caller, "writers", "and this")
        found = await next_task
    assert found is not None
    assert found.id == later.message.id


async def test_of_all_replicas_one_sweeps(replicas: Replicas) -> None:
    """Both ask for the turn, round after round; the store sees only one of them sweep."""
    caller = await replicas.here.credentials.verify((await replicas.here.credentials.issue("bob")).api_key)
    await replicas.here.tasks.post(caller, "swept", "do it")
    asked, swept = await asyncio.to_thread(rounds, replicas.store, 40)
    assert len(asked) == 2
    assert len(swept) == 1


def rounds(store: Server, count: int) -> tuple[set[str], set[str]]:
    """Who asks to sweep, and who sweeps, until so many have asked."""
    asked, swept = Counter[str](), set[str]()
    turn, sweep = script("hold_sweeper").sha, script("sweep_tasks").sha
    with store.client() as client, client.monitor() as seen:
        for command in seen.listen():
            said: Any = command
            who = f"{said['client_address']}:{said['client_port']}"
            if turn in said["command"]:
                asked[who] += 1
            elif sweep in said["command"]:
                swept.add(who)
            if asked.total() >= count and len(asked) > 1:
                break
    return set(asked), swept
