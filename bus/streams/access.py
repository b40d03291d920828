"""Who asks to enter a restricted channel, on Redis: a hash of requests, one for each API key."""

from __future__ import annotations

import json
import secrets
from collections.abc import Sequence

from .. import checks, names
from ..credentials import CHANNELS_MANAGE, CHANNELS_READ, require
from ..models import AccessAnswer, AccessRequest, Caller
from .engine import Engine
from .moments import moment

_MOST_REQUESTS = 1000


class RedisAccess:
    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def request_access(self, caller: Caller, channel: str, *, reason: str | None = None) -> AccessAnswer:
        require(caller, CHANNELS_READ)
        name = await self._engine.channel(channel)
        why = checks.optional_text(reason, field="reason") or ""
        # The id leads to the requester, so that one field of the hash is all there is to read.
        request_id = f"{caller.key_id}~{secrets.token_urlsafe(9)}"
        reply = await self._engine.run("request_access", name, caller.key_id, caller.label, why, request_id, _MOST_REQUESTS)
        return AccessAnswer(reply[0], reply[1] if len(reply) > 1 else None)

    async def list_access_requests(self, caller: Caller, channel: str) -> Sequence[AccessRequest]:
        require(caller, CHANNELS_MANAGE)
        name = await self._engine.channel(channel)
        reply = await self._engine.run("access_requests", name, caller.key_id)
        found = [_request(name, text) for text in reply[1]]
        return sorted((r for r in found if r.status == "pending"), key=lambda r: (r.created_at, r.id))

    async def approve_access_request(self, caller: Caller, channel: str, request_id: str) -> AccessRequest:
        return await self._resolve(caller, channel, request_id, "approved")

    async def deny_access_request(self, caller: Caller, channel: str, request_id: str) -> AccessRequest:
        return await self._resolve(caller, channel, request_id, "denied")

    async def _resolve(self, caller: Caller, channel: str, request_id: str, status: str) -> AccessRequest:
        require(caller, CHANNELS_MANAGE)
        name = await self._engine.channel(channel)
        requester = request_id.rpartition("~")[0]
        reply = await self._engine.run("resolve_access_request", name, caller.key_id, requester, request_id, status)
        self._engine.outboxes.wrote(name)
        return _request(name, reply[1])


def _request(channel: str, text: str) -> AccessRequest:
    kept = json.loads(text)
    return AccessRequest(
        kept["id"], names.public_id(channel), kept["key_id"], kept["label"], kept["reason"], kept["status"], moment(kept["at"])
    )
