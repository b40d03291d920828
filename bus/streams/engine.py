"""What every concept stands on: the store, the key names, the bell; runs a channel's script and raises its refusals."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import lru_cache
from typing import Any

from rapidfuzz import fuzz, process

from .. import names
from ..errors import BusError, ChannelNotFound, MessageNotFound
from ..keys import Keys
from ..names import split_message_id
from ..settings import Settings
from ..store import Arg, Store
from .bell import Bell
from .outboxes import Outboxes
from .refusals import REFUSALS
from .scripts import script

ACCEPTED = frozenset({"ok", "new", "dup", "existing", "none", "again", "open", "already_member", "pending", "schema"})
CONFIRMED = frozenset({"post", "ack"})
"""The scripts whose success is a promise to keep something: they wait for what BACKCHANNEL_DURABILITY asks for."""
_NAMES_LOOKED_AT = 200
_NAMES_REMEMBERED = 10_000


@dataclass(frozen=True, slots=True)
class Engine:
    store: Store
    keys: Keys
    bell: Bell
    settings: Settings
    known: OrderedDict[str, None] = field(default_factory=OrderedDict[str, None], compare=False, repr=False)
    """Channels that exist, so whose names are nobody's alias; a deleted one stays until it is asked for."""
    outboxes: Outboxes = field(default_factory=Outboxes, compare=False, repr=False)

    def send(self, name: str, channel: str, *args: Arg, extra_keys: Sequence[str] = ()) -> asyncio.Future[Any]:
        """Start a channel's script; its raw reply."""
        keys = _of_channel(self.keys, channel)
        if extra_keys:
            keys = (*keys, *extra_keys)
        run = self.store.run_confirmed if name in CONFIRMED else self.store.run
        return run(script(name, self.store.publish_prefix), keys, args)

    async def run(self, name: str, channel: str, *args: Arg, extra_keys: Sequence[str] = ()) -> list[Any]:
        """Run a channel's script. Raises what its refusal means."""
        return await self.accepted(channel, await self.send(name, channel, *args, extra_keys=extra_keys))

    async def run_on_message(self, name: str, channel: str, *args: Arg) -> list[Any]:
        """`run` for a message that was named: where there is no channel, there is no such message."""
        try:
            return await self.run(name, channel, *args)
        except ChannelNotFound:
            raise MessageNotFound(f"there is no channel '{channel}', so no such message") from None

    async def channel(self, text: str, *, field: str = "channel") -> str:
        """The canonical name of the channel meant by a name or an alias. Raises InvalidInput."""
        name = names.channel_id(text, field=field)
        if name in self.known:
            return name
        return await self.store.command("HGET", self.keys.aliases, name) or name

    async def accepted(self, channel: str, reply: list[Any]) -> list[Any]:
        """The reply, unless it is a refusal: then raises what it means."""
        if reply[0] in ACCEPTED:
            self._remember(channel)
            return reply
        raise await self.refusal(channel, reply)

    async def refusal(self, channel: str, reply: Sequence[Any]) -> BusError:
        if reply[0] == ChannelNotFound.code:
            self.known.pop(channel, None)
            return await self.channel_not_found(channel)
        return REFUSALS[reply[0]](channel, list(reply[1:]))

    def _remember(self, channel: str) -> None:
        if channel not in self.known:
            self.known[channel] = None
            if len(self.known) > _NAMES_REMEMBERED:
                self.known.popitem(last=False)

    async def channel_not_found(self, channel: str) -> ChannelNotFound:
        """With the names most like it among the newest, for whoever misremembered one."""
        known: list[str] = await self.store.command("ZREVRANGE", self.keys.discoverable, 0, _NAMES_LOOKED_AT - 1)
        nearest = [str(found[0]) for found in process.extract(channel, known, scorer=fuzz.ratio, limit=3, score_cutoff=50)]
        hint = f"nearest: {', '.join(nearest)}" if nearest else "list_channels shows what there is; posting a task creates it"
        return ChannelNotFound(f"there is no channel '{channel}' ({hint})", nearest=nearest)


@lru_cache(maxsize=4096)
def _of_channel(keys: Keys, channel: str) -> tuple[str, ...]:
    return keys.of_channel(channel)


def place(message_id: str) -> tuple[str, str]:
    """Channel and stream id of a message id. What is no message id names no message. Raises MessageNotFound."""
    try:
        return split_message_id(message_id)
    except BusError as why:
        raise MessageNotFound(f"no such message: {why.message}") from None


def milliseconds(duration: timedelta | None) -> int | str:
    """For a script: whole ms, '' for None."""
    return "" if duration is None else int(duration.total_seconds() * 1000)
