"""From what scripts reply to the bus's values."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from ..models import (
    Access,
    ArchivedMessage,
    Channel,
    DeadLetter,
    Delivery,
    Hold,
    Message,
    Mode,
    Outcome,
    Receipt,
    RelatedChannel,
    State,
)
from ..names import message_id, public_id
from .course import Course, chain_of
from .moments import moment, optional_moment

_HELD = (State.IN_FLIGHT, State.INPUT_REQUIRED)


def pairs(flat: Sequence[str]) -> dict[str, str]:
    """A flat list of fields and values."""
    return dict(zip(flat[::2], flat[1::2], strict=True))


def posted_at(stream_id: str) -> datetime:
    return moment(stream_id.partition("-")[0])


def consumer(key_id: str, actor: str) -> str:
    """The PEL's name of an actor: `<key id>/<actor>`."""
    return f"{key_id}/{actor}"


def actor_of(consumer_name: str) -> tuple[str, str]:
    """`bck_x/ann` -> (`ann`, `bck_x`); a bare key id (a cancelling poster) has no actor of its own."""
    key_id, _, actor = consumer_name.partition("/")
    return actor or key_id, key_id


def outcome(text: str) -> tuple[Outcome, str]:
    """The outcome kept as JSON, and the key id that posted the task."""
    kept: dict[str, Any] = json.loads(text)
    actor, key_id = actor_of(kept["by"]) if kept.get("by") else (None, None)
    ended = Outcome(
        state=State(kept["state"]),
        result=kept.get("result"),
        reason=kept.get("reason"),
        actor=actor,
        key_id=key_id,
        delivery=int(kept.get("delivery", 0)),
        claimed_at=optional_moment(kept.get("claimed_at")),
        finished_at=moment(kept["at"]),
    )
    return ended, kept.get("posted_by") or ""


def _metadata(text: str | None) -> Mapping[str, Any]:
    """What we wrote is an object; an entry added by hand may hold anything."""
    if not text or text == "{}":  # which most messages have
        return {}
    try:
        found: Any = json.loads(text)
    except ValueError:
        return {}
    return cast("dict[str, Any]", found) if isinstance(found, dict) else {}


def _names(text: str | None) -> tuple[str, ...]:
    """The names in a JSON list; none in what was added by hand and is no such list."""
    try:
        found: Any = json.loads(text) if text else ()
    except ValueError:
        return ()
    return tuple(name for name in cast("list[Any]", found) if isinstance(name, str)) if isinstance(found, list) else ()


def row_of(stream_id: str, flat: Sequence[str], state: str = "", at: float = 0, *, outcome_text: str = "") -> Sequence[Any]:
    """A row, as lib/row.lua makes it, of a message that nobody holds."""
    return (stream_id, flat, state, at, "", 0, 0, 0, outcome_text, "", "")


def message(channel: str, row: Sequence[Any], *, key_id: str, member: bool, receipts: str = "") -> Message:
    """A row as lib/row.lua makes it, as seen by `key_id`."""
    stream_id, flat, state, at, holder, count, claimed, cancel, outcome_text, course, progress = row
    fields = pairs(flat)
    common: dict[str, Any] = {
        "id": message_id(channel, stream_id),
        "channel": public_id(channel),
        "content": fields.get("content", ""),
        "metadata": _metadata(fields.get("metadata")),
        "posted_at": posted_at(stream_id),
        "expires_at": moment(fields["_exp"]) if "_exp" in fields else datetime.max.replace(tzinfo=UTC),
        "label": fields.get("label"),
        "actor": fields.get("actor"),
        "key_id": fields.get("key"),
        "deliveries": int(count),
        "mentions": _names(fields.get("mentions")),
        "receipts": tuple(Receipt(r["actor"], moment(r["at"])) for r in json.loads(receipts)) if receipts else (),
        "archived": not flat,
    }
    if state:
        common["chain"] = chain_of(common["id"], fields)
    if state == "finished":
        return _finished(common, outcome_text, key_id, member)
    so_far = Course.read(course, progress, visible=member or key_id in (common["key_id"], holder.partition("/")[0]))
    common["questions"] = so_far.questions
    if state in _HELD:
        actor, holder_key = actor_of(holder)
        hold = Hold(
            actor, holder_key, int(count), moment(claimed), moment(at), bool(cancel), so_far.progress, stale=so_far.stale
        )
        return Message(**common, state=State(state), hold=hold)
    available = moment(at) if state == "delayed" else None
    return Message(**common, state=State(state) if state else None, available_at=available)


