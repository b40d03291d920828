"""The life of an API key on Redis, whoever decides on it: minted, rotated, narrowed, revoked. Only its SHA-256 is kept."""

from __future__ import annotations

import hashlib
import json
import re
import secrets
from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import cast

from .. import names
from ..credentials import SCOPES
from ..errors import ActorForbidden, InvalidInput, LabelInUse
from ..models import Caller, IssuedKey, KeyRecord
from .actors import RedisActors
from .audit import Audit
from .engine import Engine, milliseconds
from .moments import moment, optional_moment
from .scripts import script

_RING_MS = 3_600_000
# Stands in the hash tag of Redis keys, so what else would end one there is no key id.
_KEY_ID = re.compile(r"bck_[A-Za-z0-9_-]{1,64}")


def is_key_id(text: str) -> bool:
    return _KEY_ID.fullmatch(text) is not None


def digest(api_key: str) -> str:
    """What is kept of a raw API key."""
    return hashlib.sha256(api_key.encode("utf-8", "surrogatepass")).hexdigest()


def scope_list(scopes: object) -> list[str]:
    """Known scopes, sorted, each once. Raises InvalidInput."""
    if not isinstance(scopes, Iterable) or isinstance(scopes, str | bytes | dict):
        raise InvalidInput(
            f"scopes must be a list of scopes ({', '.join(sorted(SCOPES))})", field="scopes", code="invalid_scopes"
        )
    given = list(cast("Iterable[object]", scopes))
    if any(not isinstance(scope, str) or scope not in SCOPES for scope in given):
        raise InvalidInput(f"scopes may hold {', '.join(sorted(SCOPES))}; nothing else", field="scopes", code="invalid_scope")
    return sorted(set(cast("list[str]", given)))


class ApiKeys:
    def __init__(self, engine: Engine, actors: RedisActors, audit: Audit) -> None:
        self._engine = engine
        self._actors = actors
        self._audit = audit

    async def mint(self, label: object, *, address: str | None, by_admin: bool = False) -> IssuedKey:
        """Raises LabelInUse, InvalidInput.

        The keys involved lie on different slots of a cluster, so this is several steps. What decides is one of them,
        taking the label. A crash before it leaves a record that nobody's key fits; one after it leaves a key that
        nobody was given, which an administrator finds in the list and revokes, which frees its label.
        """
        if label is None:
            raise InvalidInput("agent_label is required", field="agent_label", code="missing_field")
        shown = names.label(label, field="agent_label")
        store, keys = self._engine.store, self._engine.keys
        # 12 and 32 url-safe characters, as the published clients expect them.
        key_id = f"bck_{secrets.token_urlsafe(9)}"
        api_key = _raw(key_id)
        created = await store.run(script("mint_key"), (keys.api_key(key_id),), (digest(api_key), shown))
        await store.command("ZADD", keys.api_keys, created, key_id)
        if not await self._take_label(shown, key_id):
            await store.command("ZREM", keys.api_keys, key_id)
            await store.command("DEL", keys.api_key(key_id))
            raise LabelInUse(f"an active API key has the label '{shown}' already; choose another, or use that key")
        await self._audit.note(
            "key.issue", actor=None if by_admin else key_id, subject=key_id, address=address, agent_label=shown, admin=by_admin
        )
        with suppress(ActorForbidden, InvalidInput):  # taken, or no name for an actor: the key acts under others
            await self._actors.acting(Caller(key_id, shown), None)
        return IssuedKey(key_id, shown, api_key, moment(created))

    async def _take_label(self, label: str, key_id: str) -> bool:
        store, keys = self._engine.store, self._engine.keys
        if await store.command("HSETNX", keys.labels, label, key_id):
            return True
        holder = await store.command("HGET", keys.labels, label)
        if holder is not None:
            secret, revoked = await store.command("HMGET", keys.api_key(holder), "sha256", "revoked_ms")
            if secret and not revoked:
                return False
            # Its revocation was cut short, or its record was deleted by hand.
            await self._free_label(label, holder)
        return bool(await store.command("HSETNX", keys.labels, label, key_id))

    async def _free_label(self, label: str, key_id: str) -> None:
        await self._engine.store.run(script("free_label"), (self._engine.keys.labels,), (label, key_id))

    async def rotate(self, key_id: str, overlap: timedelta) -> IssuedKey | None:
        """A new secret; None when there is no such key, or it was revoked."""
        api_key = _raw(key_id)
        reply = await self._run("rotate_key", key_id, digest(api_key), milliseconds(overlap), _RING_MS)
        return None if reply is None else IssuedKey(key_id, reply[0], api_key, moment(reply[1]))

    async def revoke(self, key_id: str) -> bool | None:
        """Whether it was this call that ended the key; None when there is no such key.

        The record first: a crash in between leaves a revoked key whose label the next one to ask for it gets.
        """
        reply = await self._run("revoke_key", key_id, _RING_MS)
        if reply is None:
            return None
        await self._free_label(reply[0], key_id)
        return bool(reply[1])

    async def set_scopes(
        self, key_id: str, scopes: Sequence[str] | None, *, narrow: bool
    ) -> tuple[bool, frozenset[str] | None]:
        """Whether the key has exactly these scopes now, and those it has (None: all). With `narrow` only fewer are taken.

        A key that is not there (any more) has none.
        """
        text = "" if scopes is None else json.dumps(scopes)
        store, redis_key = self._engine.store, self._engine.keys.api_key(key_id)
        reply = await store.run(script("set_key_scopes"), (redis_key,), (text, "narrow" if narrow else "set"))
        return (False, None) if reply is None else (bool(reply[0]), scopes_of(reply[1]))

    async def record(self, key_id: str) -> KeyRecord | None:
        """The key without its secret; None when there is none."""
        fields = ("label", "scopes", "created_ms", "revoked_ms", "old_until_ms")
        label, scopes, created, revoked, until = await self._engine.store.command(
            "HMGET", self._engine.keys.api_key(key_id), *fields
        )
        if created is None:
            return None
        return KeyRecord(
            key_id, label or key_id, scopes_of(scopes), moment(created), optional_moment(revoked), optional_moment(until)
        )

    async def _run(self, name: str, key_id: str, *args: str | int) -> list[str] | None:
        keys, store = self._engine.keys, self._engine.store
        return await store.run(script(name, store.publish_prefix), (keys.api_key(key_id), keys.revoked(key_id)), args)


def scopes_of(text: str | None) -> frozenset[str] | None:
    """Scopes as a record holds them."""
    return frozenset[str](json.loads(text)) if text else None


def _raw(key_id: str) -> str:
    return f"{key_id}.{secrets.token_urlsafe(24)}"
