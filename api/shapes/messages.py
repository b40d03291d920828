"""Messages, claims, results and dead letters as JSON: the contract's fields and what our bus has on top."""

from __future__ import annotations

from api import wire
from bus.models import Claim, DeadLetter, Message, Outcome, Page, Posted, State

from .moments import stamp, stamp_or_none

_ACKED = (State.DONE, State.FAILED)
_GONE = (State.DEAD, State.EXPIRED, State.CANCELLED)


def _named(name: str | None) -> wire.Named | None:
    return None if name is None else {"id": name, "name": name}


def message(m: Message) -> wire.MessageJson:
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
        "outcome": None if outcome is None else _outcome(outcome),
        "result_withheld": m.result_withheld,
        "acknowledged_by": _acknowledgements(m),
        "mentions": [],
        "active": not m.archived and m.state not in _GONE,
        "archived": m.archived,
    }


def _status(m: Message) -> wire.Status:
    if m.outcome is not None or (m.state is not None and m.state.final) or m.receipts:
        return "acknowledged"
    return "claimed" if m.hold is not None else "unclaimed"


def _outcome(o: Outcome) -> wire.OutcomeJson:
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


def _acknowledgements(m: Message) -> list[wire.Acknowledgement]:
    if m.outcome is not None and m.outcome.state in _ACKED and m.outcome.actor is not None:
        return [{"id": m.outcome.actor, "name": m.outcome.actor, "occurred_at": stamp(m.outcome.finished_at)}]
    return [{"id": r.actor, "name": r.actor, "occurred_at": stamp(r.read_at)} for r in m.receipts]


def posted(p: Posted) -> wire.PostedJson:
    return {
        "message": message(p.message),
        "channel": p.message.channel,
        "channel_created": p.channel_created,
        "next_cursor": p.cursor,
    }


def message_page(page: Page[Message], limit: int) -> wire.MessagePageJson:
    return {
        "data": [message(m) for m in page.items],
        "limit": limit,
        "next_cursor": page.next_cursor,
        "missed": page.missed,
    }


def claim(c: Claim) -> wire.ClaimJson:
    return {"status": "claimed", **heartbeat(c)}


def heartbeat(c: Claim) -> wire.HeartbeatJson:
    return {
        "message": message(c.message),
        "actor": c.actor,
        "claim_token": c.claim_token,
        "lease_expires_at": stamp(c.lease_expires_at),
        "delivery": c.delivery,
    }


def claimed_task(c: Claim | None, note: str | None) -> wire.ClaimedTaskJson:
    return {
        "claimed": None if c is None else message(c.message),
        "note": note,
        "actor": None if c is None else c.actor,
        "claim_token": None if c is None else c.claim_token,
        "lease_expires_at": None if c is None else stamp(c.lease_expires_at),
        "delivery": None if c is None else c.delivery,
    }


def status(word: str, m: Message) -> wire.StatusJson:
    return {"status": word, "message": message(m)}


def result(m: Message) -> wire.ResultJson:
    """The final state is shown as `status`, which is `pending` until then."""
    return {
        "task_id": m.id,
        "status": m.state.value if m.state is not None and m.state.final else "pending",  # pyright: ignore[reportReturnType]  # final states only
        "result": None if m.outcome is None else m.outcome.result,
        "reason": None if m.outcome is None else m.outcome.reason,
        "message": message(m),
    }


def dead_letter_page(page: Page[DeadLetter], limit: int) -> wire.DeadLetterPageJson:
    return {"data": [_dead_letter(d) for d in page.items], "limit": limit, "next_cursor": page.next_cursor}


def _dead_letter(d: DeadLetter) -> wire.DeadLetterJson:
    return {
        "id": d.id,
        "message": message(d.message),
        "reason": d.reason,
        "died_at": stamp(d.died_at),
        "deliveries": [
            {
                "number": each.number,
                "actor": each.actor,
                "key_id": each.key_id,
                "claimed_at": stamp(each.claimed_at),
                "ended": each.ended,
                "reason": each.reason,
            }
            for each in d.deliveries
        ],
    }
