"""Broadcasts: news for every reader, each reading at its own cursor."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from .models import Acked, Caller, Posted


class Broadcasts(Protocol):
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
        """`Messages.post` on a broadcast channel, created (open) when there is none; raises what that raises.
        Read it with `Messages.subscribe`.
        """
        ...

    async def mark_read(self, caller: Caller, message_id: str, *, actor: str | None = None) -> Acked:
        """A read receipt by `actor` (default: the API key's label); a second one changes nothing and is `repeated`.

        Raises ChannelNotBroadcast, MessageNotFound, MessageExpired, ActorForbidden, ChannelAccessDenied, InsufficientScope
        (messages:ack).
        """
        ...
