"""Gives outcomes to what expired while nobody looked, trims broadcasts, keeps indexes true. One replica at a time."""

from __future__ import annotations

import asyncio
import logging
import random
import secrets
from datetime import timedelta
from typing import Any

from redis.exceptions import ResponseError

from ..errors import StoreFull, StoreUnavailable
from .channel_index import ChannelIndex
from .deletion import Deletion
from .engine import Engine
from .schema_version import FIELD, SCHEMA
from .scripts import script
from .webhooks.handing import HandOver
from .webhooks.queue import NAME as WEBHOOK_QUEUE

log = logging.getLogger(__name__)

_CHANNELS_AT_ONCE = 200
_ENTRIES_AT_ONCE = 100
_CONSUMER_IDLE = timedelta(hours=1)
_ADOPTED_LEASE_MS = 60_000


class Sweeper:
    """A round-robin over the channels, a bounded number each time. What it remembers between rounds are only positions."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._name = secrets.token_hex(8)
        self._next_channel = 0
        self._hand_over = HandOver(engine)
        self._next_alias = "0"
        self._index = ChannelIndex(engine)
        self._deletion = Deletion(engine, self._index)
        self._hold_ms = int(max(engine.settings.sweep_seconds * 3, 15) * 1000)

    async def sweep_once(self) -> int:
        """One round, if it is this replica's turn. Returns how many tasks were given an outcome."""
        store, keys = self._engine.store, self._engine.keys
        if not await store.run(script("hold_sweeper"), (keys.sweeper,), (self._name, self._hold_ms)):
            return 0
        if await store.command("HGET", keys.config, FIELD) is None:
            await store.command("HSETNX", keys.config, FIELD, SCHEMA)
        first = self._next_channel
        channels: list[str] = await store.command("ZRANGE", keys.channels, first, first + _CHANNELS_AT_ONCE - 1)
        self._next_channel = first + len(channels) if len(channels) == _CHANNELS_AT_ONCE else 0
        finished = sum([await self._sweep_apart(channel) for channel in channels])
        self._next_alias = await self._index.sweep_aliases(self._next_alias)
        await self._deletion.sweep()
        await self._sweep_messages(WEBHOOK_QUEUE)  # in no index
        await self._hand_over.sweep(channels)
        return finished

    async def _sweep_apart(self, channel: str) -> int:
        """A channel whose keys somebody spoiled by hand does not keep the others from being swept."""
        try:
            return await self.sweep_channel(channel)
        except ResponseError as why:
            log.warning("channel %s cannot be swept: %s", channel, why)
            return 0

    async def sweep_channel(self, channel: str) -> int:
        """Everything there is to sweep in one channel. Returns how many tasks were given an outcome."""
        finished = await self._sweep_messages(channel)
        try:
            await (self._index.forget(channel) if finished is None else self._index.settle(channel))
        except StoreFull as why:
            log.debug("the indexes of channel %s wait: %s", channel, why)
        return finished or 0

    async def _sweep_messages(self, channel: str) -> int | None:
        """How many tasks were given an outcome; None: there is no such channel."""
        finished, passed_over, after = 0, 0, "0-0"
        while True:
            reply = await self._engine.send("sweep_tasks", channel, _ENTRIES_AT_ONCE, passed_over, after)
            if reply[0] == "channel_not_found":
                return None
            if reply[0] != "ok":
                await self._sweep_broadcast(channel)
                return 0
            _, ended, looked_at, left, last = reply
            finished += ended
            passed_over += left
            after = last or after
            if looked_at < _ENTRIES_AT_ONCE and not last:
                await self._sweep_consumers(channel)
                return finished

    async def _sweep_consumers(self, channel: str) -> None:
        after, idle_ms = "0-0", int(_CONSUMER_IDLE.total_seconds() * 1000)
        while after:
            reply = await self._engine.send("sweep_consumers", channel, _ENTRIES_AT_ONCE, idle_ms, _ADOPTED_LEASE_MS, after)
            if reply[1]:
                log.warning("channel %s: %s tasks were read by hand (XREADGROUP); they now have a lease", channel, reply[1])
            after = reply[3]

    async def _sweep_broadcast(self, channel: str) -> None:
        position = "0"
        while True:
            reply: list[Any] = await self._engine.send("sweep_broadcast", channel, _ENTRIES_AT_ONCE, position)
            if reply[0] != "ok" or (reply[1] < _ENTRIES_AT_ONCE and reply[2] == "0"):
                return
            position = reply[2]

    async def sweep_forever(self) -> None:
        while True:
            try:
                await self.sweep_once()
            except (StoreUnavailable, StoreFull) as why:
                log.info("sweeping waits for the store: %s", why)
            except Exception:  # the top of a round: a loop that ends takes the process with it, and all that it serves
                log.exception("a round of sweeping failed")
            await asyncio.sleep(self._engine.settings.sweep_seconds * random.uniform(0.8, 1.2))  # noqa: S311  # jitter, not a secret
