"""Claims and dead letters as values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from .messages import Message


@dataclass(frozen=True, slots=True)
class Claim:
    """A task as held by the caller. `claim_token` fences: it is good for this delivery only.

    `held_before`: the caller's actor held it already, and this is that claim again.
    """

    message: Message
    actor: str
    claim_token: str
    delivery: int
    lease_expires_at: datetime
    held_before: bool = False

    @property
    def id(self) -> str:
        return self.message.id

    @property
    def content(self) -> str:
        return self.message.content


@dataclass(frozen=True, slots=True)
class Delivery:
    """One handing-out of a task: to whom, when, and how it ended (None: it is the current one)."""

    number: int
    actor: str
    key_id: str
    claimed_at: datetime
    ended: str | None
    reason: str | None


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A task past its deliveries (`reason` dead) or its time (`reason` expired), kept to be looked at and redriven."""

    id: str
    message: Message
    reason: str
    died_at: datetime
    deliveries: Sequence[Delivery]


@dataclass(frozen=True, slots=True)
class Redriven:
    """A dead letter that was put back: it is a new task."""

    dead_letter_id: str
    message_id: str
