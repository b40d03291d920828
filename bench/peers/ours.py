"""The task through Backchannel."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import timedelta

from bus import Settings, connect
from bus.models import Caller

from .side import AT_ONCE, HandOver, Ready

_WAIT = timedelta(seconds=60)
_CHANNEL = "bench"


async def worker(url: str, ready: Ready) -> None:
    async with connect(Settings(redis_url=url, base_url=None)) as bus:
        caller = await bus.credentials.verify((await bus.credentials.issue("worker")).api_key)

        async def work() -> None:
            while True:
                claim = await bus.tasks.claim(caller, _CHANNEL, wait=_WAIT)
                if claim is not None:
                    await bus.tasks.ack(caller, claim.id, claim_token=claim.claim_token, result=claim.content)

        # The first task makes the channel; without one there is nothing to wait on.
        await bus.tasks.post(caller, _CHANNEL, "ok")
        async with asyncio.TaskGroup() as group:
            for _ in range(AT_ONCE):
                group.create_task(work())
            ready()


@asynccontextmanager
async def client(url: str) -> AsyncGenerator[HandOver]:
    async with connect(Settings(redis_url=url, base_url=None)) as bus:
        caller: Caller = await bus.credentials.verify((await bus.credentials.issue("client")).api_key)

        async def hand_over() -> str | None:
            posted = await bus.tasks.post(caller, _CHANNEL, "ok")
            finished = await bus.tasks.await_result(caller, posted.message.id, wait=_WAIT)
            return finished.outcome and finished.outcome.result

        yield hand_over
