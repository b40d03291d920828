"""Claims on Redis Streams: consumer group, lease and fence. Every act on a held task is one script that checks the fence."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from typing import Any

from .. import checks, names
from ..credentials import ACK, CLAIM, require
from ..errors import InvalidInput
from ..models import Caller, Claim
from ..store import Arg
from . import replies
from .actors import RedisActors
from .channel_fields import LEASE
from .claimers import LOOK_AGAIN, Claimers, Waiting
from .credentials import RedisCredentials
from .engine import Engine, place
from .waiting import Seen, until

log = logging.getLogger(__name__)
_STEPS = 64
"""Entries that one claim script may look at: some 2 ms of the server's time at most."""
_MOST_CHANNELS = 20


class RedisClaims:
    def __init__(self, engine: Engine, actors: RedisActors, credentials: RedisCredentials) -> None:
        self._engine = engine
        self._actors = actors
        self._credentials = credentials
        self._claimers = Claimers(engine)

    async def next(
        self, caller: Caller, channels: str | Sequence[str], actor: str | None, lease: timedelta | None, wait: timedelta
    ) -> Claim | None:
        """See `Tasks.claim`."""
        require(caller, CLAIM)
        wanted = await self._channels(channels)
        lease_ms = _lease_ms(lease)
        consumer = replies.consumer(caller.key_id, await self._actors.acting(caller, actor))
        keys = self._engine.keys

        async def look() -> Seen[Claim | None]:
            for channel in wanted:
                if claim := await self._take(caller, channel, consumer, lease_ms, waiting):
                    for other in wanted:
                        if other != channel:  # the ring that woke us may have been for there
                            self._engine.bell.ring_next(keys.stream(other))
                    return Seen(claim, enough=True)
            return Seen(None, enough=False, look_in=LOOK_AGAIN)

        lines = tuple(each for channel in wanted for each in (keys.stream(channel), keys.bell(channel)))
        gone = tuple(keys.gone(channel) for channel in wanted)
        with self._claimers.waiting(wanted, consumer, wait) as waiting:
            return await until(self._engine, self._credentials, caller, look, wait, shared=gone, in_line=lines)

    async def _channels(self, channels: str | Sequence[str]) -> list[str]:
        if isinstance(channels, str):
            return [await self._engine.channel(channels)]
        given = list(channels)
        if not 1 <= len(given) <= _MOST_CHANNELS:
            raise InvalidInput(f"channels must name 1 to {_MOST_CHANNELS} channels", field="channels", code="invalid_channels")
        return list(dict.fromkeys([await self._engine.channel(channel) for channel in given]))

    async def _take(
        self, caller: Caller, channel: str, consumer: str, lease_ms: int | str, waiting: Waiting | None
    ) -> Claim | None:
        reply: list[Any] = ["again"]
        while reply[0] == "again":
            said = (0, 0) if waiting is None else waiting.sends(channel)
            sent = self._engine.send("claim", channel, caller.key_id, consumer, lease_ms, _STEPS, *said)
            try:
                reply = await asyncio.shield(sent)
            except asyncio.CancelledError:
                sent.add_done_callback(partial(self._give_back, channel, consumer))
                raise
            reply = await self._engine.accepted(channel, reply)
        stream = self._engine.keys.stream(channel)
        if reply[0] == "none":
            if reply[2]:
                self._engine.bell.ring_in(stream, (float(reply[2]) - float(reply[1])) / 1000)
            return None
        if waiting is not None:
            waiting.got(channel)
        if reply[1]:
            self._engine.bell.ring_next(stream)
        return claim_of(channel, reply[2], caller)

    def _give_back(self, channel: str, consumer: str, sent: asyncio.Future[list[Any]]) -> None:
        """The caller is gone: what it was just handed is released, uncounted."""
        if sent.cancelled() or sent.exception() is not None or sent.result()[0] != "ok":
            return
        stream_id, count = sent.result()[2][0], sent.result()[2][5]
        released = self._engine.send("release", channel, consumer, count, stream_id, 0, "the claiming client went away")
        released.add_done_callback(partial(_log_failure, names.message_id(channel, stream_id)))

    async def one(self, caller: Caller, message_id: str, actor: str | None, lease: timedelta | None) -> Claim:
        """See `Tasks.claim_message`."""
        require(caller, CLAIM)
        channel, stream_id = place(message_id)
        lease_ms = _lease_ms(lease)
        consumer = replies.consumer(caller.key_id, await self._actors.acting(caller, actor))
        reply = await self._engine.run_on_message("claim_message", channel, caller.key_id, consumer, lease_ms, stream_id)
        return claim_of(channel, reply[2], caller, held_before=bool(reply[1]))

    async def heartbeat(
        self,
        caller: Caller,
        message_id: str,
        actor: str | None,
        claim_token: str | None,
        lease: timedelta | None,
        note: str | None,
        automatic: bool,
    ) -> Claim:
        """See `Tasks.heartbeat`."""
        lease_ms = _lease_ms(lease)
        said = "" if note is None else checks.note(note)
        channel, reply = await self.act("heartbeat", caller, message_id, actor, claim_token, lease_ms, said, int(automatic))
        return claim_of(channel, reply[1], caller)

    async def act(
        self, name: str, caller: Caller, message_id: str, actor: str | None, claim_token: str | None, *args: Arg
    ) -> tuple[str, list[Any]]:
        """Run a script on a held task: the channel, and its reply. The fence is checked inside the script."""
        require(caller, ACK)
        channel, stream_id = place(message_id)
        delivery, holder = _split_token(claim_token)
        if holder is not None and actor is not None and await self._actors.meant(actor) != holder:
            raise InvalidInput("actor is not the one that the claim_token was given to", field="actor", code="invalid_actor")
        consumer = replies.consumer(caller.key_id, await self._actors.acting(caller, holder if holder is not None else actor))
        return channel, await self._engine.run_on_message(name, channel, consumer, delivery, stream_id, *args)


def claim_of(channel: str, row: Sequence[Any], caller: Caller, *, held_before: bool = False) -> Claim:
    """The claim that an in_flight row stands for."""
    message = replies.message(channel, row, key_id=caller.key_id, member=False)
    hold = message.hold
    if hold is None:
        raise RuntimeError(f"a claim of {message.id} without a holder")
    return Claim(message, hold.actor, f"{hold.delivery}~{hold.actor}", hold.delivery, hold.lease_expires_at, held_before)


def _split_token(claim_token: str | None) -> tuple[str, str | None]:
    if claim_token is None:
        return "", None
    delivery, tilde, actor = claim_token.partition("~")
    if not tilde or not delivery.isdecimal() or len(delivery) > 15:
        raise InvalidInput(
            "claim_token must be the one that the claim returned, like '1~build-2'",
            field="claim_token",
            code="invalid_claim_token",
        )
    return delivery, names.actor_name(actor, field="claim_token")


def _lease_ms(lease: timedelta | None) -> int | str:
    return "" if lease is None else checks.duration(lease, field="lease_seconds", least=LEASE[0], most=LEASE[1])


def _log_failure(message_id: str, released: asyncio.Future[Any]) -> None:
    if not released.cancelled() and (error := released.exception()):
        log.warning("could not release %s after its client went away; its lease will: %s", message_id, error)
