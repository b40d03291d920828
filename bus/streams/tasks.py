"""Tasks on Redis Streams: posting, finishing, cancelling, awaiting, dead letters. Claims are in claims.py."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Literal

from .. import checks, names
from ..awaiting import Need
from ..credentials import ACK, READ, WRITE, require
from ..errors import InvalidInput
from ..messages import NO_WAIT
from ..models import Acked, Caller, Chain, Claim, DeadLetter, Message, Mode, Page, Posted, Redriven
from . import replies
from .awaiting import RedisAwaiting
from .claims import RedisClaims
from .credentials import RedisCredentials
from .engine import Engine, place
from .messages import RedisMessages
from .questions import RedisQuestions

_MOST_REDRIVEN = 100
_DAY = timedelta(days=1)


class RedisTasks:
    def __init__(self, engine: Engine, messages: RedisMessages, claims: RedisClaims, credentials: RedisCredentials) -> None:
        self._engine = engine
        self._messages = messages
        self._claims = claims
        self._questions = RedisQuestions(engine, claims, credentials)
        self._awaiting = RedisAwaiting(engine, messages, credentials)

    async def post(
        self,
        caller: Caller,
        channel: str,
        content: str,
        *,
        metadata: Mapping[str, Any] | None = None,
        actor: str | None = None,
        label: str | None = None,
        delay: timedelta = NO_WAIT,
        chain: Chain | None = None,
        idempotency_key: str | None = None,
    ) -> Posted:
        return await self._messages.post(
            caller, channel, content, mode=Mode.CLAIMABLE, create=True,
            metadata=metadata, actor=actor, label=label, delay=delay, chain=chain, idempotency_key=idempotency_key,
        )  # fmt: skip

    async def claim(
        self,
        caller: Caller,
        channels: str | Sequence[str],
        *,
        actor: str | None = None,
        lease: timedelta | None = None,
        wait: timedelta = NO_WAIT,
    ) -> Claim | None:
        return await self._claims.next(caller, channels, actor, lease, wait)

    async def claim_message(
        self, caller: Caller, message_id: str, *, actor: str | None = None, lease: timedelta | None = None
    ) -> Claim:
        return await self._claims.one(caller, message_id, actor, lease)

    async def heartbeat(
        self,
        caller: Caller,
        message_id: str,
        *,
        actor: str | None = None,
        claim_token: str | None = None,
        lease: timedelta | None = None,
        note: str | None = None,
        automatic: bool = False,
    ) -> Claim:
        return await self._claims.heartbeat(caller, message_id, actor, claim_token, lease, note, automatic)

    async def ask(
        self,
        caller: Caller,
        message_id: str,
        question: str,
        *,
        actor: str | None = None,
        claim_token: str | None = None,
    ) -> Claim:
        return await self._questions.ask(caller, message_id, question, actor, claim_token)

    async def await_answer(
        self,
        caller: Caller,
        message_id: str,
        *,
        actor: str | None = None,
        claim_token: str | None = None,
        wait: timedelta = NO_WAIT,
    ) -> Claim:
        return await self._questions.answered(caller, message_id, actor, claim_token, wait)

    async def answer(self, caller: Caller, message_id: str, answer: str, *, label: str | None = None) -> Message:
        return await self._questions.answer(caller, message_id, answer, label)

    async def release(
        self,
        caller: Caller,
        message_id: str,
        *,
        actor: str | None = None,
        claim_token: str | None = None,
        delay: timedelta = NO_WAIT,
        reason: str | None = None,
    ) -> Message:
        delay_ms = checks.duration(delay, field="delay_seconds", least=NO_WAIT, most=_DAY)
        why = checks.optional_text(reason, field="reason") or ""
        channel, reply = await self._claims.act("release", caller, message_id, actor, claim_token, delay_ms, why)
        return replies.message(channel, reply[1], key_id=caller.key_id, member=False)

    async def fail(
        self,
        caller: Caller,
        message_id: str,
        *,
        actor: str | None = None,
        claim_token: str | None = None,
        reason: str | None = None,
    ) -> Message:
        why = checks.optional_text(reason, field="reason") or ""
        jitter = random.random()  # noqa: S311 - spreads retries, guards nothing
        channel, reply = await self._claims.act("fail", caller, message_id, actor, claim_token, why, jitter)
        return replies.message(channel, reply[1], key_id=caller.key_id, member=False)

    async def ack(
        self,
        caller: Caller,
        message_id: str,
        *,
        actor: str | None = None,
        claim_token: str | None = None,
        status: Literal["done", "failed"] = "done",
        result: Any = None,
        reason: str | None = None,
    ) -> Acked:
        if status not in ("done", "failed"):
            raise InvalidInput("status must be 'done' or 'failed'", field="status", code="invalid_status")
        limit = self._engine.settings.max_result_bytes
        kept = "" if result is None else checks.json_text(result, max_bytes=limit, field="result")
        why = checks.optional_text(reason, field="reason") or ""
        channel, reply = await self._claims.act("ack", caller, message_id, actor, claim_token, status, kept, why)
        message = replies.message(channel, reply[2], key_id=caller.key_id, member=False)
        return Acked(message, repeated=bool(reply[1]))

    async def cancel(self, caller: Caller, message_id: str, *, reason: str | None = None) -> Message:
        require(caller, WRITE)
        channel, stream_id = place(message_id)
        why = checks.optional_text(reason, field="reason") or ""
        reply = await self._engine.run_on_message("cancel", channel, caller.key_id, stream_id, why)
        return replies.message(channel, reply[1], key_id=caller.key_id, member=False)

    async def await_result(self, caller: Caller, message_id: str, *, wait: timedelta = NO_WAIT) -> Message:
        return await self._awaiting.one(caller, message_id, wait)

    async def await_results(
        self,
        caller: Caller,
        message_ids: Sequence[str],
        *,
        need: Need = "all",
        wait: timedelta = NO_WAIT,
    ) -> Sequence[Message]:
        return await self._awaiting.several(caller, message_ids, need, wait)

    async def dead_letters(
        self, caller: Caller, channel: str, *, limit: int = 50, cursor: str | None = None
    ) -> Page[DeadLetter]:
        require(caller, READ)
        name = await self._engine.channel(channel)
        limit = checks.page_limit(limit)
        after = names.stream_cursor(cursor, field="cursor")[0] if cursor is not None else "0-0"
        found = (await self._engine.run("dead_letters", name, caller.key_id, after, limit))[1]
        letters = [replies.dead_letter(name, stream_id, fields) for stream_id, fields in found]
        return Page(letters, found[-1][0] if len(found) == limit else None)

    async def redrive(self, caller: Caller, channel: str, dead_letter_ids: Sequence[str]) -> Sequence[Redriven]:
        require(caller, ACK)
        name = await self._engine.channel(channel)
        if not 1 <= len(dead_letter_ids) <= _MOST_REDRIVEN:
            raise InvalidInput(f"ids must name 1 to {_MOST_REDRIVEN} dead letters", field="ids", code="invalid_ids")
        places = [names.split_message_id(given, field="ids") for given in dead_letter_ids]
        if any(of != name for of, _ in places):
            raise InvalidInput(f"ids must all be dead letters of channel '{name}'", field="ids", code="invalid_ids")
        reply = await self._engine.run("redrive", name, caller.key_id, *(stream_id for _, stream_id in places))
        self._engine.outboxes.wrote(name)
        return [Redriven(old, names.message_id(name, new)) for old, new in zip(dead_letter_ids, reply[1], strict=True)]
