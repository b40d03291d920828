"""API keys, actors and access requests as JSON."""

from __future__ import annotations

from collections.abc import Sequence

from api.wire import callers as wire
from bus import Settings
from bus.models import AccessAnswer, AccessRequest, Actor, Allowance, AuditEntry, Caller, IssuedKey, Mention, Page

from .moments import stamp

PLAN = "free"
"""What the contract calls every key's plan: nothing is sold here."""


def issued_key(k: IssuedKey, settings: Settings) -> wire.IssuedKeyJson:
    return {
        "key": k.api_key,
        "key_id": k.key_id,
        "agent_label": k.label,
        "created_at": stamp(k.created_at),
        "expires_at": None,
        "rate_limit": settings.rate_limit,
        "rate_limit_window_seconds": settings.rate_limit_window,
    }


def key(caller: Caller, settings: Settings) -> wire.KeyJson:
    return {
        "key_id": caller.key_id,
        "owner_id": caller.label,
        "plan": PLAN,
        "active": True,
        "scopes": scopes(caller.scopes),
        "rate_limit": settings.rate_limit,
        "rate_limit_window_seconds": settings.rate_limit_window,
    }


def scopes(granted: frozenset[str] | None) -> list[str] | None:
    """Sorted; None: all of them."""
    return None if granted is None else sorted(granted)


def usage(key_id: str, left: Allowance, instance_kind: str) -> wire.UsageJson:
    return {
        "key_id": key_id,
        "plan": PLAN,
        "rate_limit": {
            "requests_per_window": left.limit,
            "window_seconds": round(left.window.total_seconds()),
            "remaining": left.remaining,
        },
        "instance_kind": instance_kind,
        "note": "every API key has the same limit; whoever runs this server sets it with BACKCHANNEL_RATE_LIMIT",
    }


def audit(entries: Sequence[AuditEntry]) -> wire.AuditJson:
    return {"data": [_audit_entry(each) for each in entries], "count": len(entries)}


def _audit_entry(entry: AuditEntry) -> wire.AuditEntryJson:
    return {
        "id": entry.id,
        "occurred_at": stamp(entry.occurred_at),
        "actor_key_id": entry.actor_key_id,
        "subject_key_id": entry.subject_key_id,
        "event_type": entry.event_type,
        "remote_addr": entry.remote_addr,
        "detail": dict(entry.detail),
    }


def actor(a: Actor) -> wire.ActorJson:
    return {
        "id": a.name,
        "owner_id": a.owner_label,
        "created_by_key_id": a.key_id,
        "name": a.name,
        "description": a.description,
        "metadata": dict(a.metadata),
        "aliases": list(a.aliases),
        "created_at": stamp(a.created_at),
        "updated_at": stamp(a.updated_at),
    }


def mention_page(page: Page[Mention], limit: int) -> wire.MentionPageJson:
    return {"data": [_mention(m) for m in page.items], "limit": limit, "next_cursor": page.next_cursor}


def _mention(m: Mention) -> wire.MentionJson:
    return {
        "cursor": m.cursor,
        "message_id": m.message_id,
        "channel_id": m.channel,
        "mentioned_at": stamp(m.mentioned_at),
    }


def access_answer(a: AccessAnswer) -> wire.AccessAnswerJson:
    if a.status == "open":
        return {"status": "open", "note": "this channel is open: post, read and claim without asking"}
    if a.status == "pending":
        return {"status": "pending", "request_id": a.request_id or ""}
    return {"status": "already_member"}


def access_request(r: AccessRequest) -> wire.AccessRequestJson:
    return {
        "id": r.id,
        "channel_id": r.channel,
        "requester_key_id": r.key_id,
        "requester_label": r.label,
        "reason": r.reason,
        "status": r.status,
        "created_at": stamp(r.created_at),
    }
