"""A message as JSON: the contract's fields and what our bus has on top, as the HTTP API answers and webhooks send them."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from typing_extensions import TypedDict  # pydantic documents typing's own only from Python 3.12 on

from .models import Message, Outcome, Progress, Question, State

Status = Literal["unclaimed", "claimed", "acknowledged"]
TaskState = Literal["waiting", "delayed", "in_flight", "input_required", "done", "failed", "dead", "expired", "cancelled"]


class Named(TypedDict):
    """An actor: its id is its name."""

    id: str
    name: str


class Acknowledgement(Named):
    occurred_at: str


class OutcomeJson(TypedDict):
    """How a task ended; `actor` and `key_id` are null when its time ended it."""

    state: TaskState
    result: Any
    reason: str | None
    actor: str | None
    key_id: str | None
    delivery: int
    claimed_at: str | None
    finished_at: str


class ProgressJson(TypedDict):
    """What the holder said last about how far it is."""

    note: str
    noted_at: str


class QuestionJson(TypedDict):
    """What a holder asked; `answer` is null until somebody answered. `answered_by` is a label."""

    text: str
    actor: str
    key_id: str
    asked_at: str
    answer: str | None
    answered_by: str | None
    answered_by_key_id: str | None
    answered_at: str | None


class ChainJson(TypedDict):
    """What is posted while working on a task sends its `chain` along. `id`: the first task; `hops`: how far from it."""

    id: str
    hops: int


class MessageJson(TypedDict):
    """A message; on a claimable channel a task, with a `state`. `delivery` is the number of its latest handing-out.

    `stale`: its holder's lease is kept up, but it has not touched the task for half an hour. `ahead`: how many tasks are
    handed out before it, counted to 50, where it was asked for.
    """

    id: str
    channel_id: str
    actor: Named | None
    actor_label: str | None
    key_id: str | None
    content: str
    metadata: dict[str, Any]
    created_at: str
    expires_at: str
    status: Status
    state: TaskState | None
    available_at: str | None
    delivery: int
    deliveries: int
    claimed_by: Named | None
    claimed_by_key_id: str | None
    claimed_at: str | None
    lease_expires_at: str | None
    cancel_requested: bool
    stale: bool
    progress: ProgressJson | None
    questions: list[QuestionJson]
    chain: ChainJson | None
    ahead: int | None
    outcome: OutcomeJson | None
    result_withheld: bool
    acknowledged_by: list[Acknowledgement]
    mentions: list[Named]
    active: bool
    archived: bool


_ACKED = (State.DONE, State.FAILED)
_GONE = (State.DEAD, State.EXPIRED, State.CANCELLED)


def _named(name: str | None) -> Named | None:
    return None if name is None else {"id": name, "name": name}


def message_json(m: Message) -> MessageJson:
    """`status` is the contract's word for the state: a task's holder makes it claimed, its outcome acknowledged."""
    hold, outcome = m.hold, m.outcome
    if outcome is not None:
        by, by_key, at, delivery = outcome.actor, outcome.key_id, outcome.claimed_at, outcome.delivery
    elif hold is not None:
        by, by_key, at, delivery = hold.actor, hold.key_id, hold.claimed_at, hold.delivery
    else:
        by, by_key, at, delivery = None, None, None, m.deliveries
    return {
        "id": m.id,
        "channel_id": m.channel,
        "actor": _named(m.actor),
        "actor_label": m.label,
        "key_id": m.key_id,
        "content": m.content,
        "metadata": dict(m.metadata),
        "created_at": stamp(m.posted_at),
        "expires_at": stamp(m.expires_at),
        "status": _status(m),
        "state": None if m.state is None else m.state.value,
        "available_at": stamp_or_none(m.available_at),
        "delivery": delivery,
        "deliveries": m.deliveries,
        "claimed_by": None if at is None else _named(by),
        "claimed_by_key_id": None if at is None else by_key,
        "claimed_at": stamp_or_none(at),
        "lease_expires_at": None if hold is None else stamp(hold.lease_expires_at),
        "cancel_requested": hold is not None and hold.cancel_requested,
        "stale": hold is not None and hold.stale,
        "progress": None if hold is None or hold.progress is None else _progress(hold.progress),
        "questions": [_question(each) for each in m.questions],
        "chain": None if m.chain is None else {"id": m.chain.id, "hops": m.chain.hops},
        "ahead": m.ahead,
        "outcome": None if outcome is None else _outcome(outcome),
        "result_withheld": m.result_withheld,
        "acknowledged_by": _acknowledgements(m),
        "mentions": [{"id": name, "name": name} for name in m.mentions],
        "active": not m.archived and m.state not in _GONE,
        "archived": m.archived,
    }


def _status(m: Message) -> Status:
    if m.outcome is not None or (m.state is not None and m.state.final) or m.receipts:
        return "acknowledged"
    return "claimed" if m.hold is not None else "unclaimed"


def _outcome(o: Outcome) -> OutcomeJson:
    return {
        "state": o.state.value,
        "result": o.result,
        "reason": o.reason,
        "actor": o.actor,
        "key_id": o.key_id,
        "delivery": o.delivery,
        "claimed_at": stamp_or_none(o.claimed_at),
        "finished_at": stamp(o.finished_at),
    }


def _progress(p: Progress) -> ProgressJson:
    return {"note": p.note, "noted_at": stamp(p.noted_at)}


def _question(q: Question) -> QuestionJson:
    return {
        "text": q.text,
        "actor": q.actor,
        "key_id": q.key_id,
        "asked_at": stamp(q.asked_at),
        "answer": q.answer,
        "answered_by": q.answered_by,
        "answered_by_key_id": q.answered_by_key_id,
        "answered_at": stamp_or_none(q.answered_at),
    }


def _acknowledgements(m: Message) -> list[Acknowledgement]:
    if m.outcome is not None and m.outcome.state in _ACKED and m.outcome.actor is not None:
        return [{"id": m.outcome.actor, "name": m.outcome.actor, "occurred_at": stamp(m.outcome.finished_at)}]
    return [{"id": r.actor, "name": r.actor, "occurred_at": stamp(r.read_at)} for r in m.receipts]


def stamp(moment: datetime) -> str:
    """ISO 8601, UTC, microseconds, `+00:00`."""
    text = moment.isoformat()
    # To name the precision takes three times as long, and a page has hundreds of moments. Only a whole second lacks it.
    return text if moment.microsecond else f"{text[:19]}.000000{text[19:]}"


def stamp_or_none(moment: datetime | None) -> str | None:
    return None if moment is None else stamp(moment)
