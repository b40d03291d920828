"""The queue of webhook deliveries: a claimable channel that no name leads to, worked off as any other is.

So a sender that dies loses its lease, several replicas share the work, and what is never delivered is a dead letter.
"""

from __future__ import annotations

import asyncio
import json
import logging
import math
import random
import secrets
from dataclasses import asdict, dataclass
from typing import Any, Final

from ..engine import Engine
from ..replies import pairs

log = logging.getLogger(__name__)

NAME: Final = "webhooks/out"
"""No caller can spell it: a channel's name holds no slash."""
MOST_ATTEMPTS: Final = 5
BACKOFF_MS: Final = (30_000, 300_000)
LEASE_MS: Final = 30_000
_KEY_ID: Final = "webhooks"
_STEPS: Final = 64
_MARKED_MS: Final = 600_000
"""How long a delivery's mark keeps it from being queued again: far longer than handing on an outbox takes."""
_SETTINGS: Final = {"ttl_ms": 86_400_000, "lease_ms": LEASE_MS, "max_deliveries": MOST_ATTEMPTS}


@dataclass(frozen=True, slots=True)
class Delivery:
    """What one webhook is to be told: a reference, so that what is sent is what holds then.

    `noted`: the outbox's id of it, whose time is that of the event. `actor` None: the channel's own webhook.
    """

    id: str
    event: str
    channel: str
    noted: str
    message: str | None = None
    actor: str | None = None
    member: str | None = None
    by: str | None = None

    @classmethod
    def read(cls, text: str | None) -> Delivery | None:
        """From what was queued; None for what we never queued."""
        try:
            return cls(**json.loads(text or ""))
        except (ValueError, TypeError):
            return None


@dataclass(frozen=True, slots=True)
class Held:
    """A delivery that this process is to send now; `attempt` counts its deliveries and fences it."""

    delivery: Delivery
    stream_id: str
    attempt: int


class Queue:
    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._consumer = f"{_KEY_ID}/{secrets.token_hex(8)}"
        self.keys = (engine.keys.stream(NAME), engine.keys.bell(NAME))
        """Those that ring when there may be something to send."""

    async def add(self, delivery: Delivery) -> bool:
        """Queue it; False when it was queued before."""
        mark = self._engine.keys.once(NAME, _KEY_ID, "queue", delivery.id)
        settings = [part for pair in _SETTINGS.items() for part in pair]
        text = json.dumps({name: value for name, value in asdict(delivery).items() if value is not None})
        reply = await self._engine.run("queue_delivery", NAME, _MARKED_MS, text, *settings, extra_keys=(mark,))
        return reply[0] == "new"

    async def next(self) -> Held | float:
        """Take the next that is due; else the seconds until one will be, as far as is known."""
        while True:
            reply = await self._engine.send("claim", NAME, _KEY_ID, self._consumer, "", _STEPS)
            if reply[0] == "ok":
                stream_id, fields, _, _, _, attempt, *_ = reply[2]
                if delivery := Delivery.read(pairs(fields).get("content")):
                    return Held(delivery, stream_id, int(attempt))
                log.warning("the queue of webhooks holds %s, which is no delivery; it is dropped", stream_id)
                await self._end(stream_id, int(attempt))
            elif reply[0] == "none" and reply[2]:
                return max(float(reply[2]) - float(reply[1]), 1) / 1000
            elif reply[0] != "again":
                return math.inf  # nothing at all, or no queue yet

    async def end(self, held: Held) -> None:
        """It was sent, or there is nothing left to tell."""
        await self._end(held.stream_id, held.attempt)

    async def _end(self, stream_id: str, attempt: int) -> None:
        await self._engine.send("end_delivery", NAME, self._consumer, attempt, stream_id)

    async def fail(self, held: Held, reason: str) -> bool:
        """It could not be sent; True when that was the last attempt."""
        jitter = random.random()  # noqa: S311 - spreads retries, guards nothing
        fence = (self._consumer, held.attempt, held.stream_id)
        reply = await self._engine.send("fail", NAME, *fence, reason, jitter, *BACKOFF_MS)
        return reply[0] == "ok" and reply[1][2] == "finished"

    def give_back(self, held: Held) -> None:
        """Release it uncounted, without waiting: this process is about to end."""
        reason = "the sender stopped"
        sent = self._engine.send("release", NAME, self._consumer, held.attempt, held.stream_id, 0, reason)
        sent.add_done_callback(_forget)  # when it fails, the lease does the same a little later


def _forget(sent: asyncio.Future[Any]) -> None:
    if not sent.cancelled():
        sent.exception()
