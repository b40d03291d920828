"""Where a delivery goes and what it says: read when it is sent, so that a change of the webhook counts at once."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from typing import Any

from ... import names
from ...credentials import READ
from ...message_json import message_json
from .. import replies
from ..engine import Engine
from .queue import Delivery


@dataclass(frozen=True, slots=True)
class Target:
    """A webhook as it is now. `key_id`: the API key in whose name it reads."""

    url: str
    secret: str = field(repr=False)
    key_id: str


class Targets:
    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def of(self, delivery: Delivery) -> Target | None:
        """None when there is no webhook (any more), the channel is another one of that name by now, or its owner's API key
        was revoked or may not read: then nobody else could take the webhook away."""
        key, fields = (
            self._engine.keys.channel(delivery.channel),
            ("created_ms", "webhook_url", "webhook_secret", "owner_key_id"),
        )
        created, url, secret, key_id = await self._engine.store.command("HMGET", key, *fields)
        if not created or int(delivery.noted.partition("-")[0]) < int(created):
            return None
        if delivery.actor is not None:
            return await self.of_actor(delivery.actor)
        if not url or await self._may_not_read(key_id or ""):
            return None
        return Target(url, secret or "", key_id or "")

    async def of_actor(self, actor: str) -> Target | None:
        """None also when its API key was revoked or may not read: then it is not told what is written either."""
        store, keys = self._engine.store, self._engine.keys
        kept, record = await asyncio.gather(
            store.command("GET", keys.webhook(actor)), store.command("HGET", keys.actors, actor)
        )
        if not kept or not record:
            return None
        webhook, key_id = json.loads(kept), json.loads(record)["key_id"]
        # The name may be a successor's by now, who never wanted to be told there.
        if webhook.get("key_id", key_id) != key_id or await self._may_not_read(key_id):
            return None
        return Target(webhook["url"], webhook["secret"], key_id)

    async def _may_not_read(self, key_id: str) -> bool:
        found = await self._engine.store.command("HMGET", self._engine.keys.api_key(key_id), "revoked_ms", "scopes")
        revoked, scopes = found
        return bool(revoked) or bool(scopes and READ not in json.loads(scopes))

    async def body(self, delivery: Delivery, target: Target) -> dict[str, Any] | None:
        """What is sent; None when there is nothing left to tell: the message is gone, or not the webhook's to read."""
        if delivery.member is not None:
            return {
                "channel_id": names.public_id(delivery.channel),
                "member_key_id": delivery.member,
                "approved_by": delivery.by,
            }
        reply = await self._engine.send("get", delivery.channel, target.key_id, delivery.message or "0-0")
        if reply[0] != "ok":
            return None
        found = replies.message(delivery.channel, reply[4], key_id=target.key_id, member=bool(reply[2]), receipts=reply[5])
        said: dict[str, Any] = {"message": message_json(found)}
        return said if delivery.actor is None else {**said, "mentioned_actor_id": delivery.actor}
