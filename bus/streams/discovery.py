"""What there is and how much of it: lists of channels, counts, metrics. Each costs the same however much there is."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from .. import checks
from ..credentials import ANY, CHANNELS_READ, require
from ..errors import InvalidInput
from ..models import Caller, Channel, ChannelMetrics, ChannelSummary, Counts, Mode, OwnedTotals, Page
from . import replies
from .engine import Engine

_MOST_OWNED = 1000
_COUNTED_AT_ONCE = 100
_NEWEST_FINISHED = 100


class Discovery:
    """See `Channels` for its verbs."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def list(self, caller: Caller, limit: int, cursor: str | None) -> Page[ChannelSummary]:
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
            elif reply[0] == "channel_access_denied" and (closed := await self._closed(name)):
                items.append(closed)
        next_cursor = None
        if len(shown) == limit:
            last = shown[-1][1]
            same = sum(1 for _, score in shown if score == last)
            next_cursor = f"{last}.{same + (skip if most == str(last) else 0)}"
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
        return ChannelMetrics(counted, int(found[2]), average, replies.moment(found[1]))

    async def owned(self, caller: Caller) -> OwnedTotals:
        require(caller, CHANNELS_READ)
        store, keys = self._engine.store, self._engine.keys
        names: list[str] = await store.command("ZREVRANGE", keys.owned(caller.key_id), 0, _MOST_OWNED - 1)
        counted: list[Counts] = []
        for start in range(0, len(names), _COUNTED_AT_ONCE):
            calls = [self._engine.send("counts", name, caller.key_id) for name in names[start : start + _COUNTED_AT_ONCE]]
            found = [await call for call in calls]
            # The index may lag behind a channel's deletion, and somebody else's may have its name by now.
            counted += [_counts(reply) for reply in found if reply[0] == "ok" and reply[9] == caller.key_id]
        return OwnedTotals(len(counted), sum(c.total for c in counted), sum(c.in_flight for c in counted))


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


def _counts(reply: Sequence[object]) -> Counts:
    if reply[0] != "ok":
        return Counts()
    total, waiting, delayed, in_flight, done, dead = (int(str(n)) for n in reply[2:8])
    if reply[1] == Mode.BROADCAST:
        return Counts(total=total)
    return Counts(total, waiting, delayed, in_flight, done, dead, replies.optional_moment(str(reply[8])))
