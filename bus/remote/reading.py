"""From the API's JSON back to the bus's values."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, TypeVar

from bus.models import (
    Access,
    AccessRequest,
    Acked,
    Actor,
    ArchivedMessage,
    Chain,
    Channel,
    ChannelMetrics,
    ChannelSummary,
    Claim,
    Counts,
    DeadLetter,
    Delivery,
    Hold,
    Mention,
    Message,
    Mode,
    Outcome,
    OwnedTotals,
    Page,
    Progress,
    Question,
    Receipt,
    RelatedChannel,
    State,
    Workers,
)

T = TypeVar("T")
Json = Mapping[str, Any]


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def moment_or_none(text: str | None) -> datetime | None:
    return None if text is None else moment(text)


def _name(named: Json | None) -> str | None:
    return None if named is None else named["name"]


def message(m: Json) -> Message:
    outcome = None if m["outcome"] is None else _outcome(m["outcome"])
    return Message(
        id=m["id"],
        channel=m["channel_id"],
        content=m["content"],
        metadata=m["metadata"],
        posted_at=moment(m["created_at"]),
        expires_at=moment(m["expires_at"]),
        label=m["actor_label"],
        actor=_name(m["actor"]),
        key_id=m["key_id"],
        state=None if m["state"] is None else State(m["state"]),
        available_at=moment_or_none(m["available_at"]),
        deliveries=m["deliveries"],
        hold=None if m["lease_expires_at"] is None else _hold(m),
        outcome=outcome,
        # A task's acknowledgement stands for its outcome; only a broadcast message has read receipts.
        receipts=tuple(_receipt(r) for r in m["acknowledged_by"]) if m["state"] is None else (),
        archived=m["archived"],
        result_withheld=m["result_withheld"],
        mentions=tuple(each["name"] for each in m["mentions"]),
        questions=tuple(_question(each) for each in m["questions"]),
        chain=None if m["chain"] is None else Chain(m["chain"]["id"], m["chain"]["hops"]),
        ahead=m["ahead"],
    )


def _question(q: Json) -> Question:
    return Question(
        q["text"], q["actor"], q["key_id"], moment(q["asked_at"]),
        q["answer"], q["answered_by"], q["answered_by_key_id"], moment_or_none(q["answered_at"]),
    )  # fmt: skip


def _progress(p: Json | None) -> Progress | None:
    return None if p is None else Progress(p["note"], moment(p["noted_at"]))


def _receipt(r: Json) -> Receipt:
    return Receipt(r["name"], moment(r["occurred_at"]))


def _hold(m: Json) -> Hold:
    return Hold(
        actor=m["claimed_by"]["name"],
        key_id=m["claimed_by_key_id"],
        delivery=m["delivery"],
        claimed_at=moment(m["claimed_at"]),
        lease_expires_at=moment(m["lease_expires_at"]),
        cancel_requested=m["cancel_requested"],
        progress=_progress(m["progress"]),
        stale=m["stale"],
    )


def _outcome(o: Json) -> Outcome:
    return Outcome(
        state=State(o["state"]),
        result=o["result"],
        reason=o["reason"],
        actor=o["actor"],
        key_id=o["key_id"],
        delivery=o["delivery"],
        claimed_at=moment_or_none(o["claimed_at"]),
        finished_at=moment(o["finished_at"]),
    )


def claim(c: Json, held: Json) -> Claim:
    """`held`: the message, which stands at different names in the answers; only one of them has a `status`."""
    return Claim(
        message(held), c["actor"], c["claim_token"], c["delivery"], moment(c["lease_expires_at"]),
        held_before=c.get("status") == "already_claimed",
    )  # fmt: skip


def acked(a: Json) -> Acked:
    return Acked(message(a["message"]), repeated=a["status"] == "already_acknowledged")


def page(p: Json, item: Callable[[Json], T]) -> Page[T]:
    return Page([item(each) for each in p["data"]], p["next_cursor"], p.get("missed", 0))


def channel(c: Json) -> Channel:
    return Channel(
        id=c["id"],
        name=c["name"],
        mode=Mode(c["mode"]),
        access=Access(c["access"]),
        discoverable=c["discoverable"],
        owner_label=c["owner_id"],
        owner_key_id=c["created_by_key_id"],
        description=c["description"],
        pinned_message=c["pinned_message"],
        ttl=timedelta(seconds=c["ttl_seconds"]),
        retention=timedelta(days=c["retention_days"]),
        lease=timedelta(seconds=c["lease_seconds"]),
        max_deliveries=c["max_deliveries"],
        max_messages=c["max_messages"],
        max_writes_per_minute=c["max_writes_per_minute"],
        paused=c["paused"],
        created_at=moment(c["created_at"]),
        updated_at=moment(c["updated_at"]),
        metadata_schema=c["metadata_schema"],
        aliases=tuple(c["aliases"]),
        related_channels=tuple(RelatedChannel(r["id"], r["name"], Mode(r["mode"])) for r in c["related_channels"]),
        has_webhook=c["has_webhook"],
    )


def archived(m: Json) -> ArchivedMessage:
    return ArchivedMessage(message(m), moment(m["archived_at"]))


def channel_metrics(m: Json) -> ChannelMetrics:
    took = m["avg_claim_to_ack_ms"]
    return ChannelMetrics(
        counts(m["counts"]),
        m["message_counts"]["acknowledged"],
        None if took is None else timedelta(milliseconds=took),
        moment(m["computed_at"]),
    )


def owned(o: Json) -> OwnedTotals:
    return OwnedTotals(o["channels_owned"], o["messages_in_owned_channels"], o["messages_claimed_in_owned_channels"])


def summary(c: Json) -> ChannelSummary:
    return ChannelSummary(
        id=c["id"],
        name=c["name"],
        mode=Mode(c["mode"]),
        access=Access(c["access"]),
        description=c["description"],
        created_at=moment(c["created_at"]),
        is_member=c["is_member"],
        counts=counts(c["counts"]),
    )


def counts(c: Json) -> Counts:
    return Counts(
        total=c["total"],
        waiting=c["waiting"],
        delayed=c["delayed"],
        in_flight=c["in_flight"],
        done=c["done"],
        dead=c["dead"],
        next_available_at=moment_or_none(c["next_available_at"]),
    )


def actor(a: Json) -> Actor:
    return Actor(
        a["name"], a["created_by_key_id"], a["owner_id"], a["description"], a["metadata"],
        moment(a["created_at"]), moment(a["updated_at"]), tuple(a["aliases"]),
    )  # fmt: skip


def workers(w: Json) -> Workers:
    return Workers(w["waiting"], w["recent"], moment_or_none(w["last_seen_at"]))


def mention(m: Json) -> Mention:
    return Mention(m["cursor"], m["message_id"], m["channel_id"], moment(m["mentioned_at"]))


def access_request(r: Json) -> AccessRequest:
    return AccessRequest(
        id=r["id"],
        channel=r["channel_id"],
        key_id=r["requester_key_id"],
        label=r["requester_label"],
        reason=r["reason"],
        status=r["status"],
        created_at=moment(r["created_at"]),
    )


def dead_letter(d: Json) -> DeadLetter:
    return DeadLetter(
        d["id"], message(d["message"]), d["reason"], moment(d["died_at"]), tuple(_delivery(each) for each in d["deliveries"])
    )


def _delivery(d: Json) -> Delivery:
    return Delivery(d["number"], d["actor"], d["key_id"], moment(d["claimed_at"]), d["ended"], d["reason"])
