"""Idempotency keys over HTTP: they travel with the request, and the server remembers the answer."""

from __future__ import annotations

from ..idempotency import Remembered
from ..models import Caller


class RemoteIdempotency:
    """Takes nothing and keeps nothing: whoever serves the bus does, for each request that bears an idempotency key."""

    async def begin(self, caller: Caller, idempotency_key: str, fingerprint: str) -> Remembered | None:
        return None

    async def keep(self, caller: Caller, idempotency_key: str, fingerprint: str, answer: Remembered) -> None:
        return

    async def forget(self, caller: Caller, idempotency_key: str, fingerprint: str) -> None:
        return
