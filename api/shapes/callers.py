"""API keys, actors and access requests as JSON."""

from __future__ import annotations

from api import wire
from bus.models import AccessAnswer, AccessRequest, Actor, Caller, IssuedKey

from .moments import stamp

RATE_LIMIT_WINDOW_SECONDS = 60


def issued_key(k: IssuedKey) -> wire.IssuedKeyJson:
    return {
        "key": k.api_key,
        "key_id": k.key_id,
        "agent_label": k.label,
        "created_at": stamp(k.created_at),
        "expires_at": None,
        "rate_limit": 0,
        "rate_limit_window_seconds": RATE_LIMIT_WINDOW_SECONDS,
    }


def key(caller: Caller) -> wire.KeyJson:
    return {
        "key_id": caller.key_id,
        "owner_id": caller.label,
        "plan": "free",
        "active": True,
        "scopes": None if caller.scopes is None else sorted(caller.scopes),
        "rate_limit": 0,
        "rate_limit_window_seconds": RATE_LIMIT_WINDOW_SECONDS,
    }


def actor(a: Actor, owner_label: str) -> wire.ActorJson:
    return {
        "id": a.name,
        "owner_id": owner_label,
        "created_by_key_id": a.key_id,
        "name": a.name,
        "description": a.description,
        "metadata": dict(a.metadata),
        "aliases": list(a.aliases),
        "created_at": stamp(a.created_at),
        "updated_at": stamp(a.updated_at),
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
