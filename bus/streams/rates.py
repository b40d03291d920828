"""Rate limits in the store, so that they hold over replicas and restarts: of API keys, of source addresses, and of chains."""

from __future__ import annotations

from datetime import timedelta

from ..addresses import counted_as
from ..models import Allowance
from ..models.callers import NO_LIMIT
from ..rates import exceeded
from .engine import Engine, milliseconds
from .scripts import script

_HOUR = timedelta(hours=1)


class Rates:
    """Limits by GCRA: `limit` calls may come at once, then one per window/limit. Refused calls do not count."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def take(self, what: str, address: str | None, limit: int, window: timedelta, *, cost: int = 1) -> Allowance:
        """Count one call of this kind from a source address; with `cost` 0 only see whether one would be let through. Not
        counted: without an address, or with limit 0.
        """
        if address is None:
            return Allowance(0, window, NO_LIMIT)
        return await self._take(self._engine.keys.address_rate(what, counted_as(address)), limit, window, cost)

    async def spend(self, what: str, address: str | None, limit: int, window: timedelta) -> None:
        """`take`, for who has nothing to say to a call beyond the limit. Raises RateLimitExceeded."""
        allowance = await self.take(what, address, limit, window)
        if allowance.retry_after:
            raise exceeded(allowance, "your address")

    async def of_key(self, key_id: str) -> Allowance:
        """What an API key has left, without counting anything."""
        settings = self._engine.settings
        return await self._take(self._engine.keys.rate(key_id), settings.rate_limit, settings.rate_window, 0)

    async def of_chain(self, chain_id: str) -> Allowance:
        """Count one task that is posted in the course of a chain's first."""
        return await self._take(self._engine.keys.chain_rate(chain_id), self._engine.settings.chain_limit, _HOUR, 1)

    async def give_back_to_chain(self, chain_id: str) -> None:
        """A task that was counted was not made."""
        keys, args = (self._engine.keys.chain_rate(chain_id),), (self._engine.settings.chain_limit, milliseconds(_HOUR))
        await self._engine.store.run(script("give_back"), keys, args)

    async def _take(self, redis_key: str, limit: int, window: timedelta, cost: int) -> Allowance:
        if limit == 0:
            return Allowance(0, window, NO_LIMIT)
        reply = await self._engine.store.run(script("take"), (redis_key,), (limit, milliseconds(window), cost))
        return Allowance(limit, window, int(reply[0]), timedelta(milliseconds=int(reply[1])))
