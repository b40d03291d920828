"""Actors on Redis: one hash, the first API key that uses a name keeps it."""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

from .. import checks, names
from ..credentials import ANY, READ, require
from ..errors import ActorForbidden, ActorNotFound
from ..models import Actor, Caller, Mention, Page
from ..store import Arg
from .engine import ACCEPTED, Engine
from .mention_inbox import MentionInbox
from .moments import moment
from .refusals import REFUSALS
from .scripts import script

_REMEMBERED = 10_000
_MOST_ALIASES = 20


class RedisActors:
    """Which actor a name stands for never changes, nor whose it is while that API key is good; so what was seen once need
    not be asked again."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._inbox = MentionInbox(engine)
        self._seen: OrderedDict[str, tuple[str, str]] = OrderedDict()
        """A name or an alias, to the actor's name and the API key it belongs to."""

    async def create(
        self, caller: Caller, name: str, *, description: str | None = None, metadata: Mapping[str, Any] | None = None
    ) -> Actor:
        require(caller, *ANY)
        actor = names.actor_name(name, field="name")
        about = checks.optional_text(description, field="description")
        kept = None
        if metadata is not None:
            kept = checks.metadata_text(metadata, max_bytes=self._engine.settings.max_metadata_bytes)
        found = await self._register(caller, actor, about, kept)
        if found.key_id != caller.key_id:
            raise _forbidden(actor)
        return found

    async def add_alias(self, caller: Caller, name: str, alias: str) -> Actor:
        require(caller, *ANY)
        actor, other = names.actor_name(name), names.actor_name(alias, field="alias")
        return _actor(*await self._run("alias_actor", actor, caller.key_id, other, _MOST_ALIASES))

    async def get(self, caller: Caller, name: str) -> Actor:
        actor = names.actor_name(name, field="actor")
        return _actor(*await self._run("get_actor", actor))

    async def mentions(self, caller: Caller, name: str, *, since: str | None = None, limit: int = 50) -> Page[Mention]:
        require(caller, READ)
        limit = checks.page_limit(limit)
        after = "0-0" if since is None else names.stream_cursor(since)[0]
        given = names.actor_name(name, field="actor")
        if self._seen.get(given, ("", ""))[1] != caller.key_id:
            await self.get(caller, given)  # reading makes no actor of a name that is none
        found, last = await self._inbox.read(caller.key_id, await self.acting(caller, given), after, limit)
        return Page(found, since if last == after else last)

    async def acting(self, caller: Caller, name: str | None) -> str:
        """The actor the caller acts as: that of the name or alias given, which becomes the key's if it is free, else
        that of the key's label. Raises ActorForbidden, InvalidInput.
        """
        given = names.actor_name(name if name is not None else caller.label)
        actor, owner = self._seen.get(given, ("", ""))
        if owner != caller.key_id:
            found = await self._register(caller, given, None, None)
            if found.key_id != caller.key_id:
                raise _forbidden(given)
            actor = found.name
            self._remember(given, actor, found.key_id)
        return actor

    async def meant(self, name: str) -> str:
        """The name of the actor that a name or an alias stands for; where there is none, the name as it is."""
        given = names.actor_name(name)
        if given in self._seen:
            return self._seen[given][0]
        try:
            return (await self._run("get_actor", given))[0]
        except ActorNotFound:
            return given

    def _remember(self, given: str, actor: str, key_id: str) -> None:
        self._seen[given] = (actor, key_id)
        if len(self._seen) > _REMEMBERED:
            self._seen.popitem(last=False)

    async def _register(self, caller: Caller, actor: str, description: str | None, metadata: str | None) -> Actor:
        about, kept = ("" if text is None else f"={text}" for text in (description, metadata))
        return _actor(*await self._run("register_actor", actor, caller.key_id, caller.label, about, kept))

    async def _run(self, name: str, actor: str, *args: Arg) -> tuple[str, str]:
        """The name of the actor meant, and its record."""
        store = self._engine.store
        reply: list[Any] = await store.run(script(name, store.publish_prefix), (self._engine.keys.actors,), (actor, *args))
        if reply[0] not in ACCEPTED:
            raise REFUSALS[reply[0]](actor, reply[1:])
        return reply[1], reply[2]


def _forbidden(actor: str) -> ActorForbidden:
    return ActorForbidden(f"the actor name '{actor}' belongs to another API key; act under another name")


def _actor(name: str, text: str) -> Actor:
    kept: dict[str, Any] = json.loads(text)
    metadata: Any = kept["metadata"]
    return Actor(
        name=name,
        key_id=kept["key_id"],
        # A store of before actors had aliases has neither label nor change, and the metadata as they are.
        owner_label=kept.get("label") or kept["key_id"],
        description=kept["description"],
        metadata=json.loads(metadata) if isinstance(metadata, str) else metadata,
        created_at=moment(kept["created_ms"]),
        updated_at=moment(kept.get("updated_ms") or kept["created_ms"]),
        aliases=tuple(kept.get("aliases") or ()),
    )
