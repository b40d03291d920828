"""Keeps the leases of a session's tasks alive for as long as its process lives, so that no model need think of it."""

from __future__ import annotations

import asyncio
import logging
import time
from contextlib import suppress
from typing import Final

from bus import Bus
from bus.errors import BusError, StoreFull, StoreUnavailable

from .session import Held, Session

log = logging.getLogger(__name__)

_RETRY_SECONDS: Final = 1.0


class Renewal:
    """Renews each held task at a third of its lease. What cannot be renewed is dropped, and its holder told."""

    def __init__(self, bus: Bus, session: Session) -> None:
        self._bus = bus
        self._session = session
        self._down = False

    async def run(self) -> None:
        """Until cancelled. A store that is down is tried again until it is back, and logged once."""
        while True:
            self._session.changed.clear()
            await self.renew_due(time.monotonic())
            pause = min((held.renew_at for held in self._session.held.values()), default=None)
            with suppress(TimeoutError):
                async with asyncio.timeout(None if pause is None else max(pause - time.monotonic(), 0)):
                    await self._session.changed.wait()

    async def renew_due(self, now: float) -> None:
        """Renew what is due at `now` (monotonic seconds), all at once."""
        async with asyncio.TaskGroup() as group:
            for held in [held for held in self._session.held.values() if held.renew_at <= now]:
                group.create_task(self._renew(held))

    async def _renew(self, held: Held) -> None:
        claim = held.claim
        try:
            await self._bus.credentials.confirm(held.who.caller)
            held.claim = await self._bus.tasks.heartbeat(
                held.who.caller, claim.id, actor=claim.actor, claim_token=claim.claim_token, lease=held.lease
            )
        except (StoreUnavailable, StoreFull) as error:
            if not self._down:
                self._down = True
                log.warning("leases cannot be renewed now (%s); trying until they can", error.code)
            held.renew_at = time.monotonic() + min(_RETRY_SECONDS, held.lease.total_seconds() / 3)
        except BusError as error:
            log.warning("%s is no longer held by this session: %s", claim.id, error.code)
            self._session.lose(held, error)
        except Exception:
            # Part of a top-level loop: what goes wrong with one task must not end the renewal of the others.
            log.exception("renewing %s failed", claim.id)
            held.renew_at = time.monotonic() + _RETRY_SECONDS
        else:
            if self._down:
                self._down = False
                log.warning("leases are renewed again")
            held.renew_at = time.monotonic() + held.lease.total_seconds() / 3
