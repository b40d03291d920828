"""Which channels there are and how they do: lists, counts, metrics. Each costs the same however much there is."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from .. import checks
from ..credentials import ANY, CHANNELS_READ, require
from ..models import Caller, Channel, ChannelMetrics, ChannelSummary, Counts, Mode, OwnedTotals, Page
from . import newest_first, replies
from .engine import Engine
from .moments import moment, optional_moment

_MOST_OWNED = 1000
_COUNTED_AT_ONCE = 100
_NEWEST_FINISHED = 100


class ChannelOverview:
    """See `Channels` for its verbs."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def list(self, caller: Caller, limit: int, cursor: str | None) -> Page[ChannelSummary]:
        require(caller, CHANNELS_READ)
        limit = checks.page_limit(limit)
        position, keys = newest_first.position(cursor), self._engine.keys
        shown, next_cursor = await position.page(self._engine.store, keys.discoverable, limit)
        calls = [self._engine.send("get_channel", name, caller.key_id) for name, _ in shown]
        counts = [self._engine.send("counts", name, caller.key_id) for name, _ in shown]
        items: list[ChannelSummary] = []
        for (name, _), get, count in zip(shown, calls, counts, strict=True):
            reply, counted = await get, await count
            if reply[0] == "ok":
                items.append(_summary(replies.channel(name, reply[2]), bool(reply[1]), _counts(counted)))
            elif reply[0] == "channel_access_denied" and (closed := await self._closed(name)):
                items.append(closed)
        return Page(items, next_cursor)

    async def _closed(self, name: str) -> ChannelSummary | None:
        """A discoverable restricted channel: that it exists is public, what it holds is not. None: deleted just now."""
        kept = await self._engine.store.command("HGETALL", self._engine.keys.channel(name))
        return _summary(replies.channel(name, kept), False, Counts()) if kept else None

    async def counts(self, caller: Caller, channel: str) -> Counts:
        require(caller, *ANY)
        name = await self._engine.channel(channel)
        return _counts(await self._engine.run("counts", name, caller.key_id))

    async def metrics(self, caller: Caller, channel: str) -> ChannelMetrics:
        require(caller, CHANNELS_READ)
        name = await self._engine.channel(channel)
        found = await self._engine.run("metrics", name, caller.key_id, _NEWEST_FINISHED)
        counted = _counts(await self._engine.run("counts", name, caller.key_id))
        took = [float(ms) for ms in found[3]]
        average = timedelta(milliseconds=round(sum(took) / len(took))) if took else None
        return ChannelMetrics(counted, int(found[2]), average, moment(found[1]))

    async def owned(self, caller: Caller) -> OwnedTotals:
        require(caller, CHANNELS_READ)
        store, keys = self._engine.store, self._engine.keys
        owned: list[str] = await store.command("ZREVRANGE", keys.owned(caller.key_id), 0, _MOST_OWNED - 1)
        counted: list[Counts] = []
        for start in range(0, len(owned), _COUNTED_AT_ONCE):
            calls = [self._engine.send("counts", name, caller.key_id) for name in owned[start : start + _COUNTED_AT_ONCE]]
            found = [await call for call in calls]
            # The index may lag behind a channel's deletion, and somebody else's may have its name by now.
            counted += [_counts(reply) for reply in found if reply[0] == "ok" and reply[9] == caller.key_id]
        return OwnedTotals(len(counted), sum(c.total for c in counted), sum(c.in_flight for c in counted))


def _summary(channel: Channel, member: bool, counts: Counts) -> ChannelSummary:
    return ChannelSummary(
        channel.id, channel.name, channel.mode, channel.access, channel.description, channel.created_at, member, counts
    )


def _counts(reply: Sequence[object]) -> Counts:
    if reply[0] != "ok":
        return Counts()
    total, waiting, delayed, in_flight, done, dead = (int(str(n)) for n in reply[2:8])
    if reply[1] == Mode.BROADCAST:
        return Counts(total=total)
    return Counts(total, waiting, delayed, in_flight, done, dead, optional_moment(str(reply[8])))
