"""The shape of what became of a task: how it ended, what its holder asks, or where it stands."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final, Literal, Self

from pydantic import BaseModel, Field

from bus import Message, State
from bus.models import Hold, Outcome, Progress

from .answers import Author, Fenced
from .peer_text import FreeText, FreeValue
from .previews import PREVIEW_CHARACTERS, WHOLE_BYTES, Preview, beginning
from .standing import seconds_since

_WITHHELD: Final = "the result is withheld: only the poster, the finisher and members of the channel may see it"
_NOT_KEPT: Final = "it is finished, but its outcome is no longer kept"
_ASKED_ANOTHER: Final = "its holder asks the poster something, which only the two and members of the channel may see"
_FORGOTTEN: Final = "its holder keeps the lease up, but has not touched the task for half an hour: perhaps it forgot it"


class Noted(BaseModel):
    """What a holder said last about how far it is."""

    note: FreeText
    seconds_ago: int

    @classmethod
    def of(cls, progress: Progress) -> Noted:
        return cls(note=progress.note, seconds_ago=seconds_since(progress.noted_at))


class Holder(BaseModel):
    """`stale`: it has not touched the task for half an hour, though its lease is kept up."""

    actor: str
    key_id: str
    since: datetime
    held_seconds: int
    lease_expires_at: datetime
    progress: Noted | None = None
    stale: bool | None = None
    cancel_requested: bool | None = None

    @classmethod
    def of(cls, hold: Hold) -> Holder:
        return cls(
            actor=hold.actor,
            key_id=hold.key_id,
            since=hold.claimed_at,
            held_seconds=seconds_since(hold.claimed_at),
            lease_expires_at=hold.lease_expires_at,
            progress=Noted.of(hold.progress) if hold.progress else None,
            stale=hold.stale or None,
            cancel_requested=hold.cancel_requested or None,
        )


class Ending(BaseModel):
    """While `status` is pending, `state` says where the task stands. Long texts by their beginning, see previews."""

    status: Literal["pending", "input_required", "done", "failed", "dead", "expired", "cancelled", "finished"]
    result: FreeValue = None
    result_characters: int | None = None
    reason: FreeText | None = None
    from_: Author | None = Field(default=None, serialization_alias="from")
    question: FreeText | None = None
    question_characters: int | None = None
    note: str | None = None
    state: str | None = None
    ahead: int | None = None
    deliveries: int | None = None
    holder: Holder | None = None
    available_at: datetime | None = None

    @classmethod
    def of(cls, message: Message, *, most_bytes: int = WHOLE_BYTES, **more: Any) -> Self:
        """With at most so many bytes of a result, a reason, a question; `more` is what a subclass has besides."""
        characters = min(most_bytes, PREVIEW_CHARACTERS)
        outcome = message.outcome
        if outcome is not None:
            return cls(**_ended(outcome, message.result_withheld, most_bytes, characters), **more)
        if message.state is not None and message.state.final:
            return cls(status=message.state.value, note=_NOT_KEPT, **more)  # pyright: ignore[reportArgumentType]  # final states only
        if message.state is State.INPUT_REQUIRED:
            if not message.questions:
                return cls(status="input_required", note=_ASKED_ANOTHER, **more)
            asked = message.questions[-1]
            text = Preview.of(asked.text, whole_bytes=most_bytes, characters=characters)
            return cls(
                status="input_required",
                question=text.shown,
                question_characters=text.characters,
                from_=Author(label=asked.actor, key_id=asked.key_id),
                **more,
            )
        return cls(
            status="pending",
            state=message.state.value if message.state else None,
            ahead=message.ahead,
            deliveries=message.deliveries or None,
            holder=Holder.of(message.hold) if message.hold else None,
            note=_FORGOTTEN if message.hold and message.hold.stale else None,
            available_at=message.available_at,
            **more,
        )


def _ended(outcome: Outcome, withheld: bool, most_bytes: int, characters: int) -> dict[str, Any]:
    result = Preview.of(outcome.result, whole_bytes=most_bytes, characters=characters)
    return {
        "status": outcome.state.value,
        "result": result.shown,
        "result_characters": result.characters,
        "reason": None if outcome.reason is None else beginning(outcome.reason, most_bytes),
        "from_": Author.of_outcome(outcome),
        "note": _WITHHELD if withheld else None,
        "deliveries": outcome.delivery if outcome.delivery > 1 else None,
    }


class Named(BaseModel):
    message_id: str


class OneOfSeveral(Ending, Named):
    """Its message id first."""


class Awaited(Fenced, Ending):
    """Of one task, or of several: `results`, and `status` finished when as many as were needed have their outcome."""

    results: list[OneOfSeveral] | None = None
    next: str
