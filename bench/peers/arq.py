"""The task through arq; a result is asked for every 5 ms, not every 500."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

from arq import create_pool
from arq.connections import RedisSettings
from arq.worker import Worker

from .side import AT_ONCE, POLL_SECONDS, HandOver, Ready

_WAIT_SECONDS = 60


async def echo(_: dict[Any, Any], text: str) -> str:
    return text


async def worker(url: str, ready: Ready) -> None:
    working = Worker([echo], redis_settings=RedisSettings.from_dsn(url), max_jobs=AT_ONCE, handle_signals=False)
    ready()
    await working.async_run()


@asynccontextmanager
async def client(url: str) -> AsyncGenerator[HandOver]:
    pool = await create_pool(RedisSettings.from_dsn(url))

    async def hand_over() -> str | None:
        job = await pool.enqueue_job("echo", "ok")
        return job and await job.result(timeout=_WAIT_SECONDS, poll_delay=POLL_SECONDS)

    yield hand_over
    await pool.aclose()
