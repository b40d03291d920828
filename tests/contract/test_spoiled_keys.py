"""Keys that somebody spoiled by hand: one channel suffers, not the process and not the other channels."""

from __future__ import annotations

import asyncio
from uuid import uuid4

import pytest

from bus import Settings
from bus.streams import bus_over, connect_engine
from bus.streams.sandbox import Sandbox
from bus.streams.sweeper import Sweeper
from bus.streams.webhooks import HandOver, Sender
from bus.streams.webhooks.queue import NAME

from .verbs import made, posted

pytestmark = pytest.mark.anyio


async def test_a_spoiled_channel_does_not_keep_the_others_from_being_swept() -> None:
    """Whether its stream is no stream, or its outbox none or garbage; what follows it is swept and told of."""
    async with connect_engine(Settings(redis_url=f"memory://{uuid4().hex}", webhook_allow="127.0.0.1")) as engine:
        bus, store, keys = bus_over(engine), engine.store, engine.keys
        ann = await bus.credentials.verify((await bus.credentials.issue("ann")).api_key)
        for channel in ("no-stream", "no-outbox", "garbage", "sound"):
            await made(bus, ann, channel, webhook_url="http://127.0.0.1:1/")
        await store.command("DEL", keys.stream("no-stream"))
        await store.command("SET", keys.stream("no-stream"), "spoiled")
        await store.command("SET", keys.outbox("no-outbox"), "spoiled")
        await store.command("XADD", keys.outbox("garbage"), "*", "event", "message.posted", "mentions", "{no json")
        await posted(bus, ann, "sound")
        await store.command("XADD", keys.stream("sound"), "*", "_exp", 1, "content", "old", "key", ann.key_id, "actor", "ann")
        assert await Sweeper(engine).sweep_once() >= 0
        assert await store.command("XLEN", keys.outbox("sound")) == await store.command("XLEN", keys.outbox("garbage")) == 0
        assert await store.command("XLEN", keys.stream(NAME)) == 1


@pytest.mark.parametrize("loop", ["sweeping", "handing on", "sending", "sandbox"])
async def test_the_loops_of_the_process_go_on(loop: str) -> None:
    """A loop that ended would take the process with it, and so every replica in turn."""
    async with connect_engine(Settings(redis_url=f"memory://{uuid4().hex}")) as engine:
        for spoiled in (
            engine.keys.channels, engine.keys.outbox("one"), engine.keys.channel(NAME), engine.keys.stream(NAME),
            engine.keys.channel("sandbox"),
        ):  # fmt: skip
            await engine.store.command("SET", spoiled, "spoiled")
        engine.outboxes.wrote("one")
        bus = bus_over(engine)
        loops = {
            "sweeping": Sweeper(engine).sweep_forever,
            "handing on": HandOver(engine).hand_on_forever,
            "sending": Sender(engine).send_forever,
            "sandbox": Sandbox(engine, bus.channels, bus.messages).sandbox_forever,
        }
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await loops[loop]()
