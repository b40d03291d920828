"""Channels on Redis: a hash of settings each, and two indexes of their names."""

from __future__ import annotations

from datetime import timedelta

from .. import checks, names
from ..channels import Created
from ..credentials import CHANNELS_READ, CHANNELS_WRITE, require
from ..errors import InvalidInput
from ..models import Access, Caller, Channel, ChannelSummary, Counts, Mode, NewChannel, Page
from . import replies
from .engine import Engine

_DAY = timedelta(days=1)
_TTL = (timedelta(seconds=300), 30 * _DAY)
_RETENTION = (_DAY, 365 * _DAY)
LEASE = (timedelta(seconds=1), _DAY)
_MILLION = 1_000_000


class RedisChannels:
    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def create(self, caller: Caller, channel: NewChannel) -> Created:
        require(caller, CHANNELS_WRITE)
        name = names.channel_id(channel.name, field="name")
        fields = self._fields(caller, channel)
        # Indexed first: a crash in between leaves a name that listing passes over, never a channel nobody finds.
        store, keys = self._engine.store, self._engine.keys
        now = (await store.command("TIME"))[0]
        await store.command("ZADD", keys.channels, "NX", int(now) * 1000, name)
        flat = [part for pair in fields.items() for part in pair]
        reply = await self._engine.run("create_channel", name, channel.mode, channel.access, *flat)
        made = replies.channel(name, reply[1])
        if made.discoverable:
            await store.command("ZADD", keys.discoverable, "NX", int(made.created_at.timestamp() * 1000), name)
        return Created(made, new=reply[0] == "new")

    def _fields(self, caller: Caller, channel: NewChannel) -> dict[str, str | int]:
        settings = self._engine.settings
        lease = settings.default_lease if channel.lease is None else channel.lease
        ttl = settings.default_ttl if channel.ttl is None else channel.ttl
        retention = settings.default_retention if channel.retention is None else channel.retention
        deliveries = settings.default_max_deliveries if channel.max_deliveries is None else channel.max_deliveries
        discoverable = channel.discoverable
        if discoverable is None:
            discoverable = settings.default_discoverable and channel.access is Access.OPEN
        fields: dict[str, str | int] = {
            "name": channel.name.strip(),
            "owner_key_id": caller.key_id,
            "owner_label": caller.label,
            "discoverable": int(discoverable),
            "description": checks.optional_text(channel.description, field="description") or "",
            "ttl_ms": checks.duration(ttl, field="ttl_seconds", least=_TTL[0], most=_TTL[1]),
            "retention_ms": checks.duration(retention, field="retention_days", least=_RETENTION[0], most=_RETENTION[1]),
            "lease_ms": checks.duration(lease, field="lease_seconds", least=LEASE[0], most=LEASE[1]),
            "max_deliveries": checks.whole(deliveries, field="max_deliveries", least=1, most=1000),
        }
        if (pinned := checks.optional_text(channel.pinned_message, field="pinned_message", max_chars=10_000)) is not None:
            fields["pinned_message"] = pinned
        for field in ("max_messages", "max_writes_per_minute"):
            if (value := getattr(channel, field)) is not None:
                fields[field] = checks.whole(value, field=field, least=1, most=_MILLION)
        return fields

    async def get(self, caller: Caller, channel: str) -> Channel:
        name = await self._engine.channel(channel)
        return replies.channel(name, (await self._engine.run("get_channel", name, caller.key_id))[2])

    async def list(self, caller: Caller, *, limit: int = 50, cursor: str | None = None) -> Page[ChannelSummary]:
        require(caller, CHANNELS_READ)
        limit = checks.page_limit(limit)
        store, keys = self._engine.store, self._engine.keys
        most, skip = _list_cursor(cursor)
        # Newest first; `skip` passes over those of the cursor's own millisecond that were shown before.
        found: list[str] = await store.command(
            "ZRANGE", keys.discoverable, most, "-inf", "BYSCORE", "REV", "LIMIT", skip, limit, "WITHSCORES"
        )
        shown = list(zip(found[::2], (int(float(score)) for score in found[1::2]), strict=True))
        calls = [self._engine.send("get_channel", name, caller.key_id) for name, _ in shown]
        counts = [self._engine.send("counts", name, caller.key_id) for name, _ in shown]
        items: list[ChannelSummary] = []
        for (name, _), get, count in zip(shown, calls, counts, strict=True):
            reply, counted = await get, await count
            if reply[0] == "ok":
                items.append(_summary(replies.channel(name, reply[2]), bool(reply[1]), _counts(counted)))
            elif reply[0] == "channel_access_denied":
                items.append(await self._closed(name))
        next_cursor = None
        if len(shown) == limit:
            last = shown[-1][1]
            same = sum(1 for _, score in shown if score == last)
            next_cursor = f"{last}.{same + (skip if most == str(last) else 0)}"
        return Page(items, next_cursor)

    async def _closed(self, name: str) -> ChannelSummary:
        """A discoverable restricted channel: that it exists is public, what it holds is not."""
        kept = await self._engine.store.command("HGETALL", self._engine.keys.channel(name))
        return _summary(replies.channel(name, kept), False, Counts())

    async def counts(self, caller: Caller, channel: str) -> Counts:
        name = await self._engine.channel(channel)
        return _counts(await self._engine.run("counts", name, caller.key_id))


def _list_cursor(cursor: str | None) -> tuple[str, int]:
    if cursor is None or cursor in ("", "0"):
        return "+inf", 0
    most, _, skip = cursor.partition(".")
    if most.isdecimal() and skip.isdecimal() and len(cursor) < 40:
        return most, int(skip)
    raise InvalidInput("cursor must be the next_cursor of an earlier page", field="cursor", code="invalid_cursor")


def _summary(channel: Channel, member: bool, counts: Counts) -> ChannelSummary:
    return ChannelSummary(
        channel.id, channel.name, channel.mode, channel.access, channel.description, channel.created_at, member, counts
    )


def _counts(reply: list[object]) -> Counts:
    if reply[0] != "ok":
        return Counts()
    total, waiting, delayed, in_flight, done, dead = (int(str(n)) for n in reply[2:8])
    if reply[1] == Mode.BROADCAST:
        return Counts(total=total)
    return Counts(total, waiting, delayed, in_flight, done, dead, replies.optional_moment(str(reply[8])))
