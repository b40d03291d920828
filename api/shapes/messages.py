"""Messages, claims, results and dead letters as JSON: the contract's fields and what our bus has on top."""

from __future__ import annotations

from collections.abc import Sequence

from api.wire import messages as wire
from bus import awaiting
from bus.message_json import message_json as message
from bus.models import Acked, Claim, DeadLetter, Message, Page, Posted, Workers

from .moments import stamp, stamp_or_none


def posted(p: Posted) -> wire.PostedJson:
    return {
        "message": message(p.message),
        "channel": p.message.channel,
        "channel_created": p.channel_created,
        "next_cursor": p.cursor,
        "workers": None if p.workers is None else _workers(p.workers),
        "nearest": list(p.nearest),
    }


def _workers(w: Workers) -> wire.WorkersJson:
    return {"waiting": w.waiting, "recent": w.recent, "last_seen_at": stamp_or_none(w.last_seen_at)}


def message_page(page: Page[Message], limit: int) -> wire.MessagePageJson:
    return {
        "data": [message(m) for m in page.items],
        "limit": limit,
        "next_cursor": page.next_cursor,
        "missed": page.missed,
    }


def claim(c: Claim) -> wire.ClaimJson:
    return {"status": "already_claimed" if c.held_before else "claimed", **heartbeat(c)}


def lease_heartbeat(c: Claim, lease_token: str) -> wire.LeaseHeartbeatJson:
    return {"lease_token": lease_token, "expires_at": stamp(c.lease_expires_at)}


def lease(c: Claim, lease_token: str) -> wire.LeaseJson:
    return {**lease_heartbeat(c, lease_token), "message": message(c.message)}


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


def acked(a: Acked) -> wire.AckedJson:
    return {"status": "already_acknowledged" if a.repeated else "acknowledged", "message": message(a.message)}


def result(m: Message) -> wire.ResultJson:
    """A state that ends a wait is shown as `status`, which is `pending` until then."""
    return {
        "task_id": m.id,
        "status": m.state.value if m.state is not None and awaiting.enough((m,)) else "pending",  # pyright: ignore[reportReturnType]  # those states only
        "result": None if m.outcome is None else m.outcome.result,
        "reason": None if m.outcome is None else m.outcome.reason,
        "message": message(m),
    }


def results(found: Sequence[Message], need: awaiting.Need) -> wire.ResultsJson:
    asked = "input_required" if awaiting.asks(found) else "pending"
    return {"status": "finished" if awaiting.reached(found, need) else asked, "results": [result(m) for m in found]}


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
