"""Questions on Redis Streams: a holder asks the poster of its task, waits for the answer, and is woken by it."""

from __future__ import annotations

from datetime import timedelta

from .. import checks, names
from ..credentials import WRITE, require
from ..models import Caller, Claim, Message, State
from . import replies
from .claims import RedisClaims, claim_of
from .credentials import RedisCredentials
from .engine import Engine, place
from .moments import moment
from .waiting import A_LITTLE_LATER, Seen, until


class RedisQuestions:
    def __init__(self, engine: Engine, claims: RedisClaims, credentials: RedisCredentials) -> None:
        self._engine = engine
        self._claims = claims
        self._credentials = credentials

    async def ask(self, caller: Caller, message_id: str, question: str, actor: str | None, claim_token: str | None) -> Claim:
        """See `Tasks.ask`."""
        text = checks.content(question, max_bytes=self._engine.settings.max_message_bytes, field="question")
        channel, reply = await self._claims.act("ask", caller, message_id, actor, claim_token, text)
        return claim_of(channel, reply[1], caller)

    async def answered(
        self, caller: Caller, message_id: str, actor: str | None, claim_token: str | None, wait: timedelta
    ) -> Claim:
        """See `Tasks.await_answer`."""
        channel, stream_id = place(message_id)

        async def look() -> Seen[Claim]:
            _, reply = await self._claims.act("held_task", caller, message_id, actor, claim_token)
            claim = claim_of(channel, reply[1], caller)
            left = (claim.lease_expires_at - moment(reply[2])).total_seconds()
            answered = claim.message.state is not State.INPUT_REQUIRED
            return Seen(claim, enough=answered, look_in=max(left, 0.0) + A_LITTLE_LATER)

        keys = self._engine.keys
        shared = (keys.progress(channel, stream_id), keys.result(channel, stream_id), keys.gone(channel))
        return await until(self._engine, self._credentials, caller, look, wait, shared=shared)

    async def answer(self, caller: Caller, message_id: str, answer: str, label: str | None) -> Message:
        """See `Tasks.answer`."""
        require(caller, WRITE)
        channel, stream_id = place(message_id)
        text = checks.content(answer, max_bytes=self._engine.settings.max_message_bytes, field="answer")
        signed = names.label(label) if label is not None else caller.label
        reply = await self._engine.run_on_message("answer", channel, caller.key_id, stream_id, text, signed)
        # Poster and owner see what was asked, and nobody else gets here.
        return replies.message(channel, reply[1], key_id=caller.key_id, member=True)
