"""Answers remembered under idempotency keys on Redis: one string per API key and idempotency key."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from .. import checks
from ..errors import IdempotencyConflict, IdempotencyInProgress, InvalidInput
from ..idempotency import MAX_ANSWER_BYTES, Remembered, kept_for
from ..models import Caller
from ..store import Arg
from .credentials import RedisCredentials
from .engine import Engine, milliseconds
from .scripts import script
from .waiting import Seen, until

_FREE: Final = timedelta(seconds=1)  # long enough to be heard by who waits
_WAIT: Final = timedelta(seconds=10)
_BEYOND_THE_LONGEST_WAIT: Final = timedelta(seconds=60)


class RedisIdempotency:
    """`wait`: how long a call under way is waited for."""

    def __init__(self, engine: Engine, credentials: RedisCredentials, *, wait: timedelta = _WAIT) -> None:
        self._engine = engine
        self._credentials = credentials
        self._wait = wait

    async def begin(self, caller: Caller, idempotency_key: str, fingerprint: str) -> Remembered | None:
        record = self._record(caller, idempotency_key)
        held = milliseconds(self._engine.settings.longpoll_max_wait + _BEYOND_THE_LONGEST_WAIT)

        async def look() -> Seen[list[Any]]:
            reply = await self._run("begin_once", record, fingerprint, held)
            if reply[0] == "idempotency_conflict":
                raise IdempotencyConflict("this idempotency key was used for another request; use a new key for a new request")
            if reply[0] == "pending":
                return Seen(reply, enough=False, look_in=max(int(reply[1]), 1) / 1000)
            return Seen(reply, enough=True)

        reply = await until(self._engine, self._credentials, caller, look, self._wait, shared=(record,))
        if reply[0] == "pending":
            raise IdempotencyInProgress(
                "the first call with this idempotency key has not ended yet; send it again later", retry_after=5
            )
        return Remembered(int(reply[1]), reply[2].encode()) if reply[0] == "kept" else None

    async def keep(self, caller: Caller, idempotency_key: str, fingerprint: str, answer: Remembered) -> None:
        if len(answer.body) > MAX_ANSWER_BYTES:
            await self.forget(caller, idempotency_key, fingerprint)
            return
        kept = milliseconds(kept_for(idempotency_key))
        await self._run(
            "end_once", self._record(caller, idempotency_key), fingerprint, kept, answer.status, answer.body.decode()
        )

    async def forget(self, caller: Caller, idempotency_key: str, fingerprint: str) -> None:
        await self._run("end_once", self._record(caller, idempotency_key), fingerprint, milliseconds(_FREE))

    def _record(self, caller: Caller, idempotency_key: str) -> str:
        checked = checks.idempotency_key(idempotency_key)
        if checked is None:
            raise InvalidInput("there is no idempotency key", field="idempotency_key", code="invalid_idempotency_key")
        return self._engine.keys.remembered(caller.key_id, checked)

    async def _run(self, name: str, record: str, *args: Arg) -> list[Any]:
        store = self._engine.store
        return await store.run(script(name, store.publish_prefix), (record,), args)
