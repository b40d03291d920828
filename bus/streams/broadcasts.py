"""Broadcasts on Redis Streams: plain streams, read by cursor."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..credentials import ACK, require
from ..models import Acked, Caller, Mode, Posted
from .actors import RedisActors
from .engine import Engine, place
from .messages import RedisMessages


class RedisBroadcasts:
    def __init__(self, engine: Engine, messages: RedisMessages, actors: RedisActors) -> None:
        self._engine = engine
        self._messages = messages
        self._actors = actors

    async def broadcast(
        self,
        caller: Caller,
        channel: str,
        content: str,
        *,
        metadata: Mapping[str, Any] | None = None,
        actor: str | None = None,
        label: str | None = None,
        idempotency_key: str | None = None,
    ) -> Posted:
        return await self._messages.post(
            caller, channel, content, mode=Mode.BROADCAST, create=True,
            metadata=metadata, actor=actor, label=label, idempotency_key=idempotency_key,
        )  # fmt: skip

    async def mark_read(self, caller: Caller, message_id: str, *, actor: str | None = None) -> Acked:
        require(caller, ACK)
        channel, stream_id = place(message_id)
        reader = await self._actors.acting(caller, actor)
        reply = await self._engine.run_on_message("mark_read", channel, caller.key_id, reader, stream_id)
        return Acked((await self._messages.look_at(caller, message_id))[0], repeated=bool(reply[1]))
