"""The shapes of the answers. What is None is left out; what other agents wrote is in fields of its own, of free types.

States and times are plain strings here. A field `…_characters` says how long a text is of which only the beginning is shown.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, Field

from bus import Message
from bus.models import Outcome, Question

from .peer_text import FreeText
from .previews import Preview, beginning

_MOST_QUESTIONS = 5
_QUESTION_BYTES = 1_000


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

    @classmethod
    def of_outcome(cls, outcome: Outcome) -> Author | None:
        """None where nobody ended it: it expired, or its deliveries were used up. Who calls it off has only a key."""
        if not outcome.actor:
            return None
        return cls(label=outcome.actor if outcome.actor != outcome.key_id else None, key_id=outcome.key_id)


class Posted(BaseModel):
    """`nearest`: where the channel was created for it, others of a like name."""

    message_id: str
    channel_created: bool | None = None
    nearest: list[str] | None = None
    replayed: bool | None = None
    note: str | None = None
    next: str


class Broadcasted(BaseModel):
    message_id: str
    channel_created: bool | None = None
    replayed: bool | None = None
    cursor: str
    next: str


class Asked(BaseModel):
    """A question of a holder and what was answered, long ones by their beginning."""

    from_: Author = Field(serialization_alias="from")
    question: FreeText
    answer: FreeText | None = None
    answered_by: Author | None = None

    @classmethod
    def of(cls, question: Question) -> Asked:
        answer = question.answer
        return cls(
            from_=Author(label=question.actor, key_id=question.key_id),
            question=beginning(question.text, _QUESTION_BYTES),
            answer=None if answer is None else beginning(answer, _QUESTION_BYTES),
            answered_by=Author(label=question.answered_by, key_id=question.answered_by_key_id)
            if question.answered_at
            else None,
        )

    @classmethod
    def all_of(cls, message: Message) -> list[Asked] | None:
        """The latest few, the last one last; None when nothing was ever asked."""
        return [cls.of(each) for each in message.questions[-_MOST_QUESTIONS:]] or None


class Task(BaseModel):
    """`hops`: so many tasks were posted one in the course of the other before this one. `questions`: of earlier holders."""

    message_id: str
    from_: Author = Field(serialization_alias="from")
    content: FreeText
    content_characters: int | None = None
    metadata: dict[str, Any] | None = None
    posted_at: datetime
    delivery: int
    hops: int | None = None
    questions: list[Asked] | None = None

    @classmethod
    def of(cls, message: Message, delivery: int) -> Task:
        content = Preview.of(message.content)
        return cls(
            message_id=message.id,
            from_=Author.of(message),
            content=content.shown,
            content_characters=content.characters,
            metadata=dict(message.metadata) or None,
            posted_at=message.posted_at,
            delivery=delivery,
            hops=message.chain.hops or None if message.chain else None,
            questions=Asked.all_of(message),
        )


class Claimed(Fenced):
    status: Literal["claimed", "none"]
    task: Task | None = None
    claim_token: str | None = None
    lease_expires_at: datetime | None = None
    note: str | None = None
    still_held: list[str] | None = None
    next: str


class Settled(BaseModel):
    state: str
    next: str


class Renewed(BaseModel):
    lease_expires_at: datetime
    next: str


class Answered(Fenced):
    """`status` pending: nobody has answered yet."""

    status: Literal["answered", "pending"]
    answer: FreeText | None = None
    answer_characters: int | None = None
    from_: Author | None = Field(default=None, serialization_alias="from")
    note: str | None = None
    next: str


class Heard(BaseModel):
    message_id: str
    from_: Author = Field(serialization_alias="from")
    content: FreeText
    content_characters: int | None = None
    metadata: dict[str, Any] | None = None
    metadata_characters: int | None = None
    posted_at: datetime
    state: str | None = None

    @classmethod
    def of(cls, message: Message, most_bytes: int) -> Heard:
        """With at most so many bytes of content, and of metadata, which are left out when they are longer."""
        content = Preview.of(message.content, whole_bytes=most_bytes, characters=most_bytes)
        metadata = Preview.of(dict(message.metadata), whole_bytes=most_bytes)
        return cls(
            message_id=message.id,
            from_=Author.of(message),
            content=content.shown,
            content_characters=content.characters,
            metadata=(dict(message.metadata) or None) if metadata.characters is None else None,
            metadata_characters=metadata.characters,
            posted_at=message.posted_at,
            state=message.state.value if message.state else None,
        )

    @property
    def cut(self) -> bool:
        return self.content_characters is not None or self.metadata_characters is not None


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
    stored_at: str
    next: str
