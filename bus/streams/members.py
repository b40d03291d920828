"""Members of channels on Redis: a hash of who may enter, a stream of what happened to that."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from datetime import timedelta

from .. import checks, names
from ..credentials import CHANNELS_MANAGE, require
from ..errors import InvalidInput
from ..models import Caller, Member, MembershipEvent, Page
from . import replies
from .engine import Engine
from .moments import moment

_LIFETIME = timedelta(days=1)
_KEY_ID = re.compile(r"[A-Za-z0-9_-]{1,200}")


class RedisMembers:
    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def list(self, caller: Caller, channel: str) -> Sequence[Member]:
        require(caller, CHANNELS_MANAGE)
        name = await self._engine.channel(channel)
        _, owner, created_ms, flat = await self._engine.run("members", name, caller.key_id)
        others = [_member(name, key_id, text) for key_id, text in replies.pairs(flat).items()]
        return [
            Member(names.public_id(name), owner, moment(created_ms)),
            *sorted(others, key=lambda member: (member.granted_at, member.key_id)),
        ]

    async def add(self, caller: Caller, channel: str, key_id: str) -> Member:
        require(caller, CHANNELS_MANAGE)
        name = await self._engine.channel(channel)
        subject = _key_id(key_id)
        return _member(name, subject, (await self._engine.run("add_member", name, caller.key_id, subject))[1])

    async def remove(self, caller: Caller, channel: str, key_id: str) -> None:
        require(caller, CHANNELS_MANAGE)
        name = await self._engine.channel(channel)
        told = (self._engine.keys.gone(name),)
        await self._engine.run("remove_member", name, caller.key_id, _key_id(key_id), extra_keys=told)

    async def events(self, caller: Caller, channel: str, *, since: str | None = None, limit: int = 50) -> Page[MembershipEvent]:
        require(caller, CHANNELS_MANAGE)
        name = await self._engine.channel(channel)
        limit = checks.page_limit(limit)
        after = names.stream_cursor(since)[0] if since is not None else "0-0"
        found = (await self._engine.run("membership_events", name, caller.key_id, after, limit))[1]
        return Page([_event(name, stream_id, flat) for stream_id, flat in found], found[-1][0] if found else since)


def _key_id(text: object) -> str:
    """The id of an API key, whether there is one or not. Raises InvalidInput."""
    if not isinstance(text, str) or not text.strip():
        raise InvalidInput("key_id must be a non-empty string", field="key_id", code="invalid_string")
    if not _KEY_ID.fullmatch(text.strip()):  # nor a whole key, which belongs in no record
        raise InvalidInput(
            "key_id must be an API key's id, like bck_kHdU2jC7RKve: what stands before the key's dot",
            field="key_id",
            code="invalid_key_id",
        )
    return text.strip()


def _member(channel: str, key_id: str, text: str) -> Member:
    kept = json.loads(text)
    return Member(names.public_id(channel), key_id, moment(kept["at"]), kept.get("via") or None)


def _event(channel: str, stream_id: str, flat: Sequence[str]) -> MembershipEvent:
    fields, at = replies.pairs(flat), replies.posted_at(stream_id)
    return MembershipEvent(
        id=names.message_id(channel, stream_id),
        channel=names.public_id(channel),
        event_type=fields["event"],
        actor_key_id=fields.get("by") or None,
        subject_key_id=fields.get("subject") or None,
        invitation_id=fields.get("invitation") or None,
        created_at=at,
        expires_at=at + _LIFETIME,
    )
