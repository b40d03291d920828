"""The task through streaq."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from streaq import Worker

from .side import AT_ONCE, URL, HandOver, Ready

_WAIT_SECONDS = 60
queue = Worker(redis_url=os.environ[URL], concurrency=AT_ONCE, handle_signals=False)


@queue.task()
async def echo(text: str) -> str:
    return text


async def worker(_: str, ready: Ready) -> None:
    ready()
    await queue.run_async()


@asynccontextmanager
async def client(_: str) -> AsyncGenerator[HandOver]:
    async with queue:

        async def hand_over() -> str:
            task = await echo.enqueue("ok")
            return (await task.result(_WAIT_SECONDS)).result

        yield hand_over
