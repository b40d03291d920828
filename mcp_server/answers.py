"""The shapes of the answers. What is None is left out; what other agents wrote is in fields of its own, of free types.

States and times are plain strings here: every word of a schema is paid for by each model that reads the tool list.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, Field

from bus import Message
from bus.models import Hold

from .peer_text import FreeText, FreeValue

Finished = Literal["done", "failed", "dead", "expired", "cancelled"]


class Fenced(BaseModel):
    """An answer with others' free text, which stands as `<<fence text fence>>`; `fence` is set when it is sent."""

    fence: str | None = None


class Author(BaseModel):
    """Who wrote it: a label that the writer chose, and the API key that the bus verified."""

    label: str | None = None
    key_id: str | None = None

    @classmethod
    def of(cls, message: Message) -> Author:
        return cls(label=message.label or message.actor, key_id=message.key_id)


class Posted(BaseModel):
    message_id: str
    channel_created: bool | None = None
    replayed: bool | None = None
    next: str


class Broadcasted(Posted):
    cursor: str


class Task(BaseModel):
    message_id: str
    from_: Author = Field(serialization_alias="from")
    content: FreeText
    metadata: dict[str, Any] | None = None
    posted_at: datetime
    delivery: int


class Claimed(Fenced):
    status: Literal["claimed", "none"]
    task: Task | None = None
    claim_token: str | None = None
    lease_expires_at: datetime | None = None
    note: str | None = None
    still_held: list[str] | None = None
    next: str


class Settled(BaseModel):
    message_id: str
    state: str
    next: str


class Renewed(BaseModel):
    message_id: str
    lease_expires_at: datetime
    next: str


class Holder(BaseModel):
    actor: str
    key_id: str
    since: datetime
    lease_expires_at: datetime

    @classmethod
    def of(cls, hold: Hold) -> Holder:
        return cls(actor=hold.actor, key_id=hold.key_id, since=hold.claimed_at, lease_expires_at=hold.lease_expires_at)


class Awaited(Fenced):
    """`status` pending: the time was up; `state` says where the task stands."""

    status: Literal["pending", Finished]
    result: FreeValue = None
    reason: FreeText | None = None
    from_: Author | None = Field(default=None, serialization_alias="from")
    note: str | None = None
    state: str | None = None
    deliveries: int | None = None
    holder: Holder | None = None
    available_at: datetime | None = None
    next: str


class Heard(BaseModel):
    message_id: str
    from_: Author = Field(serialization_alias="from")
    content: FreeText
    metadata: dict[str, Any] | None = None
    posted_at: datetime
    state: str | None = None

    @classmethod
    def of(cls, message: Message) -> Heard:
        return cls(
            message_id=message.id,
            from_=Author.of(message),
            content=message.content,
            metadata=dict(message.metadata) or None,
            posted_at=message.posted_at,
            state=message.state.value if message.state else None,
        )


class Subscribed(Fenced):
    messages: list[Heard]
    next_cursor: str | None = None
    missed: int | None = None
    note: str | None = None
    next: str


class ListedChannel(BaseModel):
    channel: str
    mode: Literal["claimable", "broadcast"]
    access: Literal["open", "restricted"]
    description: FreeText | None = None
    member: bool | None = None
    waiting: int | None = None
    in_flight: int | None = None
    delayed: int | None = None
    messages: int | None = None


class Channels(Fenced):
    channels: list[ListedChannel]
    next_cursor: str | None = None
    next: str


class AccessAnswered(BaseModel):
    status: str
    request_id: str | None = None
    next: str


class KeyIssued(BaseModel):
    key_id: str
    agent_label: str
    stored_at: str
    next: str
