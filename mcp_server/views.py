"""The shapes of the resources. What is None is left out; what other agents wrote is in fields of its own, of free types."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import BaseModel, Field

from bus import Channel, Message
from bus.models import Counts, Outcome

from .answers import Author, Fenced, Holder
from .peer_text import FreeText, FreeValue


class ReadChannel(Fenced):
    """`counts`: how many messages stand where; a broadcast channel has a total only."""

    channel: str
    name: str
    mode: str
    access: str
    owner: Author
    description: FreeText | None
    paused: bool | None
    lease_seconds: int
    max_deliveries: int
    metadata_schema: dict[str, Any] | None
    aliases: list[str] | None
    related_channels: list[str] | None
    counts: dict[str, int]

    @classmethod
    def of(cls, channel: Channel, counts: Counts) -> ReadChannel:
        numbers = {name: getattr(counts, name) for name in ("total", "waiting", "delayed", "in_flight", "done", "dead")}
        return cls(
            channel=channel.id,
            name=channel.name,
            mode=channel.mode.value,
            access=channel.access.value,
            owner=Author(label=channel.owner_label, key_id=channel.owner_key_id),
            description=channel.description or None,
            paused=channel.paused or None,
            lease_seconds=int(channel.lease.total_seconds()),
            max_deliveries=channel.max_deliveries,
            metadata_schema=dict(channel.metadata_schema) or None,
            aliases=list(channel.aliases) or None,
            related_channels=[other.id for other in channel.related_channels] or None,
            counts={name: number for name, number in numbers.items() if number or name == "total"},
        )


class Ended(BaseModel):
    status: str
    result: FreeValue = None
    reason: FreeText | None
    from_: Author | None = Field(serialization_alias="from")
    finished_at: datetime

    @classmethod
    def of(cls, outcome: Outcome) -> Ended:
        return cls(
            status=outcome.state.value,
            result=outcome.result,
            reason=outcome.reason,
            from_=Author(label=outcome.actor, key_id=outcome.key_id) if outcome.actor else None,
            finished_at=outcome.finished_at,
        )


class ReadMessage(Fenced):
    """`content` is missing where only the outcome is still kept."""

    message_id: str
    channel: str
    from_: Author = Field(serialization_alias="from")
    content: FreeText | None
    metadata: dict[str, Any] | None
    posted_at: datetime
    expires_at: datetime
    state: str | None
    deliveries: int | None
    available_at: datetime | None
    holder: Holder | None
    outcome: Ended | None
    result_withheld: bool | None

    @classmethod
    def of(cls, message: Message) -> ReadMessage:
        return cls(
            message_id=message.id,
            channel=message.channel,
            from_=Author.of(message),
            content=None if message.archived else message.content,
            metadata=dict(message.metadata) or None,
            posted_at=message.posted_at,
            expires_at=message.expires_at,
            state=message.state.value if message.state else None,
            deliveries=message.deliveries or None,
            available_at=message.available_at,
            holder=Holder.of(message.hold) if message.hold else None,
            outcome=Ended.of(message.outcome) if message.outcome else None,
            result_withheld=message.result_withheld or None,
        )
