"""API keys on Redis: only the SHA-256 of a key is kept."""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from contextlib import suppress
from datetime import UTC, datetime

from .. import names
from ..errors import ActorForbidden, InvalidInput, LabelInUse, MintingClosed, Unauthorized
from ..models import Caller, IssuedKey
from .actors import RedisActors
from .engine import Engine
from .replies import moment

_REVOKED_BELL_MS = 3_600_000
_NOBODY = hashlib.sha256(b"no such key").hexdigest()


def _digest(api_key: str) -> str:
    return hashlib.sha256(api_key.encode("utf-8", "surrogatepass")).hexdigest()


class RedisCredentials:
    def __init__(self, engine: Engine, actors: RedisActors) -> None:
        self._engine = engine
        self._actors = actors

    async def issue(self, label: str) -> IssuedKey:
        if not self._engine.settings.public_minting:
            raise MintingClosed("this bus hands out no API keys by itself; ask whoever runs it for one")
        shown = names.label(label, field="agent_label")
        # 12 and 32 url-safe characters, as the published clients expect them.
        key_id, secret = f"bck_{secrets.token_urlsafe(9)}", secrets.token_urlsafe(24)
        api_key = f"{key_id}.{secret}"
        now = int(datetime.now(UTC).timestamp() * 1000)
        store, keys = self._engine.store, self._engine.keys
        # The record first: a crash in between leaves a key that nobody was given, never a label without a key.
        await store.command("HSET", keys.api_key(key_id), "sha256", _digest(api_key), "label", shown, "created_ms", now)
        if not await store.command("HSETNX", keys.labels, shown, key_id):
            await store.command("DEL", keys.api_key(key_id))
            raise LabelInUse(f"an active API key has the label '{shown}' already; choose another, or use that key")
        await store.command("ZADD", keys.api_keys, now, key_id)
        with suppress(ActorForbidden, InvalidInput):  # taken, or no name for an actor: the key acts under others
            await self._actors.acting(Caller(key_id, shown), None)
        return IssuedKey(key_id, shown, api_key, moment(now))

    async def verify(self, api_key: str) -> Caller:
        key_id, dot, _ = api_key.partition(".")
        if not dot or not key_id.startswith("bck_") or len(api_key) > 200 or not api_key.isascii():
            raise Unauthorized("this is no API key: they look like bck_<id>.<secret>")
        kept: list[str | None] = await self._engine.store.command(
            "HMGET", self._engine.keys.api_key(key_id), "sha256", "label", "scopes", "revoked_ms"
        )
        # Compared even when there is no such key, so that the time taken tells nothing.
        same = hmac.compare_digest(kept[0] or _NOBODY, _digest(api_key))
        if not same or kept[3]:
            raise Unauthorized("this API key is unknown or was revoked; POST /v1/keys (tool: issue_key) gives a new one")
        scopes = frozenset[str](json.loads(kept[2])) if kept[2] else None
        return Caller(key_id, kept[1] or key_id, scopes, api_key)

    async def revoke(self, caller: Caller) -> None:
        store, keys = self._engine.store, self._engine.keys
        now = int(datetime.now(UTC).timestamp() * 1000)
        await store.command("HSET", keys.api_key(caller.key_id), "revoked_ms", now)
        await store.command("SET", keys.revoked(caller.key_id), now, "PX", _REVOKED_BELL_MS)
        if self._engine.store.publish_prefix:
            await store.command("PUBLISH", self._engine.store.publish_prefix + keys.revoked(caller.key_id), "set")
        if await store.command("HGET", keys.labels, caller.label) == caller.key_id:
            await store.command("HDEL", keys.labels, caller.label)
        await store.command("ZREM", keys.api_keys, caller.key_id)

    async def confirm(self, caller: Caller) -> None:
        key = self._engine.keys.api_key(caller.key_id)
        digest, revoked = await self._engine.store.command("HMGET", key, "sha256", "revoked_ms")
        if not digest or revoked:
            raise Unauthorized("this API key was revoked, or the bus it was minted on is no longer there")
