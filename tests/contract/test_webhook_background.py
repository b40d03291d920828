"""What runs in the background for webhooks: it is woken, it ends when the process does, and it outlives trouble."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import uuid4

import pytest

from bus import Bus, Caller, Settings, errors
from bus.streams import bus_over, connect_engine
from bus.streams.engine import Engine
from bus.streams.sweeper import Sweeper
from bus.streams.webhooks import HandOver, Sender
from bus.streams.webhooks.hosts import Hosts
from bus.streams.webhooks.posting import NoAnswer, NotDelivered
from bus.streams.webhooks.queue import NAME
from tests.receivers import Receiver, receiving
from tests.servers import server

from .verbs import made, posted
from .worlds import SOON, parked

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def _bus(url: str | None = None) -> AsyncGenerator[tuple[Engine, Bus, Caller]]:
    """A bus of the test's own, with nothing in the background."""
    settings = Settings(redis_url=url or f"memory://{uuid4().hex}", webhook_allow="127.0.0.1")
    async with connect_engine(settings) as engine:
        bus = bus_over(engine)
        issued = await bus.credentials.issue("ann")
        yield engine, bus, await bus.credentials.verify(issued.api_key)


async def _length(engine: Engine, redis_key: str) -> int:
    return await engine.store.command("XLEN", redis_key)


async def test_the_sweeper_hands_on_what_was_left() -> None:
    """Of every channel it comes by, and it shows what the queue gave up."""
    async with _bus() as (engine, bus, ann):
        for name in ("one", "two"):
            await made(bus, ann, name, webhook_url=Receiver().url())
            await posted(bus, ann, name)
        await Sweeper(engine).sweep_once()
        assert await _length(engine, engine.keys.stream(NAME)) == 2
        text = f'{{"id": "x", "event": "message.posted", "channel": "one", "noted": "{2**42}-0", "message": "1-0"}}'
        await engine.store.command("XADD", engine.keys.dead(NAME), "*", "content", text, "_at", 1, "_reason", "dead")
        await Sweeper(engine).sweep_once()
        assert await _length(engine, engine.keys.dead(NAME)) == 1, "another replica sweeps"
        await engine.store.command("DEL", engine.keys.sweeper)
        await Sweeper(engine).sweep_once()
        assert [failure.id for failure in (await bus.webhooks.failures(ann, "one")).items] == ["x"]


async def test_a_sender_is_woken_and_ends_when_the_process_drains() -> None:
    """It waits for the bell, not for a tick; drained, it takes nothing more and returns."""
    async with _bus() as (engine, bus, ann), receiving() as receiver:
        await made(bus, ann, "told", webhook_url=receiver.url())
        async with asyncio.TaskGroup() as group:
            sending = group.create_task(Sender(engine).send_forever())
            handing = group.create_task(HandOver(engine).hand_on_forever())
            await parked(engine)
            await posted(bus, ann, "told")
            await receiver.next()
            engine.bell.drain()
            async with asyncio.timeout(SOON):
                await sending
            handing.cancel()


async def test_a_delivery_that_breaks_its_sender_does_not_break_the_others() -> None:
    """A key that was overwritten by hand: that delivery waits for its lease, the rest is sent."""
    async with _bus() as (engine, bus, ann), receiving() as receiver:
        for name in ("bad", "good"):
            await made(bus, ann, name, webhook_url=receiver.url(f"/{name}"))
            await posted(bus, ann, name)
            await HandOver(engine).hand_on(name)
        await engine.store.command("DEL", engine.keys.channel("bad"))
        await engine.store.command("SET", engine.keys.channel("bad"), "overwritten")
        async with asyncio.TaskGroup() as group:
            sending = group.create_task(Sender(engine).send_forever())
            assert (await receiver.next()).target == "/good"
            sending.cancel()
        assert await _length(engine, engine.keys.stream(NAME)) >= 1


async def test_a_full_store_only_delays_webhooks(tmp_path: Path) -> None:
    """Nothing ends and nothing is lost: what cannot be queued now is queued by the sweeper later."""
    with server(tmp_path) as store, store.client() as admin:
        async with _bus(store.url) as (engine, bus, ann), receiving() as receiver:
            await made(bus, ann, "told", webhook_url=receiver.url())
            await posted(bus, ann, "told")
            admin.config_set("maxmemory", 1)
            with pytest.raises(errors.StoreFull):
                await HandOver(engine).hand_on("told")
            await HandOver(engine).sweep(["told"])
            async with asyncio.TaskGroup() as group:
                handing = group.create_task(HandOver(engine).hand_on_forever())
                engine.outboxes.wrote("gone")
                engine.outboxes.wrote("told")
                admin.config_set("maxmemory", 0)
                async with asyncio.timeout(SOON):
                    while not await _length(engine, engine.keys.stream(NAME)):
                        engine.outboxes.wrote("told")
                        await asyncio.sleep(0.005)
                handing.cancel()
            assert await Sender(engine).send_once()
            assert (await receiver.next()).json["message"]["content"] == "do it"


def test_a_host_that_answers_is_not_slow_any_more() -> None:
    """Nor is it after half a minute; meanwhile two at a time may try."""
    clock = [0.0]
    hosts = Hosts(lambda: clock[0])

    def slow() -> None:
        with pytest.raises(NoAnswer), hosts.trying("a"):
            raise NoAnswer("no answer")

    def full() -> bool:
        with hosts.trying("a"), hosts.trying("a"):
            try:
                with hosts.trying("a"):
                    return False
            except NotDelivered:
                return True

    assert not full()
    slow()
    with pytest.raises(NotDelivered), hosts.trying("a"), hosts.trying("a"), hosts.trying("a"):
        raise AssertionError("three at a time")
    clock[0] = 31.0
    assert not full()
    slow()
    with hosts.trying("b"), hosts.trying("b"), hosts.trying("b"), hosts.trying("a"):
        pass
    assert not full()