def _finished(common: dict[str, Any], text: str, key_id: str, member: bool) -> Message:
    if not text:  # its result's time was up before it fell off the stream
        return Message(**common, state=State.DONE)
    ended, poster = outcome(text)
    may_see = member or key_id in (poster, ended.key_id)
    if not may_see:
        ended = Outcome(ended.state, None, None, ended.actor, ended.key_id, ended.delivery, ended.claimed_at, ended.finished_at)
    if common["archived"]:
        common |= {"key_id": poster, "expires_at": ended.finished_at}
    common["deliveries"] = ended.delivery
    return Message(**common, state=ended.state, outcome=ended, result_withheld=not may_see)


def channel(channel_name: str, flat: Sequence[str], related: Sequence[RelatedChannel] = ()) -> Channel:
    """A channel from its settings hash; of `related` the hash has only the names."""
    kept = pairs(flat)

    def number(field: str) -> int | None:
        return int(kept[field]) if kept.get(field) else None

    return Channel(
        id=public_id(channel_name),
        name=kept.get("name", channel_name),
        mode=Mode(kept["mode"]),
        access=Access(kept["access"]),
        discoverable=kept.get("discoverable") == "1",
        owner_label=kept.get("owner_label", ""),
        owner_key_id=kept.get("owner_key_id", ""),
        description=kept.get("description", ""),
        pinned_message=kept.get("pinned_message"),
        ttl=timedelta(milliseconds=int(kept["ttl_ms"])),
        retention=timedelta(milliseconds=int(kept["retention_ms"])),
        lease=timedelta(milliseconds=int(kept["lease_ms"])),
        max_deliveries=int(kept["max_deliveries"]),
        max_messages=number("max_messages"),
        max_writes_per_minute=number("max_writes_per_minute"),
        paused=kept.get("paused") == "1",
        created_at=moment(kept["created_ms"]),
        updated_at=moment(kept["updated_ms"]),
        metadata_schema=_metadata(kept.get("metadata_schema")),
        aliases=tuple(json.loads(kept.get("aliases") or "[]")),
        related_channels=tuple(related),
        has_webhook=bool(kept.get("webhook_url")),
    )


def archived(channel_name: str, row: Sequence[Any], *, key_id: str, member: bool) -> ArchivedMessage:
    """An entry of the history, as seen by `key_id`. Only a task has an outcome; one whose time was up is not known any more."""
    stream_id, flat = row
    fields = pairs(flat)
    outcome_text = fields.get("_outcome", "")
    state = "" if "_n" in fields else "finished"
    row_found = row_of(fields["_id"], flat, state, outcome_text=outcome_text)
    found = message(channel_name, row_found, key_id=key_id, member=member)
    return ArchivedMessage(found, moment(fields.get("_archived_at") or stream_id.partition("-")[0]))


def dead_letter(channel_name: str, stream_id: str, flat: Sequence[str]) -> DeadLetter:
    """An entry of the dead stream."""
    fields = pairs(flat)
    record: dict[str, Any] = json.loads(fields.get("_deliveries") or "{}")
    reason = fields.get("_reason", "dead")
    was = message(channel_name, row_of(fields["_id"], flat), key_id="", member=False)
    log: list[dict[str, Any]] = record.get("log") or []
    return DeadLetter(
        id=message_id(channel_name, stream_id),
        message=replace(was, state=State(reason)),
        reason=reason,
        died_at=moment(fields.get("_at") or stream_id.partition("-")[0]),
        deliveries=tuple(_delivery(entry) for entry in log),
    )


def _delivery(entry: Mapping[str, Any]) -> Delivery:
    actor, key_id = actor_of(entry["by"])
    return Delivery(int(entry["n"]), actor, key_id, moment(entry["at"]), entry.get("ended"), entry.get("why"))
