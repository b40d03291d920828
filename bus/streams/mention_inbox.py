"""The mention inboxes: for each actor, where it was mentioned lately."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final

from redis.exceptions import ResponseError

from .. import names
from ..errors import InvalidInput
from ..models import Mention
from ..store import Arg
from .engine import Engine
from .moments import moment
from .replies import pairs, posted_at
from .scripts import script

log = logging.getLogger(__name__)
_KEPT: Final = 100
_KEPT_MS: Final = 7 * 86_400_000


class MentionInbox:
    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def note(self, channel: str, stream_id: str, actors: Iterable[str]) -> None:
        """A message of the channel mentions these; noted once for each, however often it is said."""
        message_id = names.message_id(channel, stream_id)
        noted = [self._run("note_mention", actor, message_id, channel, _KEPT, _KEPT_MS) for actor in dict.fromkeys(actors)]
        for refused in await asyncio.gather(*noted, return_exceptions=True):
            if isinstance(refused, ResponseError):  # that actor's inbox is spoiled; the others', and webhooks, are not
                log.warning("a mention in %s could not be noted: %s", message_id, refused)
            elif isinstance(refused, BaseException):
                raise refused

    async def read(self, key_id: str, actor: str, since: str, limit: int) -> tuple[list[Mention], str]:
        """Those after `since` on channels that the API key may enter, oldest first, and the id to go on after.

        A message that expired, was taken back or fell out of its channel is still named: whoever reads it is told so.
        """
        rows = await self._run("mentions", actor, since, _KEPT_MS)
        noted = [mention for row in rows if (mention := _mention(*row))]
        channels = list({mention.channel for mention in noted})
        made = dict(zip(channels, await asyncio.gather(*(self._made(key_id, each) for each in channels)), strict=True))
        found: list[Mention] = []
        for mention in noted:
            since = mention.cursor
            made_at = made[mention.channel]
            if made_at is not None and made_at <= mention.mentioned_at:
                found.append(mention)
            if len(found) == limit:
                break
        return found, since

    async def _made(self, key_id: str, channel: str) -> datetime | None:
        """When this channel was made: what is older was another's of that name. None: the API key may not enter."""
        reply = await self._engine.send("get_channel", names.channel_id(channel), key_id)
        return moment(pairs(reply[2])["created_ms"]) if reply[0] == "ok" else None

    def _run(self, name: str, actor: str, *args: Arg) -> asyncio.Future[Any]:
        store = self._engine.store
        return store.run(script(name, store.publish_prefix), (self._engine.keys.mentions(actor),), args)


def _mention(cursor: str, flat: Sequence[str]) -> Mention | None:
    """None for an entry that was added by hand and names no message."""
    message_id = pairs(flat).get("message")
    try:
        channel, stream_id = names.split_message_id(message_id)
    except InvalidInput:
        return None
    return Mention(cursor, names.message_id(channel, stream_id), names.public_id(channel), posted_at(stream_id))
