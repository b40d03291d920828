"""The sandbox: a channel that is there for everybody, and a bot that speaks when nobody does, once."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from uuid import uuid4

import pytest
from pydantic import ValidationError

from bus import Bus, Caller, Mode, NewChannel, Settings
from bus.errors import ChannelExists, Forbidden
from bus.models import Access
from bus.streams import bus_over
from bus.streams.connecting import connect_streams
from bus.streams.engine import Engine
from bus.streams.sandbox import LINES, Sandbox

from .worlds import SOON, World

pytestmark = pytest.mark.anyio


@pytest.fixture
def name() -> str:
    return f"sandbox-{uuid4().hex[:10]}"


def replica(engine: Engine, name: str) -> Sandbox:
    """The sandbox as one process on the store keeps it."""
    chosen = engine.settings.model_copy(update={"sandbox_enabled": True, "sandbox_channel": name, "sandbox_quiet_seconds": 60})
    of_replica = bus_over(replace(engine, settings=chosen))
    return Sandbox(replace(engine, settings=chosen), of_replica.channels, of_replica.messages)


@pytest.fixture
def here(world: World, name: str) -> Sandbox:
    return replica(world.engine, name)


async def said(bus: Bus, caller: Caller, name: str) -> list[str]:
    page = await bus.messages.subscribe(caller, name, since="0")
    return [message.content for message in page.items]


async def age(world: World, name: str) -> None:
    """What was posted last was posted long ago, and has been trimmed since."""
    stream = world.keys.stream(name)
    await world.redis("DEL", stream)
    await world.redis("XADD", stream, "1000-0", "content", "old", "key", "nobody", "_exp", 1, "_n", 1)
    await world.redis("XDEL", stream, "1000-0")


async def test_the_sandbox_is_open_to_all_and_bounded(bus: Bus, here: Sandbox, ann: Caller, name: str) -> None:
    """Anybody reads and writes there, and it cannot fill the store."""
    assert await here.sandbox_once()
    made = await bus.channels.get(ann, name)
    assert (made.mode, made.access, made.discoverable) == (Mode.BROADCAST, Access.OPEN, True)
    assert (made.ttl.total_seconds(), made.max_messages, made.max_writes_per_minute) == (600, 200, 60)
    await bus.broadcasts.broadcast(ann, name, "hello")
    assert (await said(bus, ann, name))[-1] == "hello"


async def test_the_bot_speaks_when_nobody_spoke_for_a_while(
    world: World, bus: Bus, here: Sandbox, ann: Caller, name: str
) -> None:
    """It says something useful into a silence, and holds its tongue while others talk."""
    assert await here.sandbox_once()
    (first,) = await said(bus, ann, name)
    assert first in LINES
    assert not await here.sandbox_once()
    await age(world, name)
    await bus.broadcasts.broadcast(ann, name, "I am here")
    assert not await here.sandbox_once()
    await age(world, name)
    assert await here.sandbox_once()


async def test_of_several_replicas_one_breaks_the_silence(world: World, bus: Bus, ann: Caller, name: str) -> None:
    """The bot is one, however many processes keep the sandbox."""
    replicas = [replica(engine, name) for engine in (world.engine, world.other) * 4]
    assert sorted(await asyncio.gather(*(each.sandbox_once() for each in replicas))) == [False] * 7 + [True]
    assert len(await said(bus, ann, name)) == 1
    await age(world, name)
    assert sum(await asyncio.gather(*(each.sandbox_once() for each in replicas))) == 1


async def test_a_channel_of_another_kind_is_left_alone(bus: Bus, here: Sandbox, ann: Caller, name: str) -> None:
    """A name that holds somebody's tasks does not become the sandbox."""
    await bus.channels.create(ann, NewChannel(name, mode=Mode.CLAIMABLE))
    with pytest.raises(ChannelExists):
        await here.sandbox_once()
    assert (await bus.channels.get(ann, name)).mode is Mode.CLAIMABLE


async def test_a_paused_sandbox_stays_quiet(world: World, here: Sandbox, name: str) -> None:
    """What an administrator paused, the bot does not write to."""
    assert await here.sandbox_once()
    await age(world, name)
    await world.redis("HSET", world.keys.channel(name), "paused", 1)
    assert not await here.sandbox_once()


async def test_it_is_there_when_it_is_switched_on(name: str) -> None:
    """BACKCHANNEL_SANDBOX_ENABLED is all that it takes; without it there is no such channel."""
    memory = f"memory://{uuid4().hex}"
    for enabled in (False, True):
        settings = Settings(redis_url=memory, sandbox_enabled=enabled, sandbox_channel=name)
        async with connect_streams(settings) as bus:
            caller = await bus.credentials.verify((await bus.credentials.issue(f"ann-{enabled}")).api_key)
            async with asyncio.timeout(SOON):
                names = {each.id for each in (await bus.channels.list(caller)).items}
                while enabled and name not in names:
                    names = {each.id for each in (await bus.channels.list(caller)).items}
            assert (name in names) is enabled


async def test_nobody_can_act_as_the_bot(bus: Bus, here: Sandbox, ann: Caller, name: str) -> None:
    """The channel belongs to no API key: nobody changes or deletes it."""
    await here.sandbox_once()
    with pytest.raises(Forbidden):
        await bus.channels.delete(ann, name)
    assert name in {each.id for each in (await bus.channels.list(ann, limit=100)).items}


def test_a_name_that_no_channel_can_have_is_told_at_the_start() -> None:
    """Not once a minute in the log."""
    with pytest.raises(ValidationError, match="sandbox_channel"):
        Settings(sandbox_channel="a/b")
