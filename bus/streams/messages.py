"""Messages on Redis Streams: posting, reading by cursor, looking at one."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from .. import checks, names
from ..credentials import READ, WRITE, require
from ..errors import ChannelExists, ChannelNotFound, InvalidInput, MessageExpired, MessageNotFound
from ..idempotency import kept_for
from ..messages import NO_WAIT
from ..models import Caller, Chain, Message, Mode, NewChannel, Page, Posted, Workers
from . import replies
from .actors import RedisActors
from .chains import Chains, mode_of
from .channels import RedisChannels
from .course import CHAIN, HOP
from .credentials import RedisCredentials
from .engine import Engine, milliseconds, place
from .mentions import checked, resolved
from .moments import moment, optional_moment
from .schemas import Schemas
from .waiting import Seen, until

_RETRACTED_KEPT = 1000
"""Of so many retracted broadcasts a reader that comes late is not told that it missed them."""


class RedisMessages:
    def __init__(self, engine: Engine, channels: RedisChannels, actors: RedisActors, credentials: RedisCredentials) -> None:
        self._engine = engine
        self._channels = channels
        self._actors = actors
        self._credentials = credentials
        self._schemas = Schemas(engine)
        self._chains = Chains(engine)

    async def post(
        self,
        caller: Caller,
        channel: str,
        content: str,
        *,
        mode: Mode | None = None,
        create: bool = False,
        metadata: Mapping[str, Any] | None = None,
        actor: str | None = None,
        label: str | None = None,
        delay: timedelta = NO_WAIT,
        mentions: Sequence[str] = (),
        chain: Chain | None = None,
        idempotency_key: str | None = None,
    ) -> Posted:
        require(caller, WRITE)
        name = await self._engine.channel(channel)
        fields = await self._fields(caller, content, metadata, actor, label, chain)
        once = checks.idempotency_key(idempotency_key)
        named = checked(mentions)
        fingerprint, kept_ms = (_fingerprint(fields, delay, named), milliseconds(kept_for(once))) if once else ("-", 0)
        flat = [part for field, value in fields.items() if value is not None for part in (field, value)]
        mentioned = await resolved(self._actors, caller, named)
        args = (caller.key_id, mode_of(chain, mode) or "", _delay_ms(delay), fingerprint, kept_ms, mentioned)
        once_key = (self._engine.keys.once(name, caller.key_id, "post", once),) if once else ()
        send = partial(self._schemas.post, name, args, flat, once_key)
        nearest: Sequence[str] | None = None
        try:
            reply = await self._chains.counted(fields.get(CHAIN), once_key, send)
        except ChannelNotFound as missing:
            if not create:
                raise
            nearest = missing.details["nearest"] if await self._make(caller, channel, mode) else None
            reply = await self._chains.counted(fields.get(CHAIN), once_key, send)
        if reply[0] == "dup":
            return Posted(await self._posted_before(caller, name, reply[1], flat), reply[1], replayed=True)
        if reply[6]:
            self._engine.outboxes.wrote(name)
        return _posted(name, reply, flat, nearest)

    async def _fields(
        self,
        caller: Caller,
        content: str,
        metadata: Mapping[str, Any] | None,
        actor: str | None,
        label: str | None,
        chain: Chain | None,
    ) -> dict[str, str | None]:
        settings = self._engine.settings
        return {
            "key": caller.key_id,
            "label": names.label(label) if label is not None else None,
            "content": checks.content(content, max_bytes=settings.max_message_bytes),
            "metadata": checks.metadata_text(metadata, max_bytes=settings.max_metadata_bytes),
            "actor": await self._actors.acting(caller, actor) if actor is not None else None,
            **self._chains.fields(chain),
        }

    async def _make(self, caller: Caller, channel: str, mode: Mode | None) -> bool:
        with suppress(ChannelExists):  # somebody else was quicker: posting says whether theirs will do
            return (await self._channels.create(caller, NewChannel(channel, mode=mode or Mode.CLAIMABLE))).new
        return False

    async def _posted_before(self, caller: Caller, channel: str, stream_id: str, flat: list[str]) -> Message:
        try:
            return await self.get(caller, names.message_id(channel, stream_id))
        except (MessageNotFound, MessageExpired):  # long finished: what is known is what was posted
            return replies.message(channel, replies.row_of(stream_id, flat), key_id=caller.key_id, member=False)

    async def subscribe(
        self,
        caller: Caller,
        channel: str,
        *,
        since: str | None = None,
        limit: int = 50,
        status: str | None = None,
        expiring_before: datetime | None = None,
        actor: str | None = None,
        wait: timedelta = NO_WAIT,
    ) -> Page[Message]:
        require(caller, READ)
        name = await self._engine.channel(channel)
        limit = checks.page_limit(limit)
        if status not in (None, "unclaimed", "claimed"):
            raise InvalidInput("status must be 'unclaimed' or 'claimed'", field="status", code="invalid_status")
        reader = replies.consumer(caller.key_id, await self._actors.acting(caller, actor)) if actor is not None else ""
        position: tuple[str, int | None] = names.stream_cursor(since) if since is not None else ("", None)
        looking_for = (limit, status or "", reader, "" if expiring_before is None else _ms(expiring_before))

        async def look() -> Seen[Page[Message]]:
            nonlocal position
            number = "" if position[1] is None else position[1]
            reply = await self._engine.run("read", name, caller.key_id, position[0], number, *looking_for)
            page = _page(name, reply, caller, since)
            if position[0] and page.next_cursor:  # a page of which nothing was shown still moves on
                position = names.stream_cursor(page.next_cursor)
            return Seen(page, enough=bool(page.items))

        keys = self._engine.keys
        shared = (keys.stream(name), keys.gone(name))
        return await until(self._engine, self._credentials, caller, look, wait, shared=shared)

    async def get(self, caller: Caller, message_id: str) -> Message:
        require(caller, READ)
        return (await self.look_at(caller, message_id))[0]

    async def retract(self, caller: Caller, message_id: str) -> Message:
        require(caller, WRITE)
        channel, stream_id = place(message_id)
        reply = await self._engine.run_on_message("retract", channel, caller.key_id, stream_id, _RETRACTED_KEPT)
        return replies.message(channel, reply[1], key_id=caller.key_id, member=False)

    async def look_at(self, caller: Caller, message_id: str) -> tuple[Message, float]:
        """The message, and the seconds until time alone may change it (its lease, delay or time to live ends)."""
        channel, stream_id = place(message_id)
        reply = await self._engine.run_on_message("get", channel, caller.key_id, stream_id)
        found = replies.message(channel, reply[4], key_id=caller.key_id, member=bool(reply[2]), receipts=reply[5])
        next_change = found.hold.lease_expires_at if found.hold else found.available_at or found.expires_at
        return found, (next_change - moment(reply[3])).total_seconds()


def _delay_ms(delay: timedelta) -> int | str:
    if delay < NO_WAIT:
        raise InvalidInput("delay_seconds must not be negative", field="delay_seconds", code="invalid_delay_seconds")
    return milliseconds(delay)


def _fingerprint(fields: Mapping[str, str | None], delay: timedelta, mentioned: Sequence[str]) -> str:
    """Of what the caller says. The chain is where it stands when it says so: a repeat may come from further on."""
    said = {name: value for name, value in fields.items() if name not in (CHAIN, HOP)}
    return hashlib.sha256(json.dumps([said, str(delay), mentioned]).encode()).hexdigest()


def _ms(when: datetime) -> str:
    """For a script; a naive moment is taken as UTC."""
    return f"{(when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp() * 1000:.3f}"


def _posted(channel: str, reply: list[Any], flat: list[str], nearest: Sequence[str] | None) -> Posted:
    """`nearest`: None unless the channel was created for it."""
    _, stream_id, expires_ms, number, available_ms, mentions, _, working = reply
    state = "delayed" if available_ms else "" if number else "waiting"
    row = replies.row_of(stream_id, [*flat, "mentions", mentions, "_exp", expires_ms], state, available_ms or 0)
    message = replies.message(channel, row, key_id="", member=False)
    workers = Workers(int(working[0]), int(working[1]), optional_moment(working[2])) if working else None
    cursor = f"{stream_id}~{number}" if number else stream_id
    return Posted(message, cursor, channel_created=nearest is not None, workers=workers, nearest=nearest or ())


def _page(channel: str, reply: list[Any], caller: Caller, since: str | None) -> Page[Message]:
    _, _, member, _, cursor, missed, rows, receipts = reply
    items = [
        replies.message(channel, row, key_id=caller.key_id, member=bool(member), receipts=receipts[i] if receipts else "")
        for i, row in enumerate(rows)
    ]
    return Page(items, cursor or since, missed=int(missed))
