"""Deleting a channel: gone in one script, its indexes settled after, what it left cleared away in small steps."""

from __future__ import annotations

import json
import secrets

from ..errors import BusError, StoreUnavailable
from ..models import Caller
from .channel_index import ChannelIndex
from .engine import Engine
from .scripts import script

_TOLD_MS = 3_600_000
"""How long a waiter may be deaf and still learn that its channel is gone; a new channel of that name ends it."""
_ENTRIES_AT_ONCE = 25
"""Each may have some 64 KiB, which the script reads to name its result."""
_STEPS_AT_ONCE, _STEPS_OF_A_ROUND = 20, 400
_DELETIONS_OF_A_ROUND = 20
_CUT_SHORT_AFTER_MS = 60_000


class Deletion:
    """A deletion is written down before it is done, so that one that is cut short is seen to its end by the sweeper."""

    def __init__(self, engine: Engine, index: ChannelIndex) -> None:
        self._engine = engine
        self._index = index

    async def delete(self, caller: Caller, channel: str) -> None:
        """See `Channels.delete`. `channel` is a canonical name."""
        store, keys = self._engine.store, self._engine.keys
        token = secrets.token_hex(8)
        deletion = f"{token} {caller.key_id} {channel}"
        await self._note(deletion, await self._index.now())
        try:
            extra = (keys.gone(channel), keys.put_aside(channel, token), keys.failures(channel))
            reply = await self._engine.run("delete_channel", channel, caller.key_id, _TOLD_MS, extra_keys=extra)
        except StoreUnavailable:
            raise  # it may have been done: the sweeper sees to that
        except BusError:
            await store.command("ZREM", keys.deletions, deletion)
            raise
        self._engine.known.pop(channel, None)
        for alias in json.loads(reply[1] or "[]"):
            await self._index.free_alias(alias, channel)
        await self._index.settle(channel, owner_before=caller.key_id)
        await self._note(deletion, 0)
        await self._clear(deletion, _STEPS_AT_ONCE)

    async def _note(self, deletion: str, began_ms: int) -> None:
        await self._engine.store.run(script("note_deletion"), (self._engine.keys.deletions,), (deletion, began_ms))

    async def sweep(self) -> None:
        """See deletions that were cut short to their end, and clear away some of what large ones left."""
        store, keys = self._engine.store, self._engine.keys
        most = await self._index.now() - _CUT_SHORT_AFTER_MS
        page = ("BYSCORE", "LIMIT", 0, _DELETIONS_OF_A_ROUND)
        found: list[str] = await store.command("ZRANGE", keys.deletions, "-inf", most, *page)
        for deletion in found:
            _, owner, channel = deletion.split(" ", 2)
            await self._index.settle(channel, owner_before=owner)
            await self._clear(deletion, _STEPS_OF_A_ROUND // len(found))

    async def _clear(self, deletion: str, steps: int) -> None:
        token, _, channel = deletion.split(" ", 2)
        prefix = (self._engine.keys.put_aside(channel, token),)
        for _ in range(steps):
            reply = await self._engine.send("clear_deleted", channel, _ENTRIES_AT_ONCE, extra_keys=prefix)
            if not reply[1]:
                await self._engine.store.command("ZREM", self._engine.keys.deletions, deletion)
                return
