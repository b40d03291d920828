"""Broadcasts behind the HTTP API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bus.models import Acked, Caller, Mode, Posted

from . import reading
from .http import Http, segment
from .messages import posted


class RemoteBroadcasts:
    def __init__(self, http: Http) -> None:
        self._http = http

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
        body = {
            "channel": channel,
            "content": content,
            "metadata": None if metadata is None else dict(metadata),
            "actor": actor,
            "actor_label": label,
        }
        answer = await self._http.post(caller, "/v1/tasks/broadcast", body, idempotency_key=idempotency_key, keyed=True)
        return posted(answer, repeats=idempotency_key is not None)

    async def mark_read(self, caller: Caller, message_id: str, *, actor: str | None = None) -> Acked:
        path = f"/v1/messages/{segment(message_id)}/ack"
        answer = await self._http.post(caller, path, {"actor": actor, "mode": Mode.BROADCAST.value}, repeatable=True)
        return answer.read(reading.acked)
