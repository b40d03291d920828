"""The verbs on webhooks: an actor's is one JSON value, a channel's failures are a stream."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from ... import checks, names
from ...credentials import CHANNELS_MANAGE, READ, require
from ...errors import ActorForbidden, WebhookNotFound
from ...models import Caller, Page, Webhook, WebhookAttempt, WebhookFailure
from ...webhook_urls import allowed_by, checked_url
from ..actors import RedisActors
from ..engine import Engine
from ..moments import moment
from ..replies import pairs
from .handing import MENTIONED

_MAX_SECRET = 512


class RedisWebhooks:
    def __init__(self, engine: Engine, actors: RedisActors) -> None:
        self._engine = engine
        self._actors = actors
        self._allowed = allowed_by(engine.settings)

    async def set(self, caller: Caller, actor: str, url: str, *, secret: str | None = None) -> Webhook:
        require(caller, READ)
        name = await self._own(caller, actor)
        where = checked_url(url, self._allowed, field="url")
        kept = "" if secret is None else checks.content(secret, max_bytes=_MAX_SECRET, field="secret")
        seconds, micros = await self._engine.store.command("TIME")
        updated_ms = int(seconds) * 1000 + int(micros) // 1000
        record = {"url": where, "secret": kept, "updated_ms": updated_ms, "key_id": caller.key_id}
        await self._engine.store.command("SET", self._engine.keys.webhook(name), json.dumps(record))
        return _webhook(name, record)

    async def get(self, caller: Caller, actor: str) -> Webhook:
        require(caller, READ)
        name = await self._own(caller, actor)
        text = await self._engine.store.command("GET", self._engine.keys.webhook(name))
        record: dict[str, Any] | None = json.loads(text) if text else None
        # Who has the actor's name from a revoked key may replace that key's webhook, not see where it leads.
        if record is None or record.get("key_id", caller.key_id) != caller.key_id:
            raise _not_found(name)
        return _webhook(name, record)

    async def delete(self, caller: Caller, actor: str) -> None:
        require(caller, READ)
        name = await self._own(caller, actor)
        await self._engine.store.command("DEL", self._engine.keys.webhook(name))

    async def _own(self, caller: Caller, actor: str) -> str:
        found = await self._actors.get(caller, actor)
        if found.key_id != caller.key_id:
            raise ActorForbidden(f"the actor '{found.name}' belongs to another API key; only that key sees to its webhook")
        return found.name

    async def failures(
        self, caller: Caller, channel: str, *, limit: int = 50, cursor: str | None = None
    ) -> Page[WebhookFailure]:
        require(caller, CHANNELS_MANAGE)
        name = await self._engine.channel(channel)
        limit = checks.page_limit(limit)
        before = names.newest_first_cursor(cursor, field="cursor")
        extra = (self._engine.keys.failures(name),)
        found = (await self._engine.run("webhook_failures", name, caller.key_id, before, limit, extra_keys=extra))[1]
        items = [_failure(name, pairs(fields)) for _, fields in found]
        return Page(items, found[-1][0] if len(found) == limit else None)


def _not_found(actor: str) -> WebhookNotFound:
    return WebhookNotFound(f"the actor '{actor}' has no webhook; set one first")


def _webhook(actor: str, record: Mapping[str, Any]) -> Webhook:
    return Webhook(actor, record["url"], bool(record["secret"]), moment(record["updated_ms"]))


def _answer(event: str, why: str | None) -> str:
    """An actor's webhook is its own business: of it the channel's owner learns the status, not where it is."""
    if why is None:
        return "the sender went away"
    return "no answer" if event == MENTIONED and not why.startswith("HTTP ") else why


def _failure(channel: str, fields: Mapping[str, str]) -> WebhookFailure:
    log: Sequence[Mapping[str, Any]] = json.loads(fields["deliveries"]).get("log") or []
    attempts = tuple(WebhookAttempt(moment(each["at"]), _answer(fields["event"], each.get("why"))) for each in log)
    message = names.message_id(channel, fields["message"]) if fields["message"] else None
    return WebhookFailure(
        fields["delivery"], names.public_id(channel), fields["event"], fields["url"], message, moment(fields["at"]), attempts
    )
