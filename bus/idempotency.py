"""Answers that are remembered under an idempotency key, for verbs that repeating would do twice."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Protocol

from .models import Caller

MAX_ANSWER_BYTES: Final = 262_144
"""A larger answer is not remembered: a repeat does the verb again."""

OWN_PREFIX: Final = "auto-"
"""So begins a key that our own client made up, to send one call again safely when its answer is lost."""
_KEPT: Final = timedelta(hours=24)
_OWN_KEPT: Final = timedelta(minutes=10)


def kept_for(idempotency_key: str) -> timedelta:
    """How long what was done under the key is remembered: 24 h, 10 min where it is only the client's own."""
    return _OWN_KEPT if idempotency_key.startswith(OWN_PREFIX) else _KEPT


@dataclass(frozen=True, slots=True)
class Remembered:
    """The answer that the first call was given: an HTTP status and a JSON body."""

    status: int
    body: bytes


class Idempotency(Protocol):
    """Posting does not need this: its idempotency record is part of its one transition. Here the record is taken before
    the verb and kept after it, so a server that dies in between leaves a verb that a repeat does again, once a minute
    more than the longest wait has passed; until then it is told that the first call is under way.
    """

    async def begin(self, caller: Caller, idempotency_key: str, fingerprint: str) -> Remembered | None:
        """Take the key for one call, or learn what its first call was answered; None: go on, then `keep` or `forget`.

        `fingerprint`: of everything that makes the call the same. A call that is under way is waited for, up to 10 s.
        Raises IdempotencyConflict (another fingerprint), IdempotencyInProgress, InvalidInput.
        """
        ...

    async def keep(self, caller: Caller, idempotency_key: str, fingerprint: str, answer: Remembered) -> None:
        """Remember a success for as long as `kept_for` says, if its body, JSON or empty, has at most `MAX_ANSWER_BYTES`."""
        ...

    async def forget(self, caller: Caller, idempotency_key: str, fingerprint: str) -> None:
        """The call failed: a repeat may try again."""
        ...
