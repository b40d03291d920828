"""Keeps the leases of a session's tasks alive while its process lives and its model still thinks of them."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from typing import Final

from bus import Bus, Claim, State
from bus.errors import BusError, RateLimitExceeded, StoreFull, StoreUnavailable

from .session import Held, Session

log = logging.getLogger(__name__)

_PASSING: Final = (StoreUnavailable, StoreFull, RateLimitExceeded)
"""What says nothing about the claim."""
_RETRY_SECONDS: Final = 1.0
_PARKED_SECONDS: Final = 300.0
"""A task whose question is open needs no renewal: this is to learn that it was answered or called off."""


class Renewal:
    """Renews each held task at a third of its lease. What cannot be renewed, or was left alone for hours, is dropped, and
    its holder told."""

    def __init__(self, bus: Bus, session: Session) -> None:
        self._bus = bus
        self._session = session
        self._down = False

    async def run(self) -> None:
        """Until cancelled. A store that is down is tried again until it is back, and logged once."""
        while True:
            self._session.changed.clear()
            await self.renew_due(self._session.clock())
            pause = min((held.renew_at for held in self._session.held.values()), default=None)
            with suppress(TimeoutError):
                async with asyncio.timeout(None if pause is None else max(pause - self._session.clock(), 0)):
                    await self._session.changed.wait()

    async def renew_due(self, now: float) -> None:
        """Renew what is due at `now` (seconds of the session's clock), all at once."""
        async with asyncio.TaskGroup() as group:
            for held in [held for held in self._session.held.values() if held.renew_at <= now]:
                group.create_task(self._renew(held))

    async def _renew(self, held: Held) -> None:
        session, claim = self._session, held.claim
        if session.notebook.neglected(claim.id):
            log.warning("%s was left alone for long: its lease is no longer renewed", claim.id)
            session.leave(held)
            return
        try:
            await self._bus.credentials.confirm(held.who.caller)
            renewed = await self._bus.tasks.heartbeat(
                held.who.caller, claim.id, actor=claim.actor, claim_token=claim.claim_token, lease=held.lease, automatic=True
            )
            pause = await self._pause(held, renewed)
        except _PASSING as error:
            if not self._down:
                self._down = True
                log.warning("leases cannot be renewed now (%s); trying until they can", error.code)
            held.renew_at = session.clock() + min(_RETRY_SECONDS, held.lease.total_seconds() / 3)
        except BusError as error:
            log.warning("%s is no longer held by this session: %s", claim.id, error.code)
            session.lose(held, error)
        except Exception:
            # Part of a top-level loop: what goes wrong with one task must not end the renewal of the others.
            log.exception("renewing %s failed", claim.id)
            held.renew_at = session.clock() + _RETRY_SECONDS
        else:
            if self._down:
                self._down = False
                log.warning("leases are renewed again")
            held.claim = renewed
            held.renew_at = session.clock() + pause
            if session.held.get(claim.id) is held:
                session.notebook.renewed(claim.id, asked=renewed.message.state is State.INPUT_REQUIRED)

    async def _pause(self, held: Held, renewed: Claim) -> float:
        """Seconds until the next renewal. An answer starts the channel's own lease, so a question is looked after by that."""
        if renewed.message.state is not State.INPUT_REQUIRED:
            return held.lease.total_seconds() / 3
        try:
            channel = await self._bus.channels.get(held.who.caller, renewed.message.channel)
        except BusError:
            return held.lease.total_seconds() / 3
        return min(_PARKED_SECONDS, channel.lease.total_seconds() / 3)
