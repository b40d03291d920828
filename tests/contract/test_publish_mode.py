"""Where the server may not be told to send keyspace notifications, waiting works all the same."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from bus import Bus, Settings
from bus.errors import ChannelNotFound, TaskCancelled, Unauthorized
from bus.streams import bus_over, connect_engine
from bus.streams.engine import Engine

from .test_notifications import limited_server
from .verbs import LONG, claimed, posted
from .worlds import parked

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def two_buses(directory: Path) -> AsyncGenerator[tuple[Bus, Bus, Engine]]:
    """Of two processes, as it were, without the background re-check that would find things out later anyway."""
    with limited_server(directory) as url:
        settings = Settings(redis_url=url)
        async with connect_engine(settings) as here, connect_engine(settings) as there:
            for engine in (here, there):
                await asyncio.wait_for(engine.store.notifications.watch("bc:{any}:bell"), 10)
                assert engine.store.notify_mode == "publish"
            yield bus_over(here), bus_over(there), here


async def test_every_kind_of_wait_wakes_without_keyspace_notifications(tmp_path: Path) -> None:
    """Managed servers forbid CONFIG: the scripts publish what the server would have told."""
    async with two_buses(tmp_path) as (here, there, engine), asyncio.timeout(LONG.total_seconds()):
        me = await here.credentials.verify((await here.credentials.issue("ann")).api_key)
        first = await posted(there, me, "work")
        claim = await claimed(here, me, "work")

        awaiting = asyncio.create_task(here.tasks.await_result(me, first.id, wait=timedelta(minutes=1)))
        await parked(engine)
        await there.tasks.ack(me, claim.id, claim_token=claim.claim_token, result="done")
        assert (await awaiting).outcome is not None

        claiming = asyncio.create_task(here.tasks.claim(me, "work", wait=timedelta(minutes=1)))
        await parked(engine)
        second = await posted(there, me, "work")
        taken = await claiming
        assert taken is not None
        assert taken.id == second.id

        claiming = asyncio.create_task(here.tasks.claim(me, "work", actor="second", wait=timedelta(minutes=1)))
        await parked(engine)
        await there.tasks.release(me, taken.id, claim_token=taken.claim_token)
        again = await claiming
        assert again is not None
        assert again.delivery == 2

        await posted(here, me, "brief", delay=timedelta(hours=1))
        claiming = asyncio.create_task(here.tasks.claim(me, "brief", wait=timedelta(minutes=1)))
        await parked(engine)
        await there.channels.delete(me, "brief")
        with pytest.raises(ChannelNotFound):
            await claiming

        claiming = asyncio.create_task(here.tasks.claim(me, "work", wait=timedelta(minutes=1)))
        await parked(engine)
        await there.credentials.revoke(me)
        with pytest.raises(Unauthorized):
            await claiming


async def test_question_and_answer_wake_without_keyspace_notifications(tmp_path: Path) -> None:
    """The poster by the one, the holder by the other, and by the end of the task."""
    async with two_buses(tmp_path) as (here, there, engine), asyncio.timeout(LONG.total_seconds()):
        me = await here.credentials.verify((await here.credentials.issue("ann")).api_key)
        task = await posted(there, me, "work")
        claim = await claimed(here, me, "work")

        awaiting = asyncio.create_task(here.tasks.await_result(me, task.id, wait=timedelta(minutes=1)))
        await parked(engine)
        await there.tasks.ask(me, task.id, "which?", claim_token=claim.claim_token)
        assert (await awaiting).questions[-1].text == "which?"

        working = asyncio.create_task(here.tasks.await_answer(me, task.id, wait=timedelta(minutes=1)))
        await parked(engine)
        await there.tasks.answer(me, task.id, "this")
        assert (await working).message.questions[-1].answer == "this"

        await there.tasks.ask(me, task.id, "and now?", claim_token=claim.claim_token)
        working = asyncio.create_task(here.tasks.await_answer(me, task.id, wait=timedelta(minutes=1)))
        await parked(engine)
        await there.tasks.cancel(me, task.id)
        with pytest.raises(TaskCancelled):
            await working
