"""Hands on what stands in the channels' outboxes: mentions to the inboxes of who is meant, deliveries to the webhooks' queue;
and what the queue gave up to the channels' failures."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final
from uuid import UUID, uuid5

from redis.exceptions import ResponseError

from ...errors import StoreFull, StoreUnavailable
from ...webhook_urls import shown
from ..engine import Engine
from ..mention_inbox import MentionInbox
from ..replies import pairs
from .queue import NAME, Delivery, Queue
from .targets import Targets

log = logging.getLogger(__name__)

POSTED: Final = "message.posted"
MENTIONED: Final = "message.mentioned"
APPROVED: Final = "member.approved"
_PAGE: Final = 100
_LEFT_IN_PEACE: Final = timedelta(minutes=1)
_FAILURES_KEPT: Final = 500
_FAILURES_KEPT_FOR: Final = timedelta(days=30)
_NAMESPACE: Final = UUID("8a2b6c1e-5d0f-4c39-9e57-2f1d7c0b4a63")


class HandOver:
    """At least once: an entry leaves the outbox when its mentions are noted and its deliveries queued, each only once."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._queue = Queue(engine)
        self._targets = Targets(engine)
        self._inbox = MentionInbox(engine)

    async def hand_on(self, channel: str) -> int:
        """Everything in this channel's outbox. Returns how many deliveries were queued."""
        store, outbox = self._engine.store, self._engine.keys.outbox(channel)
        queued = 0
        while entries := await store.command("XRANGE", outbox, "-", "+", "COUNT", _PAGE):
            for noted, fields in entries:
                try:
                    told = pairs(fields)
                    mentioned = _mentioned(told)
                    if message := told.get("message"):
                        await self._inbox.note(channel, message, mentioned)
                    found = await self._deliveries(channel, noted, told, mentioned)
                except (ValueError, TypeError):
                    log.warning("the outbox of channel %s holds %s, which tells of no event; it is dropped", channel, noted)
                    found = []
                for delivery in found:
                    queued += await self._queue.add(delivery)
                await store.command("XDEL", outbox, noted)
        return queued

    async def _deliveries(self, channel: str, noted: str, fields: dict[str, str], mentioned: Sequence[str]) -> list[Delivery]:
        def delivery(event: str, **more: Any) -> Delivery:
            who = more.get("actor", "")
            return Delivery(
                str(uuid5(_NAMESPACE, f"{self._engine.keys.outbox(channel)} {noted} {who}")), event, channel, noted, **more
            )

        if fields.get("event") == APPROVED:
            return [delivery(APPROVED, member=fields.get("member"), by=fields.get("by"))]
        message = fields.get("message")
        found = [delivery(POSTED, message=message)] if fields.get("webhook") == "1" else []
        for actor in mentioned:
            one = delivery(MENTIONED, message=message, actor=actor)
            if await self._targets.of_actor(actor) and await self._may_tell(one, actor):
                found.append(one)
        return found

    async def _may_tell(self, delivery: Delivery, actor: str) -> bool:
        """At most once a minute and channel; what comes in between is dropped. The same delivery may try again."""
        store, told = self._engine.store, self._engine.keys.told(delivery.channel, actor)
        minute = int(_LEFT_IN_PEACE.total_seconds() * 1000)
        if await store.command("SET", told, delivery.id, "NX", "PX", minute):
            return True
        return await store.command("GET", told) == delivery.id

    async def bury(self) -> int:
        """Move what was given up to the failures of its channel. Returns how many there were."""
        store, dead = self._engine.store, self._engine.keys.dead(NAME)
        buried = 0
        while letters := await store.command("XRANGE", dead, "-", "+", "COUNT", _PAGE):
            for letter_id, fields in letters:
                await self._note_failure(letter_id, pairs(fields))
                await store.command("XDEL", dead, letter_id)
                buried += 1
        return buried

    async def _note_failure(self, letter_id: str, fields: dict[str, str]) -> None:
        store, keys = self._engine.store, self._engine.keys
        delivery = Delivery.read(fields.get("content"))
        if delivery is None:
            return
        log.warning("webhook delivery %s (%s, channel %s) was given up", delivery.id, delivery.event, delivery.channel)
        target = await self._targets.of(delivery)
        if target is None:  # the webhook is gone, and with it who would look here
            return
        record = {
            "delivery": delivery.id,
            "event": delivery.event,
            "message": delivery.message or "",
            "url": "" if delivery.actor else shown(target.url),
            "at": fields["_at"],
            "reason": fields["_reason"],
            "deliveries": fields.get("_deliveries") or "{}",
        }
        failures = keys.failures(delivery.channel)
        flat = [part for pair in record.items() for part in pair]
        try:  # under the dead letter's own id, so that a second try after a crash adds nothing
            await store.command("XADD", failures, "MAXLEN", "~", _FAILURES_KEPT, letter_id, *flat)
        except ResponseError:  # it is there, or a newer one came first
            if not await store.command("XRANGE", failures, letter_id, letter_id):
                await store.command("XADD", failures, "MAXLEN", "~", _FAILURES_KEPT, "*", *flat)
        await store.command("EXPIRE", failures, int(_FAILURES_KEPT_FOR.total_seconds()))

    async def hand_on_forever(self) -> None:
        """What this process posts, at once; the sweeper sees to what is left of processes that ended."""
        while True:
            channel = await self._engine.outboxes.next()
            try:
                await self.hand_on(channel)
            except (StoreUnavailable, StoreFull) as why:
                log.info("the outbox of channel %s waits for the sweeper: %s", channel, why)
            except Exception:  # the top of handing on one channel's: it must not end the process
                log.exception("what webhooks are to be told of channel %s could not be handed on", channel)

    async def sweep(self, channels: Sequence[str]) -> None:
        """What processes that ended left in the outboxes of these channels, and what the queue gave up."""
        store, keys = self._engine.store, self._engine.keys
        asked = (store.command("XLEN", keys.outbox(channel)) for channel in channels)
        lengths = await asyncio.gather(*asked, return_exceptions=True)
        try:
            for channel, length in zip(channels, lengths, strict=True):
                if isinstance(length, ResponseError):
                    log.warning("the outbox of channel %s cannot be read: %s", channel, length)
                elif isinstance(length, BaseException):
                    raise length
                elif length:
                    await self.hand_on(channel)
            await self.bury()
        except StoreFull as why:
            log.warning("webhooks wait until the store has room: %s", why)


def _mentioned(fields: dict[str, str]) -> list[str]:
    """Raises ValueError, TypeError for what we did not write."""
    return list(json.loads(fields.get("mentions") or "[]"))
