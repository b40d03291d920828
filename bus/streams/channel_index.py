"""The indexes of channels (all of them, the listed ones, an API key's own, aliases), kept true to the channels' hashes.

They are on other slots than the channels, so no script covers both. Whoever changes a channel settles its indexes after;
settling looks again after it wrote, so of two that settle at once the one that saw the newer state writes last.
"""

from __future__ import annotations

import asyncio
import json
from typing import Any

from ..errors import AliasConflict
from .engine import Engine
from .scripts import script

_FORGOTTEN_AFTER_MS = 60_000
_ALIASES_AT_ONCE = 100
MOST_ALIASES = 20
State = tuple[str | None, str | None, str | None, str | None]
"""When the channel was created (None: there is none), whether it is listed, who owns it, its aliases."""


class ChannelIndex:
    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def announce(self, channel: str) -> None:
        """Before a channel is made, so that a crash leaves a name that listing passes over, never a channel nobody finds.

        Raises AliasConflict. `claim_alias` writes first and looks then, as this does: one of two at once sees the other.
        """
        store, keys = self._engine.store, self._engine.keys
        await self.refuse_alias(channel)
        await store.command("ZADD", keys.channels, "NX", await self.now(), channel)
        await self.refuse_alias(channel)

    async def refuse_alias(self, name: str) -> None:
        """Raises AliasConflict when the name is a channel's alias."""
        if leads_to := await self._engine.store.command("HGET", self._engine.keys.aliases, name):
            raise AliasConflict(
                f"'{name}' is an alias of channel '{leads_to}'; use it as it is, or choose another name", channel=leads_to
            )

    async def claim_alias(self, alias: str, channel: str) -> None:
        """Make the alias lead to the channel; when it does already nothing changes. Raises AliasConflict."""
        store, keys = self._engine.store, self._engine.keys
        while not await store.command("HSETNX", keys.aliases, alias, channel):
            if await store.command("HGET", keys.aliases, alias) == channel:
                return
            await self.refuse_alias(alias)  # unless it was freed just now
        if await store.command("ZSCORE", keys.channels, alias):
            await self.free_alias(alias, channel)
            raise AliasConflict(f"'{alias}' is a channel; choose another alias")

    async def free_alias(self, alias: str, channel: str) -> None:
        await self._engine.store.run(script("free_alias"), (self._engine.keys.aliases,), (alias, channel))

    async def settle(self, channel: str, *, owner_before: str | None = None) -> None:
        """Make the indexes say of this channel what its hash says, or nothing when it is gone."""
        seen = await self._state(channel)
        while True:
            await self._write(channel, seen, owner_before)
            found = await self._state(channel)
            if found == seen:
                return
            seen = found

    async def _state(self, channel: str) -> State:
        store, keys = self._engine.store, self._engine.keys
        found = await store.command("HMGET", keys.channel(channel), "created_ms", "discoverable", "owner_key_id", "aliases")
        return found[0], found[1], found[2], found[3]

    async def _write(self, channel: str, state: State, owner_before: str | None) -> None:
        """All in one trip to the store: the sweeper comes by here for each channel, mostly to find that nothing has changed."""
        store, keys = self._engine.store, self._engine.keys
        created, listed, owner, aliases = state
        sent: list[asyncio.Future[Any]] = []
        if owner_before is not None and (created is None or owner != owner_before):
            sent.append(store.command("ZREM", keys.owned(owner_before), channel))
        if created is None:
            sent.append(store.command("ZREM", keys.discoverable, channel))
            sent.append(store.command("ZREM", keys.channels, channel))
        else:
            sent.append(store.command("ZADD", keys.channels, created, channel))
            if listed == "1":
                sent.append(store.command("ZADD", keys.discoverable, created, channel))
            else:
                sent.append(store.command("ZREM", keys.discoverable, channel))
            if owner:
                sent.append(store.command("ZADD", keys.owned(owner), created, channel))
            for alias in json.loads(aliases or "[]"):
                sent.append(store.command("HSETNX", keys.aliases, alias, channel))
        await asyncio.gather(*sent)

    async def forget(self, channel: str) -> None:
        """Indexed but not there: its creation was cut short, or its keys were deleted by hand."""
        created = await self._engine.store.command("ZSCORE", self._engine.keys.channels, channel)
        if created and float(created) < await self.now() - _FORGOTTEN_AFTER_MS:
            await self.settle(channel)

    async def sweep_aliases(self, position: str) -> str:
        """Mend what a crash left of some aliases; where to go on, `0` at the end."""
        store, keys = self._engine.store, self._engine.keys
        reply: list[Any] = await store.command("HSCAN", keys.aliases, position, "COUNT", _ALIASES_AT_ONCE)
        for alias, channel in zip(reply[1][::2], reply[1][1::2], strict=True):
            if await store.command("EXISTS", keys.channel(alias)):
                await self.free_alias(alias, channel)
                continue
            noted = await self._engine.send("add_alias", channel, "", alias, MOST_ALIASES, 1)
            if noted[0] == "channel_not_found":
                await self.free_alias(alias, channel)
        return str(reply[0])

    async def now(self) -> int:
        """The store's clock, in ms."""
        seconds, micros = await self._engine.store.command("TIME")
        return int(seconds) * 1000 + int(micros) // 1000
