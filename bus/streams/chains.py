"""Chains of tasks that are posted while working on one another: how long, and how many in an hour, until a loop is stopped."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Any, Final, cast

from .. import names
from ..errors import BusError, ChainRateExceeded, ChainTooLong, InvalidInput, StoreUnavailable
from ..models import Chain, Mode
from .course import CHAIN, HOP
from .engine import Engine
from .rates import Rates

_MOST_HOPS: Final = 10_000
_STOP: Final = "Agents seem to hand work round in a circle: post nothing more for it, finish what you hold and tell a person"


class Chains:
    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._rates = Rates(engine)

    def fields(self, chain: object) -> Mapping[str, str]:
        """What is stored with a task that is posted in the course of one that has this chain; nothing for None.

        Raises InvalidInput (code `invalid_chain`), ChainTooLong.
        """
        if chain is None:
            return {}
        first, hops = _checked(chain)
        most = self._engine.settings.max_hops
        if hops >= most:
            raise ChainTooLong(
                f"{hops} tasks in a row have followed from {first}, and {most} are the most; nothing was stored. {_STOP}",
                chain_id=first,
                max_hops=most,
            )
        return {CHAIN: first, HOP: str(hops + 1)}

    async def counted(
        self, chain_id: str | None, once_key: tuple[str, ...], post: Callable[[], Awaitable[list[Any]]]
    ) -> list[Any]:
        """What posting replies, counted against the budget of the chain if that made a task.

        The budget's key is on another slot than the channel's, so it is taken first, and given back when it was not needed.
        Raises ChainRateExceeded, and what posting raises.
        """
        if chain_id is None or not self._engine.settings.chain_limit:
            return await post()
        repeats = bool(once_key) and bool(await self._engine.store.command("EXISTS", *once_key))
        if not repeats:
            await self._spend(chain_id)
        try:
            reply = await post()
        except BusError as why:
            if not repeats and (not isinstance(why, StoreUnavailable) or why.nothing_done):  # else it may have been posted
                await self._give_back(chain_id)
            raise
        if not repeats and reply[0] != "new":
            await self._give_back(chain_id)
        elif repeats and reply[0] == "new":  # the record was of a channel that is deleted, or its time was over just now
            await self._rates.of_chain(chain_id)
        return reply

    async def _give_back(self, chain_id: str) -> None:
        with suppress(StoreUnavailable):  # one too many is counted then, which an hour mends
            await self._rates.give_back_to_chain(chain_id)

    async def _spend(self, chain_id: str) -> None:
        allowance = await self._rates.of_chain(chain_id)
        if allowance.retry_after:
            seconds = math.ceil(allowance.retry_after.total_seconds())
            raise ChainRateExceeded(
                f"{allowance.limit} tasks have followed from {chain_id} in an hour, which is the most; nothing was stored. "
                f"{_STOP} (the next one is let through in {seconds} s)",
                chain_id=chain_id,
                retry_after=seconds,
            )


def mode_of(chain: object, mode: Mode | None) -> Mode | None:
    """The kind of channel that is meant: tasks follow one another, news do not. Raises InvalidInput."""
    if chain is not None and mode is Mode.BROADCAST:
        raise InvalidInput("chain is for tasks; post news without it", field="chain", code="invalid_chain")
    return mode if chain is None else Mode.CLAIMABLE


def _checked(chain: object) -> tuple[str, int]:
    """The first task's id as it is spelled everywhere, and the hops."""
    if not isinstance(chain, Chain):
        raise _invalid("chain must be that of a task")
    hops = cast(Any, chain.hops)
    if isinstance(hops, bool) or not isinstance(hops, int) or not 0 <= hops <= _MOST_HOPS:
        raise _invalid(f"chain.hops must be a whole number from 0 to {_MOST_HOPS}")
    try:
        return names.message_id(*names.split_message_id(chain.id)), hops
    except InvalidInput as why:
        raise _invalid(f"chain.id must be the id of the chain's first task ({why.message})") from None


def _invalid(problem: str) -> InvalidInput:
    told = f"{problem}; send the `chain` of the task that you work on as it was given to you, or none"
    return InvalidInput(told, field="chain", code="invalid_chain")
