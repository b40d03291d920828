"""The task through docket."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import timedelta

from docket import Docket, Worker

from .side import AT_ONCE, HandOver, Ready

_WAIT = timedelta(seconds=60)


async def echo(text: str) -> str:
    return text


def _docket(url: str) -> Docket:
    docket = Docket(name="bench", url=url)
    docket.register(echo)
    return docket


async def worker(url: str, ready: Ready) -> None:
    async with _docket(url) as docket, Worker(docket, concurrency=AT_ONCE) as working:
        ready()
        await working.run_forever()


@asynccontextmanager
async def client(url: str) -> AsyncGenerator[HandOver]:
    async with _docket(url) as docket:

        async def hand_over() -> str:
            execution = await docket.add(echo)("ok")
            return await execution.get_result(timeout=_WAIT)

        yield hand_over
