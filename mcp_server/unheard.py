"""Claims of which no client has heard: its call was given up, before or as it was answered, so the task goes back."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Awaitable, Mapping
from contextlib import suppress
from typing import Any, Final

import anyio

from bus import Bus
from bus.errors import BusError

from .session import Session

log = logging.getLogger(__name__)

_REMEMBERED: Final = 64
_GRACE_SECONDS: Final = 2.0
_REASON: Final = "the client gave the call up before it read the answer"


async def give_back(release: Awaitable[object]) -> None:
    """Release the claim of a call that is being cancelled, for which it has 2 s; else the lease ends it."""
    with suppress(BusError), anyio.move_on_after(_GRACE_SECONDS, shield=True):
        await release


class Unheard:
    """Which request was answered with which claim, for as long as its client may still say that it has given it up."""

    def __init__(self) -> None:
        self._claims: OrderedDict[str | int, tuple[str, str]] = OrderedDict()
        self._given_up: asyncio.Queue[tuple[str, str]] = asyncio.Queue()

    def answered(self, request: str | int, answer: Mapping[str, Any]) -> None:
        """An answer has been sent."""
        match answer.get("result"):
            case {"structuredContent": {"claim_token": str() as token, "task": {"message_id": str() as message_id}}}:
                self._claims[request] = (message_id, token)
                if len(self._claims) > _REMEMBERED:
                    self._claims.popitem(last=False)
            case _:
                return

    def given_up(self, request: str | int) -> None:
        """The client does not want this request's answer, which it may have been sent."""
        if claim := self._claims.pop(request, None):
            self._given_up.put_nowait(claim)

    async def give_back(self, bus: Bus, session: Session) -> None:
        """Release such claims, uncounted, until cancelled. One that the session has done something about was heard of."""
        while True:
            message_id, token = await self._given_up.get()
            held = session.held.get(message_id)
            if held is None or held.claim.claim_token != token:
                continue
            session.drop(message_id)
            try:
                await bus.tasks.release(held.who.caller, message_id, actor=held.claim.actor, claim_token=token, reason=_REASON)
            except BusError as error:
                log.warning("%s, claimed for a call that was given up, goes back with its lease: %s", message_id, error.code)
