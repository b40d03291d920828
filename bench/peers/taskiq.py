"""The task through taskiq with its Redis stream broker; a result is asked for every 5 ms, not every 200."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from taskiq.api import run_receiver_task
from taskiq_redis import RedisAsyncResultBackend, RedisStreamBroker

from .side import AT_ONCE, POLL_SECONDS, URL, HandOver, Ready

_WAIT_SECONDS = 60
_url = os.environ[URL]
broker = RedisStreamBroker(_url).with_result_backend(RedisAsyncResultBackend(_url))


@broker.task
async def echo(text: str) -> str:
    return text


async def worker(_: str, ready: Ready) -> None:
    await broker.startup()
    ready()
    await run_receiver_task(broker, max_async_tasks=AT_ONCE)


@asynccontextmanager
async def client(_: str) -> AsyncGenerator[HandOver]:
    await broker.startup()

    async def hand_over() -> str:
        task = await echo.kiq("ok")
        return (await task.wait_result(check_interval=POLL_SECONDS, timeout=_WAIT_SECONDS)).return_value

    yield hand_over
    await broker.shutdown()
