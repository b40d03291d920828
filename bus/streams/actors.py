"""Actors on Redis: one hash, the first API key that uses a name keeps it."""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from .. import checks, names
from ..errors import ActorForbidden, ActorNotFound
from ..models import Actor, Caller
from .engine import Engine
from .replies import moment

_REMEMBERED = 10_000


class RedisActors:
    """Whose a name is never changes, so what was seen once need not be asked again."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._owners: OrderedDict[str, str] = OrderedDict()

    async def create(
        self, caller: Caller, name: str, *, description: str = "", metadata: Mapping[str, Any] | None = None
    ) -> Actor:
        actor = names.actor_name(name, field="name")
        about = checks.optional_text(description, field="description") or ""
        kept = checks.metadata_text(metadata, max_bytes=self._engine.settings.max_metadata_bytes)
        found = await self._register(caller, actor, about, kept)
        if found.key_id != caller.key_id:
            raise _forbidden(actor)
        return found

    async def get(self, caller: Caller, name: str) -> Actor:
        actor = names.actor_name(name, field="actor")
        text = await self._engine.store.command("HGET", self._engine.keys.actors, actor)
        if text is None:
            raise ActorNotFound(f"there is no actor '{actor}'; it exists from its first claim on, or when it is created")
        return _actor(actor, text)

    async def acting(self, caller: Caller, name: str | None) -> str:
        """The actor the caller acts as: the name given, which becomes the key's if it is free, else the key's label.

        Raises ActorForbidden, InvalidInput.
        """
        actor = names.actor_name(name if name is not None else caller.label)
        if self._owners.get(actor) == caller.key_id:
            return actor
        owner = (await self._register(caller, actor, "", "{}")).key_id
        if owner != caller.key_id:
            raise _forbidden(actor)
        self._owners[actor] = owner
        if len(self._owners) > _REMEMBERED:
            self._owners.popitem(last=False)
        return actor

    async def _register(self, caller: Caller, actor: str, description: str, metadata: str) -> Actor:
        now = datetime.now(UTC).timestamp() * 1000
        record = {"key_id": caller.key_id, "created_ms": int(now), "description": description, "metadata": json.loads(metadata)}
        key = self._engine.keys.actors
        await self._engine.store.command("HSETNX", key, actor, json.dumps(record, ensure_ascii=False))
        return _actor(actor, await self._engine.store.command("HGET", key, actor))


def _forbidden(actor: str) -> ActorForbidden:
    return ActorForbidden(f"the actor name '{actor}' belongs to another API key; act under another name")


def _actor(name: str, text: str) -> Actor:
    kept: dict[str, Any] = json.loads(text)
    created, updated = moment(kept["created_ms"]), moment(kept.get("updated_ms") or kept["created_ms"])
    return Actor(name, kept["key_id"], kept["description"], kept["metadata"], created, updated)
