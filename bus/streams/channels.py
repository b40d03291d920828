"""Channels on Redis: a hash of settings each. Listing and counting are in channel_overview.py, deleting in deletion.py."""

from __future__ import annotations

import json
from typing import Any

from .. import checks, names
from ..channels import Created
from ..credentials import ANY, CHANNELS_MANAGE, CHANNELS_WRITE, READ, require
from ..errors import AliasConflict, BusError
from ..models import (
    ArchivedMessage,
    Caller,
    Channel,
    ChannelChanges,
    ChannelMetrics,
    ChannelSummary,
    Counts,
    Mode,
    NewChannel,
    OwnedTotals,
    Page,
    RelatedChannel,
)
from . import replies
from .channel_fields import ChannelFields
from .channel_index import MOST_ALIASES, ChannelIndex
from .channel_overview import ChannelOverview
from .deletion import Deletion
from .engine import Engine


class RedisChannels:
    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._fields = ChannelFields(engine)
        self._index = ChannelIndex(engine)
        self._deletion = Deletion(engine, self._index)
        self._overview = ChannelOverview(engine)

    async def create(self, caller: Caller, channel: NewChannel) -> Created:
        require(caller, CHANNELS_WRITE)
        name = names.channel_id(channel.name, field="name")
        fields = await self._fields.of_new(caller, channel)
        keys = self._engine.keys
        if not await self._engine.store.command("EXISTS", keys.channel(name)):
            await self._index.announce(name)
        flat = [part for field, value in fields.items() if value is not None for part in (field, value)]
        args = (caller.key_id, channel.mode, channel.access, *flat)
        reply = await self._engine.run("create_channel", name, *args, extra_keys=(keys.gone(name),))
        if reply[0] == "new":
            await self._index.settle(name)
        return Created(await self.shown(name, reply[1]), new=reply[0] == "new")

    async def update(self, caller: Caller, channel: str, changes: ChannelChanges) -> Channel:
        require(caller, CHANNELS_MANAGE)
        name = await self._engine.channel(channel)
        mode, fields = await self._fields.of_changes(name, changes)
        kept = {field: value for field, value in fields.items() if value is not None}
        flat = [part for pair in kept.items() for part in pair]
        removed = [field for field in fields if field not in kept]
        args = (caller.key_id, mode or "", len(kept), *flat, *removed)
        reply = await self._engine.run("update_channel", name, *args, extra_keys=(self._engine.keys.gone(name),))
        if "discoverable" in fields:
            await self._index.settle(name)
        return await self.shown(name, reply[1])

    async def delete(self, caller: Caller, channel: str) -> None:
        require(caller, CHANNELS_MANAGE)
        await self._deletion.delete(caller, await self._engine.channel(channel))

    async def add_alias(self, caller: Caller, channel: str, alias: str) -> Channel:
        require(caller, CHANNELS_MANAGE)
        name = await self._engine.channel(channel)
        other = names.channel_id(alias, field="alias")
        if other == name:
            raise AliasConflict(f"'{other}' is this channel's own name; choose another alias")
        args = (caller.key_id, other, MOST_ALIASES)
        await self._engine.run("add_alias", name, *args, 0)
        await self._index.claim_alias(other, name)
        try:
            reply = await self._engine.run("add_alias", name, *args, 1)
        except BusError:  # deleted just now, or one alias too many: whatever it is, the alias leads nowhere
            await self._index.free_alias(other, name)
            raise
        return await self.shown(name, reply[1])

    async def shown(self, channel: str, flat: list[Any]) -> Channel:
        """A channel from its settings, with the channels it is related to as they are now."""
        related: list[str] = json.loads(replies.pairs(flat).get("related") or "[]")
        calls = [self._engine.store.command("HMGET", self._engine.keys.channel(name), "name", "mode") for name in related]
        found = [(name, await call) for name, call in zip(related, calls, strict=True)]
        there = [RelatedChannel(names.public_id(name), kept[0] or name, Mode(kept[1])) for name, kept in found if kept[1]]
        return replies.channel(channel, flat, there)

    async def history(
        self, caller: Caller, channel: str, *, limit: int = 50, cursor: str | None = None
    ) -> Page[ArchivedMessage]:
        require(caller, READ)
        name = await self._engine.channel(channel)
        limit = checks.page_limit(limit)
        before = names.newest_first_cursor(cursor, field="cursor")
        _, member, rows = await self._engine.run("history", name, caller.key_id, before, limit)
        items = [replies.archived(name, row, key_id=caller.key_id, member=bool(member)) for row in rows]
        return Page(items, rows[-1][0] if len(rows) == limit else None)

    async def metrics(self, caller: Caller, channel: str) -> ChannelMetrics:
        return await self._overview.metrics(caller, channel)

    async def owned(self, caller: Caller) -> OwnedTotals:
        return await self._overview.owned(caller)

    async def get(self, caller: Caller, channel: str) -> Channel:
        require(caller, *ANY)
        name = await self._engine.channel(channel)
        return await self.shown(name, (await self._engine.run("get_channel", name, caller.key_id))[2])

    async def list(self, caller: Caller, *, limit: int = 50, cursor: str | None = None) -> Page[ChannelSummary]:
        return await self._overview.list(caller, limit, cursor)

    async def counts(self, caller: Caller, channel: str) -> Counts:
        return await self._overview.counts(caller, channel)
