"""A store that is out of memory: what empties it, or ends an abuse, still works; what stores more is refused."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bus import Bus, Caller, Mode, Settings, State, errors
from bus.idempotency import Remembered
from bus.streams import bus_over, connect_engine
from bus.streams.engine import Engine
from bus.streams.sweeper import Sweeper
from tests.servers import server

from .verbs import claimed, made, posted

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def _bus(tmp_path: Path) -> AsyncGenerator[tuple[Engine, Bus, Caller]]:
    with server(tmp_path) as store:
        async with connect_engine(Settings(redis_url=store.url)) as engine:
            bus = bus_over(engine)
            yield engine, bus, await bus.credentials.verify((await bus.credentials.issue("ann")).api_key)


async def _fill(engine: Engine) -> None:
    await engine.store.command("CONFIG", "SET", "maxmemory", 1)


async def test_an_api_key_is_revoked(tmp_path: Path) -> None:
    """A key that fills the store is ended there and then, also when the trail of it has no room."""
    async with _bus(tmp_path) as (engine, bus, ann):
        bob = await bus.credentials.verify((await bus.credentials.issue("bob")).api_key)
        await _fill(engine)
        assert (await bus.admin.revoke_key(bob.key_id)).revoked_at
        await bus.credentials.revoke(ann)
        for caller in (ann, bob):
            with pytest.raises(errors.Unauthorized):
                await bus.credentials.confirm(caller)


async def test_a_channel_is_paused_and_deleted(tmp_path: Path) -> None:
    """Both are what an operator would do about it."""
    async with _bus(tmp_path) as (engine, bus, ann):
        await made(bus, ann, "one")
        await made(bus, ann, "two")
        await posted(bus, ann, "two")
        await _fill(engine)
        assert (await bus.admin.pause_channel("one")).paused
        await bus.channels.delete(ann, "two")
        with pytest.raises(errors.ChannelNotFound):
            await bus.channels.get(ann, "two")


async def test_a_call_with_an_idempotency_key_is_done_and_remembered(tmp_path: Path) -> None:
    """It may be what finishes a task, and it must not be done twice for want of room for its answer."""
    async with _bus(tmp_path) as (engine, bus, ann):
        await _fill(engine)
        assert await bus.idempotency.begin(ann, "k", "print") is None
        await bus.idempotency.keep(ann, "k", "print", Remembered(200, b"{}"))
        assert await bus.idempotency.begin(ann, "k", "print") == Remembered(200, b"{}")
        assert await bus.idempotency.begin(ann, "other", "print") is None
        await bus.idempotency.forget(ann, "other", "print")
        assert await bus.idempotency.begin(ann, "other", "another print") is None


async def test_held_tasks_are_worked_to_their_end(tmp_path: Path) -> None:
    """Claiming, noting, asking, answering, giving back, calling off and finishing are how the store is emptied."""
    async with _bus(tmp_path) as (engine, bus, ann):
        ids = [(await posted(bus, ann, "work")).id for _ in range(4)]
        first = await claimed(bus, ann, "work")
        await bus.tasks.heartbeat(ann, first.id, note="before")
        await bus.tasks.release(ann, first.id)
        await _fill(engine)
        for message_id in ids:
            await bus.tasks.claim_message(ann, message_id)
            await bus.tasks.heartbeat(ann, message_id, note="half way")
            assert (await bus.tasks.ask(ann, message_id, "which?")).message.state is State.INPUT_REQUIRED
        await bus.tasks.answer(ann, ids[0], "this")
        await bus.tasks.ack(ann, ids[0], result=1)
        await bus.tasks.cancel(ann, ids[1])
        await bus.tasks.release(ann, ids[2])
        await bus.tasks.fail(ann, ids[3])
        states = [(await bus.messages.get(ann, message_id)).state for message_id in ids]
        assert states == [State.DONE, State.CANCELLED, State.WAITING, State.DELAYED]


async def test_what_expired_is_swept(tmp_path: Path) -> None:
    """That is what makes room again."""
    async with _bus(tmp_path) as (engine, bus, ann):
        await made(bus, ann, "tasks")
        await made(bus, ann, "news", mode=Mode.BROADCAST)
        streams = [engine.keys.stream(channel) for channel in ("tasks", "news")]
        await Sweeper(engine).sweep_once()
        await engine.store.command("DEL", engine.keys.sweeper)
        for stream in streams:
            old = ("_exp", 1, "content", "old", "key", ann.key_id, "actor", "ann")
            await engine.store.command("XADD", stream, "*", *old)
        await _fill(engine)
        assert await Sweeper(engine).sweep_once() == 1
        assert [await engine.store.command("XLEN", stream) for stream in streams] == [0, 0]


async def test_the_sweeper_outlives_it(tmp_path: Path) -> None:
    """Whatever it cannot write: a loop that ends takes the process with it, and all that it serves."""
    async with _bus(tmp_path) as (engine, _, _):
        await _fill(engine)
        with pytest.raises(errors.StoreFull):  # it cannot even note the schema of a new bus
            await Sweeper(engine).sweep_once()
        await engine.store.command("DEL", engine.keys.sweeper)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await Sweeper(engine).sweep_forever()
