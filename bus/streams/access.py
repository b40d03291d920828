"""Members of restricted channels on Redis: a hash of members, a hash of requests."""

from __future__ import annotations

import json
import secrets
from collections.abc import Sequence

from .. import checks
from ..models import AccessAnswer, AccessRequest, Caller
from .engine import Engine
from .replies import moment


class RedisAccess:
    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def request_access(self, caller: Caller, channel: str, *, reason: str | None = None) -> AccessAnswer:
        name = await self._engine.channel(channel)
        why = checks.optional_text(reason, field="reason") or ""
        reply = await self._engine.run("request_access", name, caller.key_id, caller.label, why, secrets.token_urlsafe(9))
        return AccessAnswer(reply[0], reply[1] if len(reply) > 1 else None)

    async def list_access_requests(self, caller: Caller, channel: str) -> Sequence[AccessRequest]:
        name = await self._engine.channel(channel)
        reply = await self._engine.run("access_requests", name, caller.key_id)
        found = [_request(name, text) for text in reply[1]]
        return sorted((r for r in found if r.status == "pending"), key=lambda r: (r.created_at, r.id))

    async def approve_access_request(self, caller: Caller, channel: str, request_id: str) -> AccessRequest:
        return await self._resolve(caller, channel, request_id, "approved")

    async def deny_access_request(self, caller: Caller, channel: str, request_id: str) -> AccessRequest:
        return await self._resolve(caller, channel, request_id, "denied")

    async def _resolve(self, caller: Caller, channel: str, request_id: str, status: str) -> AccessRequest:
        name = await self._engine.channel(channel)
        reply = await self._engine.run("resolve_access_request", name, caller.key_id, request_id, status)
        return _request(name, reply[1])


def _request(channel: str, text: str) -> AccessRequest:
    kept = json.loads(text)
    return AccessRequest(kept["id"], channel, kept["key_id"], kept["label"], kept["reason"], kept["status"], moment(kept["at"]))
